//! The same state without a screen: one settled picture, or a stream of changes.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::pool::{Configured, Pool};
use crate::app::interest::Interest;
use crate::app::{Msg, Setup, State, update};
use crate::backend::clock::SharedClock;

/// Messages that wait to be handled.
const QUEUE: usize = 256;

/// A state that sources keep up to date.
pub struct Headless {
    /// The state.
    pub state: State,
    clock: SharedClock,
    inbox: mpsc::Receiver<Msg>,
    _pool: Pool,
}

impl Headless {
    /// Starts reading everything.
    pub fn start(setup: Setup, sources: Vec<Configured>, clock: SharedClock) -> Self {
        let state = State::new(setup);
        let (out, inbox) = mpsc::channel(QUEUE);
        let pool = Pool::start(sources, &clock, &out);
        pool.watch(&Interest { everything: true, ..Interest::default() });
        Self { state, clock, inbox, _pool: pool }
    }

    /// Waits until every source has answered or failed every kind of read, and every item was
    /// read or has failed, or until `limit` has passed. True if it settled.
    pub async fn settle(&mut self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while !settled(&self.state) {
            match tokio::time::timeout_at(end, self.next()).await {
                Ok(true) => {}
                Ok(false) | Err(_) => break,
            }
        }
        update(&mut self.state, Msg::Tick(self.clock.now()));
        settled(&self.state)
    }

    /// Takes in the next message; false when no source is left.
    pub async fn next(&mut self) -> bool {
        match self.inbox.recv().await {
            Some(msg) => {
                update(&mut self.state, msg);
                true
            }
            None => false,
        }
    }

    /// The state as it is, without the sources.
    pub fn into_state(self) -> State {
        self.state
    }

    /// Lets the time go on.
    pub fn tick(&mut self) {
        update(&mut self.state, Msg::Tick(self.clock.now()));
    }
}

fn settled(state: &State) -> bool {
    state.fleet.sources.values().all(|source| source.report.settled)
}
