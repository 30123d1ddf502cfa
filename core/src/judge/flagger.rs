//! Flagger's counting rules as a policy: failed checks add up, and enough of them roll back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Flagger's words for where a canary is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Traffic is being shifted and checked.
    Progressing,
    /// Everything passed at the highest weight.
    Promoting,
    /// Rolled back.
    Failed,
}

/// The settings of a progressive canary, with Flagger's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Settings {
    /// Failed checks that roll back.
    pub threshold: u32,
    /// Percent added at each success.
    pub step_weight: u32,
    /// Percents to walk through instead of equal steps; used when `step_weight` is 0.
    pub step_weights: Vec<u32>,
    /// Percent from which the canary is promoted; 0 means 100, or the last of `step_weights`.
    pub max_weight: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { threshold: 1, step_weight: 0, step_weights: Vec::new(), max_weight: 0 }
    }
}

/// Where a canary is after an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The canary's percent of traffic.
    pub weight: u32,
    /// Failed checks so far; a success never takes one back.
    pub failed_checks: u32,
    /// The phase.
    pub phase: Phase,
}

/// A canary under Flagger's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    settings: Settings,
    now: Step,
}

/// All traffic, in percent.
const ALL: u32 = 100;

impl Canary {
    /// A canary before its first interval.
    pub fn new(settings: Settings) -> Self {
        Self { settings, now: Step { weight: 0, failed_checks: 0, phase: Phase::Progressing } }
    }

    /// Where it is.
    pub fn now(&self) -> Step {
        self.now
    }

    /// Whether the next interval looks at the check at all: the first only shifts, and one that rolls
    /// back does not ask again.
    pub fn wants_check(&self) -> bool {
        self.now.phase == Phase::Progressing
            && self.now.weight > 0
            && self.now.failed_checks < self.settings.threshold
    }

    /// One interval. `passed` is the result of all checks: a failure, a query error and "no values" are
    /// all `false`. Ignored where [`Self::wants_check`] is false.
    pub fn interval(&mut self, passed: bool) -> Step {
        if self.now.phase != Phase::Progressing {
            return self.now;
        }
        if self.now.failed_checks >= self.settings.threshold {
            self.now.weight = 0;
            self.now.phase = Phase::Failed;
        } else if self.now.weight > 0 && !passed {
            self.now.failed_checks = self.now.failed_checks.saturating_add(1);
        } else {
            self.advance();
        }
        self.now
    }

    fn advance(&mut self) {
        if self.now.weight >= self.highest() {
            self.now.phase = Phase::Promoting;
            return;
        }
        self.now.weight = self.now.weight.saturating_add(self.next_step()).min(ALL);
    }

    fn highest(&self) -> u32 {
        let settings = &self.settings;
        match settings.step_weights.last() {
            Some(last) => ALL.min(*last),
            None if settings.max_weight > 0 => settings.max_weight,
            None => ALL,
        }
    }

    fn next_step(&self) -> u32 {
        let settings = &self.settings;
        if settings.step_weight > 0 || settings.step_weights.is_empty() {
            return settings.step_weight;
        }
        let next = settings.step_weights.iter().find(|weight| **weight > self.now.weight);
        next.map_or(ALL - self.now.weight.min(ALL), |weight| weight - self.now.weight)
    }
}

/// A metric's range test: a value on a bound passes; no value does not.
pub fn in_range(value: Option<f64>, min: Option<f64>, max: Option<f64>) -> bool {
    let Some(value) = value.filter(|value| !value.is_nan()) else { return false };
    min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inside_and_nothing_fails() {
        assert!(in_range(Some(1.0), Some(1.0), Some(1.0)));
        assert!(!in_range(Some(0.99), Some(1.0), None));
        assert!(!in_range(None, None, None) && !in_range(Some(f64::NAN), None, None));
    }

    #[test]
    fn listed_weights_are_walked_and_uneven_steps_end_at_all() {
        let listed = Settings { step_weights: vec![5, 20, 80], ..Settings::default() };
        let mut canary = Canary::new(listed);
        let weights: Vec<u32> = (0..4).map(|_| canary.interval(true).weight).collect();
        assert_eq!(weights, [5, 20, 80, 80]);
        assert_eq!(canary.now().phase, Phase::Promoting);
        let uneven = Settings { step_weight: 60, max_weight: 100, ..Settings::default() };
        let mut canary = Canary::new(uneven);
        assert_eq!([canary.interval(true).weight, canary.interval(true).weight], [60, 100]);
    }
}
