//! What both kinds of source need: read, confirm, submit, carry out, and break the way there.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flightdeck::backend::clock::WallClock;
use flightdeck::backend::context::{Meter, ReadContext};
use flightdeck::backend::port::Source;
use flightdeck::backend::registry::Registry;
use flightdeck::config::Config;
use flightdeck::config::sources::SourceConfig;
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::fleet::Fleet;
use flightdeck::domain::observation::{Scope, Topic};
use flightdeck::domain::write::{
    Answers, Confirmed, Outcome, Plan, PlanId, Receipt, Step, Words, Write, confirm, expectation,
};
use flightdeck::runtime::gateway::Gateway;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::lab::{address, post};

pub fn context() -> ReadContext {
    ReadContext::new(Arc::new(WallClock), 0, Arc::new(Meter::new(1_000_000)))
}

/// A source with these settings, and half a minute at most for an answer.
pub fn source(settings: Value, deadline: &str) -> Arc<dyn Source> {
    let settings: SourceConfig = serde_json::from_value(settings).unwrap();
    let mut config = Config::default();
    config.polling.deadline = deadline.parse().unwrap();
    Registry::default().build("edge", &settings, &config.schedule("edge"), Vec::new()).unwrap()
}

/// Everything that it tells of the target of `write`.
pub async fn read(source: &dyn Source, write: &Write) -> Fleet {
    let mut fleet = Fleet::new([source.meta()]);
    let items = source.meta().capabilities.topics.contains(&Topic::Items);
    let scope = if items {
        Scope { topic: Topic::Items, items: vec![write.target()] }
    } else {
        Scope { topic: Topic::Overview, items: Vec::new() }
    };
    let answer = source.observe(&scope, &context()).await.unwrap();
    assert!(answer.faults.is_empty(), "{:?}", answer.faults);
    fleet.apply(answer);
    fleet
}

/// As whom the pipelines of the lab see us.
const ALICE: &str = "arn:aws:iam::123456789012:user/alice · 123456789012 · eu-west-1";

/// What was confirmed after reading what `source` tells now.
pub async fn confirmed(source: &dyn Source, write: Write) -> Confirmed {
    let fleet = read(source, &write).await;
    let step = Step {
        expects: expectation(&write, &fleet).unwrap(),
        undo: flightdeck::domain::write::inverse(&write, &fleet).ok(),
        write,
        seen_at: Timestamp::now(),
        words: Words::default(),
        identity: Some(ALICE.into()),
        place: source.meta().place,
        no_undo: None,
    };
    let plan = Plan {
        id: PlanId("lab-1".to_owned()),
        title: "a test".into(),
        service: None,
        steps: vec![step],
        guards: Vec::new(),
        at: Timestamp::now(),
        production: false,
        name: "lab".into(),
        notes: Vec::new(),
        intent: serde_json::Value::Null,
    };
    let answers = Answers { go: true, ..Answers::default() };
    confirm(&plan, &answers, Timestamp::now()).unwrap()
}

/// Submits `write` after what was seen through the same source.
pub async fn submit(source: &dyn Source, write: Write) -> Result<Receipt, Fault> {
    submit_seen(source, source, write).await
}

/// Submits `write` to `source` after what `eyes` saw.
pub async fn submit_seen(
    eyes: &dyn Source,
    source: &dyn Source,
    write: Write,
) -> Result<Receipt, Fault> {
    let order = confirmed(eyes, write).await.order(0).unwrap();
    source.submit(&order, &context()).await
}

/// What the gateway makes of `write`: reads again, records, sends, and looks for the effect.
pub async fn carry_out(eyes: &dyn Source, source: &Arc<dyn Source>, write: Write) -> Outcome {
    let confirmed = confirmed(eyes, write).await;
    let folder = tempfile::tempdir().unwrap();
    pass(source, &confirmed, folder.path()).await
}

/// What a gateway with its journal and locks in `folder` makes of what was confirmed.
async fn pass(source: &Arc<dyn Source>, confirmed: &Confirmed, folder: &Path) -> Outcome {
    let gateway = Gateway::new(
        [Arc::clone(source)],
        Arc::new(WallClock),
        folder.to_owned(),
        "dana@lab".into(),
    )
    .patience(Duration::from_secs(10));
    let (out, mut inbox) = tokio::sync::mpsc::channel(64);
    let drain = tokio::spawn(async move { while inbox.recv().await.is_some() {} });
    let outcome = gateway.carry_out(confirmed, &out).await.remove(0);
    drop(out);
    drain.await.unwrap();
    outcome
}

/// Two control rooms of this host saw the same and confirm different writes at once: what came of
/// either, the one that won first.
pub async fn race(source: &Arc<dyn Source>, writes: [Write; 2]) -> ([Outcome; 2], Write) {
    let [one, other] = writes;
    let first = confirmed(&**source, one.clone()).await;
    let second = confirmed(&**source, other.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (a, b) = tokio::join!(pass(source, &first, path), pass(source, &second, path));
    if matches!(a, Outcome::Done { .. }) { ([a, b], one) } else { ([b, a], other) }
}

/// A proxy of its own in front of `to` (`host:port`), that can break what passes.
pub struct Breaker {
    name: String,
    pub port: u64,
}

impl Breaker {
    pub async fn new(name: &str, to: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let body = json!({ "name": name, "to": to });
        let (status, told) =
            post(&format!("{}/proxies", address("LAB_FAULTS_URL")), &[], &body).await;
        assert_eq!(status, 200, "{told}");
        Self { name, port: told["port"].as_u64().unwrap() }
    }

    /// Breaks one exchange in this way, after `skip` that pass.
    pub async fn breaks(&self, skip: u64, fault: &Value) {
        self.fault(skip, 1, fault).await;
    }

    /// Breaks every exchange in this way.
    pub async fn always(&self, fault: &Value) {
        self.fault(0, 1_000_000, fault).await;
    }

    async fn fault(&self, skip: u64, times: u64, fault: &Value) {
        let mut body = json!({ "name": self.name, "skip": skip, "times": times });
        body.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        let (status, told) =
            post(&format!("{}/fault", address("LAB_FAULTS_URL")), &[], &body).await;
        assert_eq!(status, 200, "{told}");
    }
}

/// The ways in which an answer is lost although the server did what it was told.
pub fn losses() -> [Value; 3] {
    [
        json!({ "kind": "reset", "bytes": 0 }),
        json!({ "kind": "truncate", "bytes": 0 }),
        // Longer than the deadline of these sources.
        json!({ "kind": "latency", "seconds": 3 }),
    ]
}

pub fn is_forbidden(fault: &Fault, wanted: &str) -> bool {
    matches!(&fault.kind, FaultKind::Forbidden { permission: Some(p) } if p.as_str() == wanted)
}
