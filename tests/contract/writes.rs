//! The laws that every kind of source keeps that can be written to.

use flightdeck::backend::Source;
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::fleet::Fleet;
use flightdeck::domain::ids::{PipelineId, SourceId};
use flightdeck::domain::observation::{Scope, Topic};
use flightdeck::domain::write::{
    Answers, Expectation, Order, Plan, PlanId, Receipt, Step, Words, Write, confirm, expectation,
};
use jiff::Timestamp;

use crate::aws::Reply;
use crate::laws::context;
use crate::poison::{EVIL, leaves, survives};
use crate::server::Mood;
use crate::stands::id;
use crate::writing::Hand;

impl Hand {
    /// Writes among the requests since the mood was set.
    fn sent(&self) -> usize {
        self.stand.server.requests().iter().filter(|request| (self.is_write)(request)).count()
    }

    /// What `source` tells of the target of `write`.
    async fn seen(&self, source: &dyn Source, write: &Write) -> Expectation {
        let (context, _) = context();
        let narrow = source.meta().capabilities.topics.contains(&Topic::Items);
        let scope = if narrow {
            Scope { topic: Topic::Items, items: vec![write.target()] }
        } else {
            Scope { topic: Topic::Overview, items: Vec::new() }
        };
        let mut answer = source.observe(&scope, &context).await.unwrap();
        answer.epoch = 0;
        let mut fleet = Fleet::new([source.meta()]);
        fleet.apply(answer);
        expectation(write, &fleet).unwrap()
    }

    /// The order of `write` as it stands.
    pub async fn order(&self, write: &Write) -> Order {
        self.stand.server.set(Mood::Well);
        order(write, self.seen(&*self.stand.source(), write).await)
    }

    /// Submits under `mood`.
    pub async fn submit(&self, order: &Order, mood: Mood) -> Result<Receipt, Fault> {
        let hangs = format!("{mood:?}").contains("Hang");
        let source = if hangs { self.stand.hasty() } else { self.stand.source() };
        self.stand.server.set(mood);
        source.submit(order, &context().0).await
    }

    /// How many requests a submission takes, up to the write.
    pub async fn length(&self, order: &Order) -> usize {
        self.submit(order, Mood::Well).await.unwrap();
        let at = self.stand.server.requests().iter().position(self.is_write);
        at.unwrap() + 1
    }
}

/// An order of `write` to a target that was seen as `expects`.
pub fn order(write: &Write, expects: Expectation) -> Order {
    let step = Step {
        write: write.clone(),
        expects,
        seen_at: Timestamp::UNIX_EPOCH,
        words: Words::default(),
        identity: None,
        place: "here".into(),
        undo: None,
        no_undo: None,
    };
    let plan = Plan {
        id: PlanId("1".to_owned()),
        title: "write".into(),
        service: None,
        steps: vec![step],
        guards: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
        production: false,
        name: "it".into(),
        notes: Vec::new(),
        intent: serde_json::Value::Null,
    };
    let answers = Answers { go: true, ..Answers::default() };
    confirm(&plan, &answers, Timestamp::UNIX_EPOCH).unwrap().order(0).unwrap()
}

/// What it declares it does, with one write, and each call drawn from the budget.
pub async fn sent_once_and_counted(hand: &Hand) {
    for write in &hand.writes {
        let order = hand.order(write).await;
        let source = hand.stand.source();
        assert!(source.meta().capabilities.writes.contains(&write.verb()), "{write:?}");
        hand.stand.server.set(Mood::Well);
        let (context, meter) = context();
        let receipt = source.submit(&order, &context).await.unwrap();
        assert_eq!(hand.sent(), 1, "{write:?}");
        assert_eq!(meter.calls(), hand.stand.server.asked() as u64, "{write:?}");
        assert!(receipt.note.is_some(), "{write:?}: {receipt:?}");
    }
}

/// Whatever becomes of the answer to the write itself: unknown, and not sent again.
pub async fn lost_answers_are_unknown(hand: &Hand) {
    for write in &hand.writes {
        let order = hand.order(write).await;
        let at = hand.length(&order).await;
        for mood in [Mood::Hang, Mood::Close, Mood::Always(Reply::status(502, "<html>"))] {
            let told = hand.submit(&order, Mood::At(at, Box::new(mood.clone()))).await;
            let fault = told.unwrap_err();
            assert_eq!(fault.kind, FaultKind::OutcomeUnknown, "{write:?}, {mood:?}: {fault}");
            assert!(!fault.message.is_empty() && !fault.hint.is_empty());
            assert_eq!(hand.sent(), 1, "{write:?}, {mood:?}");
        }
    }
}

/// What fails before the write sends nothing, and says so.
pub async fn what_fails_before_sends_nothing(hand: &Hand) {
    for write in &hand.writes {
        let order = hand.order(write).await;
        for at in 1..hand.length(&order).await {
            let garbage = Mood::Always(Reply::status(200, "<html>Sign in</html>"));
            let refused = Mood::Always(Reply::status(401, "Permission denied\n\n"));
            for mood in [Mood::Hang, Mood::Close, Mood::Cut, Mood::Half, garbage, refused] {
                let told = hand.submit(&order, Mood::At(at, Box::new(mood.clone()))).await;
                let fault = told.unwrap_err();
                assert_ne!(fault.kind, FaultKind::OutcomeUnknown, "{write:?}, {mood:?}: {fault}");
                assert_eq!(hand.sent(), 0, "{write:?}, {mood:?}");
            }
        }
    }
}

/// A submission that is dropped at any of its calls has sent one write at most.
pub async fn dropped_once_at_most(hand: &Hand) {
    for write in &hand.writes {
        let order = hand.order(write).await;
        for at in 1..=hand.length(&order).await {
            let source = hand.stand.source();
            let (context, _) = context();
            hand.stand.server.set(Mood::HangAt(at));
            tokio::select! {
                biased;
                () = hand.stand.server.hangs.notified() => {}
                told = source.submit(&order, &context) => panic!("{at}: {told:?}"),
            }
            assert!(hand.sent() <= 1, "{write:?}, {at}");
        }
    }
}

/// What was seen has moved, or is somebody else's: nothing is sent.
pub async fn moved_or_foreign_is_not_sent(hand: &Hand) {
    for write in &hand.writes {
        hand.stand.server.set(Mood::Well);
        let seen = hand.seen(&*hand.stand.source(), write).await;
        for at in 0..seen.facts.len() {
            let mut moved = seen.clone();
            moved.facts[at].1 = "something else".into();
            let fault = hand.submit(&order(write, moved), Mood::Well).await.unwrap_err();
            assert_eq!(fault.kind, FaultKind::Conflict, "{write:?}: {fault}");
            let what = &seen.facts[at].0;
            assert!(fault.message.as_str().contains(what.as_str()), "{what}: {fault}");
            assert_eq!(hand.sent(), 0, "{write:?}");
        }
    }
    for source in [id(), SourceId::new("another")] {
        let foreign = Write::Start { pipeline: PipelineId::new(&source, "checkout") };
        let order = order(&foreign, Expectation::default());
        let fault = hand.submit(&order, Mood::Well).await.unwrap_err();
        assert_ne!(fault.kind, FaultKind::OutcomeUnknown);
        assert_eq!(hand.sent(), 0);
    }
}

/// Each text of each answer in turn is made hostile: what is told of it is not.
pub async fn nothing_hostile_comes_of_it(hand: &Hand) {
    for write in &hand.writes {
        let order = hand.order(write).await;
        hand.length(&order).await;
        for (key, answer) in hand.stand.server.answers() {
            for leaf in 0..leaves(&answer) {
                let mood = Mood::Poison { key: key.clone(), leaf, evil: EVIL.as_bytes().to_vec() };
                let told = hand.submit(&order, mood).await;
                assert_eq!(survives(&told), None, "{write:?}, {key}, text {leaf}");
                assert!(hand.sent() <= 1, "{write:?}, {key}, text {leaf}");
            }
        }
        let at = hand.length(&order).await;
        for status in [200, 400, 403, 500] {
            let body = serde_json::json!({ "message": EVIL, "permissions": [EVIL] });
            for body in [body.to_string(), EVIL.to_owned(), format!("{EVIL}\n\n")] {
                let mood = Mood::Always(Reply::status(status, &body));
                let told = hand.submit(&order, Mood::At(at, Box::new(mood))).await;
                assert_eq!(survives(&told), None, "{write:?}, {status}");
            }
        }
    }
}
