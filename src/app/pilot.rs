//! The pilot: walks a canary's share upwards while its judge says so, and back when it does harm.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::CanaryId;
use crate::domain::text::SafeText;
use crate::domain::write::PlanId;

/// Lines that are kept of a flight.
const LINES: usize = 200;

/// A pilot and the canary that it flies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pilot {
    /// Which canary.
    pub canary: CanaryId,
    /// How far it has come.
    pub phase: Phase,
    /// When it began.
    pub began: Timestamp,
    /// After this it takes no step forward.
    pub deadline: Timestamp,
    /// The share that it set, or found; another one means that somebody else flies.
    pub share: Option<f64>,
    /// It set the share then; what was read before does not count.
    pub since: Timestamp,
    /// Why it takes no step forward any more: a human decides. It still takes the canary back.
    pub grounded: Option<SafeText>,
    /// Tries to take the canary back that failed.
    pub failed: u32,
    /// What it does, and why; the newest last, and only those.
    pub log: Vec<Line>,
    /// How many lines there were so far.
    pub said: usize,
}

/// How far a pilot has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// It asks whether another pilot flies this canary.
    Asking,
    /// It watches.
    Flying,
    /// It changes the share.
    Writing {
        /// By this plan.
        plan: PlanId,
        /// To this share; back to the baseline without one.
        step: Option<u32>,
    },
    /// It is over.
    Ended {
        /// How.
        end: End,
    },
}

/// How a flight ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The canary has all the traffic.
    Finished,
    /// It did harm: the baseline has all the traffic, and new versions are held.
    RolledBack,
    /// A human flies.
    HandedOver,
}

/// One line of a flight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// What it does, and why.
    pub text: SafeText,
}

impl Pilot {
    /// A pilot that asks for its canary.
    pub fn new(canary: CanaryId, now: Timestamp, limit: SignedDuration) -> Self {
        Self {
            canary,
            phase: Phase::Asking,
            began: now,
            deadline: now + limit,
            share: None,
            since: now,
            grounded: None,
            failed: 0,
            log: Vec::new(),
            said: 0,
        }
    }

    /// Says something, unless it was just said.
    pub fn say(&mut self, at: Timestamp, text: impl Into<SafeText>) {
        let text = text.into();
        if self.log.last().is_none_or(|last| last.text != text) {
            if self.log.len() >= LINES {
                self.log.remove(0);
            }
            self.log.push(Line { at, text });
            self.said += 1;
        }
    }

    /// Takes no step forward any more, because of `why`.
    pub fn ground(&mut self, at: Timestamp, why: &str) {
        if self.grounded.is_none() {
            self.grounded = Some(why.into());
            self.say(at, format!("holding, a human is needed: {why}"));
        }
    }

    /// Ends the flight.
    pub fn end(&mut self, at: Timestamp, end: End, why: impl Into<SafeText>) {
        self.say(at, why);
        self.phase = Phase::Ended { end };
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<End> {
        match self.phase {
            Phase::Ended { end } => Some(end),
            _ => None,
        }
    }

    /// What it does now, and why.
    pub fn now(&self) -> &str {
        self.log.last().map_or("begins", |line| line.text.as_str())
    }
}
