//! Every kind of write under every fault that can befall it: done once at most, and told as it is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::cases::{Case, KINDS, cases, kind};
use super::*;
use crate::domain::write::{OutcomeKind, Seen, Write, seen};
use crate::runtime::gateway::Reconciled;

/// What befalls a submission.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Befalls {
    /// It is done, and the reply is lost.
    ReplyLost,
    /// The connection ends before it is done.
    Reset,
    /// It is not done, because there were too many calls.
    ThrottledBefore,
    /// It is done, and something on the way back says that there were too many calls.
    ThrottledAfter,
    /// It is not done, and the server says so.
    ServerError,
    /// It is done, and a server between breaks the answer.
    BadGateway,
    /// It is done, and the answer comes after the deadline.
    SlowAfter,
    /// It never gets anywhere.
    SlowBefore,
    /// The credentials expired since it was planned, which the submission shows.
    ExpiredAtSubmit,
    /// The same, which the reading before it shows.
    ExpiredAtRead,
}

/// A source in which something befalls each submission once it is armed.
struct Befallen {
    inner: Arc<dyn Source>,
    what: Befalls,
    armed: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
}

impl Befallen {
    async fn inner(&self, order: &Order, context: &ReadContext) -> Result<Receipt, Fault> {
        let receipt = self.inner.submit(order, context).await?;
        self.done.fetch_add(1, Ordering::SeqCst);
        Ok(receipt)
    }

    fn is_armed(&self) -> bool {
        self.armed.load(Ordering::SeqCst)
    }
}

fn expired() -> Fault {
    Fault::new(FaultKind::NotAuthenticated, "the session expired")
}

impl Source for Befallen {
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
        if self.is_armed() && self.what == Befalls::ExpiredAtRead {
            return async { Err(expired()) }.boxed();
        }
        self.inner.observe(scope, context)
    }

    fn submit<'a>(
        &'a self,
        order: &'a Order,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Receipt, Fault>> {
        let lost = |why: &str| Err(Fault::new(FaultKind::OutcomeUnknown, why));
        let busy = || Err(Fault::new(FaultKind::Throttled { until: None }, "too many calls"));
        async move {
            if !self.is_armed() {
                return self.inner(order, context).await;
            }
            match self.what {
                Befalls::ReplyLost => {
                    self.inner(order, context).await?;
                    lost("connection reset")
                }
                Befalls::BadGateway => {
                    self.inner(order, context).await?;
                    lost("502 Bad Gateway")
                }
                Befalls::ThrottledAfter => {
                    self.inner(order, context).await?;
                    busy()
                }
                Befalls::SlowAfter => {
                    self.inner(order, context).await?;
                    std::future::pending().await
                }
                Befalls::Reset => lost("connection reset"),
                Befalls::ThrottledBefore => busy(),
                Befalls::ServerError => Err(Fault::new(FaultKind::ServerError, "500")),
                Befalls::SlowBefore => std::future::pending().await,
                Befalls::ExpiredAtSubmit | Befalls::ExpiredAtRead => Err(expired()),
            }
        }
        .boxed()
    }
}

/// Kinds of which the rehearsal tells who did them: after a lost reply, that of any other is not told.
const TOLD: [&str; 5] = ["approve", "hold", "reject", "roll back", "start"];

/// One case of each kind: the first that is one write alone.
async fn one_of_each() -> BTreeMap<&'static str, Case> {
    let mut found = BTreeMap::new();
    for case in cases().await {
        let known = match &case.intent {
            Intent::Promote { .. } | Intent::RollBackAndHold { .. } => continue,
            Intent::Writes { writes, .. } => writes.first().map(kind),
            Intent::Answer { approve: true, .. } => Some("approve"),
            Intent::Answer { .. } => Some("reject"),
            Intent::Retry { all: true, .. } => Some("retry all"),
            Intent::Retry { .. } => Some("retry"),
            Intent::Stop { .. } => Some("stop"),
            Intent::Start { .. } => Some("start"),
            Intent::Gate { hold: true, .. } => Some("hold"),
            Intent::Gate { .. } => Some("release"),
            Intent::RollBack { .. } => Some("roll back"),
            Intent::Shift { .. } => Some("shares"),
            _ => None,
        };
        found.entry(known.expect("a kind of write")).or_insert(case);
    }
    assert_eq!(found.len(), KINDS.len(), "{:?}", found.keys());
    found
}

/// Carries out every kind of write while `what` befalls it: it is done `times`, and told as `wanted`.
async fn befalls(what: Befalls, wanted: OutcomeKind, times: usize) {
    for (name, case) in one_of_each().await {
        let armed = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicUsize::new(0));
        let mut world = World::open(case.scenario, |inner| {
            let (armed, done) = (Arc::clone(&armed), Arc::clone(&done));
            Arc::new(Befallen { inner, what, armed, done }) as Arc<dyn Source>
        })
        .await;
        for (intent, seconds) in case.before {
            assert!(is_done(&world.carry_out(&world.confirmed(&intent)).await), "{name}");
            world.pass(seconds);
            world.read().await;
        }
        let confirmed = world.confirmed(&case.intent);
        let [step] = confirmed.plan().steps.as_slice() else { panic!("{name}: one write") };
        let (write, before): (Write, _) = (step.write.clone(), step.expects.clone());
        let lines = world.gateway.journal().read(None).unwrap().entries.len();
        done.store(0, Ordering::SeqCst);
        armed.store(true, Ordering::SeqCst);
        let outcomes = world.carry_out(&confirmed).await;
        let kinds: Vec<OutcomeKind> = outcomes.iter().map(Outcome::kind).collect();
        assert_eq!(kinds, [wanted], "{name}, {what:?}: {outcomes:?}");
        let untold = outcomes[0].sentence().contains("by whom is not told");
        let is_told = wanted != OutcomeKind::Done || TOLD.contains(&name);
        assert_eq!(untold, !is_told, "{name}, {what:?}: {outcomes:?}");
        assert_eq!(done.load(Ordering::SeqCst), times, "{name}, {what:?}");
        // Nothing is left to be found out, and finding out does nothing a second time.
        assert_eq!(
            world.gateway.reconcile().await.unwrap(),
            Reconciled::default(),
            "{name}, {what:?}"
        );
        assert_eq!(done.load(Ordering::SeqCst), times, "{name}, {what:?}");
        let journal = world.gateway.journal().read(None).unwrap();
        assert!(journal.is_whole() && journal.unresolved().is_empty(), "{name}, {what:?}");
        let entries = journal.entries.iter().skip(lines);
        let sent = entries.filter(|e| e.record.event.word() == "sending").count();
        assert_eq!(sent, usize::from(what != Befalls::ExpiredAtRead), "{name}, {what:?}");
        // What is there is what was told.
        armed.store(false, Ordering::SeqCst);
        world.read().await;
        let effect = seen(&write, &before, &world.state.fleet) == Seen::Effect;
        assert_eq!(effect, times == 1, "{name}, {what:?}");
    }
}

macro_rules! faults {
    ($($name:ident: $what:ident $wanted:ident $times:literal)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            befalls(Befalls::$what, OutcomeKind::$wanted, $times).await;
        }
    )*};
}

faults! {
    a_lost_reply_to_any_write_is_found_out: ReplyLost Done 1
    a_broken_answer_to_any_write_is_found_out: BadGateway Done 1
    any_write_that_is_slower_than_the_deadline_is_found_out: SlowAfter Done 1
    any_write_that_was_done_and_throttled_is_found_out: ThrottledAfter Done 1
    any_write_that_was_throttled_before_has_failed: ThrottledBefore Failed 0
    any_write_that_the_server_refused_has_failed: ServerError Failed 0
    any_write_whose_connection_was_reset_before_is_unknown: Reset Unknown 0
    any_write_that_never_got_anywhere_is_unknown: SlowBefore Unknown 0
    any_write_with_expired_credentials_has_failed: ExpiredAtSubmit Failed 0
    any_write_whose_target_cannot_be_read_again_is_refused: ExpiredAtRead Refused 0
}
