//! The pilot, played through in the rehearsal: every message as a session would bring it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "pilot/cannot.rs"]
mod cannot;
#[path = "pilot/scenarios.rs"]
mod scenarios;
#[path = "pilot/tells.rs"]
mod tells;

use std::sync::{Arc, Mutex};

use flightdeck::app::activity::{Phase as WritePhase, WriteReport};
use flightdeck::app::key::Key;
use flightdeck::app::pane::Pane;
use flightdeck::app::pilot::{End, Pilot};
use flightdeck::app::select::inbox::AskKind;
use flightdeck::app::update::{engage, hand_over};
use flightdeck::app::{Effect, Msg, Setup, State, update};
use flightdeck::backend::clock::{Clock, SharedClock};
use flightdeck::backend::context::Meter;
use flightdeck::backend::{ReadContext, Source, rehearsal};
use flightdeck::domain::canary::{CanarySpec, Purpose};
use flightdeck::domain::flight::FlightEvent;
use flightdeck::domain::ids::{CanaryId, ItemId};
use flightdeck::domain::observation::{ReadFailed, Scope, Topic};
use flightdeck::domain::policy::{Freeze, Window};
use flightdeck::domain::write::{Confirmed, Outcome, PlanId, Write};
use flightdeck::ui::theme::Theme;
use flightdeck::ui::{Look, draw};
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

struct Hand(Mutex<Timestamp>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A session of which the test moves the clock.
struct Flight {
    state: State,
    clock: Arc<Hand>,
    sources: Vec<Arc<dyn Source>>,
    sent: Vec<Confirmed>,
    leases: Vec<bool>,
    told: Vec<(PlanId, FlightEvent)>,
    quit: bool,
}

impl Flight {
    async fn begin(scenario: &str) -> Self {
        Self::begin_with(scenario, |_| {}).await
    }

    /// The same with canaries that are described otherwise.
    async fn begin_described(scenario: &str, describe: impl FnMut(&mut CanarySpec)) -> Self {
        Self::begin_with(scenario, |setup| {
            setup.services.iter_mut().flat_map(|s| &mut s.canaries).for_each(describe);
        })
        .await
    }

    async fn begin_with(scenario: &str, change: impl FnOnce(&mut Setup)) -> Self {
        let start = Timestamp::from_second(1_790_000_000).unwrap();
        let world = rehearsal::open(scenario, 1, 1.0, start).unwrap();
        let clock = Arc::new(Hand(Mutex::new(start)));
        let sources: Vec<Arc<dyn Source>> = world.sources.into_iter().map(|(s, _)| s).collect();
        let mut setup = Setup::empty(start);
        setup.services = world.services;
        setup.sources = sources.iter().map(|s| s.meta()).collect();
        change(&mut setup);
        let mut this = Self::of(setup, clock, sources);
        this.read().await;
        this
    }

    fn of(setup: Setup, clock: Arc<Hand>, sources: Vec<Arc<dyn Source>>) -> Self {
        let state = State::new(setup);
        let (sent, leases, told) = (Vec::new(), Vec::new(), Vec::new());
        Self { state, clock, sources, sent, leases, told, quit: false }
    }

    /// Another session in the same world, which knows nothing of this one.
    fn beside(other: &Self) -> Self {
        let (setup, clock) = (other.state.setup.clone(), Arc::clone(&other.clock));
        Self::of(setup, clock, other.sources.clone())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What the inbox has of pilots.
    fn asked(&self) -> String {
        let asks = self.state.rows.inbox.iter().filter(|ask| ask.kind == AskKind::Pilot);
        asks.filter_map(|ask| ask.detail.as_ref().map(ToString::to_string)).collect()
    }

    /// Lets time go by in which nothing is read.
    fn only_time(&mut self, long: SignedDuration) {
        *self.clock.0.lock().unwrap() += long;
        let now = self.clock.now();
        self.send(Msg::Tick(now));
    }

    fn key(&mut self, key: char) {
        let ms = self.state.view.last_key + 1_000;
        self.send(Msg::Key { key: Key::char(key), ms });
    }

    /// The screen with a pane on it.
    fn screen(&mut self, pane: Pane) -> String {
        self.state.view.pane = pane;
        self.send(Msg::Resize { width: 160, height: 50 });
        let look = Look::new(Theme::fallback(), false);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 160, 50));
        draw(&self.state, &look, &mut buffer);
        let row = |y| (0..160).map(move |x| (x, y));
        let text = |y| row(y).map(|at| buffer[at].symbol()).collect::<String>() + "\n";
        (0..50).map(text).collect()
    }

    fn canary() -> CanaryId {
        CanaryId::new("checkout.prod-eu")
    }

    fn pilot(&self) -> &Pilot {
        &self.state.pilots[&this_canary(&self.state)]
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Submit(confirmed) => self.sent.push(*confirmed),
                Effect::Lease { take, .. } => self.leases.push(take),
                Effect::Tell { flight, event, .. } => self.told.push((flight, *event)),
                Effect::Quit => self.quit = true,
                _ => {}
            }
        }
    }

    fn send(&mut self, msg: Msg) {
        let effects = update(&mut self.state, msg);
        self.take(effects);
    }

    fn engage(&mut self, limit: SignedDuration) {
        self.engage_until(Some(limit));
    }

    fn engage_until(&mut self, limit: Option<SignedDuration>) {
        let canary = this_canary(&self.state);
        let mut effects = Vec::new();
        engage(&mut self.state, &canary, limit, &mut effects).unwrap();
        self.take(effects);
        assert_eq!(self.leases, [true]);
        self.send(Msg::Lease { canary, other: None });
    }

    /// Reads everything, as the keepers would.
    async fn read(&mut self) {
        let items: Vec<_> = self
            .state
            .setup
            .services
            .iter()
            .flat_map(|s| &s.canaries)
            .flat_map(|c| &c.metrics)
            .flat_map(|m| m.data.series())
            .map(|id| ItemId::Series(id.clone()))
            .collect();
        for source in self.sources.clone() {
            let meta = source.meta();
            for topic in meta.capabilities.topics.clone() {
                let own = items.iter().filter(|i| *i.source() == meta.id).cloned().collect();
                let items = if topic == Topic::Series { own } else { Vec::new() };
                let clock = Arc::clone(&self.clock) as SharedClock;
                let context = ReadContext::new(clock, 0, Arc::new(Meter::new(1_000)));
                let scope = Scope { topic, items };
                let msg = match source.observe(&scope, &context).await {
                    Ok(answer) => Msg::Observed(Box::new(answer)),
                    Err(fault) => {
                        let (source, at) = (meta.id.clone(), self.clock.now());
                        let failed = ReadFailed { source, epoch: 0, scope, at, fault };
                        Msg::ReadFailed(Box::new(failed))
                    }
                };
                self.send(msg);
            }
        }
        let now = self.clock.now();
        self.send(Msg::Tick(now));
    }

    /// Lets two minutes go by, and reads.
    async fn minutes(&mut self) {
        self.pass(SignedDuration::from_mins(2)).await;
    }

    async fn pass(&mut self, time: SignedDuration) {
        *self.clock.0.lock().unwrap() += time;
        self.read().await;
    }

    /// What the gateway would report, `outcome` for every step; done writes really are done.
    async fn carry_out(&mut self, outcome: Outcome) {
        let confirmed = self.sent.pop().unwrap();
        for step in 0..confirmed.plan().steps.len() {
            if matches!(outcome, Outcome::Done { .. }) {
                let order = confirmed.order(step).unwrap();
                let id = order.write().source();
                let source = self.sources.iter().find(|s| s.meta().id == id).unwrap();
                let clock = Arc::clone(&self.clock) as SharedClock;
                let context = ReadContext::new(clock, 0, Arc::new(Meter::new(1_000)));
                source.submit(&order, &context).await.unwrap();
            }
            let phase = WritePhase::Ended { outcome: outcome.clone() };
            let (plan, at) = (confirmed.plan().id.clone(), self.clock.now());
            self.send(Msg::Write(Box::new(WriteReport { plan, step, phase, at })));
        }
    }

    /// Goes on until something is sent, or has looked so often.
    async fn until_sent(&mut self) {
        for _ in 0..60 {
            if !self.sent.is_empty() {
                return;
            }
            self.minutes().await;
        }
        panic!("nothing was sent; the pilot says {:?}", self.pilot().log);
    }
}

fn this_canary(state: &State) -> CanaryId {
    let canary = state.setup.services.iter().flat_map(|s| &s.canaries).next().unwrap().id.clone();
    assert_eq!(canary, Flight::canary());
    canary
}

fn done() -> Outcome {
    Outcome::Done { note: None }
}

fn share(confirmed: &Confirmed) -> u32 {
    match &confirmed.plan().steps[0].write {
        Write::Shares { shares, .. } => shares.iter().find(|(arm, _)| *arm == *"canary").unwrap().1,
        other => panic!("{other:?}"),
    }
}

const LONG: SignedDuration = SignedDuration::from_hours(12);

#[tokio::test]
async fn a_healthy_canary_is_walked_to_everybody_step_by_step() {
    let mut flight = Flight::begin("good-canary").await;
    flight.engage(LONG);
    let mut steps = Vec::new();
    while flight.pilot().ended().is_none() {
        flight.until_sent().await;
        steps.push(share(&flight.sent[0]));
        flight.carry_out(done()).await;
        flight.minutes().await;
    }
    assert_eq!(steps, [10, 25, 50, 100]);
    assert_eq!(flight.pilot().ended(), Some(End::Finished));
    assert_eq!(flight.leases, [true, false]);
}

#[tokio::test]
async fn a_bad_canary_is_taken_back_and_held() {
    let mut flight = Flight::begin("bad-canary").await;
    flight.engage(LONG);
    flight.until_sent().await;
    let plan = flight.sent[0].plan().clone();
    assert_eq!(share(&flight.sent[0]), 0);
    assert!(matches!(plan.steps[1].write, Write::Hold { .. }), "{:?}", plan.steps);
    flight.carry_out(done()).await;
    assert_eq!(flight.pilot().ended(), Some(End::RolledBack));
}

/// What it says of what it does is a comment: it passes over no guard.
#[tokio::test]
async fn it_breaks_no_glass() {
    let mut flight = Flight::begin("bad-canary").await;
    let now = flight.clock.now();
    flight.state.setup.policy.freezes.push(Freeze {
        name: "all".into(),
        window: Window::Dated { from: now, until: now + SignedDuration::from_hours(48) },
        services: Vec::new(),
        environments: Vec::new(),
        owners: Vec::new(),
        verbs: Vec::new(),
        even_to_safety: true,
    });
    flight.engage(LONG);
    for _ in 0..60 {
        flight.minutes().await;
    }
    assert!(flight.sent.is_empty());
    let why = flight.pilot().grounded.clone().expect("a human is called");
    assert!(why.why.as_str().contains("give a reason to go on"), "{why:?}");
}

#[tokio::test]
async fn no_time_that_is_over_promotes() {
    let mut flight = Flight::begin("good-canary").await;
    flight.engage(SignedDuration::from_mins(1));
    for _ in 0..40 {
        flight.minutes().await;
    }
    assert!(flight.sent.is_empty());
    assert!(flight.pilot().grounded.is_some(), "{:?}", flight.pilot().log);
    assert_eq!(flight.pilot().ended(), None);
}

#[tokio::test]
async fn a_step_that_was_not_done_is_not_tried_again() {
    let mut flight = Flight::begin("good-canary").await;
    flight.engage(LONG);
    flight.until_sent().await;
    flight.carry_out(Outcome::Unknown { why: "the answer was lost".into() }).await;
    for _ in 0..20 {
        flight.minutes().await;
    }
    assert!(flight.sent.is_empty());
    assert!(flight.pilot().now().contains("10% was not set"), "{:?}", flight.pilot().log);
}

#[tokio::test]
async fn who_sets_another_share_flies() {
    let mut flight = Flight::begin("good-canary").await;
    flight.engage(LONG);
    flight.until_sent().await;
    // It is told as done, and yet another share is there: somebody was between.
    flight.sent.clear();
    let plan = flight.state.activity[0].plan.clone();
    let at = flight.clock.now();
    let phase = WritePhase::Ended { outcome: done() };
    flight.send(Msg::Write(Box::new(WriteReport { plan, step: 0, phase, at })));
    flight.minutes().await;
    assert_eq!(flight.pilot().ended(), Some(End::HandedOver));
    assert!(flight.pilot().now().contains("somebody set 5%"), "{:?}", flight.pilot().log);
}

#[tokio::test]
async fn a_second_pilot_does_not_fly() {
    let mut flight = Flight::begin("good-canary").await;
    let canary = this_canary(&flight.state);
    let mut effects = Vec::new();
    engage(&mut flight.state, &canary, Some(LONG), &mut effects).unwrap();
    flight.send(Msg::Lease { canary, other: Some("kim@desk, process 7".into()) });
    assert_eq!(flight.pilot().ended(), Some(End::HandedOver));
    assert!(flight.pilot().now().contains("kim@desk, process 7"), "{:?}", flight.pilot().log);
    for _ in 0..10 {
        flight.minutes().await;
    }
    assert!(flight.sent.is_empty());
}

#[tokio::test]
async fn without_fresh_figures_it_holds() {
    // So little harm that it is not soon ruled out.
    let narrow = |canary: &mut CanarySpec| {
        canary.metrics.iter_mut().for_each(|metric| metric.margin = 0.1);
    };
    let mut flight = Flight::begin_described("good-canary", narrow).await;
    flight.engage(LONG);
    flight.minutes().await;
    for _ in 0..240 {
        // Nothing is read, only the clock goes on.
        *flight.clock.0.lock().unwrap() += SignedDuration::from_mins(1);
        let now = flight.clock.now();
        flight.send(Msg::Tick(now));
    }
    assert!(flight.sent.is_empty());
    assert!(flight.pilot().now().contains("holding"), "{:?}", flight.pilot().log);
    assert!(flight.pilot().asks().is_some(), "nobody was called");
}

#[tokio::test]
async fn a_human_takes_over_at_once_and_in_read_only_nothing_is_sent() {
    let mut flight = Flight::begin("good-canary").await;
    flight.engage(LONG);
    flight.state.view.locked = true;
    for _ in 0..40 {
        flight.minutes().await;
    }
    assert!(flight.sent.is_empty());
    assert!(flight.pilot().now().contains("read-only"), "{:?}", flight.pilot().log);
    let canary = this_canary(&flight.state);
    let mut effects = Vec::new();
    hand_over(&mut flight.state, &canary, "a key was pressed", &mut effects);
    assert_eq!(flight.pilot().ended(), Some(End::HandedOver));
    assert!(
        matches!(effects.last(), Some(Effect::Lease { take: false, canary: own, .. }) if *own == canary)
    );
}

#[tokio::test]
async fn where_every_step_is_a_humans_it_only_takes_back() {
    let mut flight = Flight::begin("good-canary").await;
    for canary in flight.state.setup.services.iter_mut().flat_map(|s| &mut s.canaries) {
        canary.at.pass_steps = false;
    }
    flight.engage(LONG);
    for _ in 0..40 {
        flight.minutes().await;
    }
    assert!(flight.sent.is_empty());
    assert!(flight.pilot().now().contains("CLEARED"), "{:?}", flight.pilot().log);
    assert!(flight.pilot().now().contains("a human's"), "{:?}", flight.pilot().log);
}

#[tokio::test]
async fn harm_calls_a_human_where_that_is_agreed() {
    let plain = |canary: &mut CanarySpec| {
        canary.metrics.retain(|metric| metric.name == *"errors");
        canary.at.fail_rolls_back = false;
    };
    let mut flight = Flight::begin_described("bad-canary", plain).await;
    flight.engage(LONG);
    for _ in 0..60 {
        flight.minutes().await;
    }
    assert!(flight.sent.is_empty());
    let why = flight.pilot().grounded.clone().expect("a human is called");
    assert!(why.why.as_str().contains("ROLL BACK"), "{why:?}");
}

#[tokio::test]
async fn an_experiment_is_not_flown() {
    let mut flight = Flight::begin("good-canary").await;
    for canary in flight.state.setup.services.iter_mut().flat_map(|s| &mut s.canaries) {
        canary.purpose = Purpose::Experiment;
    }
    let canary = this_canary(&flight.state);
    let refused = engage(&mut flight.state, &canary, None, &mut Vec::new()).unwrap_err();
    assert!(refused.contains("experiment"), "{refused}");
    assert!(flight.state.pilots.is_empty());
}
