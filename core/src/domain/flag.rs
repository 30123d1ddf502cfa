//! Feature flags, per environment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::FlagId;
use super::text::SafeText;

/// A flag with its state in every environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Flag {
    /// Who it is.
    pub id: FlagId,
    /// Its key, as the code asks for it.
    pub key: SafeText,
    /// The project or application it belongs to.
    pub project: SafeText,
    /// What it is for.
    pub description: Option<SafeText>,
    /// `release`, `experiment`, `kill-switch`, …
    pub kind: Option<SafeText>,
    /// Why it should be cleaned up: `stale`, `deprecated`, `not seen for 40 days`.
    pub stale: Option<SafeText>,
    /// Whether somebody marked it as one to clean up; `stale` may also say what was only observed.
    #[serde(default)]
    pub marked: bool,
    /// In the backend's order.
    pub environments: Vec<FlagState>,
    /// Page in the backend's console.
    pub link: Option<SafeText>,
    /// Tags of the backend, for services that claim by tag.
    pub tags: BTreeMap<SafeText, SafeText>,
}

/// A flag in one environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlagState {
    /// The environment's name in that flag service.
    pub environment: SafeText,
    /// On or off; `None` if it could not be read.
    pub enabled: Option<bool>,
    /// Share of users who get it while it is on, 0–100.
    pub percent: Option<f64>,
    /// Share that its one gradual roll-out gives those whom it is for, 0–100, where it has just one:
    /// what a change of the share changes.
    #[serde(default)]
    pub gradual: Option<f64>,
    /// Its rules in words: strategies, constraints, segments.
    pub rules: Vec<SafeText>,
    /// Attributes or variants with their values.
    pub attributes: Vec<(SafeText, SafeText)>,
    /// The version or deployment number that is live.
    pub version: Option<SafeText>,
    /// When it last changed.
    pub changed: Option<Timestamp>,
    /// Who changed it last.
    pub by: Option<SafeText>,
    /// When an application last asked for it.
    pub last_seen: Option<Timestamp>,
    /// A change on its way out.
    pub rollout: Option<FlagRollout>,
    /// The ways in which a change of ours may reach its users, the usual one first; none if it
    /// always does at once.
    #[serde(default)]
    pub paces: Vec<Pace>,
}

/// A way in which a change of a flag reaches its users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pace {
    /// The name of the strategy.
    pub name: SafeText,
    /// The same with how it grows and how long that takes.
    pub words: SafeText,
}

/// A running deployment of a flag document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlagRollout {
    /// The backend's word: `DEPLOYING`, `BAKING`, …
    pub state: SafeText,
    /// The strategy's name, and how long it takes.
    pub strategy: SafeText,
    /// Share done, 0–100.
    pub percent: f64,
    /// The version being rolled out.
    pub version: SafeText,
    /// When it began.
    pub started: Option<Timestamp>,
    /// Whether the flag is on in that version.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Its attributes there.
    #[serde(default)]
    pub attributes: Vec<(SafeText, SafeText)>,
}

impl Flag {
    /// Its state in the environment called `name`.
    pub fn environment(&self, name: &str) -> Option<&FlagState> {
        self.environments.iter().find(|e| e.environment == *name)
    }

    /// The newest change in any environment.
    pub fn changed(&self) -> Option<Timestamp> {
        self.environments.iter().filter_map(|e| e.changed).max()
    }
}
