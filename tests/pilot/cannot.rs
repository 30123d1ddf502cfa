//! A pilot that cannot write says so, and calls a human.

use flightdeck::app::activity::{Phase, WriteReport};
use flightdeck::app::pilot::{End, Line};
use flightdeck::app::{Msg, Setup};
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::write::{Outcome, Write};

use super::{Flight, LONG, done, share};

/// A pilot that is about to see harm.
async fn flying() -> Flight {
    let mut flight = Flight::begin("bad-canary").await;
    flight.engage(LONG);
    flight
}

/// Why a human is needed, once one is.
async fn grounded(flight: &mut Flight) -> String {
    for _ in 0..60 {
        if let Some(grounded) = &flight.pilot().grounded {
            return grounded.why.to_string();
        }
        flight.minutes().await;
    }
    panic!("nobody was called; the pilot says {:?}", flight.pilot().log);
}

#[tokio::test]
async fn harm_while_nothing_may_be_written_calls_a_human() {
    let mut flight = flying().await;
    flight.state.view.locked = true;
    let why = grounded(&mut flight).await;
    assert!(why.contains("does harm and cannot be taken back"), "{why}");
    assert!(why.contains("read-only"), "{why}");
    assert!(flight.sent.is_empty());
    assert_eq!(flight.pilot().ended(), None);
    assert!(flight.asked().contains("does harm and cannot be taken back"), "{}", flight.asked());
}

#[tokio::test]
async fn harm_while_the_journal_takes_nothing_calls_a_human() {
    let mut flight = flying().await;
    flight.send(Msg::Journal(Some("the journal cannot be written: no space left".into())));
    let why = grounded(&mut flight).await;
    assert!(why.contains("cannot be taken back") && why.contains("no space left"), "{why}");
    assert!(flight.sent.is_empty());
}

#[tokio::test]
async fn it_tries_three_times_to_take_a_canary_back_and_no_more() {
    let mut flight = flying().await;
    for _ in 0..3 {
        flight.until_sent().await;
        assert_eq!(share(&flight.sent[0]), 0);
        let fault = Fault::new(FaultKind::Unreachable, "connection refused");
        flight.carry_out(Outcome::Failed { fault }).await;
        let told = |line: &Line| line.text.as_str().starts_with("not rolled back");
        assert!(flight.pilot().log.iter().rev().take(2).any(told), "{:?}", flight.pilot().log);
    }
    let why = grounded(&mut flight).await;
    assert_eq!(why, "the canary could not be taken back");
    for _ in 0..5 {
        flight.minutes().await;
    }
    assert!(flight.sent.is_empty());
    assert_eq!(flight.pilot().ended(), None);
}

#[tokio::test]
async fn taken_back_and_not_held_is_not_called_held() {
    let mut flight = flying().await;
    flight.until_sent().await;
    let plan = flight.sent[0].plan().clone();
    assert!(matches!(plan.steps[1].write, Write::Hold { .. }));
    let refused = Outcome::refused("somebody changed the stage");
    for (step, outcome) in plan
        .steps
        .iter()
        .enumerate()
        .map(|(step, _)| (step, if step == 0 { done() } else { refused.clone() }))
    {
        let at = flight.now();
        let phase = Phase::Ended { outcome };
        flight.send(Msg::Write(Box::new(WriteReport { plan: plan.id.clone(), step, phase, at })));
    }
    assert_eq!(flight.pilot().ended(), Some(End::RolledBack));
    let said = flight.pilot().now();
    assert!(said.starts_with("rolled back, but not held"), "{said}");
    assert!(said.contains("somebody changed the stage"), "{said}");
}

#[tokio::test]
async fn what_had_nothing_to_hold_is_not_called_held() {
    // Nothing of the service brings new versions.
    let clear = |setup: &mut Setup| {
        setup.services.iter_mut().for_each(|service| service.claims.pipelines.clear());
    };
    let mut flight = Flight::begin_with("bad-canary", clear).await;
    flight.engage(LONG);
    flight.until_sent().await;
    let steps = &flight.sent[0].plan().steps;
    assert!(steps.iter().all(|step| !matches!(step.write, Write::Hold { .. })), "{steps:?}");
    flight.carry_out(done()).await;
    let said = flight.pilot().now();
    assert!(said.contains("nothing was to be held"), "{said}");
}
