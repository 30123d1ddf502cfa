//! Tests of the ticks: resets, gaps, late and revised points, and arms that are read at other times.

use super::super::tests::{fleet, source, spec};
use super::*;
use crate::domain::fact::Fact;
use crate::domain::observation::{Observation, Scope, Topic};
use crate::domain::series::Point;

const TICK: i64 = 60;
/// A whole tick.
const START: i64 = 1_800_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).unwrap()
}

/// The tick that ends at `seconds`.
fn ending(seconds: i64) -> i64 {
    (START + seconds) / TICK - 1
}

/// What a source told when it was read at `read`: points by seconds, of some of the four series.
fn tell(fleet: &mut Fleet, kind: SeriesKind, read: i64, series: &[(&str, &[(i64, f64)])]) {
    let scope = Scope { topic: Topic::Series, items: Vec::new() };
    let mut answer = Observation::new(&source(), 0, &scope, at(read));
    for (name, points) in series {
        answer.facts.push(Fact::Series(Series {
            id: SeriesId::new(&source(), name),
            kind,
            unit: "1".into(),
            step: SignedDuration::from_secs(TICK),
            points: points.iter().map(|(s, value)| Point { at: at(*s), value: *value }).collect(),
            note: None,
        }));
    }
    fleet.apply(answer);
}

/// The canary's counts in the tick that ends at `end`, of these points of its counters.
fn canary_counts(
    kind: SeriesKind,
    requests: &[(i64, f64)],
    errors: &[(i64, f64)],
    end: i64,
) -> Option<(f64, f64)> {
    let (mut fleet, spec) = (fleet(), spec());
    let series = [("canary.requests", requests), ("canary.errors", errors)];
    tell(&mut fleet, kind, 3_600, &series);
    let ticks = Ticks::new(&spec, &fleet);
    let Sample::Counts { canary, .. } = ticks.sample(&spec.metrics[0], ending(end)) else {
        panic!("counts")
    };
    canary.map(|counts| (counts.requests, counts.events))
}

#[test]
fn a_counter_that_begins_anew_counts_from_zero() {
    let requests = [(0, 1_000.0), (60, 1_500.0), (120, 40.0), (180, 640.0)];
    let errors = [(0, 10.0), (60, 15.0), (120, 1.0), (180, 9.0)];
    let of = |end| canary_counts(SeriesKind::Counter, &requests, &errors, end);
    assert_eq!(of(60), Some((500.0, 5.0)));
    assert_eq!(of(120), Some((40.0, 1.0)), "what came since the restart, not a negative number");
    assert_eq!(of(180), Some((600.0, 8.0)));
}

#[test]
fn what_came_in_a_gap_is_in_no_tick() {
    let requests = [(0, 0.0), (60, 100.0), (360, 5_000.0), (420, 5_100.0)];
    let errors = [(0, 0.0), (60, 1.0), (360, 50.0), (420, 51.0)];
    let of = |end| canary_counts(SeriesKind::Counter, &requests, &errors, end);
    assert_eq!(of(60), Some((100.0, 1.0)));
    for end in [120, 180, 240, 300, 360] {
        assert_eq!(of(end), None, "{end}");
    }
    assert_eq!(of(420), Some((100.0, 1.0)));
}

#[test]
fn counters_that_are_read_at_odd_times_lose_nothing() {
    // Read every 25 seconds, with a jitter; a hundred requests a second.
    let times = [1, 24, 53, 78, 101, 129, 150, 177, 203, 228, 251, 279, 300];
    let counter: Vec<(i64, f64)> = times.map(|s| (s, 100.0 * s as f64)).to_vec();
    let of = |end| canary_counts(SeriesKind::Counter, &counter, &counter, end).unwrap().0;
    let sum: f64 = [60, 120, 180, 240, 300].map(of).iter().sum();
    assert!((sum - 29_900.0).abs() < 1e-6, "{sum}");
    for end in [120, 180, 240, 300] {
        assert!((of(end) - 6_000.0).abs() <= 2_500.0, "{}", of(end));
    }
}

#[test]
fn the_newest_tick_is_held_back_until_the_next_has_come() {
    let (mut told, spec) = (fleet(), spec());
    let all = |n: f64| [(60, n), (120, n)];
    let read = |fleet: &mut Fleet, at: i64, points: &[(i64, f64)]| {
        let names = ["stable.requests", "stable.errors", "canary.requests", "canary.errors"];
        tell(fleet, SeriesKind::Delta, at, &names.map(|name| (name, points)));
    };
    read(&mut told, 121, &all(7.0));
    let ticks = Ticks::new(&spec, &told);
    assert_eq!(ticks.last_told(), Some(ending(120)));
    assert_eq!(ticks.last_settled(), Some(ending(60)));
    // A scrape came late: the point is revised before its tick is judged.
    read(&mut told, 181, &[(120, 9.0), (180, 9.0)]);
    let ticks = Ticks::new(&spec, &told);
    assert_eq!(ticks.last_settled(), Some(ending(120)));
    let Sample::Counts { canary, .. } = ticks.sample(&spec.metrics[0], ending(120)) else {
        panic!("counts")
    };
    assert_eq!(canary, Some(Counts::new(9.0, 9.0)));
}

#[test]
fn a_late_series_holds_back_the_others_and_is_not_zero() {
    let (mut told, spec) = (fleet(), spec());
    let minutes = |to: i64| (1..=to).map(|m| (60 * m, 5.0)).collect::<Vec<_>>();
    let both = ["stable.requests", "stable.errors", "canary.requests"];
    tell(&mut told, SeriesKind::Delta, 601, &both.map(|name| (name, &*minutes(10).leak())));
    tell(&mut told, SeriesKind::Delta, 601, &[("canary.errors", &minutes(8))]);
    let ticks = Ticks::new(&spec, &told);
    assert_eq!(ticks.last_told(), Some(ending(480)), "all wait for the late one");
    // It stays away: the others go on, and its ticks are unknown.
    tell(&mut told, SeriesKind::Delta, 901, &both.map(|name| (name, &*minutes(15).leak())));
    tell(&mut told, SeriesKind::Delta, 901, &[("canary.errors", &[])]);
    let ticks = Ticks::new(&spec, &told);
    assert_eq!(ticks.last_told(), Some(ending(900)));
    let canary = |end| match ticks.sample(&spec.metrics[0], ending(end)) {
        Sample::Counts { canary, baseline } => (canary.is_some(), baseline.is_some()),
        _ => panic!("counts"),
    };
    assert_eq!(canary(480), (true, true));
    assert_eq!(canary(540), (false, true), "neither zero errors nor an end of the baseline");
}

#[test]
fn a_source_that_is_always_behind_is_waited_for() {
    let (mut told, spec) = (fleet(), spec());
    let minutes: Vec<(i64, f64)> = (1..=10).map(|m| (60 * m, 5.0)).collect();
    let names = ["stable.requests", "stable.errors", "canary.requests", "canary.errors"];
    // Its newest point is five ticks old, of every series: nothing is missing yet.
    tell(&mut told, SeriesKind::Delta, 900, &names.map(|name| (name, &*minutes)));
    assert_eq!(Ticks::new(&spec, &told).last_told(), Some(ending(600)));
}

#[test]
fn errors_that_leave_out_zeros_are_none_where_they_are_missing() {
    let requests: Vec<(i64, f64)> = (1..=10).map(|m| (60 * m, 50.0)).collect();
    let of = |errors: &[(i64, f64)], end| {
        canary_counts(SeriesKind::Delta, &requests, errors, end).map(|(_, errors)| errors)
    };
    // A counter that never fired, and a source that writes only what is more than none.
    assert_eq!(of(&[], 300), Some(0.0));
    assert_eq!(of(&[(180, 2.0), (420, 1.0)], 300), Some(0.0));
    assert_eq!(of(&[(180, 2.0), (420, 1.0)], 480), Some(0.0));
    // One that wrote a zero, or every tick until it broke off.
    assert_eq!(of(&[(60, 1.0), (120, 0.0)], 300), None);
    assert_eq!(of(&[(60, 3.0), (120, 2.0), (180, 4.0)], 300), None);
}
