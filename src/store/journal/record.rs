//! What one line of the journal says.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::flight::FlightEvent;
use crate::domain::text::SafeText;

/// What one line of the journal says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// When it was written.
    pub at: Timestamp,
    /// The plan it belongs to.
    pub plan: String,
    /// What the plan is for.
    pub title: SafeText,
    /// Which step of the plan.
    pub step: Option<usize>,
    /// Who, on which host, in which process.
    pub who: SafeText,
    /// What happened.
    pub event: Event,
}

/// What happened to a write, or on a flight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was confirmed: the whole plan with what was seen, the guards and the reason.
    Confirmed {
        /// The confirmed plan.
        plan: serde_json::Value,
    },
    /// It is about to be sent.
    Sending {
        /// The order.
        order: serde_json::Value,
    },
    /// The backend answered, or did not.
    Reply {
        /// The receipt or the fault.
        reply: serde_json::Value,
    },
    /// A pilot tells what it does; nothing is sent by that.
    Pilot(Box<FlightEvent>),
    /// It is over.
    Ended {
        /// What came of it.
        outcome: serde_json::Value,
        /// The same in a sentence.
        sentence: SafeText,
    },
}

impl Event {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Confirmed { .. } => "confirmed",
            Self::Sending { .. } => "sending",
            Self::Reply { .. } => "reply",
            Self::Pilot(_) => "pilot",
            Self::Ended { .. } => "ended",
        }
    }
}

/// A record and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What it says.
    pub record: Record,
}
