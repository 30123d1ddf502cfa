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
    /// It was confirmed: what was wanted, the whole plan with what was seen, the guards, the comment
    /// and the reason.
    Confirmed {
        /// The confirmed plan.
        plan: serde_json::Value,
        /// From where it was confirmed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Origin>,
    },
    /// It was read again, is as it was seen, and is about to be sent.
    Sending {
        /// The order, with what must still be true.
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
        /// How its effect was looked for, if it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        looked: Option<Looked>,
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

/// From where somebody confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The user, by the name of the surroundings.
    pub user: SafeText,
    /// The same, as the system counts users.
    pub uid: u32,
    /// The host.
    pub host: SafeText,
    /// The process.
    pub process: u32,
    /// The terminal; a script has none.
    pub terminal: Option<SafeText>,
    /// The host from which that terminal is used, if it is another one.
    pub remote: Option<SafeText>,
    /// The version of this program.
    pub version: SafeText,
}

/// How the effect of a write was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Looked {
    /// How often the target was read.
    pub times: u32,
    /// When it was read last.
    pub at: Timestamp,
    /// What that showed.
    pub shows: SafeText,
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
