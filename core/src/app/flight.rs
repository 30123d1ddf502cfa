//! Flights: what a pilot told of itself, now or in the journal of before.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::flight::{FlightEvent, FlightWord};
use crate::domain::ids::CanaryId;
use crate::domain::text::SafeText;

/// What a pilot told of one flight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flight {
    /// Which canary.
    pub canary: CanaryId,
    /// What it told, the oldest first.
    pub told: Vec<Told>,
    /// Nobody flies it any more, whether that was told or not.
    pub over: bool,
}

/// What a pilot told, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: FlightEvent,
}

/// What a flight is called.
pub fn title(canary: &CanaryId) -> SafeText {
    format!("pilot of {canary}").into()
}

impl Flight {
    /// What it told last.
    pub fn last(&self) -> Option<&FlightEvent> {
        self.told.last().map(|told| &told.event)
    }

    /// Whether its end was told.
    pub fn has_landed(&self) -> bool {
        self.last().is_some_and(|event| event.what.ends())
    }

    /// Whether nobody flies it any more, and nothing tells why: its program was killed.
    pub fn was_cut_short(&self) -> bool {
        self.over && !self.has_landed()
    }

    /// What it does now, or did last, in words.
    pub fn words(&self) -> String {
        let last = self.last().map(|event| format!("{}: {}", event.what.word(), event.text));
        let last = last.unwrap_or_else(|| "begins".to_owned());
        if self.was_cut_short() { format!("cut short; last it was {last}") } else { last }
    }

    /// How it stands, in a word.
    pub fn word(&self) -> &'static str {
        match self.last() {
            Some(_) if self.was_cut_short() => "cut short",
            Some(event) => event.what.word(),
            None => FlightWord::Engaged.word(),
        }
    }
}
