//! Tests of what is found later: lost replies, and what a crash left in the journal.

use super::*;

#[tokio::test(start_paused = true)]
async fn after_a_lost_reply_what_is_told_to_be_somebody_elses_is_not_ours() {
    let shift = || Intent::Shift {
        split: TrafficId::new(&SourceId::new("edge"), "checkout.prod-eu"),
        arm: "canary".into(),
        percent: 25,
    };
    for (intent, me, told) in [
        (approve(), Some("you"), "done: the answer was lost; reading again shows"),
        (approve(), Some("arn:aws:iam::1:user/you · 1 · here"), "done: the answer was lost"),
        (approve(), Some("kim"), "answered before: approved by you at "),
        (approve(), None, "it was approved; by whom is not known"),
        (shift(), Some("you"), "shows that it was done; by whom is not told"),
    ] {
        let how = How::After;
        let world =
            World::open("bad-canary", |inner| Arc::new(Breaks { inner, how }) as Arc<dyn Source>)
                .await;
        let outcomes = world.carry_out(&world.confirmed_as(&intent, me)).await;
        let [outcome] = outcomes.as_slice() else { panic!("{outcomes:?}") };
        assert!(outcome.sentence().contains(told), "{me:?}: {}", outcome.sentence());
    }
}

/// A write that was recorded as sent, and of which nothing more is known.
async fn left_over(me: &str) -> World {
    let world = World::open("bad-canary", |source| source).await;
    let confirmed = world.confirmed_as(&approve(), Some(me));
    let plan = serde_json::to_value(&confirmed).unwrap();
    world.gateway.record(&confirmed, None, Event::Confirmed { plan, origin: None }).await.unwrap();
    let order = serde_json::to_value(confirmed.order(0).unwrap()).unwrap();
    world.gateway.record(&confirmed, Some(0), Event::Sending { order }).await.unwrap();
    world
}

/// What the newest line of the journal tells of an end.
fn last(world: &World) -> String {
    let known = world.gateway.journal().read(None).unwrap();
    assert!(known.is_whole() && known.unresolved().is_empty());
    match &known.entries.last().unwrap().record.event {
        Event::Ended { sentence, .. } => sentence.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_crash_left_is_waited_for_once_and_only_for_what_is_left_of_its_time() {
    for (ago, least, most) in [(0, 3, 5), (3, 1, 2), (60, 0, 0)] {
        let world = left_over("you").await;
        world.pass(ago);
        let begun = tokio::time::Instant::now();
        assert_eq!(world.gateway.reconcile().await.unwrap().ended, 1);
        let waited = begun.elapsed().as_secs();
        assert!((least..=most).contains(&waited), "{ago} s ago: waited for {waited} s");
        assert!(last(&world).starts_with("unknown"), "{}", last(&world));
        let again = world.gateway.reconcile().await.unwrap();
        assert_eq!(again, Reconciled::default(), "not a second time");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_meanwhile_is_ours_only_if_we_are_named() {
    for (me, told) in
        [("you", "done: the answer was lost"), ("kim", "answered before: approved by you")]
    {
        let world = left_over(me).await;
        // It is answered by you, after the crash.
        let other = world.confirmed(&approve());
        let order = other.order(0).unwrap();
        let source = world.gateway.sources.get(&order.write().source()).unwrap();
        let context = world.gateway.asking(source).context();
        source.submit(&order, &context).await.unwrap();
        world.pass(5);
        assert_eq!(world.gateway.reconcile().await.unwrap().ended, 1);
        assert!(last(&world).starts_with(told), "{me}: {}", last(&world));
    }
}

/// A source that cannot be reached.
struct Away(Arc<dyn Source>);

impl Source for Away {
    fn meta(&self) -> SourceMeta {
        self.0.meta()
    }

    fn cadence(&self) -> Cadence {
        self.0.cadence()
    }

    fn observe<'a>(
        &'a self,
        _: &'a Scope,
        _: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Observation, Fault>> {
        let fault = Fault::new(FaultKind::Unreachable, "no route to it");
        std::future::ready(Err(fault)).boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_stays_open_and_is_looked_for_again() {
    let world = left_over("you").await;
    world.pass(3_600 * 72);
    let lines = || world.gateway.journal().read(None).unwrap().entries.len();
    let before = lines();
    let room = |sources: Vec<Arc<dyn Source>>| {
        let clock = Arc::clone(&world.clock) as SharedClock;
        Gateway::new(sources, clock, world.folder.path().to_owned(), "dana@here".into())
    };
    let away = world.sources.iter().map(|source| Arc::new(Away(Arc::clone(source))) as _).collect();
    for (sources, why) in [(away, "no route to it"), (Vec::new(), "is configured no more")] {
        let found = room(sources).reconcile().await.unwrap();
        assert!(found.ended == 0 && found.open.len() == 1, "{found:?}");
        assert!(found.open[0].as_str().contains(why), "{found:?}");
        assert_eq!(lines(), before, "nothing is told that is not known");
    }
    // However old it is, it is shown as long as it is open.
    let past = world.gateway.past().unwrap();
    assert!(past.len() == 1 && past[0].is_under_way(), "{past:?}");
    assert_eq!(world.gateway.reconcile().await.unwrap().ended, 1);
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_was_cut_short_is_not_reconciled() {
    let world = left_over("you").await;
    let folder = world.gateway.journal().folder().to_owned();
    std::fs::write(folder.join("HEAD"), "f".repeat(64)).unwrap();
    let why = world.gateway.reconcile().await.unwrap_err().to_string();
    assert!(why.contains("the newest lines are missing"), "{why}");
    let known = world.gateway.journal().read(None).unwrap();
    assert!(!known.is_whole() && known.unresolved().len() == 1);
}
