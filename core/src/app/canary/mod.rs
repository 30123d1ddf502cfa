//! Canaries under judgement: the series of each become ticks, the ticks evidence, that a verdict.

mod counted;
mod experiment;
mod judged;
mod refused;
mod ticks;
mod weights;

pub use crate::judge::words::number as ratio_number;
pub use experiment::Answer;
pub use judged::{Judged, JudgedMetric, Mark, Stand, verdict_word};

use jiff::{SignedDuration, Timestamp};

use crate::domain::canary::{CanaryData, CanaryMetric, CanarySpec, Direction, Policy, Purpose};
use crate::domain::fleet::Fleet;
use crate::domain::traffic::TrafficSplit;
use crate::judge::report::Report;
use crate::judge::spec::{Direction as JudgeDirection, MetricKind};
use crate::judge::{Analysis, Counted, MetricSpec, Sample, Spec, SpecError};
use ticks::Ticks;
use weights::Weights;

/// A canary that would have had fewer requests may have had none by chance.
const LEAST_EXPECTED: f64 = 5.0;
/// A canary that says nothing for so long while its baseline reports is silent, if a step does not
/// last shorter.
const SILENT: SignedDuration = SignedDuration::from_mins(5);
/// The share of a canary of which nobody says it.
const EVEN: f64 = 0.5;
/// The fewest ticks that are a silence.
const SILENT_TICKS: u64 = 5;

/// What turns ticks into a verdict.
#[derive(Clone, Debug, PartialEq)]
enum Engine {
    /// By evidence.
    Anytime(Box<Analysis>),
    /// By counting, as another tool does it.
    Counted(Counted),
}

/// One canary under judgement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watch {
    engine: Option<Engine>,
    /// The next tick to judge, counted from 1970.
    next: i64,
    /// The canary has traffic since this tick, by its split, and has not been seen since.
    unseen: Option<i64>,
    /// Its share of the traffic over time.
    weights: Weights,
    /// What came of it so far.
    pub judged: Option<Judged>,
}

impl Watch {
    /// Judges what has come since the last time. `split` is the canary's traffic, if it was read.
    pub fn refresh(&mut self, spec: &CanarySpec, split: Option<&TrafficSplit>, fleet: &Fleet) {
        let share = split.and_then(|s| s.percent(spec.canary.as_str())).map(|p| p / 100.0);
        // Where no split is configured, both are compared for as long as both are seen.
        let share = match share.or(spec.traffic.is_none().then_some(EVEN)) {
            Some(share) if share > 0.0 && share < 1.0 => share,
            // It has ended, or never began. What is not known does not end it.
            Some(_) => {
                *self = Self::default();
                return;
            }
            None => return,
        };
        if let Some(split) = split {
            let seen = fleet.traffic.get(&split.id).map(|observed| observed.at);
            self.weights.note(share, split.since, seen.unwrap_or(Timestamp::MAX));
        }
        // What was not read yet would be judged as missing, and a tick is judged only once. A series that
        // does not exist is read too: as one without points.
        let mut series = spec.metrics.iter().flat_map(|metric| metric.data.series());
        if series.any(|id| fleet.series.get(id).is_none()) {
            return;
        }
        let ticks = Ticks::new(spec, fleet);
        let Some(last) = ticks.last_settled() else { return };
        if self.engine.is_none() || self.unseen.is_some() {
            let since = split.and_then(|split| split.since).map(|since| ticks.at(since) + 1);
            self.begin(spec, &ticks, share, since.unwrap_or(last + 1), last);
        }
        let Some(engine) = &mut self.engine else { return };
        let mut pushed = false;
        while self.next <= last {
            let at = self.next;
            self.next += 1;
            let steps = spec.steps.iter().map(|step| step / 100.0);
            let even = split.is_none().then_some(EVEN);
            let requests = [at, at + 1, at + 2].map(|at| ticks.requests(at));
            if let Some(weight) = self.weights.at(ticks.begin(at), steps.chain(even), requests) {
                engine.step(weight);
            }
            let samples: Vec<Sample> = spec.metrics.iter().map(|m| ticks.sample(m, at)).collect();
            engine.push(&samples);
            pushed = true;
        }
        if pushed || self.judged.is_none() {
            let judged = match engine {
                Engine::Anytime(analysis) => {
                    Judged::of(spec, &analysis.report(), self.judged.as_ref())
                }
                Engine::Counted(counted) => {
                    counted::judged(spec, counted, ticks.tick().as_secs_f64())
                }
            };
            self.judged = Some(Judged { until: Some(ticks.begin(self.next)), ..judged });
        }
    }

    /// All that the judge knows of it by now; none where a policy counts.
    pub fn report(&self) -> Option<Report> {
        match &self.engine {
            Some(Engine::Anytime(analysis)) => Some(analysis.report()),
            Some(Engine::Counted(_)) | None => None,
        }
    }

    /// Begins with the first tick in which the canary was seen; what lies before teaches. One that
    /// has traffic and is never seen is judged as well, by its silence: since it got traffic in tick
    /// `since`, or since it was found to have some. `last` is the last tick that is settled.
    fn begin(&mut self, spec: &CanarySpec, ticks: &Ticks<'_>, share: f64, since: i64, last: i64) {
        let agreed = agreed(spec, ticks.tick());
        let first = match ticks.first_canary(agreed.silent_after_ticks) {
            Some(first) if first <= last => {
                self.unseen = None;
                first
            }
            Some(_) => return,
            None if self.engine.is_some() => return,
            None => {
                let since = *self.unseen.get_or_insert(since);
                let wait = agreed.warm_up_ticks.saturating_add(agreed.silent_after_ticks);
                let rare = ticks.expected(share, since, last).is_some_and(|n| n < LEAST_EXPECTED);
                if u64::try_from(last - since).map_or(true, |waited| waited < wait) || rare {
                    return;
                }
                since
            }
        };
        match Engine::new(spec, agreed, ticks, first) {
            Ok(engine) => {
                self.next = first;
                self.weights.rewind();
                self.engine = Some(engine);
            }
            Err(error) => self.judged = Some(refused::because(spec, &error)),
        }
    }
}

impl Engine {
    /// For a canary whose first tick is `first`; what lies before teaches.
    fn new(
        spec: &CanarySpec,
        agreed: Spec,
        ticks: &Ticks<'_>,
        first: i64,
    ) -> Result<Self, SpecError> {
        if spec.policy != Policy::Anytime {
            agreed.check()?;
            return Ok(Self::Counted(counted::begin(spec, &agreed)));
        }
        let mut analysis = Analysis::new(agreed)?;
        let learned = spec.history.as_secs() / ticks.tick().as_secs().max(1);
        for metric in &spec.metrics {
            let before = (first - learned..first).filter_map(|at| ticks.baseline(metric, at));
            analysis.learn(metric.name.as_str(), before);
        }
        Ok(Self::Anytime(Box::new(analysis)))
    }

    fn step(&mut self, weight: f64) {
        match self {
            Self::Anytime(analysis) => analysis.step(weight),
            Self::Counted(counted) => counted.step(weight),
        }
    }

    fn push(&mut self, samples: &[Sample]) {
        match self {
            Self::Anytime(analysis) => analysis.push(samples),
            Self::Counted(counted) => counted.push(samples),
        }
    }
}

/// What was agreed, in the judge's terms.
fn agreed(spec: &CanarySpec, tick: SignedDuration) -> Spec {
    let seconds = tick.as_secs_f64().max(1.0);
    // Durations of hours over ticks of seconds: far below the limits of the type.
    let ticks = |time: SignedDuration| (time.as_secs_f64() / seconds).ceil().max(0.0) as u64;
    let experiment = spec.purpose == Purpose::Experiment;
    Spec {
        alpha: spec.alpha,
        // Neither alternative is the safe one: both answers are as hard to get.
        beta: if experiment { spec.alpha } else { spec.beta },
        tick_seconds: seconds,
        warm_up_ticks: ticks(spec.warm_up),
        min_bake_ticks: ticks(spec.bake),
        silent_after_ticks: ticks(spec.bake.min(SILENT)).max(SILENT_TICKS),
        steps: spec.steps.iter().map(|step| step / 100.0).collect(),
        metrics: spec
            .metrics
            .iter()
            .map(|metric| MetricSpec {
                required: metric.required,
                margin: if experiment { 0.0 } else { metric.margin },
                ..agreed_metric(metric, experiment)
            })
            .collect(),
        ..Spec::default()
    }
}

fn agreed_metric(metric: &CanaryMetric, experiment: bool) -> MetricSpec {
    let name = metric.name.as_str();
    let base = match metric.data {
        CanaryData::Counts { .. } => MetricSpec::errors(name),
        CanaryData::Levels { .. } => MetricSpec::latency(name),
    };
    let mut agreed = MetricSpec {
        direction: match metric.direction {
            Direction::Increase => JudgeDirection::Increase,
            Direction::Decrease => JudgeDirection::Decrease,
        },
        margin: metric.margin,
        weight: Some(metric.weight),
        critical: metric.critical,
        muted: metric.muted,
        ..base
    };
    match &mut agreed.kind {
        MetricKind::Count { floor, strict } => {
            // So few that it does not matter is fine, but no better than the other.
            *floor = metric.floor.filter(|_| !experiment);
            *strict = metric.strict;
        }
        MetricKind::Series { v_min } => *v_min = metric.v_min,
    }
    agreed
}

/// The latest moment that both arms of a canary tell of. The last tick before it may still be revised
/// and is judged when the next has come.
pub fn known_until(spec: &CanarySpec, fleet: &Fleet) -> Option<Timestamp> {
    let ticks = Ticks::new(spec, fleet);
    ticks.last_told().map(|at| ticks.begin(at + 1))
}

#[cfg(test)]
mod tests;
