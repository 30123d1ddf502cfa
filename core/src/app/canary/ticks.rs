//! Ticks: the points of a canary's series, brought onto one clock of equal steps.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::domain::canary::{CanaryData, CanaryMetric, CanarySpec, CountPair};
use crate::domain::fleet::Fleet;
use crate::domain::ids::{SeriesId, SourceId};
use crate::domain::series::{Series, SeriesKind};
use crate::judge::Sample;
use crate::judge::sample::Counts;

/// Shortest tick, in seconds.
const LEAST: i64 = 1;
/// Ticks for which a series without new points holds back the others: after them it has ended, or has
/// nothing to tell.
const PATIENCE: i64 = 3;
/// Ticks by which a whole source may be behind; beyond them it has broken off.
const BEHIND: i64 = 8;

/// The series of one canary in ticks.
pub struct Ticks<'a> {
    seconds: i64,
    values: BTreeMap<&'a SeriesId, BTreeMap<i64, f64>>,
    /// The moment that every series that reports at all has told of.
    told: Option<i64>,
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
        let told = told(&read, seconds);
        Self { seconds, values, told, metrics: &spec.metrics }
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

    /// The last tick that every series has told of, or never will.
    pub fn last_told(&self) -> Option<i64> {
        self.told.map(|told| told.div_euclid(self.seconds) - 1)
    }

    /// The last tick that is settled: the one after it has come as well. Sources revise the newest
    /// point, by scrapes and figures that arrive late, and a tick is judged only once.
    pub fn last_settled(&self) -> Option<i64> {
        self.last_told().map(|last| last - 1)
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
        if alone(newest, self.last_settled().map_or(newest, |last| last + 1)) >= gap {
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

    /// The requests of the baseline and the canary in tick `at`, by the first metric that counts them.
    pub fn requests(&self, at: i64) -> (f64, f64) {
        let count = |id: &SeriesId| self.value(id, at).filter(|n| *n > 0.0).unwrap_or_default();
        let both = self.metrics.iter().find_map(|metric| match &metric.data {
            CanaryData::Counts { baseline, canary } => {
                Some((count(&baseline.requests), count(&canary.requests)))
            }
            CanaryData::Levels { .. } => None,
        });
        both.unwrap_or_default()
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
        let events = match self.value(&pair.events, at) {
            Some(events) => events,
            None if self.leaves_out_zeros(pair, at) => 0.0,
            None => return None,
        };
        Some(Counts::new(requests, events))
    }
}

impl Ticks<'_> {
    /// Whether events that are missing in tick `at`, in which there were requests, are none. A counter
    /// of errors that never fired often does not exist, and some sources leave out zeros. But a series
    /// that told of every tick before, or of a zero, has broken off or is late.
    fn leaves_out_zeros(&self, pair: &CountPair, at: i64) -> bool {
        let (Some(events), Some(requests)) =
            (self.values.get(&pair.events), self.values.get(&pair.requests))
        else {
            return false;
        };
        let Some((last, _)) = events.range(..at).next_back() else { return true };
        let wrote_zero = events.range(..at).any(|(_, value)| *value == 0.0);
        let mut busy = requests.range(..last).filter(|(_, value)| **value > 0.0);
        !wrote_zero && busy.any(|(tick, _)| !events.contains_key(tick))
    }
}

/// Until when all of the series have told: each until its newest point. One without new points for
/// longer has told until its last read, less the time by which its source is behind anyway.
fn told(read: &[(&SeriesId, &Series, Timestamp)], seconds: i64) -> Option<i64> {
    let newest = |series: &Series, at: Timestamp| {
        series.points.last().map(|point| point.at.min(at).as_second())
    };
    let behind = |source: &SourceId| {
        let own = read.iter().filter(|(id, ..)| id.source == *source);
        let lags = own.filter_map(|(_, series, at)| Some(at.as_second() - newest(series, *at)?));
        lags.min().unwrap_or_default()
    };
    let until = |(id, series, at): &(&SeriesId, &Series, Timestamp)| {
        let at_most = at.as_second() - PATIENCE * seconds;
        match newest(series, *at) {
            Some(newest) if newest >= at_most => newest,
            _ => at.as_second() - behind(&id.source).min(BEHIND * seconds),
        }
    };
    read.iter().map(until).min()
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

#[cfg(test)]
#[path = "ticks_tests.rs"]
mod tests;
