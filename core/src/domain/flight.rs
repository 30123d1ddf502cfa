//! What is recorded of a pilot's flight: when it begins, holds, calls a human, and ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{CanaryId, ServiceId};
use super::text::SafeText;

/// One thing that a pilot does, or cannot do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlightEvent {
    /// Which canary it flies.
    pub canary: CanaryId,
    /// Whose it is.
    pub service: ServiceId,
    /// What it does.
    pub what: FlightWord,
    /// The same in words, and why.
    pub text: SafeText,
    /// The canary's share of the traffic then, in percent, as far as it was known.
    pub share: Option<f64>,
    /// The judge's verdict then.
    pub verdict: Option<SafeText>,
}

/// What a pilot does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlightWord {
    /// It has begun.
    Engaged,
    /// It goes on after it held.
    Flying,
    /// It takes no step, for now.
    Holding,
    /// It has held for so long that it calls a human.
    Calling,
    /// It takes no step forward any more: a human decides.
    Grounded,
    /// Over: a human flies.
    HandedOver,
    /// Over: the canary has all the traffic.
    Finished,
    /// Over: the canary was taken back.
    RolledBack,
}

impl FlightWord {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Engaged => "engaged",
            Self::Flying => "flying",
            Self::Holding => "holding",
            Self::Calling => "calling",
            Self::Grounded => "grounded",
            Self::HandedOver => "handed over",
            Self::Finished => "finished",
            Self::RolledBack => "rolled back",
        }
    }

    /// Whether the flight is over.
    pub fn ends(self) -> bool {
        matches!(self, Self::HandedOver | Self::Finished | Self::RolledBack)
    }

    /// Whether a human is wanted.
    pub fn calls(self) -> bool {
        matches!(self, Self::Calling | Self::Grounded)
    }
}
