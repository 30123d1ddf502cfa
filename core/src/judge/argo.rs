//! Argo Rollouts' counting rules as a policy: measurements are counted against limits, nothing is
//! compared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::domain::rule::Limits;

/// The phase of a measurement, a metric or a run, as Argo names them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Phase {
    /// Not begun.
    Pending,
    /// On the way.
    Running,
    /// Done, fine.
    Successful,
    /// Done, a human must look.
    Inconclusive,
    /// Done, could not be measured.
    Error,
    /// Done, bad.
    Failed,
}

impl Phase {
    /// Whether nothing more will come.
    pub fn is_complete(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }
}

/// One answer of a condition: it held, it did not, or it could not be evaluated.
pub type Condition = Result<bool, ()>;

/// Judges one measurement by its conditions; a query that failed is given as an error of either.
pub fn measure(success: Option<Condition>, failure: Option<Condition>) -> Phase {
    match (success, failure) {
        (Some(Err(())), _) | (_, Some(Err(()))) => Phase::Error,
        (_, Some(Ok(true))) | (Some(Ok(false)), None) => Phase::Failed,
        (Some(Ok(false)), Some(Ok(false))) => Phase::Inconclusive,
        _ => Phase::Successful,
    }
}

/// A metric being counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    limits: Limits,
    phase: Phase,
    counted: u64,
    failed: i64,
    inconclusive: i64,
    errors_in_a_row: i64,
    successes_in_a_row: i64,
}

impl Metric {
    /// A metric before its first measurement.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            phase: Phase::Pending,
            counted: 0,
            failed: 0,
            inconclusive: 0,
            errors_in_a_row: 0,
            successes_in_a_row: 0,
        }
    }

    /// Its phase.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Counts a finished measurement and returns the metric's phase. A complete metric stays as it is,
    /// and a measurement that is still running changes nothing but "pending".
    pub fn push(&mut self, measurement: Phase) -> Phase {
        if self.phase.is_complete() {
            return self.phase;
        }
        if !measurement.is_complete() {
            self.phase = Phase::Running;
            return self.phase;
        }
        if measurement == Phase::Error {
            self.errors_in_a_row = self.errors_in_a_row.saturating_add(1);
        } else {
            self.counted = self.counted.saturating_add(1);
            self.errors_in_a_row = 0;
        }
        if measurement == Phase::Successful {
            self.successes_in_a_row = self.successes_in_a_row.saturating_add(1);
        } else {
            self.successes_in_a_row = 0;
        }
        self.failed += i64::from(measurement == Phase::Failed);
        self.inconclusive += i64::from(measurement == Phase::Inconclusive);
        self.phase = self.assess();
        self.phase
    }

    fn assess(&self) -> Phase {
        let limits = &self.limits;
        let failures_limited = limits.failure_limit >= 0;
        // Later rules override earlier ones, in this order.
        if self.errors_in_a_row > limits.consecutive_error_limit {
            return Phase::Error;
        }
        if self.inconclusive > limits.inconclusive_limit {
            return Phase::Inconclusive;
        }
        if failures_limited && self.failed > limits.failure_limit {
            return Phase::Failed;
        }
        let wants_streak = limits.consecutive_success_limit > 0;
        if wants_streak && self.successes_in_a_row >= limits.consecutive_success_limit {
            return Phase::Successful;
        }
        let count = limits.count.or((!limits.interval).then_some(1));
        if count.is_some_and(|count| self.counted >= count) {
            return match (wants_streak, failures_limited) {
                (false, _) => Phase::Successful,
                (true, true) => Phase::Inconclusive,
                (true, false) => Phase::Failed,
            };
        }
        Phase::Running
    }

    /// Stops the metric: whatever is still running ends as successful, as Argo does it.
    pub fn terminate(&mut self) -> Phase {
        if !self.phase.is_complete() {
            self.phase = Phase::Successful;
        }
        self.phase
    }
}

/// What the run does to the rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consequence {
    /// Go on.
    Proceed,
    /// Wait for measurements.
    Wait,
    /// Wait for a human.
    Pause,
    /// Go back.
    Abort,
}

impl Phase {
    /// What this phase of a run does to the rollout.
    pub fn consequence(self) -> Consequence {
        match self {
            Self::Pending | Self::Running => Consequence::Wait,
            Self::Successful => Consequence::Proceed,
            Self::Inconclusive => Consequence::Pause,
            Self::Error | Self::Failed => Consequence::Abort,
        }
    }
}

/// The phase of a run from its metrics, given as `(phase, dry run)`: the worst of those that count. The
/// first bad one ends the run; the others then end as successful.
pub fn run(metrics: &[(Phase, bool)]) -> Phase {
    let counting = || metrics.iter().filter(|(_, dry)| !dry).map(|(phase, _)| *phase);
    let worst = counting().filter(|phase| phase.is_complete()).max();
    if let Some(bad) = worst.filter(|phase| *phase > Phase::Successful) {
        return bad;
    }
    if metrics.is_empty() || metrics.iter().any(|(phase, _)| !phase.is_complete()) {
        return Phase::Running;
    }
    Phase::Successful
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phases(limits: Limits, measurements: &[Phase]) -> Vec<Phase> {
        let mut metric = Metric::new(limits);
        measurements.iter().map(|m| metric.push(*m)).collect()
    }

    #[test]
    fn conditions_give_the_documented_phases() {
        assert_eq!(measure(None, None), Phase::Successful);
        assert_eq!(measure(Some(Ok(false)), None), Phase::Failed);
        assert_eq!(measure(Some(Ok(true)), Some(Ok(true))), Phase::Failed);
        assert_eq!(measure(Some(Ok(false)), Some(Ok(false))), Phase::Inconclusive);
        assert_eq!(measure(None, Some(Ok(false))), Phase::Successful);
        assert_eq!(measure(Some(Err(())), None), Phase::Error);
    }

    #[test]
    fn later_limits_override_earlier_ones() {
        use Phase::{Failed, Inconclusive, Running, Successful};
        let limits = Limits { count: Some(9), failure_limit: -1, ..Limits::default() };
        assert_eq!(
            phases(limits, &[Failed, Failed, Inconclusive]),
            [Running, Running, Inconclusive]
        );
        assert_eq!(phases(Limits::default(), &[Successful]), [Successful]);
        let endless = Limits { interval: true, ..Limits::default() };
        assert_eq!(phases(endless, &[Successful; 20]), [Running; 20]);
    }

    #[test]
    fn an_unmet_streak_is_inconclusive_or_failed() {
        use Phase::{Failed, Inconclusive, Running, Successful};
        let limits = Limits {
            count: Some(3),
            failure_limit: 2,
            consecutive_success_limit: 2,
            ..Limits::default()
        };
        let mixed = [Successful, Failed, Successful];
        assert_eq!(phases(limits, &mixed), [Running, Running, Inconclusive]);
        let open = Limits { failure_limit: -1, ..limits };
        assert_eq!(phases(open, &mixed), [Running, Running, Failed]);
        assert_eq!(phases(open, &[Failed, Successful, Successful])[2], Successful);
    }

    #[test]
    fn a_run_is_as_bad_as_its_worst_metric() {
        use Phase::{Error, Failed, Running, Successful};
        assert_eq!(run(&[(Successful, false), (Failed, true)]), Successful);
        assert_eq!(run(&[(Error, false), (Failed, false), (Running, false)]), Failed);
        assert_eq!(run(&[(Running, true), (Successful, false)]), Running);
        assert_eq!(run(&[]), Running);
        assert_eq!(run(&[(Failed, true)]).consequence(), Consequence::Proceed);
    }
}
