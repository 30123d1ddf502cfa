//! The faults: where each strikes, and what has to be told of it.

use flightdeck::backend::context::ReadContext;
use flightdeck::domain::observation::{Scope, Topic};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::hands::context;
use crate::kinds::{KINDS, Kind, Scene};
use crate::table::{How, Target, Told, play};

/// `fault`, for requests whose head is of this form.
fn on(pattern: &str, mut fault: Value) -> Value {
    fault["match"] = json!(pattern);
    fault
}

/// What the proxy says, with the name that AWS gives it.
fn says(status: u16, error: &str) -> Value {
    json!({ "kind": "status", "status": status, "error": error })
}

fn after(status: u16) -> Value {
    json!({ "kind": "status", "status": status, "after": true })
}

fn reset() -> Value {
    json!({ "kind": "reset", "bytes": 0 })
}

fn hang() -> Value {
    json!({ "kind": "hang" })
}

/// `reads` are the calls by which the gateway looks once.
fn rows(kind: Kind, reads: u64) -> Vec<(How, Told)> {
    let sent = |fault| How::Way(0, on(kind.request(), fault));
    let mut rows = vec![
        (sent(reset()), Told::Found),
        (sent(json!({ "kind": "truncate", "bytes": 0 })), Told::Found),
        // Longer than the deadline.
        (sent(json!({ "kind": "latency", "seconds": 6 })), Told::Found),
        (sent(hang()), Told::Unknown),
        (sent(json!({ "kind": "garbage" })), Told::NotDone),
        (sent(says(429, "ThrottlingException")), Told::Failed("throttled")),
        (sent(after(429)), Told::Found),
        (sent(says(403, "ExpiredTokenException")), Told::Failed("not authenticated")),
        (sent(says(403, "AccessDeniedException")), Told::Failed("forbidden")),
        (How::Moved, Told::Difference),
    ];
    for failing in [500, 502, 503, 504] {
        rows.push((sent(says(failing, "InternalServerException")), Told::Unknown));
        rows.push((sent(after(failing)), Told::Found));
    }
    // The first look is the gateway's, the second the source's own.
    for (fault, told) in [
        (reset(), Told::Failed("failed")),
        (hang(), Told::Failed("no answer in time")),
        (says(429, "ThrottlingException"), Told::Failed("throttled")),
        (says(403, "ExpiredTokenException"), Told::Failed("not authenticated")),
        (says(503, "ServiceUnavailable"), Told::Failed("server error")),
    ] {
        rows.push((How::Way(0, on("^GET ", fault.clone())), Told::Refused));
        rows.push((How::Way(reads, on("^GET ", fault)), told));
    }
    if kind.deploys() {
        // A version that nobody gets.
        let made = |fault| How::Way(0, on("^POST \\S+/hostedconfigurationversions ", fault));
        let nobody = Told::Failed("nothing was deployed");
        for fault in [
            reset(),
            hang(),
            json!({ "kind": "latency", "seconds": 6 }),
            says(503, "ServiceUnavailable"),
            after(503),
            says(429, "ThrottlingException"),
            says(403, "ExpiredTokenException"),
        ] {
            rows.push((made(fault), nobody));
        }
    }
    rows
}

/// How many calls the gateway's look at the target takes.
async fn look(scene: &Scene) -> u64 {
    let [_, through] = scene.sources();
    let scope = Scope { topic: Topic::Overview, items: vec![scene.write().target()] };
    let context: ReadContext = context();
    through.observe(&scope, &context).await.unwrap();
    context.calls()
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn every_kind_of_write_to_a_flag_under_every_fault() {
    let all = KINDS.map(async |kind| {
        let scene = Scene::new(kind, "table").await;
        let rows = rows(kind, look(&scene).await);
        let wrong = play(&scene, &rows).await;
        scene.close().await;
        wrong
    });
    let wrong = join_all(all).await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
