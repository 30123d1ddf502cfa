//! What the tests of schedules and keepers share: a cadence, items, faults, a simulated run.

use std::time::Duration;

use flightdeck::backend::Cadence;
use flightdeck::backend::schedule::Schedule;
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::ids::{ItemId, PipelineId, SeriesId, SourceId};
use flightdeck::domain::observation::{Scope, Topic};

pub const SECOND: Duration = Duration::from_secs(1);

pub fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

pub fn cadence() -> Cadence {
    Cadence {
        overview: seconds(60),
        fast: seconds(10),
        slow: seconds(60),
        series: seconds(30),
        changes: seconds(120),
        batch: 1,
        concurrency: 1,
        deadline: seconds(10),
        budget_per_minute: 120,
        jitter: 0.1,
        longest_pause: seconds(30),
    }
}

pub fn pipeline(n: usize) -> ItemId {
    ItemId::Pipeline(PipelineId::new(&SourceId::new("a"), &format!("p{n:05}")))
}

pub fn series(n: usize) -> ItemId {
    ItemId::Series(SeriesId::new(&SourceId::new("a"), &format!("s{n}")))
}

pub fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind, "no")
}

pub fn throttled() -> Fault {
    fault(FaultKind::Throttled { until: None })
}

pub fn overview() -> Scope {
    Scope { topic: Topic::Overview, items: Vec::new() }
}

/// A schedule that has found `count` items and has nothing else to do for a while.
pub fn with_items(cadence: Cadence, count: usize) -> Schedule {
    let topics = vec![Topic::Overview, Topic::Items];
    let mut schedule = Schedule::new(cadence, topics, [], 1);
    let scope = schedule.next(Duration::ZERO).unwrap();
    assert_eq!(scope, overview());
    schedule.succeeded(&scope, Some((0..count).map(pipeline).collect()), Duration::ZERO);
    schedule
}

/// Lets the schedule run until `end`, each read taking `takes`; returns what was read when.
pub fn run(
    schedule: &mut Schedule,
    from: Duration,
    end: Duration,
    takes: Duration,
) -> Vec<(Duration, Scope)> {
    let mut reads = Vec::new();
    let mut now = from;
    while now < end {
        match schedule.next(now) {
            Some(scope) => {
                reads.push((now, scope.clone()));
                now += takes;
                schedule.succeeded(&scope, None, now);
            }
            None => now = schedule.wake().unwrap().max(now + Duration::from_millis(1)),
        }
    }
    reads
}

pub fn times_of(reads: &[(Duration, Scope)], item: &ItemId) -> Vec<Duration> {
    reads.iter().filter(|(_, s)| s.items.contains(item)).map(|(at, _)| *at).collect()
}
