//! The table: a fault, what is told of it, how often the service did it, and what the journal says.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flightdeck::backend::clock::WallClock;
use flightdeck::backend::context::ReadContext;
use flightdeck::backend::port::{Asked, Cadence, Source};
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::observation::{Observation, Scope};
use flightdeck::domain::source::SourceMeta;
use flightdeck::domain::write::{Confirmed, Decision, Order, Outcome, Receipt};
use flightdeck::runtime::gateway::Gateway;
use flightdeck::store::journal::{Event, Journal, Record};
use futures::future::{BoxFuture, FutureExt, join_all};
use serde_json::{Value, json};

use crate::hands::confirmed;
use crate::kinds::{KINDS, Kind, Scene};

/// When somebody else is faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Between the plan and its confirmation.
    Planned,
    /// Between the gateway's last look and the source's own.
    Checked,
    /// While the call is on its way.
    Sent,
    /// While the call is on its way and never arrives: somebody else does the same.
    Instead,
}

/// What goes wrong.
#[derive(Clone, Debug)]
enum How {
    /// The service does this to the call that writes.
    Call(Value),
    /// The credentials are refused from now on, for everything.
    Expired,
    /// Somebody else is faster.
    Overtaken(When),
}

/// What has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// Done, as reading again shows.
    Found,
    /// Nobody knows.
    Unknown,
    /// Failed, with these words.
    Failed(&'static str),
    /// Refused, with these words, and nothing was sent.
    Refused(&'static str),
    /// Answered by somebody else, or what has moved.
    Overtaken,
    /// It is so, and not by us: by whom, where that is told.
    Theirs,
}

impl Told {
    fn fits(self, kind: Kind, outcome: &Outcome) -> bool {
        let says = |words: &str| outcome.sentence().contains(words);
        let answers = matches!(kind, Kind::Approve | Kind::Reject);
        match (self, outcome) {
            (Self::Found, Outcome::Done { .. }) => {
                says("reading again shows") && says("by whom is not told") == kind.is_untold()
            }
            (Self::Theirs, Outcome::Answered { approved, by, .. }) => {
                let bob = by.as_ref().is_some_and(|by| *by == "bob");
                bob && answers && *approved == Some(kind == Kind::Approve)
            }
            (Self::Theirs, Outcome::Unknown { .. }) if answers => false,
            (Self::Theirs, Outcome::Unknown { .. }) => match kind {
                Kind::Start | Kind::Hold | Kind::Release | Kind::RollBack => {
                    says("it is so now by bob")
                }
                _ => false,
            },
            (Self::Theirs, Outcome::Done { .. }) => {
                let nameless = kind.is_untold() || matches!(kind, Kind::Stop | Kind::Abandon);
                nameless && says("by whom is not told")
            }
            (Self::Unknown, Outcome::Unknown { .. }) => says("not seen yet"),
            (Self::Failed(words), Outcome::Failed { .. })
            | (Self::Refused(words), Outcome::Refused { .. }) => says(words),
            (Self::Overtaken, Outcome::Answered { approved: Some(false), by, at }) => {
                let bob = by.as_ref().is_some_and(|by| *by == "bob") && at.is_some();
                bob && answers
            }
            (Self::Overtaken, Outcome::Moved { moved, .. }) => {
                !answers && !moved.is_empty() && moved.iter().all(|m| m.seen != m.now)
            }
            _ => false,
        }
    }
}

fn rows() -> Vec<(&'static str, How, Told, u64)> {
    let call = |fault: Value| How::Call(fault);
    vec![
        ("lost-after", call(json!({ "kind": "cut" })), Told::Found, 1),
        ("reset-before", call(json!({ "kind": "drop" })), Told::Unknown, 1),
        ("throttled", call(json!({ "kind": "throttle" })), Told::Failed("Rate exceeded"), 1),
        (
            "429-before",
            call(json!({ "kind": "throttle", "status": 429 })),
            Told::Failed("Rate exceeded"),
            1,
        ),
        (
            "429-after",
            call(json!({ "kind": "throttle", "status": 429, "after": true })),
            Told::Found,
            1,
        ),
        ("500-before", call(json!({ "kind": "fail" })), Told::Unknown, 1),
        ("503-before", call(json!({ "kind": "fail", "status": 503 })), Told::Unknown, 1),
        (
            "503-after",
            call(json!({ "kind": "fail", "status": 503, "after": true })),
            Told::Found,
            1,
        ),
        // Longer than the deadline.
        ("slow", call(json!({ "kind": "slow", "seconds": 4 })), Told::Found, 1),
        ("never", call(json!({ "kind": "drop", "seconds": 4 })), Told::Unknown, 1),
        (
            "expired-then",
            call(json!({ "kind": "expire" })),
            Told::Failed("renew the credentials"),
            1,
        ),
        ("denied", call(json!({ "kind": "deny" })), Told::Failed("ask for the permission"), 1),
        ("expired", How::Expired, Told::Refused("renew the credentials"), 0),
        ("planned", How::Overtaken(When::Planned), Told::Overtaken, 0),
        ("checked", How::Overtaken(When::Checked), Told::Overtaken, 0),
        ("sent", How::Overtaken(When::Sent), Told::Overtaken, 1),
        ("reset-before-then-bob", How::Overtaken(When::Instead), Told::Theirs, 1),
    ]
}

/// A source that lets somebody else be faster, right before it looks and sends.
struct Overtaken {
    inner: Arc<dyn Source>,
    scene: Arc<Scene>,
}

impl Source for Overtaken {
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

    fn decision<'a>(
        &'a self,
        asked: &'a Asked,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Option<Decision>, Fault>> {
        self.inner.decision(asked, context)
    }

    fn submit<'a>(
        &'a self,
        order: &'a Order,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Receipt, Fault>> {
        async move {
            self.scene.overtake().await;
            self.inner.submit(order, context).await
        }
        .boxed()
    }
}

/// What a gateway with its journal and locks in `folder` makes of what was confirmed.
pub async fn pass(source: &Arc<dyn Source>, confirmed: &Confirmed, folder: &Path) -> Outcome {
    let (sources, who) = ([Arc::clone(source)], "dana@lab".into());
    let gateway = Gateway::new(sources, Arc::new(WallClock), folder.to_owned(), who);
    let gateway = gateway.patience(Duration::from_secs(6));
    let (out, mut inbox) = tokio::sync::mpsc::channel(64);
    let listen = async { while inbox.recv().await.is_some() {} };
    let work = async {
        let outcomes = gateway.carry_out(confirmed, &out).await;
        drop(out);
        outcomes
    };
    tokio::join!(work, listen).0.remove(0)
}

/// Lets somebody else be faster while the call of `before` + 1 is under way.
async fn overtake_held(scene: &Scene, before: u64, when: When) {
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    let wait = async {
        while scene.counts().await.1 <= before {
            pace.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
    if when == When::Instead {
        scene.instead().await;
    } else {
        scene.overtake().await;
        // It is let go.
        scene.world.lab("faults", json!({ "faults": [] })).await;
    }
}

async fn row(kind: Kind, name: &str, how: &How, told: Told, asked: u64) -> Result<(), String> {
    let scene = Arc::new(Scene::new(kind, name).await);
    if name == "sent" && !scene.is_guarded() {
        return Ok(());
    }
    let deadline = if matches!(name, "slow" | "never") { 2 } else { 20 };
    let mut source: Arc<dyn Source> = Arc::new(scene.world.source(deadline));
    let confirmed = confirmed(&*source, scene.write()).await;
    let (done, calls) = scene.counts().await;
    let faults = |rule: Value| scene.world.lab("faults", json!({ "faults": [rule] }));
    let mut others = 0;
    let hold = json!({ "kind": "hold", "operations": [scene.operation()], "times": 1 });
    match how {
        How::Call(fault) => {
            let mut rule = fault.clone();
            rule["operations"] = json!([scene.operation()]);
            rule["times"] = json!(1);
            faults(rule).await;
        }
        How::Expired => {
            faults(json!({ "kind": "expire" })).await;
        }
        How::Overtaken(When::Planned) => scene.overtake().await,
        How::Overtaken(When::Checked) => {
            source = Arc::new(Overtaken { inner: source, scene: Arc::clone(&scene) });
        }
        How::Overtaken(When::Sent) => {
            faults(hold).await;
        }
        How::Overtaken(When::Instead) => {
            let (kind, seconds) = ("drop", 1.5);
            let operations = [scene.operation()];
            faults(
                json!({ "kind": kind, "seconds": seconds, "operations": operations, "times": 1 }),
            )
            .await;
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let outcome = match how {
        How::Overtaken(when @ (When::Sent | When::Instead)) => {
            let work = pass(&source, &confirmed, folder.path());
            tokio::join!(work, overtake_held(&scene, calls, *when)).0
        }
        _ => pass(&source, &confirmed, folder.path()).await,
    };
    if matches!(how, How::Overtaken(_)) {
        others = 1;
    }
    if !told.fits(kind, &outcome) {
        return Err(format!("{outcome:?} is not {told:?}"));
    }
    let (now_done, now_calls) = scene.counts().await;
    let own = (now_done - done - others, now_calls - calls - others);
    if own != (u64::from(told == Told::Found), asked) {
        return Err(format!("done and asked for {own:?} times, and {outcome:?} was told"));
    }
    let early = matches!(how, How::Expired | How::Overtaken(When::Planned));
    let words: &[&str] =
        if early { &["confirmed", "ended"] } else { &["confirmed", "sending", "reply", "ended"] };
    is_recorded(folder.path(), words, &outcome)
}

/// The journal tells exactly these events and this outcome, and is whole.
fn is_recorded(folder: &Path, lines: &[&str], outcome: &Outcome) -> Result<(), String> {
    let known = Journal::new(folder.join("journal")).read(None).unwrap();
    if !known.is_whole() || !known.unresolved().is_empty() {
        return Err(format!("the journal is not in order: {:?}", known.findings));
    }
    let words: Vec<&str> = known.entries.iter().map(|entry| entry.record.event.word()).collect();
    if words != lines {
        return Err(format!("the journal tells of {words:?}, not of {lines:?}"));
    }
    let last = serde_json::to_value(&known.entries.last().unwrap().record.event).unwrap();
    let same = last["outcome"] == serde_json::to_value(outcome).unwrap()
        && last["sentence"] == outcome.sentence();
    if same { Ok(()) } else { Err(format!("the journal tells {last}, not {outcome:?}")) }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn every_fault_of_every_kind_of_write_is_told_as_it_was() {
    let mut wrong = Vec::new();
    for (name, how, told, asked) in rows() {
        let all = KINDS.map(|kind| {
            let how = &how;
            async move { (kind, row(kind, name, how, told, asked).await) }
        });
        for (kind, result) in join_all(all).await {
            wrong.extend(result.err().map(|why| format!("{kind:?} {name}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// We were killed right before it was sent, and somebody else did the same: the next start finds it,
/// and does not take it for ours.
#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn killed_before_it_was_sent_what_somebody_else_did_is_theirs() {
    let one = async |kind: Kind| {
        let scene = Scene::new(kind, "left").await;
        let source: Arc<dyn Source> = Arc::new(scene.world.source(20));
        let confirmed = confirmed(&*source, scene.write()).await;
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path().join("journal"));
        let plan = serde_json::to_value(&confirmed).unwrap();
        let order = serde_json::to_value(confirmed.order(0).unwrap()).unwrap();
        for (step, event) in
            [(None, Event::Confirmed { plan, origin: None }), (Some(0), Event::Sending { order })]
        {
            let (plan, title) = (confirmed.plan().id.0.clone(), "a test".into());
            let (at, who) = (jiff::Timestamp::now(), "dana@lab".into());
            journal.append(&Record { at, plan, title, step, who, event }).unwrap();
        }
        scene.instead().await;
        let gateway = Gateway::new(
            [source],
            Arc::new(WallClock),
            folder.path().to_owned(),
            "dana@lab".into(),
        );
        let gateway = gateway.patience(Duration::from_secs(2));
        let found = gateway.reconcile().await.unwrap();
        assert_eq!((found.ended, found.open.len()), (1, 0), "{kind:?}: {found:?}");
        let known = journal.read(None).unwrap();
        assert!(known.is_whole() && known.unresolved().is_empty());
        let last = serde_json::to_value(&known.entries.last().unwrap().record.event).unwrap();
        let outcome: Outcome = serde_json::from_value(last["outcome"].clone()).unwrap();
        assert!(Told::Theirs.fits(kind, &outcome), "{kind:?}: {outcome:?}");
    };
    join_all(KINDS.map(one)).await;
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn of_two_rooms_of_one_host_exactly_one_writes_and_the_other_is_told() {
    let one = async |kind: Kind| {
        let scene = Scene::new(kind, "two").await;
        let source: Arc<dyn Source> = Arc::new(scene.world.source(20));
        let first = confirmed(&*source, scene.write()).await;
        let second = confirmed(&*source, scene.write()).await;
        let before = scene.counts().await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let (a, b) = tokio::join!(pass(&source, &first, path), pass(&source, &second, path));
        let (won, lost) = if matches!(a, Outcome::Done { .. }) { (a, b) } else { (b, a) };
        assert!(matches!(won, Outcome::Done { .. }), "{kind:?}: {won:?}");
        let told = match &lost {
            Outcome::Refused { why, .. } => why.as_str().contains("another process"),
            Outcome::Moved { moved, .. } => !moved.is_empty(),
            Outcome::Answered { by, .. } => by.is_some(),
            _ => false,
        };
        assert!(told, "{kind:?}: {lost:?}");
        assert_eq!(scene.counts().await, (before.0 + 1, before.1 + 1), "{kind:?}");
        assert!(Journal::new(path.join("journal")).read(None).unwrap().is_whole());
    };
    join_all(KINDS.map(one)).await;
}

/// Refusals that are none of anybody else's doing stay failures.
#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_refusal_without_anything_moved_is_a_failure() {
    let scene = Scene::new(Kind::RollBack, "refused").await;
    let source: Arc<dyn Source> = Arc::new(scene.world.source(20));
    let mut write = scene.write();
    let flightdeck::domain::write::Write::RollBack { to, .. } = &mut write else { panic!() };
    *to = scene.failed();
    let confirmed = confirmed(&*source, write).await;
    let folder = tempfile::tempdir().unwrap();
    let outcome = pass(&source, &confirmed, folder.path()).await;
    let Outcome::Failed { fault } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(fault.kind, FaultKind::InvalidRequest);
    assert_eq!(scene.counts().await, (0, 1));
}
