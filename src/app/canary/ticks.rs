//! Ticks: the points of a canary's series, brought onto one clock of equal steps.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::domain::canary::{CanaryData, CanaryMetric, CanarySpec, CountPair};
use crate::domain::fleet::Fleet;
use crate::domain::ids::SeriesId;
use crate::domain::series::{Series, SeriesKind};
use crate::judge::Sample;
use crate::judge::sample::Counts;

/// Shortest tick, in seconds.
const LEAST: i64 = 1;

/// The series of one canary in ticks.
pub struct Ticks<'a> {
    seconds: i64,
    values: BTreeMap<&'a SeriesId, BTreeMap<i64, f64>>,
    /// The last tick that is over in every series that reports at all.
    last: Option<i64>,
    metrics: &'a [CanaryMetric],
}

impl<'a> Ticks<'a> {
    /// Brings the series of `spec` onto one clock; the longest step of them is a tick.
    pub fn new(spec: &'a CanarySpec, fleet: &'a Fleet) -> Self {
        let read: Vec<(&SeriesId, &Series, Timestamp)> = spec
            .metrics
            .iter()
            .flat_map(|metric| metric.data.series())
            .filter_map(|id| {
                let observed = fleet.series.get(id)?;
                Some((id, &*observed.value, observed.at))
            })
            .collect();
        let steps = read.iter().map(|(_, series, _)| series.step.as_secs());
        let seconds = steps.max().unwrap_or(LEAST).max(LEAST);
        let values = read.iter().map(|(id, series, _)| (*id, in_ticks(series, seconds))).collect();
        // A tick is over once every source was read after its end: what is missing then is missing.
        let last = read
            .iter()
            .map(|(_, series, at)| {
                let newest = series.points.last().map_or(*at, |point| point.at.min(*at));
                let lag = at.duration_since(newest).as_secs();
                // A series that has ended does not hold up the others for ever.
                let known = if lag > 3 * seconds { *at } else { newest };
                known.as_second().div_euclid(seconds) - 1
            })
            .min();
        Self { seconds, values, last, metrics: &spec.metrics }
    }

    /// Length of a tick.
    pub fn tick(&self) -> SignedDuration {
        SignedDuration::from_secs(self.seconds)
    }

    /// When tick `at` begins.
    pub fn begin(&self, at: i64) -> Timestamp {
        Timestamp::from_second(at.saturating_mul(self.seconds)).unwrap_or(Timestamp::MAX)
    }

    /// The tick of a moment.
    pub fn at(&self, moment: Timestamp) -> i64 {
        moment.as_second().div_euclid(self.seconds)
    }

    /// The last tick that is over.
    pub fn last_whole(&self) -> Option<i64> {
        self.last
    }

    /// The first tick in which this canary had traffic. One before it that had traffic too is another
    /// one if for `gap` ticks in between, or until now, only the baseline had any.
    pub fn first_canary(&self, gap: u64) -> Option<i64> {
        let busy = |arm: fn(&CanaryData) -> &SeriesId| {
            let mut ticks = BTreeSet::new();
            for metric in self.metrics {
                let values = self.values.get(arm(&metric.data));
                let values = values.into_iter().flatten();
                ticks.extend(values.filter(|(_, value)| **value > 0.0).map(|(at, _)| *at));
            }
            ticks
        };
        let (old, new) = (busy(old_traffic), busy(new_traffic));
        let alone = |from: i64, to: i64| old.range(from + 1..to.max(from + 1)).count() as u64;
        let newest = *new.last()?;
        if alone(newest, self.last.map_or(newest, |last| last + 1)) >= gap {
            return None;
        }
        let mut first = newest;
        for before in new.into_iter().rev() {
            if alone(before, first) >= gap {
                break;
            }
            first = before;
        }
        Some(first)
    }

    /// Requests that a canary with `share` (0–1) of the traffic would have had in ticks `from..=to`, by
    /// those of the baseline; `None` if no metric counts requests.
    pub fn expected(&self, share: f64, from: i64, to: i64) -> Option<f64> {
        let metric = self.metrics.iter().find_map(|metric| match &metric.data {
            CanaryData::Counts { baseline, .. } => Some(&baseline.requests),
            CanaryData::Levels { .. } => None,
        });
        let values = self.values.get(metric?)?;
        let sum: f64 = values.range(from..=to.max(from)).map(|(_, requests)| requests).sum();
        Some(sum * share / (1.0 - share).max(f64::EPSILON))
    }

    /// The canary's measured share of the requests in tick `at`, over a few ticks around it.
    pub fn share(&self, at: i64) -> Option<f64> {
        let sum = |id: &SeriesId| -> Option<f64> {
            let values = self.values.get(id)?;
            Some(values.range(at - 1..=at + 1).map(|(_, v)| v).sum())
        };
        self.metrics.iter().find_map(|metric| match &metric.data {
            CanaryData::Counts { baseline, canary } => {
                let (stable, new) = (sum(&baseline.requests)?, sum(&canary.requests)?);
                (stable + new > 0.0).then(|| new / (stable + new))
            }
            CanaryData::Levels { .. } => None,
        })
    }

    /// What tick `at` brings for `metric`.
    pub fn sample(&self, metric: &CanaryMetric, at: i64) -> Sample {
        match &metric.data {
            CanaryData::Counts { baseline, canary } => Sample::Counts {
                baseline: self.counts(baseline, at),
                canary: self.counts(canary, at),
            },
            CanaryData::Levels { baseline, canary } => Sample::Values {
                baseline: self.value(baseline, at),
                canary: self.value(canary, at),
            },
        }
    }

    /// Counts of the baseline in tick `at`.
    pub fn baseline(&self, metric: &CanaryMetric, at: i64) -> Option<Counts> {
        match &metric.data {
            CanaryData::Counts { baseline, .. } => self.counts(baseline, at),
            CanaryData::Levels { .. } => None,
        }
    }

    fn value(&self, id: &SeriesId, at: i64) -> Option<f64> {
        self.values.get(id)?.get(&at).copied()
    }

    fn counts(&self, pair: &CountPair, at: i64) -> Option<Counts> {
        let requests = self.value(&pair.requests, at)?;
        // A counter of errors that never fired often does not exist: with requests, that is none.
        let events = match self.values.get(&pair.events) {
            Some(values) => values.get(&at).copied().unwrap_or(0.0),
            None => return None,
        };
        Some(Counts::new(requests, events))
    }
}

/// The series that shows whether the baseline has traffic.
fn old_traffic(data: &CanaryData) -> &SeriesId {
    match data {
        CanaryData::Counts { baseline, .. } => &baseline.requests,
        CanaryData::Levels { baseline, .. } => baseline,
    }
}

/// The series that shows whether the canary has traffic.
fn new_traffic(data: &CanaryData) -> &SeriesId {
    match data {
        CanaryData::Counts { canary, .. } => &canary.requests,
        CanaryData::Levels { canary, .. } => canary,
    }
}

/// The values of a series by tick: sums of what was counted, means of what was measured.
fn in_ticks(series: &Series, seconds: i64) -> BTreeMap<i64, f64> {
    // A point at the very end of a tick tells of that tick.
    let tick = |at: Timestamp| (at.as_second() - 1).div_euclid(seconds);
    let finite = series.points.iter().filter(|p| p.value.is_finite());
    let mut ticks: BTreeMap<i64, (f64, u32)> = BTreeMap::new();
    let mut add = |at: Timestamp, value: f64| {
        let slot = ticks.entry(tick(at)).or_default();
        slot.0 += value;
        slot.1 += 1;
    };
    match series.kind {
        SeriesKind::Gauge | SeriesKind::Delta => finite.for_each(|p| add(p.at, p.value)),
        SeriesKind::Counter => {
            let mut before: Option<(Timestamp, f64)> = None;
            for point in finite {
                if let Some((at, value)) = before
                    // Over a gap it is not known when things were counted.
                    && point.at.duration_since(at).as_secs() <= 2 * series.step.as_secs().max(seconds)
                {
                    let grown =
                        if point.value >= value { point.value - value } else { point.value };
                    add(point.at, grown);
                }
                before = Some((point.at, point.value));
            }
        }
    }
    let mean = series.kind == SeriesKind::Gauge;
    ticks
        .into_iter()
        .map(|(at, (sum, n))| (at, if mean { sum / f64::from(n.max(1)) } else { sum }))
        .collect()
}
