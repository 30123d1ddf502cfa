//! From evidence to a decision: gaps in the data, bake time and the deadline come on top of the verdict.

use super::analysis::{Analysis, Verdict};
use super::metric::DataState;
use super::spec::MetricSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an autopilot does, and what a human is advised to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// All traffic back to the baseline.
    RollBack,
    /// Change nothing and call a human.
    HoldAndPage,
    /// Change nothing; a human decides when to go on.
    Hold,
    /// On to the next traffic step.
    NextStep,
    /// Keep measuring.
    Wait,
}

/// Something between the evidence and a step forward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Obstacle {
    /// The first ticks are not judged.
    WarmUp {
        /// Ticks left of it.
        ticks: u64,
    },
    /// The baseline reports and the canary does not.
    CanarySilent {
        /// Which metric shows it.
        metric: String,
        /// For so many ticks.
        ticks: u64,
    },
    /// A required metric has no usable tick.
    NoData {
        /// Which one.
        metric: String,
        /// For so many ticks.
        ticks: u64,
    },
    /// A metric was cleared, and nothing is left of the evidence for that: it has got worse since.
    Worsened {
        /// Which one.
        metric: String,
    },
    /// The traffic step has not lasted long enough.
    Baking {
        /// Ticks left of it.
        ticks: u64,
    },
    /// Time is up; a human must decide.
    Deadline,
}

/// The decision and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The verdict, gaps in the data considered.
    pub verdict: Verdict,
    /// What to do.
    pub action: Action,
    /// What stands in the way of a step forward.
    pub obstacles: Vec<Obstacle>,
}

impl Analysis {
    /// The decision after the latest tick.
    pub fn decide(&self) -> Decision {
        let mut obstacles = Vec::new();
        if self.warm_up_left > 0 {
            obstacles.push(Obstacle::WarmUp { ticks: self.warm_up_left });
        }
        let (mut silent, mut silent_critical, mut missing) = (false, false, false);
        let mut worsened = false;
        for (metric, spec) in self.metrics.iter().zip(&self.spec.metrics) {
            if spec.muted || !(spec.required || spec.critical) {
                continue;
            }
            let name = || spec.name.clone();
            if metric.has_worsened() {
                worsened |= spec.is_needed();
                obstacles.push(Obstacle::Worsened { metric: name() });
            }
            match metric.data(self.spec.silent_after_ticks, self.weight) {
                DataState::CanarySilent { ticks } => {
                    silent = true;
                    silent_critical |= spec.critical;
                    obstacles.push(Obstacle::CanarySilent { metric: name(), ticks });
                }
                DataState::Missing { ticks } => {
                    missing |= spec.required;
                    obstacles.push(Obstacle::NoData { metric: name(), ticks });
                }
                DataState::Arriving | DataState::Awaited => {}
            }
        }
        let evidence = self.verdict();
        let verdict = if evidence == Verdict::Fail || silent_critical {
            Verdict::Fail
        } else if silent {
            Verdict::Marginal
        } else if evidence == Verdict::Pass && (missing || worsened) {
            Verdict::NotEnoughData
        } else {
            evidence
        };
        let bake_left = self.spec.min_bake_ticks.saturating_sub(self.ticks_at_step);
        if bake_left > 0 {
            obstacles.push(Obstacle::Baking { ticks: bake_left });
        }
        let late = self.spec.deadline_ticks.is_some_and(|deadline| self.ticks >= deadline);
        if late {
            obstacles.push(Obstacle::Deadline);
        }
        let action = match verdict {
            // A critical silence takes it back whatever else is known.
            Verdict::Fail if !silent_critical && self.rests_on_uncalibrated_series() => {
                Action::HoldAndPage
            }
            Verdict::Fail => Action::RollBack,
            Verdict::Marginal => Action::HoldAndPage,
            Verdict::Pass | Verdict::NotEnoughData if late => Action::Hold,
            Verdict::Pass if bake_left == 0 => Action::NextStep,
            Verdict::Pass | Verdict::NotEnoughData => Action::Wait,
        };
        Decision { verdict, action, obstacles }
    }

    /// Whether a failure rests on series alone whose long memory was never measured: those may be wrong
    /// far more often than `alpha`, so a human looks first.
    fn rests_on_uncalibrated_series(&self) -> bool {
        let mut blamed = self.blamed().peekable();
        blamed.peek().is_some() && blamed.all(MetricSpec::is_uncalibrated_series)
    }

    /// The culprits; when the metrics are guilty only together, the one that carries most.
    pub(super) fn blamed(&self) -> impl Iterator<Item = &MetricSpec> {
        let pairs = || self.metrics.iter().zip(&self.spec.metrics);
        let alone = pairs().any(|(metric, _)| metric.failed);
        let carries = |(metric, spec): &(&super::metric::MetricState, &MetricSpec)| {
            metric.most_fail + spec.voice().ln()
        };
        let leader = pairs()
            .filter(|(_, spec)| spec.voice() > 0.0)
            .max_by(|a, b| carries(a).total_cmp(&carries(b)))
            .filter(|_| !alone)
            .map(|(_, spec)| spec);
        pairs().filter(|(metric, _)| metric.failed).map(|(_, spec)| spec).chain(leader)
    }
}
