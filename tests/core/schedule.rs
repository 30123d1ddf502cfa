//! Schedules: cadence, jitter, interest, fairness, and how long a sweep takes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use flightdeck::backend::Cadence;
use flightdeck::backend::schedule::Schedule;
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::ids::ItemId;
use flightdeck::domain::observation::{Scope, Topic};
use proptest::prelude::*;

use crate::support::*;

#[test]
fn overview_comes_first_and_what_it_found_is_read_next() {
    let mut schedule = with_items(cadence(), 3);
    assert_eq!(schedule.unread(), 3);
    let reads = run(&mut schedule, SECOND, seconds(5), SECOND);
    let items: Vec<ItemId> = reads.into_iter().flat_map(|(_, s)| s.items).collect();
    assert_eq!(items, [pipeline(0), pipeline(1), pipeline(2)]);
    assert_eq!(schedule.unread(), 0);
}

#[test]
fn waits_vary_by_the_jitter_and_no_more() {
    let mut schedule = with_items(cadence(), 1);
    let reads = run(&mut schedule, Duration::ZERO, seconds(60 * 200), Duration::ZERO);
    let times = times_of(&reads, &pipeline(0));
    let waits: Vec<f64> =
        times.windows(2).map(|w| w[1].saturating_sub(w[0]).as_secs_f64()).collect();
    assert!(waits.len() > 150, "{}", waits.len());
    assert!(waits.iter().all(|w| (53.9..=66.1).contains(w)), "{waits:?}");
    assert!(waits.iter().any(|w| *w < 57.0) && waits.iter().any(|w| *w > 63.0), "{waits:?}");
}

#[test]
fn batches_stay_together_and_find_together() {
    let mut schedule = with_items(Cadence { batch: 10, ..cadence() }, 10);
    run(&mut schedule, Duration::ZERO, seconds(30), Duration::ZERO);
    // A newcomer joins the others within a few rounds.
    let more: Vec<ItemId> = (0..9).chain(50..51).map(pipeline).collect();
    schedule.succeeded(&overview(), Some(more), seconds(30));
    let reads = run(&mut schedule, seconds(30), seconds(3_630), Duration::ZERO);
    let items: Vec<usize> = reads.iter().map(|(_, s)| s.items.len()).filter(|n| *n > 0).collect();
    assert!(items.len() <= 90, "{items:?}");
    assert!(items[40..].iter().all(|n| *n == 10), "{items:?}");
}

#[test]
fn two_sources_do_not_ask_in_step_and_one_repeats_itself() {
    let first_wait = |seed| {
        let mut schedule = Schedule::new(cadence(), vec![Topic::Overview], [], seed);
        let scope = schedule.next(Duration::ZERO).unwrap();
        schedule.succeeded(&scope, None, Duration::ZERO);
        schedule.wake().unwrap()
    };
    assert_eq!(first_wait(1), first_wait(1));
    assert_ne!(first_wait(1), first_wait(2));
}

#[test]
fn a_jitter_out_of_range_is_bounded() {
    for jitter in [f64::NAN, f64::INFINITY, -3.0, 99.0] {
        let mut schedule = with_items(Cadence { jitter, ..cadence() }, 1);
        let reads = run(&mut schedule, Duration::ZERO, seconds(600), Duration::ZERO);
        let times = times_of(&reads, &pipeline(0));
        assert!((6..=21).contains(&times.len()), "{jitter}: {times:?}");
    }
}

#[test]
fn an_endless_interval_is_no_overflow() {
    let endless = Cadence { slow: Duration::MAX, overview: Duration::MAX, ..cadence() };
    let mut schedule = with_items(endless, 1);
    let scope = schedule.next(SECOND).unwrap();
    schedule.succeeded(&scope, None, SECOND);
    assert_eq!(schedule.next(seconds(1_000_000)), None);
    assert_eq!(schedule.sweep(), Some(Duration::MAX));
}

#[test]
fn what_is_looked_at_is_read_fast_and_the_rest_slowly() {
    let mut schedule = with_items(cadence(), 2);
    schedule.watch(BTreeSet::from([pipeline(1)]), false, Duration::ZERO);
    let reads = run(&mut schedule, Duration::ZERO, seconds(600), Duration::ZERO);
    let far = times_of(&reads, &pipeline(0)).len();
    let near = times_of(&reads, &pipeline(1)).len();
    assert!((9..=12).contains(&far), "{far}");
    assert!((54..=67).contains(&near), "{near}");
    // Looking at something that was read long ago reads it at once.
    schedule.watch(BTreeSet::from([pipeline(0)]), false, seconds(600));
    assert!(schedule.wake().unwrap() <= seconds(611));
}

#[test]
fn series_are_read_only_while_somebody_looks() {
    let mut schedule = Schedule::new(cadence(), vec![Topic::Series], [series(0), series(1)], 1);
    assert_eq!(schedule.next(Duration::ZERO), None);
    assert_eq!(schedule.wake(), None);
    schedule.watch(BTreeSet::from([series(1)]), false, SECOND);
    let reads = run(&mut schedule, SECOND, seconds(301), Duration::ZERO);
    assert!((9..=12).contains(&reads.len()), "{}", reads.len());
    assert!(reads.iter().all(|(_, s)| s.items == [series(1)]));
    schedule.watch(BTreeSet::new(), false, seconds(301));
    assert_eq!(schedule.wake(), None);
    assert_eq!(schedule.unread(), 0, "what nobody asked for is not missing");
}

#[test]
fn a_series_that_nobody_configured_is_not_read() {
    let mut schedule = Schedule::new(cadence(), vec![Topic::Series], [series(0)], 1);
    schedule.watch(BTreeSet::from([series(7), pipeline(1)]), false, SECOND);
    assert_eq!(schedule.next(seconds(9)), None);
}

#[test]
fn a_source_is_asked_only_what_it_answers() {
    let mut schedule = Schedule::new(cadence(), vec![Topic::Changes], [series(0)], 1);
    schedule.watch(BTreeSet::from([series(0)]), true, Duration::ZERO);
    let reads = run(&mut schedule, Duration::ZERO, seconds(600), Duration::ZERO);
    assert!(reads.iter().all(|(_, s)| s.topic == Topic::Changes));
    assert!((4..=7).contains(&reads.len()), "{}", reads.len());
}

#[test]
fn under_pressure_what_is_looked_at_keeps_its_pace_and_nothing_starves() {
    // 400 items at one second a read take 400 s, far more than the slow cadence asks for.
    let mut schedule = with_items(Cadence { slow: seconds(30), ..cadence() }, 400);
    let near: BTreeSet<ItemId> = (0..5).map(pipeline).collect();
    schedule.watch(near.clone(), false, Duration::ZERO);
    let reads = run(&mut schedule, Duration::ZERO, seconds(3_000), SECOND);
    let mut longest: BTreeMap<bool, Duration> = BTreeMap::new();
    for item in (0..400).map(pipeline) {
        let times = times_of(&reads, &item);
        for pair in times.windows(2) {
            let wait = longest.entry(near.contains(&item)).or_default();
            *wait = (*wait).max(pair[1].saturating_sub(pair[0]));
        }
        assert!(times.len() > 1, "{item} starves");
    }
    assert!(longest[&true] <= seconds(25), "{longest:?}");
    assert!(longest[&false] <= seconds(1_200), "{longest:?}");
}

#[test]
fn items_and_series_take_turns() {
    let topics = vec![Topic::Overview, Topic::Items, Topic::Series];
    let mut schedule = Schedule::new(Cadence { slow: SECOND, ..cadence() }, topics, [series(0)], 1);
    let scope = schedule.next(Duration::ZERO).unwrap();
    schedule.succeeded(&scope, Some((0..100).map(pipeline).collect()), Duration::ZERO);
    schedule.watch(BTreeSet::from([series(0)]), false, Duration::ZERO);
    let reads = run(&mut schedule, Duration::ZERO, seconds(100), SECOND);
    let figures = reads.iter().filter(|(_, s)| s.topic == Topic::Series).count();
    assert!((3..=4).contains(&figures), "{figures}");
}

#[test]
fn no_more_reads_run_at_once_than_allowed() {
    let mut schedule = with_items(Cadence { concurrency: 3, batch: 2, ..cadence() }, 20);
    let mut scopes = Vec::new();
    while let Some(scope) = schedule.next(SECOND) {
        assert!(scope.items.len() <= 2);
        scopes.push(scope);
    }
    assert_eq!((scopes.len(), schedule.in_flight()), (3, 3));
    assert_eq!(schedule.wake(), None, "only the end of a read can change anything");
    schedule.succeeded(&scopes[0], None, SECOND);
    assert!(schedule.next(SECOND).is_some());
}

#[test]
fn an_item_that_is_gone_is_forgotten_and_one_that_is_back_is_read() {
    let mut schedule = with_items(cadence(), 2);
    let reading = schedule.next(SECOND).unwrap();
    assert_eq!(reading.items, [pipeline(0)]);
    schedule.succeeded(&overview(), Some(vec![pipeline(1)]), SECOND);
    schedule.succeeded(&reading, None, SECOND);
    let reads = run(&mut schedule, seconds(2), seconds(300), Duration::ZERO);
    assert!(times_of(&reads, &pipeline(0)).is_empty());
    schedule.succeeded(&overview(), Some(vec![pipeline(0), pipeline(1)]), seconds(300));
    assert_eq!(schedule.unread(), 1);
}

#[test]
fn a_refresh_reads_the_named_items_and_the_overview_now() {
    let mut schedule = with_items(cadence(), 50);
    run(&mut schedule, Duration::ZERO, SECOND, Duration::ZERO);
    schedule.refresh(Some(&[pipeline(7)]), seconds(2));
    assert_eq!(schedule.next(seconds(2)), Some(overview()));
    schedule.succeeded(&overview(), None, seconds(2));
    assert_eq!(schedule.next(seconds(2)).unwrap().items, [pipeline(7)]);
    assert_eq!(schedule.next(seconds(2)), None);
}

#[test]
fn a_headless_picture_settles_once_everything_was_read() {
    let topics = vec![Topic::Overview, Topic::Items, Topic::Series, Topic::Changes];
    let mut schedule = Schedule::new(cadence(), topics, [series(0), series(1)], 1);
    schedule.watch(BTreeSet::new(), true, Duration::ZERO);
    let mut reads = 0;
    while !schedule.settled() {
        let scope = schedule.next(SECOND).unwrap();
        let found = (scope.topic == Topic::Overview).then(|| (0..4).map(pipeline).collect());
        schedule.succeeded(&scope, found, SECOND);
        reads += 1;
    }
    assert_eq!(reads, 8);
}

#[test]
fn a_sweep_takes_as_long_as_budget_and_cadence_allow() {
    assert_eq!(with_items(cadence(), 0).sweep(), None);
    let minutes = |schedule: &Schedule| schedule.sweep().unwrap().as_secs_f64() / 66.0;
    // 40 items fit into the budget: the slow cadence counts.
    assert!((minutes(&with_items(cadence(), 40)) - 1.0).abs() < 1e-9);
    // 1,000 items at 120 calls a minute.
    let mut schedule = with_items(cadence(), 1_000);
    assert!((minutes(&schedule) - 1_000.0 / 120.0).abs() < 1e-9);
    // 10 of them are read every 10 s, which leaves 60 calls a minute to the rest.
    schedule.watch((0..10).map(pipeline).collect(), false, Duration::ZERO);
    assert!((minutes(&schedule) - 990.0 / 60.0).abs() < 1e-9);
    // However many are looked at, a third of the budget is left to the rest.
    schedule.watch((0..500).map(pipeline).collect(), false, Duration::ZERO);
    assert!((minutes(&schedule) - 500.0 / 40.0).abs() < 1e-9);
    // An item that costs two calls takes twice as long.
    schedule.watch(BTreeSet::new(), false, Duration::ZERO);
    let scope = Scope { topic: Topic::Items, items: vec![pipeline(0), pipeline(1)] };
    schedule.cost(&scope, 4);
    schedule.cost(&overview(), 999);
    assert!((minutes(&schedule) - 2_000.0 / 120.0).abs() < 1e-9);
}

proptest! {
    /// Whatever happens in whatever order, the limits hold, nothing is read twice at once, and
    /// the schedule always says when it goes on.
    #[test]
    fn limits_hold_under_any_sequence(
        steps in proptest::collection::vec((0_u8..8, 0_usize..12, 0_u64..40), 1..200),
        batch in 0_usize..5,
        concurrency in 0_usize..4,
    ) {
        let topics = Topic::ALL.to_vec();
        let cadence = Cadence { batch, concurrency, ..cadence() };
        let mut schedule = Schedule::new(cadence, topics, (0..3).map(series), 1);
        let mut under_way: Vec<Scope> = Vec::new();
        let mut now = Duration::ZERO;
        for (step, n, wait) in steps {
            now += Duration::from_millis(wait * 250);
            match step {
                0..=2 => while let Some(scope) = schedule.next(now) {
                    for other in under_way.iter().filter(|o| o.topic == scope.topic) {
                        prop_assert!(scope.items.iter().all(|i| !other.items.contains(i)));
                        prop_assert!(!scope.items.is_empty());
                    }
                    prop_assert!(scope.items.len() <= batch.max(1));
                    under_way.push(scope);
                },
                3 | 4 if !under_way.is_empty() => {
                    let scope = under_way.remove(n % under_way.len());
                    let found = (scope.topic == Topic::Overview)
                        .then(|| (0..n).map(pipeline).collect());
                    schedule.succeeded(&scope, found, now);
                }
                5 if !under_way.is_empty() => {
                    let scope = under_way.remove(n % under_way.len());
                    let kinds = [
                        FaultKind::Unreachable,
                        FaultKind::Crashed,
                        FaultKind::Throttled { until: None },
                        FaultKind::Forbidden { permission: None },
                    ];
                    let fault = fault(kinds[n % 4].clone());
                    schedule.failed(&scope, &fault, (n > 5).then(|| seconds(n as u64)), now);
                }
                6 => {
                    let shown = (0..n).map(pipeline).chain((0..n % 3).map(series)).collect();
                    schedule.watch(shown, n == 11, now);
                }
                7 => {
                    let some = [pipeline(n), series(0)];
                    schedule.refresh((n % 2 == 0).then_some(&some[..]), now);
                }
                _ => {}
            }
            prop_assert_eq!(schedule.in_flight(), under_way.len());
            prop_assert!(under_way.len() <= concurrency.max(1));
            if under_way.is_empty() {
                let wake = schedule.wake();
                prop_assert!(wake.is_some());
                let then = wake.unwrap().max(now);
                prop_assert!(then <= now + seconds(140), "{then:?} at {now:?}");
                let scope = schedule.next(then);
                prop_assert!(scope.is_some(), "woke at {then:?} for nothing");
                under_way.extend(scope);
            }
        }
    }
}
