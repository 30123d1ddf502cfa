//! Reading again: what was asked for or written meanwhile is never told from before.

use std::sync::{Arc, Condvar, Mutex};

use flightdeck::app::effect::Refresh;
use flightdeck::app::interest::Interest;
use flightdeck::backend::Cadence;
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::observation::{Scope, Topic};

use crate::scripted::*;
use crate::support::{cadence, fault, overview, pipeline as numbered, seconds, series, with_items};

#[test]
fn a_refresh_during_an_overview_reads_it_again() {
    let mut schedule = with_items(cadence(), 0);
    let scope = schedule.next(seconds(100)).unwrap();
    assert_eq!(scope, overview());
    schedule.refresh(None, seconds(101));
    schedule.succeeded(&scope, None, seconds(102));
    assert_eq!(schedule.next(seconds(102)), Some(overview()), "what it told may be from before");
    schedule.succeeded(&overview(), None, seconds(103));
    assert_eq!(schedule.next(seconds(103)), None, "once is enough");
}

#[test]
fn a_refresh_during_a_read_of_items_reads_those_again_that_were_asked_for() {
    let mut schedule = with_items(Cadence { batch: 3, ..cadence() }, 3);
    let scope = schedule.next(seconds(1)).unwrap();
    assert_eq!(scope.items, [numbered(0), numbered(1), numbered(2)]);
    schedule.refresh(Some(&[numbered(1)]), seconds(2));
    schedule.succeeded(&scope, None, seconds(3));
    // The overview is asked for with every refresh.
    assert_eq!(schedule.next(seconds(3)), Some(overview()));
    schedule.succeeded(&overview(), None, seconds(3));
    let again = schedule.next(seconds(3)).unwrap();
    assert_eq!(again.items, [numbered(1)]);
}

#[test]
fn only_what_covers_the_target_of_a_write_is_outdated_by_it() {
    let two = Cadence { concurrency: 3, ..cadence() };
    let mut schedule = with_items(two, 2);
    let (first, second) = (schedule.next(seconds(1)).unwrap(), schedule.next(seconds(1)).unwrap());
    assert_eq!((&first.items[..], &second.items[..]), (&[numbered(0)][..], &[numbered(1)][..]));
    schedule.written(&numbered(1), seconds(2));
    assert!(!schedule.outdated(&first, seconds(3)));
    schedule.succeeded(&first, None, seconds(3));
    assert!(schedule.outdated(&second, seconds(3)));
    assert_eq!(schedule.next(seconds(3)), Some(overview()));
    assert_eq!(schedule.next(seconds(3)), Some(second.clone()), "it is read again at once");
    assert!(!schedule.outdated(&second, seconds(4)), "this one began after the write");
    // One that fails after all is told as a failure.
    schedule.written(&numbered(1), seconds(4));
    schedule.failed(&second, &fault(FaultKind::Unreachable), None, seconds(5));
    assert_eq!(schedule.in_flight(), 1);
}

/// Opens once.
#[derive(Default)]
pub struct Gate(Mutex<bool>, Condvar);

impl Gate {
    pub fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }

    /// Blocks the thread until it is open.
    pub fn pass(&self) {
        let mut open = self.0.lock().unwrap();
        while !*open {
            open = self.1.wait(open).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_overview_from_before_a_write_is_never_shown_after_it() {
    let calm = Cadence {
        overview: seconds(3_600),
        concurrency: 1,
        budget_per_minute: 60_000,
        ..cadence()
    };
    let (held, done) = (Arc::new(Gate::default()), Arc::new(Gate::default()));
    let (holds, is_done) = (Arc::clone(&held), Arc::clone(&done));
    let source = Scripted::new("a", calm, move |scope: &Scope, before| {
        if scope.topic != Topic::Overview {
            return answer(Vec::new());
        }
        match before {
            0 => answer(vec![pipeline("a", "first")]),
            1 => {
                // Under way while the write is made; what it tells is from before.
                holds.open();
                is_done.pass();
                answer(vec![pipeline("a", "from-before")])
            }
            _ => answer(vec![pipeline("a", "from-after")]),
        }
    });
    let mut room = Room::with_series(&[Arc::clone(&source)], &[series(0)]);
    room.until("the first overview", |room| room.knows("a", "first")).await;
    room.pool.refresh(&Refresh::All);
    tokio::task::spawn_blocking(move || held.pass()).await.unwrap();
    room.pool.refresh(&Refresh::Written(item("a", "first")));
    // Orders are taken in one after the other, and this one shows in the report.
    room.pool.watch(&Interest { everything: true, ..Interest::default() });
    room.until("the orders are taken in", |room| room.source("a").report.unread_items == 1).await;
    done.open();
    room.until("the overview after it", |room| room.knows("a", "from-after")).await;
    assert!(!room.knows("a", "from-before"));
    let overviews = source.asked().iter().filter(|s| s.topic == Topic::Overview).count();
    assert_eq!(overviews, 3, "nobody waits a whole interval for it");
}
