//! The running state of one metric: its engine, its latches, and how fresh its data are.

use super::beta_binomial::Share;
use super::ratio::{Evidence, RatioEngine};
use super::sample::{Counts, Sample};
use super::series::SeriesEngine;
use super::spec::{Direction, MetricKind, MetricSpec};
use super::special::ln_add;
use super::strict::StrictEngine;
use serde::{Deserialize, Serialize};

/// Sums of both arms over the judged ticks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Requests and events of the baseline.
    pub baseline: Share,
    /// Requests and events of the canary.
    pub canary: Share,
}

/// The engine of a count metric, with its additions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CountEngine {
    /// The ratio engine.
    pub ratio: RatioEngine,
    /// Bets against "no harm" and against "no harm beyond the margin", when asked for.
    strict: Option<(StrictEngine, StrictEngine)>,
    /// The share that is always fine.
    floor: Option<f64>,
    /// Canary events and requests, each divided by the φ of its tick.
    tempered: Share,
    /// Plain sums, for showing.
    pub totals: Totals,
}

impl CountEngine {
    fn new(spec: &MetricSpec, floor: Option<f64>, strict: bool) -> Self {
        let ratio = RatioEngine::new(spec.direction, spec.margin);
        let bound = ratio.margin_ratio();
        Self {
            strict: strict.then(|| {
                (StrictEngine::new(spec.direction, 1.0), StrictEngine::new(spec.direction, bound))
            }),
            // "So few that it does not matter" only makes sense where more is worse.
            floor: floor.filter(|_| spec.direction == Direction::Increase),
            ratio,
            tempered: Share::default(),
            totals: Totals::default(),
        }
    }

    fn push(&mut self, baseline: Counts, canary: Counts) -> bool {
        let Some(phi) = self.ratio.push(baseline, canary) else { return false };
        if let Some((any, beyond)) = &mut self.strict {
            any.push(baseline, canary);
            beyond.push(baseline, canary);
        }
        self.tempered.k += canary.events / phi;
        self.tempered.n += canary.requests / phi;
        let add = |share: &mut Share, counts: Counts| {
            share.k += counts.events;
            share.n += counts.requests;
        };
        add(&mut self.totals.baseline, baseline);
        add(&mut self.totals.canary, canary);
        true
    }

    fn evidence(&self) -> Evidence {
        let mut evidence = self.ratio.evidence_with_restarts();
        if let Some((any, beyond)) = &self.strict {
            evidence.reg = any.ln_e_with_restarts();
            evidence.fail = beyond.ln_e_with_restarts();
        }
        evidence.safe = self.ln_safe(1.0);
        evidence
    }

    /// `ln` of the evidence for safety if everything seen were seen `scale` times: by the ratio, or half
    /// of it by the absolute floor.
    pub fn ln_safe(&self, scale: f64) -> f64 {
        let by_ratio = self.ratio.ln_safe(scale);
        let Some(floor) = self.floor else { return by_ratio };
        let seen = Share { k: self.tempered.k * scale, n: self.tempered.n * scale };
        let by_floor =
            if seen.n > 0.0 { seen.ln_below(floor).unwrap_or(f64::NEG_INFINITY) } else { 0.0 };
        ln_add(by_ratio, by_floor) - std::f64::consts::LN_2
    }
}

/// The engine of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// Counts.
    Count(Box<CountEngine>),
    /// A series.
    Series(SeriesEngine),
}

/// How the data of a metric are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DataState {
    /// The latest tick was usable, or so few were not that it means nothing.
    Arriving,
    /// Nothing usable came yet.
    Awaited,
    /// No usable tick for this long.
    Missing {
        /// Ticks since the last usable one.
        ticks: u64,
    },
    /// The baseline reports, the canary does not.
    CanarySilent {
        /// For so many ticks.
        ticks: u64,
    },
}

/// One metric on the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricState {
    /// Its engine.
    pub engine: Engine,
    /// Evidence after the latest tick.
    pub evidence: Evidence,
    /// Highest evidence of harm beyond the margin so far, `ln`, at least 0.
    pub most_fail: f64,
    /// Highest evidence of safety so far, `ln`, at least 0.
    pub most_safe: f64,
    /// Latched: guilty by itself of harm beyond the margin.
    pub failed: bool,
    /// Latched: guilty by itself of some harm.
    pub worse: bool,
    /// Latched: shown to be within the margin.
    pub safe: bool,
    /// The same, until nothing is left of the evidence.
    stands: bool,
    unusable_run: u64,
    silent_run: u64,
    silent_baseline: f64,
    usable: u64,
}

impl MetricState {
    /// A metric before its first tick.
    pub fn new(spec: &MetricSpec) -> Self {
        let engine = match spec.kind {
            MetricKind::Count { floor, strict } => {
                Engine::Count(Box::new(CountEngine::new(spec, floor, strict)))
            }
            MetricKind::Series { v_min } => {
                Engine::Series(SeriesEngine::new(MetricSpec::series_settings(v_min)))
            }
        };
        Self {
            engine,
            evidence: Evidence::default(),
            most_fail: 0.0,
            most_safe: 0.0,
            failed: false,
            worse: false,
            safe: false,
            stands: false,
            unusable_run: 0,
            silent_run: 0,
            silent_baseline: 0.0,
            usable: 0,
        }
    }

    /// Feeds a baseline tick that is not judged.
    pub fn learn(&mut self, baseline: Counts) {
        if let Engine::Count(count) = &mut self.engine {
            count.ratio.learn(baseline);
        }
    }

    /// Starts another copy of the harm tests.
    pub fn restart(&mut self) {
        if let Engine::Count(count) = &mut self.engine {
            count.ratio.restart();
            if let Some((any, beyond)) = &mut count.strict {
                any.restart();
                beyond.restart();
            }
        }
    }

    /// Whether it was cleared, and no evidence has been left for that since: then it must be cleared anew.
    pub fn has_worsened(&self) -> bool {
        self.safe && !self.stands
    }

    /// Judges one tick. `ln_beta` is `ln 1/β`, the line of safety.
    pub fn push(&mut self, spec: &MetricSpec, sample: Sample, ln_beta: f64) {
        let usable = match (&mut self.engine, sample) {
            (
                Engine::Count(count),
                Sample::Counts { baseline: Some(baseline), canary: Some(canary) },
            ) => count.push(baseline, canary),
            (
                Engine::Series(series),
                Sample::Values { baseline: Some(baseline), canary: Some(canary) },
            ) => series.push_pair(baseline, canary),
            _ => false,
        };
        self.note_silence(sample, usable);
        if usable {
            self.evidence = self.weigh(spec);
            self.most_fail = self.most_fail.max(self.evidence.fail);
            self.most_safe = self.most_safe.max(self.evidence.safe);
        }
        let shown = self.evidence.safe >= ln_beta;
        self.safe |= shown;
        // Far apart, so that nothing flickers.
        self.stands = shown || self.stands && self.evidence.safe >= 0.0;
    }

    fn weigh(&self, spec: &MetricSpec) -> Evidence {
        match &self.engine {
            Engine::Count(count) => count.evidence(),
            Engine::Series(series) => {
                let margin = spec.direction.margin_ratio(spec.margin).ln();
                match spec.direction {
                    Direction::Increase => Evidence {
                        reg: series.ln_above(0.0),
                        fail: series.ln_above(margin),
                        safe: series.ln_below(margin),
                    },
                    Direction::Decrease => Evidence {
                        reg: series.ln_below(0.0),
                        fail: series.ln_below(margin),
                        safe: series.ln_above(margin),
                    },
                }
            }
        }
    }

    fn note_silence(&mut self, sample: Sample, usable: bool) {
        if usable {
            self.usable += 1;
            self.unusable_run = 0;
            self.silent_run = 0;
            self.silent_baseline = 0.0;
            return;
        }
        self.unusable_run += 1;
        // Requests of the baseline while the canary said nothing; infinite when a reading is absent.
        let quiet = match sample {
            Sample::Counts { baseline: Some(base), canary } if base.is_usable() => match canary {
                None => Some(f64::INFINITY),
                Some(counts) if counts.is_valid() && !counts.is_usable() => Some(base.requests),
                Some(_) => None,
            },
            Sample::Values { baseline: Some(base), canary: None } if base.is_finite() => {
                Some(f64::INFINITY)
            }
            _ => None,
        };
        if let Some(requests) = quiet {
            self.silent_run += 1;
            self.silent_baseline += requests;
        }
    }

    /// How the data are, given after how many ticks silence counts and the canary's share of traffic.
    pub fn data(&self, silent_after: u64, weight: Option<f64>) -> DataState {
        // With so little traffic that a healthy canary might get none, no requests are no silence.
        let expected = weight.map_or(f64::INFINITY, |w| {
            if w >= 1.0 { f64::INFINITY } else { self.silent_baseline * w / (1.0 - w) }
        });
        if self.silent_run >= silent_after.max(1) && expected >= 5.0 {
            DataState::CanarySilent { ticks: self.silent_run }
        } else if self.unusable_run >= silent_after.max(1) {
            DataState::Missing { ticks: self.unusable_run }
        } else if self.usable == 0 {
            DataState::Awaited
        } else {
            DataState::Arriving
        }
    }

    /// Usable ticks so far.
    pub fn usable(&self) -> u64 {
        self.usable
    }
}
