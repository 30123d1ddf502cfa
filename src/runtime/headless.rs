//! The same state without a screen: one settled picture, or a stream of changes.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::manner::Manner;
use super::pool::{Configured, Pool};
use crate::app::effect::{Effect, Refresh};
use crate::app::interest::Interest;
use crate::app::{Msg, Setup, State, update};
use crate::backend::clock::SharedClock;
use crate::backend::context::Meters;
use crate::domain::ids::SourceId;

/// Messages that wait to be handled.
const QUEUE: usize = 256;

/// A state that sources keep up to date.
pub struct Headless {
    /// The state.
    pub state: State,
    clock: SharedClock,
    inbox: mpsc::Receiver<Msg>,
    out: mpsc::WeakSender<Msg>,
    pool: Pool,
}

impl Headless {
    /// Starts reading everything, at a quicker pace at first: somebody waits for it.
    pub fn start(setup: Setup, sources: Vec<Configured>, clock: SharedClock) -> Self {
        let state = State::new(setup);
        let (out, inbox) = mpsc::channel(QUEUE);
        let pool = Pool::start(sources, &clock, &out, Manner { lends: true, seed: None });
        pool.watch(&Interest { everything: true, ..Interest::default() });
        let out = out.downgrade();
        Self { state, clock, inbox, out, pool }
    }

    /// Waits until every source has answered or failed every kind of read, and every item was
    /// read or has failed, or until `limit` has passed. True if it settled.
    pub async fn settle(&mut self, limit: Duration) -> bool {
        self.until(Instant::now() + limit, &|_| true).await
    }

    /// The same for these sources alone: whatever the others do holds up nothing.
    pub async fn settle_for(&mut self, sources: &BTreeSet<SourceId>, end: Instant) -> bool {
        self.until(end, &|id| sources.contains(id)).await
    }

    async fn until(&mut self, end: Instant, counts: &(dyn Fn(&SourceId) -> bool + Sync)) -> bool {
        while !settled(&self.state, counts) {
            match tokio::time::timeout_at(end, self.next()).await {
                Ok(true) => {}
                Ok(false) | Err(_) => break,
            }
        }
        update(&mut self.state, Msg::Tick(self.clock.now()));
        settled(&self.state, counts)
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

    /// Takes in the next message, and returns what is to be done about it; `None` when no source is
    /// left.
    pub async fn effects(&mut self) -> Option<Vec<Effect>> {
        let msg = self.inbox.recv().await?;
        Some(self.take(msg))
    }

    /// Takes in a message, and returns what is to be done about it.
    pub fn take(&mut self, msg: Msg) -> Vec<Effect> {
        update(&mut self.state, msg)
    }

    /// Where messages come from; `None` when no source is left.
    pub fn sender(&self) -> Option<mpsc::Sender<Msg>> {
        self.out.upgrade()
    }

    /// Reads this now, budget permitting.
    pub fn refresh(&self, what: &Refresh) {
        self.pool.refresh(what);
    }

    /// Where the calls to each source are counted.
    pub fn meters(&self) -> &Meters {
        self.pool.meters()
    }

    /// The state as it is, without the sources.
    pub fn into_state(self) -> State {
        self.state
    }

    /// Lets the time go on; returns what is to be done about it.
    pub fn tick(&mut self) -> Vec<Effect> {
        let now = self.clock.now();
        self.take(Msg::Tick(now))
    }
}

fn settled(state: &State, counts: &dyn Fn(&SourceId) -> bool) -> bool {
    let mut sources = state.fleet.sources.iter().filter(|(id, _)| counts(id));
    sources.all(|(_, source)| source.report.settled)
}
