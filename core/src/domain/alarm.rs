//! Alarms and alerts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::AlarmId;
use super::text::SafeText;

/// A monitor and what it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alarm {
    /// Who it is.
    pub id: AlarmId,
    /// What people call it.
    pub name: SafeText,
    /// What it says.
    pub state: AlarmState,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Why, in the backend's words.
    pub reason: Option<SafeText>,
    /// `page`, `critical`, `warning`, …
    pub severity: Option<SafeText>,
    /// `metric`, `composite` or `alert`.
    pub kind: SafeText,
    /// What it watches.
    pub rule: Option<SafeText>,
    /// Whether somebody silenced it or turned its actions off.
    pub silenced: bool,
    /// Newest first.
    pub history: Vec<AlarmEvent>,
    /// Page in the backend's console.
    pub link: Option<SafeText>,
    /// Labels or tags, for services that claim by tag.
    pub tags: BTreeMap<SafeText, SafeText>,
}

impl Alarm {
    /// Whether it calls somebody: it fires and nobody silenced it.
    pub fn calls(&self) -> bool {
        self.state == AlarmState::Firing && !self.silenced
    }
}

/// What a monitor says.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    /// Not in alarm.
    Ok,
    /// Has not enough data to tell.
    Unknown,
    /// Would fire if it lasted.
    Pending,
    /// Fires.
    Firing,
}

impl AlarmState {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// A past change of state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlarmEvent {
    /// When.
    pub at: Timestamp,
    /// Into which state.
    pub state: AlarmState,
    /// Why, in the backend's words.
    pub reason: Option<SafeText>,
}
