//! Fires the shots of a design at both sides, each when it is due, whatever became of those before.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderName;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep_until, timeout};

use super::book::{Both, Event, Side};
use super::design::{Design, Request, Values, Wrong};
use super::schedule::{Schedule, Shot};
use super::tally::{Done, Outcome};
use super::target::{NoAnswer, Target, Wire};
use crate::domain::text::SafeText;

/// Everything that firing needs.
pub struct Battery {
    design: Arc<Design>,
    values: Arc<Values>,
    lanes: Both<Lane>,
}

/// The way to one side: a slow one takes no place from the other.
#[derive(Clone)]
struct Lane {
    target: Target,
    places: Arc<Semaphore>,
}

impl Battery {
    /// A design with its secrets, and whom to fire at.
    pub fn new(design: Arc<Design>, values: Values, targets: Both<Target>) -> Self {
        let lane = |target| Lane { target, places: Arc::new(Semaphore::new(design.concurrency)) };
        let lanes = Both { baseline: lane(targets.baseline), canary: lane(targets.canary) };
        Self { values: Arc::new(values), lanes, design }
    }

    /// Fires until nothing more is due and all is over. Dropping it stops at once; what is under way
    /// then is cut off.
    pub async fn fire(self, events: UnboundedSender<Event>) {
        let start = Instant::now();
        let mut shots = JoinSet::new();
        for shot in Schedule::new(&self.design) {
            let due = start + shot.at;
            // Those that are due already go out at once: the timer is no finer than a millisecond.
            if Instant::now() < due {
                sleep_until(due).await;
            } else {
                // Whatever was fired before must get its turn too.
                yield_now().await;
            }
            let late = Instant::now().saturating_duration_since(due);
            let (number, tick) = (shot.number, shot.tick);
            if events.send(Event::Due { tick, late }).is_err() {
                return;
            }
            let shot = Arc::new(shot);
            // Whoever is always second would always be a little later.
            let sides = match number % 2 {
                0 => [Side::Baseline, Side::Canary],
                _ => [Side::Canary, Side::Baseline],
            };
            for side in sides {
                let one = One {
                    design: Arc::clone(&self.design),
                    values: Arc::clone(&self.values),
                    lane: self.lanes.of(side).clone(),
                    shot: Arc::clone(&shot),
                    due,
                };
                let events = events.clone();
                shots.spawn(async move {
                    let tick = one.shot.tick;
                    let request = one.shot.request;
                    let done = one.run().await;
                    // Nobody listens any more once the end was called.
                    let _ = events.send(Event::Done { side, tick, request, done });
                });
            }
            while shots.try_join_next().is_some() {}
        }
        // Nobody listens any more once the end was called.
        let _ = events.send(Event::AllDue);
        while shots.join_next().await.is_some() {}
    }
}

/// One shot at one side.
struct One {
    design: Arc<Design>,
    values: Arc<Values>,
    lane: Lane,
    shot: Arc<Shot>,
    due: Instant,
}

impl One {
    async fn run(self) -> Done {
        let Some(request) = self.design.requests.get(self.shot.request) else {
            return self.done(
                Outcome::Unsent("there is no such request".into()),
                Duration::ZERO,
                None,
            );
        };
        let wire = match request.wire(&self.shot.picks, &self.values) {
            Ok(wire) => wire,
            Err(header) => return self.done(unsendable(&header), Duration::ZERO, request.latency),
        };
        let (place, wait) = match Arc::clone(&self.lane.places).try_acquire_owned() {
            Ok(place) => (place, Duration::ZERO),
            Err(_) => {
                let free = Arc::clone(&self.lane.places).acquire_owned();
                let place = timeout(self.design.timeout, free).await;
                let wait = self.due.elapsed();
                match place {
                    Ok(Ok(place)) => (place, wait),
                    _ => return self.done(Outcome::Waited, wait, request.latency),
                }
            }
        };
        let outcome = self.send(request, &wire).await;
        let done = self.done(outcome, wait, request.latency);
        drop(place);
        done
    }

    async fn send(&self, request: &Request, wire: &Wire) -> Outcome {
        match self.lane.target.send(wire, request.keep()).await {
            Ok(answer) => match request.check(&answer, &self.shot.picks, &self.values) {
                Ok(()) => Outcome::Good,
                Err(Wrong::Status(status)) => Outcome::Status(status),
                Err(Wrong::Expectation(why)) => Outcome::Expectation(why),
            },
            Err(NoAnswer::Timeout) => Outcome::Timeout,
            Err(NoAnswer::Connection(why)) => Outcome::Connection(why),
            Err(NoAnswer::Unsent(why)) => Outcome::Unsent(why),
        }
    }

    fn done(&self, outcome: Outcome, wait: Duration, limit: Option<Duration>) -> Done {
        Done { outcome, wait, latency: self.due.elapsed(), limit }
    }
}

fn unsendable(header: &HeaderName) -> Outcome {
    Outcome::Unsent(SafeText::new(&format!("header {header}: its value may not be sent")))
}
