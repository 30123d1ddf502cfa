//! Tests of the gateway in the rehearsal: every kind of write, what moved, what is lost.

use std::sync::Mutex;

use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;

use super::*;
use crate::app::intent::Intent;
use crate::app::plan::plan;
use crate::app::{Setup, State, update};
use crate::backend::clock::Clock;
use crate::backend::port::Cadence;
use crate::backend::{ReadContext, rehearsal};
use crate::domain::ids::{PipelineId, TrafficId};
use crate::domain::observation::{Observation, Scope, Topic};
use crate::domain::source::SourceMeta;
use crate::domain::write::{Answers, Confirmed, FlagChange, PlanId, confirm};

mod cases;
mod faults;

use cases::{Case, KINDS, cases, kind};

/// A clock that the tests move.
struct Hand(Mutex<Timestamp>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

struct World {
    state: State,
    gateway: Gateway,
    clock: Arc<Hand>,
    sources: Vec<Arc<dyn Source>>,
    folder: tempfile::TempDir,
}

impl World {
    async fn open(scenario: &str, wrap: impl Fn(Arc<dyn Source>) -> Arc<dyn Source>) -> Self {
        let start = Timestamp::from_second(1_790_000_000).unwrap();
        let world = rehearsal::open(scenario, 1, 1.0, start).unwrap();
        let clock = Arc::new(Hand(Mutex::new(start)));
        let sources: Vec<Arc<dyn Source>> =
            world.sources.into_iter().map(|(s, _)| wrap(s)).collect();
        let folder = tempfile::tempdir().unwrap();
        let gateway = Gateway::new(
            sources.iter().cloned(),
            Arc::clone(&clock) as SharedClock,
            folder.path().to_owned(),
            "dana@here".into(),
        )
        .patience(Duration::from_secs(5));
        let mut setup = Setup::empty(start);
        setup.services = world.services;
        setup.sources = sources.iter().map(|s| s.meta()).collect();
        let mut this = Self { state: State::new(setup), gateway, clock, sources, folder };
        this.read().await;
        this
    }

    /// Reads everything, as the keepers would.
    async fn read(&mut self) {
        for source in &self.sources {
            for topic in [Topic::Overview, Topic::Changes] {
                let context = self.gateway.asking(source).context();
                let scope = Scope { topic, items: Vec::new() };
                let answer = source.observe(&scope, &context).await.unwrap();
                update(&mut self.state, Msg::Observed(Box::new(answer)));
            }
        }
    }

    fn pass(&self, seconds: i64) {
        let mut now = self.clock.0.lock().unwrap();
        *now += jiff::SignedDuration::from_secs(seconds);
    }

    fn confirmed(&self, intent: &Intent) -> Confirmed {
        self.confirmed_as(intent, Some("you"))
    }

    /// As somebody, as the sources name people: the rehearsal says that everything was done by you.
    fn confirmed_as(&self, intent: &Intent, me: Option<&str>) -> Confirmed {
        let mut plan = plan(&self.state, intent, "", PlanId("p1".to_owned())).unwrap();
        for step in &mut plan.steps {
            step.identity = me.map(Into::into);
        }
        let answers = Answers::to(&plan, plan.name.as_str(), "a test of the gateway");
        confirm(&plan, &answers, self.state.now).unwrap()
    }

    async fn carry_out(&self, confirmed: &Confirmed) -> Vec<Outcome> {
        let (out, mut inbox) = mpsc::channel(64);
        let drain = tokio::spawn(async move { while inbox.recv().await.is_some() {} });
        let outcomes = self.gateway.carry_out(confirmed, &out).await;
        drop(out);
        drain.await.unwrap();
        outcomes
    }
}

fn payments() -> PipelineId {
    PipelineId::new(&SourceId::new("pipelines-eu"), "payments-main")
}

fn approve() -> Intent {
    Intent::Answer {
        pipeline: payments(),
        stage: None,
        action: None,
        execution: None,
        approve: true,
    }
}

fn is_done(outcomes: &[Outcome]) -> bool {
    !outcomes.is_empty() && outcomes.iter().all(|o| matches!(o, Outcome::Done { .. }))
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_write_is_done_and_recorded() {
    let mut kinds = std::collections::BTreeSet::new();
    for Case { scenario, before, intent } in cases().await {
        let mut world = World::open(scenario, |source| source).await;
        for (intent, seconds) in before {
            assert!(is_done(&world.carry_out(&world.confirmed(&intent)).await), "{intent:?}");
            world.pass(seconds);
            world.read().await;
        }
        let until = world.gateway.journal().read(None).unwrap().entries.len();
        let confirmed = world.confirmed(&intent);
        kinds.extend(confirmed.plan().steps.iter().map(|step| kind(&step.write)));
        let outcomes = world.carry_out(&confirmed).await;
        assert!(is_done(&outcomes), "{intent:?}: {outcomes:?}");
        let journal = world.gateway.journal().read(None).unwrap();
        assert!(journal.is_whole());
        let entries = journal.entries.iter().skip(until);
        let words: Vec<&str> = entries.map(|e| e.record.event.word()).collect();
        let mut expected = vec!["confirmed"];
        for _ in &outcomes {
            expected.extend(["sending", "reply", "ended"]);
        }
        assert_eq!(words, expected, "{intent:?}");
        assert_eq!(journal.unresolved(), Vec::<&crate::store::journal::Entry>::new());
    }
    let missing: Vec<_> = KINDS.iter().filter(|kind| !kinds.contains(*kind)).collect();
    assert!(missing.is_empty(), "never done: {missing:?}");
    assert_eq!(kinds.len(), KINDS.len(), "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn what_moved_since_it_was_seen_is_refused_and_nothing_is_sent() {
    let world = World::open("superseded-approval", |source| source).await;
    let confirmed = world.confirmed(&approve());
    // Meanwhile the newer execution overtakes it.
    world.pass(900);
    let outcomes = world.carry_out(&confirmed).await;
    assert!(
        matches!(outcomes.as_slice(), [Outcome::Moved { moved, .. }] if !moved.is_empty()),
        "{outcomes:?}"
    );
    let journal = world.gateway.journal().read(None).unwrap();
    let words: Vec<&str> = journal.entries.iter().map(|e| e.record.event.word()).collect();
    assert_eq!(words, ["confirmed", "ended"]);
}

#[tokio::test(start_paused = true)]
async fn of_two_who_approve_one_wins_and_the_other_is_told() {
    let world = World::open("bad-canary", |source| source).await;
    let confirmed = world.confirmed(&approve());
    assert!(is_done(&world.carry_out(&confirmed).await));
    world.pass(5);
    let second = world.carry_out(&confirmed).await;
    assert!(matches!(second.as_slice(), [Outcome::Answered { by: Some(_), .. }]), "{second:?}");
}

/// A source that breaks a submission in some way.
struct Breaks {
    inner: Arc<dyn Source>,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    /// It does it, and the reply is lost.
    After,
    /// It does not do it, and nobody knows.
    Before,
    /// It says that nothing happened.
    Refuses,
    /// It never answers.
    Hangs,
}

impl Source for Breaks {
    fn meta(&self) -> SourceMeta {
        self.inner.meta()
    }

    fn cadence(&self) -> Cadence {
        self.inner.cadence()
    }

    fn observe<'a>(
        &'a self,
        scope: &'a Scope,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Observation, Fault>> {
        self.inner.observe(scope, context)
    }

    fn submit<'a>(
        &'a self,
        order: &'a Order,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Receipt, Fault>> {
        async move {
            match self.how {
                How::After => {
                    self.inner.submit(order, context).await?;
                    Err(Fault::new(FaultKind::OutcomeUnknown, "connection reset"))
                }
                How::Before => Err(Fault::new(FaultKind::OutcomeUnknown, "connection reset")),
                How::Refuses => Err(Fault::new(FaultKind::NotAuthenticated, "expired")),
                How::Hangs => std::future::pending().await,
            }
        }
        .boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_resolved_by_reading_and_never_sent_twice() {
    for (how, kind) in [
        (How::After, crate::domain::write::OutcomeKind::Done),
        (How::Before, crate::domain::write::OutcomeKind::Unknown),
        (How::Refuses, crate::domain::write::OutcomeKind::Failed),
        (How::Hangs, crate::domain::write::OutcomeKind::Unknown),
    ] {
        let world =
            World::open("bad-canary", |inner| Arc::new(Breaks { inner, how }) as Arc<dyn Source>)
                .await;
        let confirmed = world.confirmed(&approve());
        let outcomes = world.carry_out(&confirmed).await;
        let kinds: Vec<_> = outcomes.iter().map(Outcome::kind).collect();
        assert_eq!(kinds, [kind], "{how:?}: {outcomes:?}");
        let journal = world.gateway.journal().read(None).unwrap();
        let sent = journal.entries.iter().filter(|e| e.record.event.word() == "sending").count();
        assert_eq!(sent, 1, "{how:?}");
    }
}

/// The world in which one source breaks submissions.
async fn broken(source: &'static str, how: How) -> World {
    let wrap = |inner: Arc<dyn Source>| {
        if inner.meta().id == SourceId::new(source) {
            Arc::new(Breaks { inner, how }) as Arc<dyn Source>
        } else {
            inner
        }
    };
    World::open("bad-canary", wrap).await
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_not_done_ends_the_plan_and_the_way_in_is_closed_all_the_same() {
    use crate::domain::write::OutcomeKind::{Done, Failed, Refused, Unknown};
    let flag = crate::domain::ids::FlagId::new(&SourceId::new("flags"), "new-tax");
    let off = || Write::Flag {
        flag: flag.clone(),
        environment: "production".into(),
        change: FlagChange::Enabled { on: false },
        strategy: None,
    };
    let edge = TrafficId::new(&SourceId::new("edge"), "checkout.prod-eu");
    let away =
        Write::Shares { split: edge, shares: vec![("canary".into(), 0), ("stable".into(), 100)] };
    let search = PipelineId::new(&SourceId::new("pipelines-eu"), "search-main");
    for (source, how, first, kinds) in [
        ("edge", How::Refuses, None, vec![Failed, Done]),
        ("edge", How::Before, None, vec![Unknown, Done]),
        ("edge", How::Refuses, Some(away), vec![Failed, Refused]),
        // Nor does a way in that could not be closed hold up the way back.
        (
            "pipelines-eu",
            How::Refuses,
            Some(Write::Hold { pipeline: search, stage: "Prod".into(), reason: "x".into() }),
            vec![Failed, Done],
        ),
    ] {
        let world = broken(source, how).await;
        let intent = match first {
            None => Intent::RollBackAndHold { service: "checkout".into(), only: None },
            Some(first) => Intent::Writes { title: "two".into(), writes: vec![first, off()] },
        };
        let confirmed = world.confirmed(&intent);
        let outcomes = world.carry_out(&confirmed).await;
        let found: Vec<_> = outcomes.iter().map(Outcome::kind).collect();
        assert_eq!(found, kinds, "{source} {how:?}: {outcomes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_journal_no_write() {
    let mut world = World::open("bad-canary", |source| source).await;
    let file = world.folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    world.gateway = Gateway::new(
        world.sources.iter().cloned(),
        Arc::clone(&world.clock) as SharedClock,
        file,
        "dana".into(),
    );
    let confirmed = world.confirmed(&approve());
    let outcomes = world.carry_out(&confirmed).await;
    assert!(matches!(outcomes.as_slice(), [Outcome::Unrecorded { .. }]), "{outcomes:?}");
    world.read().await;
    let waits = world.state.fleet.pipelines.get(&payments()).unwrap().value.approvals().count();
    assert_eq!(waits, 1, "nothing was sent");
}

#[tokio::test(start_paused = true)]
async fn what_a_write_asks_counts_among_the_calls_of_its_source_and_waits_for_none_of_them() {
    let mut world = World::open("bad-canary", |source| source).await;
    let meters = Meters::default();
    let (id, other) = (SourceId::new("flags"), SourceId::new("edge"));
    let budget = world.gateway.sources[&id].cadence().budget_per_minute;
    let (meter, untouched) = (meters.of(&id, budget), meters.of(&other, budget));
    let clock = Arc::clone(&world.clock) as SharedClock;
    let read = ReadContext::new(clock, 0, Arc::clone(&meter));
    world.gateway = world.gateway.meters(&meters);
    let flag = crate::domain::ids::FlagId::new(&id, "new-tax");
    let (change, environment) = (FlagChange::Enabled { on: true }, "production".into());
    let confirmed = world.confirmed(&Intent::Flag { flag, environment, change });
    // The keeper has used up the budget.
    let start = tokio::time::Instant::now();
    while start.elapsed() == Duration::ZERO {
        read.spend().await;
    }
    let (before, start) = (meter.calls(), tokio::time::Instant::now());
    let order = confirmed.order(0).unwrap();
    let source = Arc::clone(&world.gateway.sources[&id]);
    world.gateway.check(&source, &order).await.unwrap();
    world.gateway.send(&source, &order).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(meter.calls() - before, 2, "read again, sent");
    // What looks for an effect is a read as any other: it waits for what is owed.
    world.gateway.read(order.write()).await.unwrap();
    assert_eq!(meter.calls() - before, 3);
    assert!(start.elapsed() >= Duration::from_mins(2) / budget);
    assert_eq!(untouched.calls(), 0);
    let outcomes = world.carry_out(&world.confirmed(&approve())).await;
    assert!(is_done(&outcomes), "{outcomes:?}");
    let pipelines = meters.of(&payments().source, 1);
    assert_eq!(pipelines.calls(), 3, "read again, sent, and looked at");
}

#[tokio::test(start_paused = true)]
async fn a_locked_target_is_refused() {
    let world = World::open("bad-canary", |source| source).await;
    let held = try_lock(world.folder.path(), "pipelines-eu/payments-main", "kim@desk").unwrap();
    let _held = held.taken().unwrap();
    let outcomes = world.carry_out(&world.confirmed(&approve())).await;
    let [Outcome::Refused { why, .. }] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert!(why.as_str().contains("another process"), "{why}");
    assert!(why.as_str().contains("kim@desk, process "), "the loser is told who: {why}");
}

#[tokio::test(start_paused = true)]
async fn after_the_clock_went_back_the_last_write_is_still_the_last() {
    let world = World::open("bad-canary", |source| source).await;
    let flag = crate::domain::ids::FlagId::new(&SourceId::new("flags"), "new-tax");
    let change = |on| Intent::Flag {
        flag: flag.clone(),
        environment: "production".into(),
        change: FlagChange::Enabled { on },
    };
    let now = world.clock.now();
    for (hours, plan, on) in [(72, "ahead", false), (0, "now", true)] {
        *world.clock.0.lock().unwrap() = now + jiff::SignedDuration::from_hours(hours);
        let mut confirmed = world.confirmed(&change(on)).plan().clone();
        confirmed.id = PlanId(plan.to_owned());
        let answers = Answers::to(&confirmed, confirmed.name.as_str(), "a test");
        world.carry_out(&confirm(&confirmed, &answers, now).unwrap()).await;
    }
    let past = world.gateway.past().unwrap();
    let plans: Vec<&str> = past.iter().map(|activity| activity.plan.0.as_str()).collect();
    assert_eq!(plans, ["now", "ahead"]);
    assert!(past.iter().all(|activity| activity.at <= world.clock.now()));
}

#[path = "left_tests.rs"]
mod left;

#[path = "beside_tests.rs"]
mod beside;
