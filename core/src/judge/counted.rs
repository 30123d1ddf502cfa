//! A canary under the counting rules of Argo Rollouts or Flagger while it is under way: one
//! measurement of each metric a tick, counted against limits; nothing is compared.
//!
//! What differs from those tools, so that a failed read is never taken for a failed canary: figures
//! that are away hold it and call a human, where Argo Rollouts aborts and Flagger counts a failed
//! check; a run that ended well is followed by another for as long as the step lasts.

use serde::{Deserialize, Serialize};

use super::analysis::Verdict;
use super::argo::{self, Metric, Phase};
use super::decide::Action;
use super::flagger::in_range;
use super::sample::Sample;
use crate::domain::canary::Policy;
use crate::domain::rule::{Limits, Rule};

/// What is agreed of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreed {
    /// Its name.
    pub name: String,
    /// What its value has to be.
    pub rule: Rule,
    /// Measured and shown, without a voice.
    pub muted: bool,
}

/// The times of a canary, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Ticks at the beginning that are not judged.
    pub warm_up: u64,
    /// Ticks that every step must last.
    pub bake: u64,
    /// Ticks without a value after which a human is called.
    pub silent_after: u64,
}

/// One metric being counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// What is agreed of it.
    pub agreed: Agreed,
    run: Metric,
    /// The newest value.
    pub latest: Option<f64>,
    /// Measurements since the step began.
    pub measured: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Those of them that were neither.
    pub inconclusive: u64,
    /// Ticks without a value, up to now.
    pub blind: u64,
    /// Whether the verdict rests on it.
    pub blamed: bool,
}

/// A canary under counting rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    policy: Policy,
    times: Times,
    tallies: Vec<Tally>,
    warm_up_left: u64,
    ticks: u64,
    ticks_at_step: u64,
    weight: Option<f64>,
    failed_checks: u32,
    /// How the newest run that ended at this step did. A failure is never taken back.
    ended: Option<Phase>,
    /// Whether the baseline had a value in the newest tick.
    baseline_seen: bool,
}

impl Counted {
    /// A canary before its first tick.
    pub fn new(policy: Policy, times: Times, metrics: Vec<Agreed>) -> Self {
        Self {
            policy,
            times,
            tallies: metrics.into_iter().map(|agreed| Tally::new(agreed, times)).collect(),
            warm_up_left: times.warm_up,
            ticks: 0,
            ticks_at_step: 0,
            weight: None,
            failed_checks: 0,
            ended: None,
            baseline_seen: false,
        }
    }

    /// Tells the canary's share of traffic from the next tick on. After the first tick this is a step:
    /// Argo's runs begin anew, Flagger's failed checks stay.
    pub fn step(&mut self, weight: f64) {
        if self.ticks > 0 && self.weight != Some(weight) {
            self.ticks_at_step = 0;
            if self.ended != Some(Phase::Failed) {
                self.ended = None;
                let times = self.times;
                for tally in &mut self.tallies {
                    *tally = Tally::new(tally.agreed.clone(), times);
                }
            }
        }
        self.weight = Some(weight);
    }

    /// Counts one tick: one sample for each metric, in their order.
    pub fn push(&mut self, samples: &[Sample]) {
        if self.warm_up_left > 0 {
            self.warm_up_left -= 1;
            return;
        }
        self.ticks += 1;
        self.ticks_at_step += 1;
        if self.ended == Some(Phase::Failed) {
            return;
        }
        let given = samples.iter().copied().chain(std::iter::repeat(Sample::Missing));
        self.baseline_seen = false;
        for (tally, sample) in self.tallies.iter_mut().zip(given) {
            let (baseline, canary) = sample.levels();
            self.baseline_seen |= baseline.is_some();
            tally.latest = canary;
            tally.blind = if canary.is_some() { 0 } else { tally.blind + 1 };
        }
        match self.policy {
            Policy::Flagger { threshold } => self.check(threshold),
            Policy::ArgoRollouts | Policy::Anytime => self.measure(),
        }
    }

    /// One measurement of every metric.
    fn measure(&mut self) {
        for tally in &mut self.tallies {
            tally.measure();
        }
        let phases: Vec<_> =
            self.tallies.iter().map(|tally| (tally.run.phase(), tally.agreed.muted)).collect();
        let run = argo::run(&phases);
        if !run.is_complete() {
            return;
        }
        self.ended = Some(run);
        let times = self.times;
        for tally in &mut self.tallies {
            tally.blamed = run > Phase::Successful && tally.run.phase() == run;
            if run != Phase::Failed {
                tally.run = Metric::new(limits(&tally.agreed.rule, times));
            }
        }
    }

    /// One check of all metrics together; the first that fails ends it.
    fn check(&mut self, threshold: u32) {
        let mut passed = true;
        for tally in self.tallies.iter_mut().filter(|tally| !tally.agreed.muted) {
            tally.blamed = false;
            let Some(value) = tally.latest else {
                passed = false;
                continue;
            };
            tally.measured += 1;
            if !tally.is_in_range(value) {
                tally.failed += 1;
                tally.blamed = true;
                self.failed_checks = self.failed_checks.saturating_add(1);
                self.ended = (self.failed_checks >= threshold).then_some(Phase::Failed);
                return;
            }
        }
        let patience = self.times.silent_after;
        let blind = |tally: &Tally| !tally.agreed.muted && tally.blind >= patience.max(1);
        if passed {
            self.ended = Some(Phase::Successful);
        } else if self.tallies.iter().any(blind) {
            self.ended = Some(Phase::Error);
            for tally in &mut self.tallies {
                tally.blamed = blind(tally);
            }
        }
    }

    /// What is known.
    pub fn verdict(&self) -> Verdict {
        match self.ended {
            Some(Phase::Failed) => Verdict::Fail,
            Some(Phase::Error | Phase::Inconclusive) => Verdict::Marginal,
            Some(Phase::Successful) => Verdict::Pass,
            Some(Phase::Pending | Phase::Running) | None => Verdict::NotEnoughData,
        }
    }

    /// What to do by it.
    pub fn action(&self) -> Action {
        match self.verdict() {
            Verdict::Fail => Action::RollBack,
            Verdict::Marginal => Action::HoldAndPage,
            Verdict::Pass if self.bake_left() == 0 => Action::NextStep,
            Verdict::Pass | Verdict::NotEnoughData => Action::Wait,
        }
    }

    /// Whether figures are away for so long that a human is called.
    pub fn is_blind(&self) -> bool {
        self.ended == Some(Phase::Error)
    }

    /// Whether the baseline had a value in the newest tick.
    pub fn baseline_seen(&self) -> bool {
        self.baseline_seen
    }

    /// Every metric, in the order they were given.
    pub fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    /// Failed checks of all metrics together, of the whole flight; only Flagger counts them.
    pub fn failed_checks(&self) -> u32 {
        self.failed_checks
    }

    /// Ticks left of the warm-up.
    pub fn warm_up_left(&self) -> u64 {
        self.warm_up_left
    }

    /// Ticks that the step must still last.
    pub fn bake_left(&self) -> u64 {
        self.times.bake.saturating_sub(self.ticks_at_step)
    }

    /// Judged ticks.
    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The canary's share of traffic, once told.
    pub fn weight(&self) -> Option<f64> {
        self.weight
    }
}

impl Tally {
    fn new(agreed: Agreed, times: Times) -> Self {
        Self {
            run: Metric::new(limits(&agreed.rule, times)),
            agreed,
            latest: None,
            measured: 0,
            failed: 0,
            inconclusive: 0,
            blind: 0,
            blamed: false,
        }
    }

    fn measure(&mut self) {
        let measured = match (&self.agreed.rule, self.latest) {
            (_, None) => Phase::Error,
            (Rule::Measured { success, failure, .. }, Some(value)) => argo::measure(
                success.as_ref().map(|condition| Ok(condition.holds(value))),
                failure.as_ref().map(|condition| Ok(condition.holds(value))),
            ),
            (Rule::Range { .. }, Some(value)) if self.is_in_range(value) => Phase::Successful,
            (Rule::Range { .. }, Some(_)) => Phase::Failed,
        };
        self.measured += u64::from(measured != Phase::Error);
        self.failed += u64::from(measured == Phase::Failed);
        self.inconclusive += u64::from(measured == Phase::Inconclusive);
        self.run.push(measured);
    }

    fn is_in_range(&self, value: f64) -> bool {
        match &self.agreed.rule {
            Rule::Range { min, max } => in_range(Some(value), *min, *max),
            Rule::Measured { success, failure, .. } => {
                success.as_ref().is_none_or(|condition| condition.holds(value))
                    && !failure.as_ref().is_some_and(|condition| condition.holds(value))
            }
        }
    }

    /// Failures that are tolerated; none if any number is, or if all metrics are counted together.
    pub fn tolerated(&self) -> Option<i64> {
        match &self.agreed.rule {
            Rule::Measured { limits, .. } if limits.failure_limit >= 0 => {
                Some(limits.failure_limit)
            }
            _ => None,
        }
    }
}

/// Argo's limits; without a count and a streak, a run is as long as a step must last.
fn limits(rule: &Rule, times: Times) -> Limits {
    let limits = match rule {
        Rule::Measured { limits, .. } => *limits,
        Rule::Range { .. } => Limits::default(),
    };
    let endless = limits.count.is_none() && limits.consecutive_success_limit <= 0;
    Limits {
        count: if endless { Some(times.bake.max(1)) } else { limits.count },
        interval: true,
        ..limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::sample::Counts;

    const TIMES: Times = Times { warm_up: 1, bake: 3, silent_after: 2 };

    fn shares(share: f64) -> [Sample; 1] {
        [Sample::counts((1000.0, 10.0), (1000.0, share * 1000.0))]
    }

    fn argo(limits: Limits) -> Counted {
        let read = |text: &str| text.to_owned().try_into().unwrap();
        let rule = Rule::Measured {
            success: Some(read("result[0] <= 0.02")),
            failure: Some(read("result[0] > 0.05")),
            limits,
        };
        let metric = Agreed { name: "errors".to_owned(), rule, muted: false };
        let mut counted = Counted::new(Policy::ArgoRollouts, TIMES, vec![metric]);
        counted.step(0.1);
        counted.push(&shares(1.0));
        assert_eq!((counted.ticks(), counted.warm_up_left()), (0, 0), "the warm-up counts nothing");
        counted
    }

    fn flagger(threshold: u32) -> Counted {
        let rule = Rule::Range { min: None, max: Some(0.02) };
        let metric = Agreed { name: "errors".to_owned(), rule, muted: false };
        let times = Times { warm_up: 0, ..TIMES };
        let mut counted = Counted::new(Policy::Flagger { threshold }, times, vec![metric]);
        counted.step(0.1);
        counted
    }

    fn actions(counted: &mut Counted, shares_of: &[Option<f64>]) -> Vec<Action> {
        let silent = [Sample::Counts { baseline: Some(Counts::new(1000.0, 1.0)), canary: None }];
        shares_of
            .iter()
            .map(|share| {
                counted.push(&share.map_or(silent, shares));
                counted.action()
            })
            .collect()
    }

    #[test]
    fn a_run_without_a_count_lasts_a_step_and_another_follows() {
        use Action::{NextStep, RollBack, Wait};
        let mut counted = argo(Limits::default());
        assert_eq!(actions(&mut counted, &[Some(0.01); 4]), [Wait, Wait, NextStep, NextStep]);
        counted.step(0.5);
        assert_eq!(actions(&mut counted, &[Some(0.01); 3]), [Wait, Wait, NextStep]);
        // Harm after the run that went well is seen as well, and never taken back.
        assert_eq!(actions(&mut counted, &[Some(0.06), Some(0.01)]), [RollBack, RollBack]);
        counted.step(0.0);
        assert_eq!(counted.verdict(), Verdict::Fail);
    }

    #[test]
    fn limits_are_kept_as_they_were() {
        use Action::{HoldAndPage, RollBack, Wait};
        let two = Limits { failure_limit: 2, ..Limits::default() };
        let mut counted = argo(Limits { count: Some(9), ..two });
        assert_eq!(actions(&mut counted, &[Some(0.06); 3]), [Wait, Wait, RollBack]);
        assert!(counted.tallies()[0].blamed);
        let mut counted = argo(Limits::default());
        assert_eq!(actions(&mut counted, &[Some(0.03)]), [HoldAndPage], "neither is inconclusive");
        let mut streak =
            argo(Limits { count: Some(9), consecutive_success_limit: 2, ..Limits::default() });
        actions(&mut streak, &[Some(0.01); 2]);
        assert_eq!(streak.verdict(), Verdict::Pass);
        assert_eq!(streak.bake_left(), 1);
    }

    #[test]
    fn figures_that_are_away_hold_and_heal_and_take_nothing_back() {
        use Action::{HoldAndPage, NextStep};
        for mut counted in [argo(Limits::default()), flagger(1)] {
            let away = actions(&mut counted, &[None; 6]);
            assert_eq!(away.last(), Some(&HoldAndPage), "{:?}", counted.policy);
            assert!(!away.contains(&Action::RollBack));
            assert!(counted.is_blind() && counted.baseline_seen());
            assert_eq!(actions(&mut counted, &[Some(0.01); 3]).last(), Some(&NextStep));
        }
    }

    #[test]
    fn failed_checks_add_up_over_steps_and_hold_the_share() {
        use Action::{NextStep, RollBack, Wait};
        let mut counted = flagger(3);
        let bad = [Some(0.03), Some(0.02), Some(0.03), Some(0.01)];
        assert_eq!(actions(&mut counted, &bad), [Wait, Wait, Wait, NextStep]);
        counted.step(0.5);
        assert_eq!(counted.failed_checks(), 2);
        assert_eq!(actions(&mut counted, &[Some(0.02), Some(0.9)]), [Wait, RollBack]);
    }

    #[test]
    fn the_muted_have_no_voice() {
        let rule = Rule::Range { min: Some(5.0), max: None };
        for policy in [Policy::ArgoRollouts, Policy::Flagger { threshold: 1 }] {
            let metric =
                |name: &str, muted| Agreed { name: name.to_owned(), rule: rule.clone(), muted };
            let metrics = vec![metric("orders", true), metric("visits", false)];
            let times = Times { warm_up: 0, bake: 1, silent_after: 1 };
            let mut counted = Counted::new(policy, times, metrics);
            counted.push(&[Sample::values(9.0, 1.0), Sample::values(9.0, 6.0)]);
            assert_eq!(counted.action(), Action::NextStep, "{policy:?}");
        }
    }
}
