//! Events: one line for everything that is new.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ServiceId, SourceId};
use crate::domain::text::SafeText;

/// Name and version of the format.
pub const EVENT_FORMAT: &str = "flightdeck/event/1";

/// Something that is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Name and version of this format.
    #[schemars(extend("const" = EVENT_FORMAT))]
    pub format: String,
    /// When it was noticed.
    pub at: Timestamp,
    /// What kind of thing it is about.
    pub kind: EventKind,
    /// The source that told it.
    pub source: SourceId,
    /// The name of the thing.
    pub name: SafeText,
    /// The services that claim it.
    pub services: Vec<ServiceId>,
    /// What is new, in a sentence.
    pub text: SafeText,
    /// The scenario, if this is rehearsed and nothing of it real.
    pub rehearsal: Option<SafeText>,
}

/// What an event is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A source that answers differently.
    Source,
    /// A pipeline.
    Pipeline,
    /// An environment.
    Environment,
    /// A traffic split.
    Traffic,
    /// A canary whose judgement changed.
    Canary,
    /// A flag.
    Flag,
    /// An alarm.
    Alarm,
    /// Somebody changed something.
    Change,
    /// Something cannot be read.
    Unknown,
}

impl EventKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Pipeline => "pipeline",
            Self::Environment => "environment",
            Self::Traffic => "traffic",
            Self::Canary => "canary",
            Self::Flag => "flag",
            Self::Alarm => "alarm",
            Self::Change => "change",
            Self::Unknown => "unknown",
        }
    }
}
