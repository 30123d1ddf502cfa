//! The version of a canary is read once more before its share goes up, and not before it goes down.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::domain::fact::Fact;
use crate::domain::revision::Revision;

/// What the source of the traffic and the environments tells from now on.
const AS_IT_IS: usize = 0;
const ANOTHER: usize = 1;
const NOTHING: usize = 2;
const DOWN: usize = 3;

/// Tells of environments otherwise than they are.
struct Deployed {
    inner: Arc<dyn Source>,
    how: Arc<AtomicUsize>,
    submitted: Arc<AtomicUsize>,
}

impl Deployed {
    async fn tell(&self, scope: &Scope, context: &ReadContext) -> Result<Observation, Fault> {
        let mut answer = self.inner.observe(scope, context).await?;
        let how = self.how.load(Ordering::SeqCst);
        let around = scope.items.iter().any(|item| matches!(item, ItemId::Environment(_)));
        if how == DOWN && around {
            return Err(Fault::new(FaultKind::Unreachable, "no route to it"));
        }
        for fact in &mut answer.facts {
            let Fact::Environment(environment) = fact else { continue };
            let slots = environment.slots.iter_mut().map(|slot| &mut slot.revision);
            for revision in slots.chain([&mut environment.revision]) {
                match how {
                    ANOTHER => *revision = Some(Revision::of("r9")),
                    NOTHING => *revision = None,
                    _ => {}
                }
            }
        }
        Ok(answer)
    }
}

impl Source for Deployed {
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
        self.tell(scope, context).boxed()
    }

    fn submit<'a>(
        &'a self,
        order: &'a Order,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Receipt, Fault>> {
        self.submitted.fetch_add(1, Ordering::SeqCst);
        self.inner.submit(order, context)
    }
}

/// What comes of the traffic step of `intent`, planned as things are and carried out when they are
/// told otherwise; and how often it was sent.
async fn first(intent: &Intent, then: usize) -> (Outcome, usize) {
    let (how, submitted) = (Arc::new(AtomicUsize::new(AS_IT_IS)), Arc::new(AtomicUsize::new(0)));
    let wrap = |inner: Arc<dyn Source>| {
        let (how, submitted) = (Arc::clone(&how), Arc::clone(&submitted));
        Arc::new(Deployed { inner, how, submitted }) as Arc<dyn Source>
    };
    let world = World::open("bad-canary", wrap).await;
    let confirmed = world.confirmed(intent);
    let seen = &confirmed.plan().steps[0].expects;
    assert!(seen.get("canary").unwrap().as_str().starts_with("weight 10"), "{seen:?}");
    assert_eq!(seen.beside[0].short(), "4f1c9a", "{seen:?}");
    how.store(then, Ordering::SeqCst);
    let outcome = world.carry_out(&confirmed).await.remove(0);
    (outcome, submitted.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn a_canary_gets_more_only_if_it_is_still_the_version_that_was_seen() {
    let edge = TrafficId::new(&SourceId::new("edge"), "checkout.prod-eu");
    let to = |percent| Intent::Shift { split: edge.clone(), arm: "canary".into(), percent };
    for intent in [Intent::Promote { service: "checkout".into() }, to(25), to(100)] {
        let (outcome, sent) = first(&intent, AS_IT_IS).await;
        assert!(matches!(outcome, Outcome::Done { .. }) && sent == 1, "{outcome:?}");
        for (then, now) in [(ANOTHER, "r9"), (NOTHING, "not told any more")] {
            let (outcome, sent) = first(&intent, then).await;
            let why =
                format!("refused, it has moved: revision in checkout.prod-eu was 4f1c9a, is {now}");
            assert_eq!((outcome.sentence(), sent), (why, 0), "{intent:?}");
            assert!(matches!(outcome, Outcome::Moved { .. }));
        }
        let (outcome, sent) = first(&intent, DOWN).await;
        let Outcome::Refused { why, fault: Some(fault) } = &outcome else { panic!("{outcome:?}") };
        assert!(why.as_str().contains("revision in checkout.prod-eu could not be read"), "{why}");
        assert_eq!((&fault.kind, sent), (&FaultKind::Unreachable, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn the_way_away_from_a_canary_waits_for_no_reading_of_it() {
    for then in [ANOTHER, NOTHING, DOWN] {
        let back = Intent::RollBackAndHold { service: "checkout".into(), only: None };
        let (outcome, _) = first(&back, then).await;
        assert!(matches!(outcome, Outcome::Done { .. }), "{then}: {outcome:?}");
    }
}
