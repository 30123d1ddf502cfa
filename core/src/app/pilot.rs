//! The pilot: walks a canary's share upwards while its judge says so, and back when it does harm.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::flight::FlightWord;
use crate::domain::ids::{CanaryId, TrafficId};
use crate::domain::text::SafeText;
use crate::domain::write::PlanId;

/// Lines that are kept of a flight.
const LINES: usize = 200;
/// How a pilot's note beside a plan begins.
pub const BY_PILOT: &str = "by the pilot: ";

/// A pilot and the canary that it flies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pilot {
    /// Which canary.
    pub canary: CanaryId,
    /// Under which name the flight is recorded.
    pub flight: PlanId,
    /// The split that it has to itself, once it was found.
    pub split: Option<TrafficId>,
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
    /// Since when it holds, and for how long before it calls a human.
    pub holding: Option<Holding>,
    /// Why it takes no step forward any more: a human decides. It still takes the canary back.
    pub grounded: Option<Grounded>,
    /// Tries to take the canary back that failed.
    pub failed: u32,
    /// What the judge said last of the canary, in a word; with its traffic the judgement ends.
    pub verdict: Option<SafeText>,
    /// What it does, and why; the newest last, and only those.
    pub log: Vec<Line>,
    /// How many lines there were so far.
    pub said: usize,
    /// What is to be recorded and was not handed on yet.
    pub untold: Vec<(Timestamp, FlightWord, SafeText)>,
}

/// A pilot that holds, for now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Holding {
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub why: SafeText,
    /// A human was called.
    pub called: bool,
}

/// A pilot that takes no step forward any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grounded {
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub why: SafeText,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The canary has all the traffic.
    Finished,
    /// It did harm: the baseline has all the traffic.
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
    /// A pilot that asks for its canary. Its time counts from `began`.
    pub fn new(
        canary: CanaryId,
        flight: PlanId,
        now: Timestamp,
        began: Timestamp,
        limit: SignedDuration,
    ) -> Self {
        Self {
            canary,
            flight,
            split: None,
            phase: Phase::Asking,
            began,
            deadline: began.checked_add(limit).unwrap_or(Timestamp::MAX),
            share: None,
            since: now,
            holding: None,
            grounded: None,
            failed: 0,
            verdict: None,
            log: Vec::new(),
            said: 0,
            untold: Vec::new(),
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

    /// Says something that is recorded too.
    fn tell(&mut self, at: Timestamp, what: FlightWord, text: impl Into<SafeText>) {
        let text = text.into();
        self.untold.push((at, what, text.clone()));
        self.say(at, text);
    }

    /// Has the canary to itself.
    pub fn take_off(&mut self, at: Timestamp, text: &str) {
        self.phase = Phase::Flying;
        self.tell(at, FlightWord::Engaged, text);
    }

    /// Watches on, after a hold or not.
    pub fn watch(&mut self, at: Timestamp, text: impl Into<SafeText>) {
        if self.holding.take().is_some() {
            self.tell(at, FlightWord::Flying, text);
        } else {
            self.say(at, text);
        }
    }

    /// Holds for now, because of `why`; after `patience` it calls a human.
    pub fn hold(&mut self, at: Timestamp, why: impl Into<SafeText>, patience: SignedDuration) {
        let why = why.into();
        let before = self.holding.take();
        let news = before.as_ref().is_none_or(|before| before.why != why);
        let (since, mut called) =
            before.map_or((at, false), |before| (before.since, before.called));
        if news && self.has_flown() {
            self.tell(at, FlightWord::Holding, why.clone());
        } else if news {
            self.say(at, why.clone());
        }
        if !called && at.duration_since(since) >= patience {
            called = true;
            let text = format!("a human is needed: {why}");
            if self.has_flown() {
                self.tell(at, FlightWord::Calling, text);
            } else {
                self.say(at, text);
            }
        }
        self.holding = Some(Holding { since, why, called });
    }

    /// Takes no step forward any more, because of `why`.
    pub fn ground(&mut self, at: Timestamp, why: &str) {
        if self.grounded.is_none() {
            self.grounded = Some(Grounded { since: at, why: why.into() });
            self.holding = None;
            self.tell(at, FlightWord::Grounded, format!("holding, a human is needed: {why}"));
        }
    }

    /// Ends the flight.
    pub fn end(&mut self, at: Timestamp, end: End, why: impl Into<SafeText>) {
        let what = match end {
            End::Finished => FlightWord::Finished,
            End::RolledBack => FlightWord::RolledBack,
            End::HandedOver => FlightWord::HandedOver,
        };
        if self.has_flown() {
            self.tell(at, what, why);
        } else {
            self.say(at, why);
        }
        self.phase = Phase::Ended { end };
    }

    /// Whether it has ever had the canary to itself: else there is no flight to record.
    fn has_flown(&self) -> bool {
        self.phase != Phase::Asking
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

    /// What it wants from a human, and since when.
    pub fn asks(&self) -> Option<(&SafeText, Timestamp)> {
        if self.ended().is_some() {
            return None;
        }
        let grounded = self.grounded.as_ref().map(|grounded| (&grounded.why, grounded.since));
        let called = self.holding.as_ref().filter(|holding| holding.called);
        grounded.or_else(|| called.map(|holding| (&holding.why, holding.since)))
    }

    /// How it stands, in a word.
    pub fn word(&self) -> &'static str {
        match self.phase {
            Phase::Ended { end: End::Finished } => "finished",
            Phase::Ended { end: End::RolledBack } => "rolled back",
            Phase::Ended { end: End::HandedOver } => "handed over",
            Phase::Asking => "asking",
            Phase::Writing { .. } => "writing",
            Phase::Flying if self.grounded.is_some() => "grounded",
            Phase::Flying if self.holding.is_some() => "holding",
            Phase::Flying => "flying",
        }
    }
}
