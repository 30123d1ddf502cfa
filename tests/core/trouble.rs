//! Keepers in trouble: a panic of the keeper itself, a read that holds its thread, floods.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use flightdeck::app::effect::Refresh;
use flightdeck::app::interest::Interest;
use flightdeck::backend::Cadence;
use flightdeck::domain::Timestamp;
use flightdeck::domain::change::{Change, ChangeKind};
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::fact::Fact;
use flightdeck::domain::fleet::MAX_CHANGES;
use flightdeck::domain::ids::{ChangeId, SourceId};
use flightdeck::domain::observation::Topic;
use flightdeck::domain::source::SourceHealth;
use flightdeck::runtime::manner::Manner;

use crate::refresh::Gate;
use crate::scripted::*;
use crate::support::{cadence, seconds, series};

/// Reads seldom, and tries again soon after a failure.
fn calm() -> Cadence {
    Cadence {
        overview: seconds(3_600),
        slow: seconds(3_600),
        series: seconds(3_600),
        longest_pause: Duration::from_millis(20),
        budget_per_minute: 60_000,
        ..cadence()
    }
}

#[tokio::test]
async fn a_keeper_that_panics_says_so_and_is_started_again() {
    let broken = Scripted::new("bad", calm(), |_, _| answer(vec![pipeline("bad", "back")]));
    broken.breaks.store(1, Ordering::SeqCst);
    let mut room = Room::with_series(&[Arc::clone(&broken)], &[series(0)]);
    // What was asked for before it broke is still asked for afterwards.
    room.pool.watch(&Interest { everything: true, ..Interest::default() });
    room.until("the panic is shown", |room| {
        room.source("bad").worst().is_some_and(|f| f.fault.kind == FaultKind::Crashed)
    })
    .await;
    let message = room.source("bad").worst().unwrap().fault.message.to_string();
    assert!(message.contains("bad") && message.contains("keeper"), "{message}");
    room.until("it heals", |room| room.knows("bad", "back")).await;
    room.until("it settles", |room| room.source("bad").report.settled).await;
    assert_eq!(room.source("bad").health(), SourceHealth::Answering);
    assert_eq!(room.source("bad").epoch, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_read_that_holds_its_thread_stops_nobody_else_and_takes_no_second_thread() {
    let gate = Arc::new(Gate::default());
    let shut = Arc::clone(&gate);
    let short = Cadence { deadline: Duration::from_millis(100), ..calm() };
    let bad = Scripted::new("bad", short, move |_, before| {
        if before == 0 {
            shut.pass();
        }
        answer(vec![pipeline("bad", "back")])
    });
    let good = Scripted::new("good", calm(), |_, _| answer(vec![pipeline("good", "one")]));
    let mut room = Room::open(&[Arc::clone(&bad), Arc::clone(&good)]);
    room.until("the other is read", |room| room.knows("good", "one")).await;
    room.until("it is given up", |room| {
        room.source("bad").worst().is_some_and(|f| f.fault.kind == FaultKind::Unreachable)
    })
    .await;
    let message = room.source("bad").worst().unwrap().fault.message.to_string();
    assert!(message.contains("holds its thread"), "{message}");
    // Its pauses are over long before the other was read ten times more.
    for more in 2..12 {
        room.pool.refresh(&Refresh::Source(SourceId::new("bad")));
        room.pool.refresh(&Refresh::Source(SourceId::new("good")));
        room.until("the other is read again", |room| room.source("good").report.calls == more)
            .await;
    }
    assert_eq!(bad.asked().len(), 1);
    gate.open();
    room.until("it heals", |room| room.knows("bad", "back")).await;
}

fn change(n: usize) -> Fact {
    Fact::Change(Change {
        id: ChangeId::new(&SourceId::new("flood"), &format!("c{n:06}")),
        at: Timestamp::from_second(i64::try_from(n).unwrap()).unwrap(),
        kind: ChangeKind::Deploy,
        title: "it was deployed".into(),
        who: None,
        target: None,
        environment: None,
        detail: None,
        link: None,
    })
}

#[tokio::test]
async fn a_flood_of_changes_comes_in_small_parts_and_only_the_newest_of_it() {
    let flood = Scripted::new("flood", calm(), |scope, _| match scope.topic {
        Topic::Overview => answer((0..60_000).map(change).collect()),
        _ => answer(Vec::new()),
    });
    let mut room = Room::open(&[flood]);
    room.until("the flood is over", |room| room.state.fleet.changes.len() == MAX_CHANGES).await;
    assert!(room.largest <= 500, "{} facts in one message", room.largest);
    assert!(room.source("flood").warnings.is_empty());
    let oldest = room.state.fleet.changes.iter().map(|(_, o)| o.value.at.as_second()).min();
    assert_eq!(oldest, Some(55_000));
    // Each came once: nothing was put in to be thrown out again.
    assert_eq!(room.state.work.rows, MAX_CHANGES as u64);
}

#[test]
fn two_rooms_do_not_ask_in_step() {
    let id = SourceId::new("a");
    let free = Manner::default();
    assert_ne!(free.seed_of(&id), free.seed_of(&id), "two rooms of the same configuration");
    let fixed = Manner { seed: Some(7), lends: false };
    assert_eq!(fixed.seed_of(&id), fixed.seed_of(&id));
    assert_ne!(fixed.seed_of(&id), fixed.seed_of(&SourceId::new("b")), "nor two sources of one");
}
