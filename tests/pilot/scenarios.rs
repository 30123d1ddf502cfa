//! The scenarios as they are shipped, flown at the speed that the README names: what is to be seen, and
//! that it is seen within two minutes.

use flightdeck::app::pilot::End;
use flightdeck::domain::ids::SourceId;
use flightdeck::domain::write::Write;
use jiff::SignedDuration;

use super::{Flight, done, share};

/// Times real time: `--set rehearsal.speed=60`.
const SPEED: i64 = 60;
/// The fastest speed that a key sets.
const FASTEST: i64 = 300;
/// Seconds that a watcher has.
const WATCHED: i64 = 120;

/// What a flight came to.
struct Flown {
    flight: Flight,
    /// Seconds of the watcher until it ended, or all of them.
    seconds: i64,
    /// Shares that were set.
    steps: Vec<u32>,
    /// Steps of the last plan.
    last: Vec<Write>,
    /// Shares that were set while the metrics did not answer.
    blind: usize,
    /// How often they went away.
    away: usize,
}

/// Flies the canary of `scenario` as the pilot of a session would, one read a second.
async fn fly(scenario: &str, speed: i64) -> Flown {
    fly_for(scenario, speed, WATCHED).await
}

async fn fly_for(scenario: &str, speed: i64, watched: i64) -> Flown {
    let mut flight = Flight::begin(scenario).await;
    flight.engage_until(None);
    let metrics = SourceId::new("metrics");
    let (mut steps, mut last, mut blind, mut away, mut was) = (vec![], vec![], 0, 0, true);
    let mut seconds = 0;
    while seconds < watched && flight.pilot().ended().is_none() {
        seconds += 1;
        flight.pass(SignedDuration::from_secs(speed)).await;
        let answers = flight.state.fleet.sources[&metrics].failing.is_empty();
        away += usize::from(was && !answers);
        was = answers;
        if let Some(sent) = flight.sent.last() {
            steps.push(share(sent));
            last = sent.plan().steps.iter().map(|step| step.write.clone()).collect();
            blind += usize::from(!answers);
            flight.carry_out(done()).await;
        }
    }
    Flown { flight, seconds, steps, last, blind, away }
}

#[tokio::test]
async fn bad_canary_is_caught_taken_back_and_held() {
    let flown = fly("bad-canary", SPEED).await;
    let log = &flown.flight.pilot().log;
    assert_eq!(flown.flight.pilot().ended(), Some(End::RolledBack), "{log:?}");
    assert_eq!(flown.steps, [0], "{log:?}");
    assert!(matches!(flown.last.as_slice(), [Write::Shares { .. }, Write::Hold { .. }]));
    assert!(flown.seconds < WATCHED, "{} s: {log:?}", flown.seconds);
}

#[tokio::test]
async fn good_canary_is_walked_to_everybody() {
    for speed in [SPEED, FASTEST] {
        let flown = fly("good-canary", speed).await;
        let log = &flown.flight.pilot().log;
        assert_eq!(flown.flight.pilot().ended(), Some(End::Finished), "x{speed}: {log:?}");
        assert_eq!(flown.steps, [10, 25, 50, 100], "x{speed}: {log:?}");
        assert!(flown.seconds < WATCHED, "x{speed}, {} s: {log:?}", flown.seconds);
        let stale = log.iter().find(|line| line.text.as_str().contains("stale"));
        assert_eq!(stale, None, "x{speed}: what is read every second is fresh");
    }
}

#[tokio::test]
async fn silent_canary_is_held_and_a_human_is_called() {
    // Long after it was called.
    let flown = fly_for("silent-canary", SPEED, WATCHED / 3).await;
    let pilot = flown.flight.pilot();
    assert_eq!(pilot.ended(), None, "{:?}", pilot.log);
    let none: [u32; 0] = [];
    assert_eq!(flown.steps, none, "{:?}", pilot.log);
    let called = pilot.log.iter().find(|line| line.text.as_str().contains("silent"));
    let called = called.unwrap_or_else(|| panic!("{:?}", pilot.log));
    let after = called.at.duration_since(pilot.began).as_secs() / SPEED;
    assert!((1..20).contains(&after), "{after} s: {:?}", pilot.log);
    assert!(
        pilot.log.iter().any(|l| l.text.as_str().contains("a human is needed")),
        "{:?}",
        pilot.log
    );
}

#[tokio::test]
async fn flapping_metrics_are_unknown_and_neither_promote_nor_take_back() {
    let flown = fly("flapping-metrics", SPEED).await;
    let pilot = flown.flight.pilot();
    assert!(flown.away >= 5, "{} times: {:?}", flown.away, pilot.log);
    assert_eq!(flown.blind, 0, "a step on figures that were not there: {:?}", pilot.log);
    assert!(flown.steps.iter().all(|step| *step > 5), "{:?}: {:?}", flown.steps, pilot.log);
    let held = pilot.log.iter().filter(|l| l.text.as_str().starts_with("holding: the figures"));
    assert!(held.count() >= 3, "{:?}", pilot.log);
    let back = pilot.log.iter().any(|l| l.text.as_str().contains("back to the baseline"));
    assert!(!back, "{:?}", pilot.log);
}
