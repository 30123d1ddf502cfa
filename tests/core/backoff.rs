//! Schedules of sources that fail, throttle or ask to wait.

use std::collections::BTreeSet;
use std::time::Duration;

use flightdeck::backend::Cadence;
use flightdeck::backend::schedule::Schedule;
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::observation::Topic;

use crate::support::*;

#[test]
fn pauses_double_up_to_the_longest_and_end_with_a_success() {
    let mut schedule = Schedule::new(cadence(), vec![Topic::Overview], [], 1);
    let mut now = Duration::ZERO;
    let mut pauses = Vec::new();
    for _ in 0..40 {
        let scope = schedule.next(now).unwrap();
        schedule.failed(&scope, &fault(FaultKind::Unreachable), None, now);
        assert_eq!(schedule.next(now), None);
        let wake = schedule.wake().unwrap();
        assert_eq!(schedule.backoff(now), Some(wake));
        pauses.push(wake.saturating_sub(now).as_secs_f64());
        now = wake;
    }
    for (pause, expected) in pauses.iter().zip([2.0, 4.0, 8.0, 16.0]) {
        assert!((pause / expected - 1.0).abs() <= 0.101, "{pauses:?}");
    }
    assert!(pauses.iter().all(|p| *p <= 30.0), "{pauses:?}");
    assert!(pauses[5..].iter().all(|p| *p > 26.9), "{pauses:?}");
    let scope = schedule.next(now).unwrap();
    schedule.succeeded(&scope, None, now);
    assert_eq!(schedule.backoff(now), None);
    let scope = schedule.next(now + seconds(70)).unwrap();
    schedule.failed(&scope, &fault(FaultKind::Unreachable), None, now + seconds(70));
    assert!(schedule.wake().unwrap() < now + seconds(73), "begins anew");
}

#[test]
fn a_request_to_wait_holds_for_every_read_and_against_the_operator() {
    let mut schedule = with_items(cadence(), 2);
    let scope = schedule.next(SECOND).unwrap();
    schedule.failed(&scope, &throttled(), Some(seconds(45)), SECOND);
    schedule.refresh(None, seconds(2));
    assert_eq!(schedule.next(seconds(45)), None);
    assert_eq!(schedule.wake(), Some(seconds(46)));
    assert_eq!(schedule.backoff(seconds(2)), Some(seconds(46)));
    assert!(schedule.next(seconds(46)).is_some());
}

#[test]
fn no_source_can_ask_to_be_forgotten() {
    let mut schedule = with_items(cadence(), 1);
    let scope = schedule.next(SECOND).unwrap();
    schedule.failed(&scope, &throttled(), Some(Duration::MAX), SECOND);
    assert_eq!(schedule.wake(), Some(seconds(3_601)));
}

#[test]
fn being_throttled_is_not_an_answer() {
    let mut schedule = with_items(cadence(), 1);
    schedule.watch(BTreeSet::new(), true, Duration::ZERO);
    let scope = schedule.next(SECOND).unwrap();
    schedule.failed(&scope, &throttled(), None, SECOND);
    assert_eq!(schedule.unread(), 1);
    assert!(!schedule.settled());
    let wake = schedule.wake().unwrap();
    let scope = schedule.next(wake).unwrap();
    schedule.failed(&scope, &fault(FaultKind::Forbidden { permission: None }), None, wake);
    assert_eq!(schedule.unread(), 0, "a refusal is an answer");
    assert!(schedule.settled());
}

#[test]
fn a_source_that_is_down_settles_and_holds_everything_back() {
    let topics = vec![Topic::Overview, Topic::Items, Topic::Series, Topic::Changes];
    let mut schedule = Schedule::new(cadence(), topics, [series(0)], 1);
    schedule.watch(BTreeSet::new(), true, Duration::ZERO);
    let scope = schedule.next(Duration::ZERO).unwrap();
    assert!(!schedule.settled());
    schedule.failed(&scope, &fault(FaultKind::Unreachable), None, SECOND);
    assert!(schedule.settled(), "one call, and the rest would fail too");
    assert_eq!(schedule.next(seconds(2)), None, "changes and series wait with the overview");
}

#[test]
fn an_overview_that_is_forbidden_does_not_hold_back_the_rest() {
    let mut schedule =
        Schedule::new(cadence(), vec![Topic::Overview, Topic::Series], [series(0)], 1);
    schedule.watch(BTreeSet::new(), true, Duration::ZERO);
    let scope = schedule.next(Duration::ZERO).unwrap();
    schedule.failed(&scope, &fault(FaultKind::Forbidden { permission: None }), None, SECOND);
    assert!(!schedule.settled(), "the series were not tried");
    let scope = schedule.next(SECOND).unwrap();
    assert_eq!(scope.topic, Topic::Series);
    schedule.succeeded(&scope, None, SECOND);
    assert!(schedule.settled());
}

#[test]
fn one_item_that_makes_reads_fail_is_isolated_and_the_others_are_read() {
    let mut schedule = with_items(Cadence { batch: 10, ..cadence() }, 30);
    let poison = pipeline(13);
    let mut alone = Vec::new();
    let mut now = SECOND;
    while now < seconds(50) {
        let Some(scope) = schedule.next(now) else {
            now = schedule.wake().unwrap().max(now + Duration::from_millis(1));
            continue;
        };
        now += SECOND;
        if scope.items.contains(&poison) {
            if scope.items.len() == 1 {
                alone.push(now);
            }
            schedule.failed(&scope, &fault(FaultKind::Crashed), None, now);
        } else {
            schedule.succeeded(&scope, None, now);
        }
    }
    assert_eq!(schedule.unread(), 0);
    assert!((3..=6).contains(&alone.len()), "each further attempt waits longer: {alone:?}");
    // Those that were in its batch are back in a common one.
    let others = run(&mut schedule, seconds(50), seconds(120), Duration::ZERO);
    assert!(others.iter().any(|(_, s)| s.items.len() == 10));
}

#[test]
fn a_refresh_ends_a_pause() {
    let mut schedule = Schedule::new(cadence(), vec![Topic::Overview], [], 1);
    for _ in 0..9 {
        let now = schedule.wake().unwrap();
        let scope = schedule.next(now).unwrap();
        schedule.failed(&scope, &fault(FaultKind::NotAuthenticated), None, now);
    }
    let now = schedule.wake().unwrap().saturating_sub(seconds(10));
    assert_eq!(schedule.next(now), None);
    schedule.refresh(None, now);
    assert_eq!(schedule.next(now), Some(overview()));
}
