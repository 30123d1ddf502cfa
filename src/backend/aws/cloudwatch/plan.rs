//! What to ask for at once: the periods, spans and batches that `GetMetricData` takes.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::series::{SeriesQuery, SeriesSpec};

/// Queries in one call, at most.
pub(super) const MAX_QUERIES: usize = 500;
/// Points in one answer, at most. What goes beyond comes in pages, but not where metric maths is
/// asked for: so nothing goes beyond.
pub(super) const MAX_POINTS: i64 = 100_800;
/// How far behind the last known point a later read begins: points appear and change late.
const OVERLAP: i64 = 5 * 60;

/// One query, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Query<'a> {
    pub(super) spec: &'a SeriesSpec,
    /// Seconds between points.
    pub(super) period: i32,
    pub(super) span: Span,
    /// What cannot be had of what was asked for.
    pub(super) note: Option<String>,
}

/// From (inclusive) and to (exclusive), in seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl<'a> Query<'a> {
    /// The query for what is new since the point `known`, else for the whole window.
    ///
    /// A period that is not over yet is not asked for: its sum would look like a collapse.
    pub(super) fn new(spec: &'a SeriesSpec, known: Option<Timestamp>, now: Timestamp) -> Self {
        let asked = seconds(spec.step);
        let period = period(asked);
        let step = i64::from(period);
        let now = now.as_second();
        let to = floor(now, step);
        let most = retention(step).min(MAX_POINTS.saturating_mul(step)).saturating_sub(step);
        let window = seconds(spec.window);
        let mut from = floor(now.saturating_sub(window.min(most)), step);
        if let Some(known) = known {
            let overlap = OVERLAP.max(step.saturating_mul(3));
            from = from.max(floor(known.as_second().saturating_sub(overlap), step));
        }
        let mut notes = Vec::new();
        if asked != step {
            notes.push(format!("a point every {step} s: there is none every {asked} s"));
        }
        if window > most {
            let kept = crate::domain::time::coarse(SignedDuration::from_secs(most));
            notes.push(format!("not more than {kept} can be had in steps of {step} s"));
        }
        Self {
            spec,
            period,
            span: Span { from: from.min(to.saturating_sub(step)), to },
            note: (!notes.is_empty()).then(|| notes.join("; ")),
        }
    }

    fn points(&self) -> i64 {
        let length = self.span.to.saturating_sub(self.span.from);
        (length / i64::from(self.period)).max(1)
    }

    /// How many queries of the call it takes: metric maths has its operands with it.
    fn weight(&self) -> usize {
        match &self.spec.query {
            SeriesQuery::Maths { operands, .. } => operands.len().saturating_add(1),
            _ => 1,
        }
    }

    /// Whether it must be the only one of its kind in a call (Metrics Insights).
    fn is_insights(&self) -> bool {
        let SeriesQuery::Expression(text) = &self.spec.query else { return false };
        let start = text.trim_start().get(..7);
        start.is_some_and(|start| start.eq_ignore_ascii_case("select "))
    }
}

/// Queries that go into one call each; `alone` are those that must not spoil others.
pub(super) fn batches<'a>(
    queries: Vec<Query<'a>>,
    alone: impl Fn(&Query<'a>) -> bool,
) -> Vec<Vec<Query<'a>>> {
    let mut batches = Vec::new();
    // Similar lengths go together: a call has one span, and nobody wants points twice.
    let mut alike: BTreeMap<(i32, u32), Vec<Query<'a>>> = BTreeMap::new();
    for query in queries {
        if query.is_insights() || alone(&query) {
            batches.push(vec![query]);
        } else {
            let length = query.points().unsigned_abs().next_power_of_two().ilog2();
            alike.entry((query.period, length)).or_default().push(query);
        }
    }
    for queries in alike.into_values() {
        let longest = queries.iter().map(Query::points).max().unwrap_or(1);
        let fit = usize::try_from(MAX_POINTS / longest).unwrap_or(1).clamp(1, MAX_QUERIES);
        let (mut batch, mut taken) = (Vec::new(), 0);
        for query in queries {
            if taken + query.weight() > fit && !batch.is_empty() {
                batches.push(std::mem::take(&mut batch));
                taken = 0;
            }
            taken += query.weight();
            batch.push(query);
        }
        batches.push(batch);
    }
    batches
}

/// The span that covers all of `queries`.
pub(super) fn span(queries: &[Query<'_>]) -> Span {
    Span {
        from: queries.iter().map(|q| q.span.from).min().unwrap_or_default(),
        to: queries.iter().map(|q| q.span.to).max().unwrap_or_default(),
    }
}

/// The shortest period that CloudWatch knows and that is not shorter than `seconds`.
fn period(seconds: i64) -> i32 {
    let period = match seconds {
        ..=1 => 1,
        2..=5 => 5,
        6..=10 => 10,
        11..=20 => 20,
        21..=30 => 30,
        _ => seconds.saturating_add(59) / 60 * 60,
    };
    // The longest period of all is a day.
    i32::try_from(period.min(86_400)).unwrap_or(86_400)
}

/// How long points of this period are kept, in seconds.
fn retention(period: i64) -> i64 {
    const HOUR: i64 = 3_600;
    match period {
        p if p % HOUR == 0 => 455 * 24 * HOUR,
        p if p % 300 == 0 => 63 * 24 * HOUR,
        p if p % 60 == 0 => 15 * 24 * HOUR,
        _ => 3 * HOUR,
    }
}

fn seconds(length: SignedDuration) -> i64 {
    let more = i64::from(length.subsec_nanos() > 0);
    length.as_secs().saturating_add(more).max(1)
}

fn floor(at: i64, step: i64) -> i64 {
    at.div_euclid(step).saturating_mul(step)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
