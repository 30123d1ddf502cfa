//! A canary analysis on the way: ticks in, verdict out, at the same cost for every tick.

use super::combine::{ClosedTest, ln_weighted_mean};
use super::metric::MetricState;
use super::sample::{Counts, Sample};
use super::spec::{Spec, SpecError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Points kept for the line of evidence over time.
const TRAIL: usize = 1440;
/// The trail stays above this, so that "no evidence at all" can be drawn.
const TRAIL_FLOOR: f64 = -6.0;

/// What is known about the canary.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every required metric is shown to be within its margin.
    Pass,
    /// Not known yet.
    NotEnoughData,
    /// Something got worse, but not provably beyond its margin.
    Marginal,
    /// Something got worse beyond its margin.
    Fail,
}

/// A step of the traffic, as a place on the trail of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrailStep {
    /// The first point of the trail at this share, counted from 0.
    pub at: usize,
    /// The canary's share from there on, 0–1.
    pub weight: f64,
}

/// The judge of one canary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    pub(super) spec: Spec,
    pub(super) metrics: Vec<MetricState>,
    pub(super) warm_up_left: u64,
    pub(super) ticks: u64,
    pub(super) ticks_at_step: u64,
    /// The canary's share of traffic, once told.
    pub(super) weight: Option<f64>,
    /// Sum over ticks of `w·(1−w)`: what a tick can tell grows with it.
    pub(super) information: f64,
    failed: bool,
    worse: bool,
    #[serde(with = "super::special::log_e")]
    pub(super) ln_fail: f64,
    #[serde(with = "super::special::log_e")]
    pub(super) ln_reg: f64,
    pub(super) trail: VecDeque<f32>,
    /// Steps of traffic after the first tick: the ticks before each, and the share from then on.
    #[serde(default)]
    shifts: VecDeque<(u64, f64)>,
}

impl Analysis {
    /// An analysis before its first tick.
    pub fn new(spec: Spec) -> Result<Self, SpecError> {
        spec.check()?;
        let spec = spec.with_something_required();
        Ok(Self {
            metrics: spec.metrics.iter().map(MetricState::new).collect(),
            warm_up_left: spec.warm_up_ticks,
            ticks: 0,
            ticks_at_step: 0,
            weight: None,
            information: 0.0,
            failed: false,
            worse: false,
            ln_fail: 0.0,
            ln_reg: 0.0,
            trail: VecDeque::new(),
            shifts: VecDeque::new(),
            spec,
        })
    }

    /// What was agreed.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Teaches the dispersion of a count metric from the baseline before the rollout (two hours of ticks
    /// are enough), oldest first. `false` for an unknown metric, or once ticks have been judged.
    pub fn learn(&mut self, metric: &str, history: impl IntoIterator<Item = Counts>) -> bool {
        let at = self.spec.metrics.iter().position(|spec| spec.name == metric);
        let state = at.filter(|_| self.ticks == 0).and_then(|at| self.metrics.get_mut(at));
        let Some(state) = state else { return false };
        for tick in history {
            state.learn(tick);
        }
        true
    }

    /// Tells the canary's share of traffic from the next tick on, between 0 and 1. After the first tick
    /// this is a traffic step: the harm tests get a new start, and the bake time begins anew.
    pub fn step(&mut self, weight: f64) {
        let weight = if weight.is_finite() { weight.clamp(0.0, 1.0) } else { return };
        if self.ticks > 0 && self.weight != Some(weight) {
            self.restart();
            self.shifts.push_back((self.ticks, weight));
        }
        self.weight = Some(weight);
    }

    /// Starts another copy of the harm tests, and the bake time.
    pub fn restart(&mut self) {
        for metric in &mut self.metrics {
            metric.restart();
        }
        self.ticks_at_step = 0;
    }

    /// Judges one tick: one sample for each metric, in the order of the specification. Missing ones at
    /// the end are missing data.
    pub fn push(&mut self, samples: &[Sample]) {
        let given = samples.iter().copied().chain(std::iter::repeat(Sample::Missing));
        if self.warm_up_left > 0 {
            self.warm_up_left -= 1;
            for (metric, sample) in self.metrics.iter_mut().zip(given) {
                if let Sample::Counts { baseline: Some(baseline), .. } = sample {
                    metric.learn(baseline);
                }
            }
            return;
        }
        self.ticks += 1;
        self.ticks_at_step += 1;
        self.information += self.weight.map_or(1.0, |w| w * (1.0 - w));
        let ln_beta = -self.spec.beta.ln();
        for ((metric, spec), sample) in self.metrics.iter_mut().zip(&self.spec.metrics).zip(given) {
            metric.push(spec, sample, ln_beta);
        }
        self.combine();
    }

    /// Judges one tick given by metric name; unknown names are ignored.
    pub fn push_named<'a>(&mut self, samples: impl IntoIterator<Item = (&'a str, Sample)>) {
        let mut row = vec![Sample::Missing; self.spec.metrics.len()];
        for (name, sample) in samples {
            let slot = self.spec.metrics.iter().zip(&mut row).find(|(spec, _)| spec.name == name);
            if let Some((_, place)) = slot {
                *place = sample;
            }
        }
        self.push(&row);
    }

    fn voices(&self, pick: impl Fn(&MetricState) -> f64) -> Vec<(f64, f64)> {
        self.metrics.iter().zip(&self.spec.metrics).map(|(m, s)| (pick(m), s.voice())).collect()
    }

    fn combine(&mut self) {
        let line = self.line();
        let fail = self.voices(|metric| metric.evidence.fail);
        let reg = self.voices(|metric| metric.evidence.reg);
        self.ln_fail = ln_weighted_mean(&fail);
        self.ln_reg = ln_weighted_mean(&reg);
        self.failed |= self.ln_fail >= line;
        self.worse |= self.ln_reg >= line;
        // No adjusted e-value exceeds the mean of all, so the closed test is needed only beyond the line.
        if self.ln_fail >= line {
            for (metric, guilty) in self.metrics.iter_mut().zip(guilty(&fail, line)) {
                metric.failed |= guilty;
            }
        }
        if self.ln_reg >= line {
            for (metric, guilty) in self.metrics.iter_mut().zip(guilty(&reg, line)) {
                metric.worse |= guilty;
            }
        }
        if self.trail.len() >= TRAIL {
            self.trail.pop_front();
        }
        // What lies before the trail cannot be marked on it.
        let begin = self.ticks.saturating_sub(TRAIL as u64);
        while self.shifts.front().is_some_and(|(before, _)| *before < begin) {
            self.shifts.pop_front();
        }
        let height = (self.ln_fail / std::f64::consts::LN_10).max(TRAIL_FLOOR);
        self.trail.push_back(height as f32);
    }

    /// The steps of traffic on the trail, oldest first.
    pub(super) fn trail_steps(&self) -> Vec<TrailStep> {
        let begin = self.ticks.saturating_sub(self.trail.len() as u64);
        let place = |before: u64| usize::try_from(before.checked_sub(begin)?).ok();
        self.shifts
            .iter()
            .filter_map(|(before, weight)| Some(TrailStep { at: place(*before)?, weight: *weight }))
            .filter(|step| step.at < self.trail.len())
            .collect()
    }

    /// `ln 1/α`: the roll-back line.
    pub(super) fn line(&self) -> f64 {
        -self.spec.alpha.ln()
    }

    /// What the evidence alone says, latched: it never takes back a failure. Gaps in the data are not
    /// considered here; [`Self::report`] does.
    pub fn verdict(&self) -> Verdict {
        let mut needed = self.needed();
        if self.failed {
            Verdict::Fail
        } else if needed.clone().next().is_some() && needed.all(|m| m.safe && !m.failed) {
            Verdict::Pass
        } else if self.worse {
            Verdict::Marginal
        } else {
            Verdict::NotEnoughData
        }
    }

    fn needed(&self) -> impl Iterator<Item = &MetricState> + Clone {
        let pairs = self.metrics.iter().zip(&self.spec.metrics);
        pairs.filter(|(_, spec)| spec.is_needed()).map(|(metric, _)| metric)
    }

    /// What the evidence alone says about one metric.
    pub fn metric_verdict(metric: &MetricState) -> Verdict {
        if metric.failed {
            Verdict::Fail
        } else if metric.safe {
            Verdict::Pass
        } else if metric.worse {
            Verdict::Marginal
        } else {
            Verdict::NotEnoughData
        }
    }

    /// The running state of every metric, in the order of the specification.
    pub fn metrics(&self) -> &[MetricState] {
        &self.metrics
    }

    /// `ln` of the combined evidence: of harm beyond the margins, and of any harm.
    pub fn ln_global(&self) -> (f64, f64) {
        (self.ln_fail, self.ln_reg)
    }

    /// 0 to 100, for a bar on a screen: every metric starts at half and moves to safe or harmful.
    pub fn score(&self) -> f64 {
        let (alpha, beta) = (self.line(), -self.spec.beta.ln());
        let (mut sum, mut total) = (0.0, 0.0);
        for (metric, spec) in self.metrics.iter().zip(&self.spec.metrics) {
            let safe = (metric.most_safe / beta).min(1.0);
            let fail = (metric.most_fail / alpha).min(1.0);
            sum += spec.voice() * (0.5 + 0.5 * safe - 0.5 * fail);
            total += spec.voice();
        }
        if total > 0.0 { 100.0 * sum / total } else { 50.0 }
    }

    /// Judged ticks.
    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    /// Positions of suspects by e-BH; worth more than culprits when there are many metrics.
    pub(super) fn suspects(&self) -> Vec<usize> {
        ClosedTest::new(&self.voices(|metric| metric.evidence.fail)).suspects(self.spec.alpha)
    }

    /// Adjusted evidence of harm beyond the margin, `ln`, for every metric.
    pub(super) fn ln_adjusted(&self) -> Vec<f64> {
        let voices = self.voices(|metric| metric.evidence.fail);
        let test = ClosedTest::new(&voices);
        voices.iter().map(|(ln_e, weight)| test.ln_adjusted(*ln_e, *weight)).collect()
    }
}

/// Which metrics are guilty by themselves; the muted never are.
fn guilty(voices: &[(f64, f64)], line: f64) -> Vec<bool> {
    let test = ClosedTest::new(voices);
    voices
        .iter()
        .map(|(ln_e, weight)| {
            *weight > 0.0 && *ln_e >= line && test.ln_adjusted(*ln_e, *weight) >= line
        })
        .collect()
}
