//! How the traffic of a service is split at a moment.

use jiff::{SignedDuration, Timestamp};

use super::script::{ArmName, Shift};
use super::world::World;
use crate::domain::time::age;
use crate::domain::write::ArmWish;

/// How long the canary has all the traffic before the stable version takes over.
const TAKES_OVER: SignedDuration = SignedDuration::from_mins(45);

/// What was last wished of one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its weight.
    pub weight: u32,
    /// Ready, drained or in maintenance.
    pub wish: ArmWish,
}

impl Standing {
    /// Whether it takes traffic according to its weight.
    pub fn is_usable(self) -> bool {
        self.wish == ArmWish::Ready
    }

    /// The word for its state.
    pub fn word(self) -> &'static str {
        match self.wish {
            ArmWish::Maintenance => "MAINT",
            ArmWish::Drain => "DRAIN",
            ArmWish::Ready | ArmWish::Weight(_) => "UP",
        }
    }
}

/// Both versions of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// The one that ran before.
    pub stable: Standing,
    /// The new one.
    pub canary: Standing,
}

impl Split {
    /// Of one version.
    pub fn of(&self, arm: ArmName) -> Standing {
        match arm {
            ArmName::Stable => self.stable,
            ArmName::Canary => self.canary,
        }
    }

    fn of_mut(&mut self, arm: ArmName) -> &mut Standing {
        match arm {
            ArmName::Stable => &mut self.stable,
            ArmName::Canary => &mut self.canary,
        }
    }

    /// The share that a version gets of what comes, 0–100.
    pub fn percent(&self, arm: ArmName) -> f64 {
        let weight = |one: Standing| if one.is_usable() { f64::from(one.weight) } else { 0.0 };
        let total = weight(self.stable) + weight(self.canary);
        if total > 0.0 { weight(self.of(arm)) * 100.0 / total } else { 0.0 }
    }

    /// Whether nobody takes what comes.
    pub fn is_dark(&self) -> bool {
        self.percent(ArmName::Stable) + self.percent(ArmName::Canary) <= 0.0
    }

    fn share(&mut self, percent: f64) {
        // Shares are whole per cents.
        let canary = percent.round().clamp(0.0, 100.0) as u32;
        self.canary.weight = canary;
        self.stable.weight = 100 - canary;
    }

    fn shift(&mut self, shift: &Shift) {
        match shift.wish {
            Some((arm, ArmWish::Weight(weight))) => self.of_mut(arm).weight = weight,
            Some((arm, wish)) => self.of_mut(arm).wish = wish,
            None => self.share(shift.percent),
        }
    }
}

impl World {
    /// How the traffic of a service is split at `now`.
    pub fn split(&self, service: &str, now: Timestamp) -> Split {
        let ready = |weight| Standing { weight, wish: ArmWish::Ready };
        let mut split = Split { stable: ready(100), canary: ready(0) };
        for shift in self.shifts(service, now) {
            split.shift(shift);
        }
        if self.has_taken_over(service, now) {
            split.share(0.0);
        }
        split
    }

    /// The share of the canary of a service at `now`, 0–100.
    pub fn percent(&self, service: &str, now: Timestamp) -> f64 {
        self.split(service, now).percent(ArmName::Canary)
    }

    /// Whether what was the canary is the stable version by now.
    pub fn has_taken_over(&self, service: &str, now: Timestamp) -> bool {
        let shares = self.shifts(service, now);
        let last = shares.into_iter().rfind(|shift| shift.wish.is_none());
        last.is_some_and(|last| {
            last.percent >= 100.0 && age(now, last.at.after(self.start)) > TAKES_OVER
        })
    }
}
