//! `Fact`: one thing that a source reports.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::alarm::Alarm;
use super::change::Change;
use super::environment::Environment;
use super::flag::Flag;
use super::ids::ItemId;
use super::pipeline::Pipeline;
use super::series::Series;
use super::traffic::TrafficSplit;

/// One thing that a source reports, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// A pipeline.
    Pipeline(Pipeline),
    /// An environment.
    Environment(Environment),
    /// A traffic split.
    Traffic(TrafficSplit),
    /// A flag.
    Flag(Flag),
    /// An alarm.
    Alarm(Alarm),
    /// A series; its points are merged into the known ones.
    Series(Series),
    /// A change.
    Change(Change),
}

impl Fact {
    /// Which item it is about.
    pub fn item(&self) -> ItemId {
        match self {
            Self::Pipeline(x) => ItemId::Pipeline(x.id.clone()),
            Self::Environment(x) => ItemId::Environment(x.id.clone()),
            Self::Traffic(x) => ItemId::Traffic(x.id.clone()),
            Self::Flag(x) => ItemId::Flag(x.id.clone()),
            Self::Alarm(x) => ItemId::Alarm(x.id.clone()),
            Self::Series(x) => ItemId::Series(x.id.clone()),
            Self::Change(x) => ItemId::Change(x.id.clone()),
        }
    }
}

/// Kinds of fact.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// Pipelines.
    Pipelines,
    /// Environments.
    Environments,
    /// Traffic splits.
    Traffic,
    /// Flags.
    Flags,
    /// Alarms.
    Alarms,
    /// Series.
    Series,
    /// Changes.
    Changes,
}

impl FactKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Pipelines,
        Self::Environments,
        Self::Traffic,
        Self::Flags,
        Self::Alarms,
        Self::Series,
        Self::Changes,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pipelines => "pipelines",
            Self::Environments => "environments",
            Self::Traffic => "traffic",
            Self::Flags => "flags",
            Self::Alarms => "alarms",
            Self::Series => "metrics",
            Self::Changes => "changes",
        }
    }
}
