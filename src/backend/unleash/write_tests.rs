//! Writes against a loopback server in the shapes of Unleash 8.2.0: what is sent, what is refused.

use std::sync::Arc;

use serde_json::{Value, json};

use super::tests::{Bench, bench};
use super::*;
use crate::backend::responder::{Reply, Responder};
use crate::domain::fleet::Fleet;
use crate::domain::write::{
    Answers, FlagChange, Plan, PlanId, Step, Words, Write, confirm, expectation,
};

const FLAG: &str = "/api/admin/projects/default/features/tax";

/// A flag with these strategies in production.
fn flag(on: bool, strategies: &Value) -> Value {
    json!({
        "name": "tax", "stale": false, "archived": false, "type": "release",
        "environments": [{ "name": "production", "enabled": on, "strategies": strategies }],
    })
}

fn gradual() -> Value {
    json!([{
        "id": "s1", "name": "flexibleRollout", "title": null, "disabled": false,
        "parameters": { "rollout": "25", "stickiness": "userId", "groupId": "tax" },
        "constraints": [{ "contextName": "country", "operator": "IN", "values": ["be"], "new": 1 }],
        "segments": [3], "variants": [], "sortOrder": 0,
    }])
}

fn write(change: FlagChange) -> Write {
    let flag = FlagId::new(&SourceId::new("flags"), "default:tax");
    Write::Flag { flag, environment: "production".into(), change, strategy: None }
}

/// The order of `write`, after what is told now was seen.
async fn order(bench: &Bench, write: Write) -> Order {
    let mut seen = bench.read(Topic::Items, vec![write.target()]).await.unwrap();
    seen.epoch = 0;
    let mut fleet = Fleet::new([bench.source.meta()]);
    fleet.apply(seen);
    let step = Step {
        expects: expectation(&write, &fleet).unwrap(),
        write,
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
        name: "tax".into(),
        notes: Vec::new(),
        intent: serde_json::Value::Null,
    };
    let answers = Answers { go: true, ..Answers::default() };
    confirm(&plan, &answers, Timestamp::UNIX_EPOCH).unwrap().order(0).unwrap()
}

/// What was sent as a write: method, path, body.
type Sent = Vec<(String, String, Value)>;

/// Submits `change` to a server that tells `flag` and answers writes with `reply`.
async fn submit(
    flag: Value,
    reply: impl Fn() -> Reply + Send + Sync + 'static,
    change: FlagChange,
) -> (Result<Receipt, Fault>, Sent) {
    let server = Responder::start(move |asked| match asked.method.as_str() {
        "GET" if asked.path == FLAG => Reply::json(&flag.to_string()),
        "GET" => Reply::json("<html>sign in</html>"),
        _ => reply(),
    })
    .await;
    let bench = bench(&server.url, &json!({}));
    let order = order(&bench, write(change)).await;
    let outcome = bench.source.submit(&order, &bench.context).await;
    let sent = server.asked().into_iter().filter(|asked| asked.method != "GET").map(|asked| {
        (asked.method, asked.path, serde_json::from_str(&asked.body).unwrap_or_default())
    });
    (outcome, sent.collect())
}

#[tokio::test]
async fn a_share_goes_out_with_everything_that_was_read_as_its_condition() {
    let change = FlagChange::Percent { percent: 50.0 };
    let (outcome, sent) = submit(flag(true, &gradual()), || Reply::json("{}"), change).await;
    assert!(outcome.unwrap().note.unwrap().as_str().contains("production gives 50%"));
    let strategy = &gradual()[0];
    let test = |member: &str| json!({ "op": "test", "path": format!("/{member}"), "value": strategy[member] });
    let patch = json!([
        test("name"),
        test("parameters"),
        test("constraints"),
        test("segments"),
        test("disabled"),
        { "op": "add", "path": "/parameters/rollout", "value": "50" },
    ]);
    let path = format!("{FLAG}/environments/production/strategies/s1");
    assert_eq!(sent, [("PATCH".to_owned(), path, patch)]);
}

#[tokio::test]
async fn switches_and_marks_go_out_once() {
    let on = FlagChange::Enabled { on: true };
    let (outcome, sent) = submit(flag(false, &json!([])), || Reply::json(""), on).await;
    assert!(outcome.unwrap().note.unwrap().as_str().contains("it had no strategy"));
    let path = format!("{FLAG}/environments/production/on");
    assert_eq!(sent, [("POST".to_owned(), path, json!({}))]);

    let mark = FlagChange::Stale { stale: true };
    let (outcome, sent) = submit(flag(false, &gradual()), || Reply::json("{}"), mark).await;
    outcome.unwrap();
    let patch = json!([
        { "op": "test", "path": "/stale", "value": false },
        { "op": "replace", "path": "/stale", "value": true },
    ]);
    assert_eq!(sent, [("PATCH".to_owned(), FLAG.to_owned(), patch)]);
}

#[tokio::test]
async fn what_cannot_be_is_not_sent() {
    let off = |strategies: &Value| flag(false, strategies);
    let default = json!([{ "id": "s1", "name": "default" }]);
    let disabled = json!([{ "id": "s1", "name": "default", "disabled": true }]);
    let nameless = json!([{ "name": "flexibleRollout", "parameters": { "rollout": "5" } }]);
    let attribute = FlagChange::Attribute { name: "size".into(), value: "1".into() };
    let half = FlagChange::Percent { percent: 50.0 };
    for (flag, change, why) in [
        (off(&disabled), FlagChange::Enabled { on: true }, "one for everybody"),
        (off(&default), half.clone(), "0 gradual roll-outs"),
        (off(&nameless), half, "without its id"),
        (off(&gradual()), FlagChange::Percent { percent: 0.5 }, "whole number"),
        (off(&gradual()), attribute, "variants instead"),
    ] {
        let (outcome, sent) = submit(flag, || Reply::json("{}"), change).await;
        let fault = outcome.unwrap_err();
        assert_eq!(fault.kind, FaultKind::InvalidRequest);
        assert!(fault.message.as_str().contains(why), "{fault}");
        assert_eq!(sent, []);
    }
    let off = FlagChange::Enabled { on: false };
    let (outcome, sent) = submit(flag(false, &gradual()), || Reply::json("{}"), off).await;
    assert!(outcome.unwrap().note.unwrap().as_str().contains("nothing was sent"));
    assert_eq!(sent, []);
}

#[tokio::test]
async fn every_answer_is_what_it_means() {
    let refused = |permissions: &str, message: &str| {
        format!(r#"{{"name":"PermissionError","message":"{message}"{permissions}}}"#)
    };
    let forbidden = |name: &str| FaultKind::Forbidden { permission: Some(name.into()) };
    let listed = refused(r#","permissions":["A_B","ADMIN"]"#, "no");
    let quoted = refused("", r#"you need the \"UPDATE_FEATURE\" permission."#);
    let skip = refused(r#","permissions":["SKIP_CHANGE_REQUEST"]"#, "no");
    let moved = r#"{"message":"Test operation failed\nname: TEST_OPERATION_FAILED\nindex: 0"}"#;
    for (status, body, kind, hint) in [
        (403, listed, forbidden("A_B or ADMIN"), "a role with A_B or ADMIN"),
        (403, quoted, forbidden("UPDATE_FEATURE"), "a role with UPDATE_FEATURE"),
        (403, skip, forbidden("SKIP_CHANGE_REQUEST"), "/projects/default/features/tax"),
        (403, String::new(), FaultKind::Forbidden { permission: None }, "the token of somebody"),
        (401, "{}".to_owned(), FaultKind::NotAuthenticated, "renew"),
        (404, "{}".to_owned(), FaultKind::NotFound, ""),
        (409, "{}".to_owned(), FaultKind::Conflict, ""),
        (400, "{}".to_owned(), FaultKind::InvalidRequest, ""),
        (500, moved.to_owned(), FaultKind::Conflict, ""),
        (500, "{}".to_owned(), FaultKind::OutcomeUnknown, "read"),
        (408, String::new(), FaultKind::OutcomeUnknown, "read"),
        (504, String::new(), FaultKind::OutcomeUnknown, "read"),
    ] {
        let said = body.clone();
        let change = FlagChange::Percent { percent: 50.0 };
        let reply = move || Reply::status(status, &said);
        let (outcome, sent) = submit(flag(true, &gradual()), reply, change).await;
        let fault = outcome.unwrap_err();
        assert_eq!(fault.kind, kind, "{status} {body}: {fault}");
        assert!(fault.hint.as_str().contains(hint), "{status} {body}: {}", fault.hint);
        assert_eq!(sent.len(), 1, "{status}: {sent:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_or_a_page_to_sign_in_is_no_success() {
    let replies: [fn() -> Reply; 4] = [
        || Reply::Hang,
        || Reply::Raw(Vec::new()),
        || Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec()),
        || Reply::Http(302, vec![("Location", "/login".to_owned())], Vec::new()),
    ];
    for reply in replies {
        let on = FlagChange::Enabled { on: true };
        let (outcome, sent) = submit(flag(false, &gradual()), reply, on).await;
        assert_eq!(outcome.unwrap_err().kind, FaultKind::OutcomeUnknown);
        assert_eq!(sent.len(), 1, "{sent:?}");
    }
}

#[tokio::test]
async fn what_moved_is_refused_and_named() {
    let state = Arc::new(Mutex::new(flag(true, &gradual())));
    let told = Arc::clone(&state);
    let server = Responder::start(move |_| Reply::json(&told.lock().unwrap().to_string())).await;
    let bench = bench(&server.url, &json!({}));
    let order = order(&bench, write(FlagChange::Percent { percent: 50.0 })).await;
    for (pointer, value, what) in [
        ("/environments/0/enabled", json!(false), "state was on, is off"),
        ("/environments/0/strategies/0/parameters/rollout", json!("26"), "rules was 25%"),
        ("/environments/0/strategies/0/segments", json!([]), "rules was 25%"),
        // Not in words, but another strategy all the same.
        ("/environments/0/strategies/0/parameters/groupId", json!("x"), "version was"),
        ("/environments/0/strategies/0/id", json!("s2"), "version was"),
        ("/stale", json!(true), "stale was"),
    ] {
        let before = state.lock().unwrap().clone();
        *state.lock().unwrap().pointer_mut(pointer).unwrap() = value;
        let fault = bench.source.submit(&order, &bench.context).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Conflict, "{pointer}");
        assert!(fault.message.as_str().contains(what), "{pointer}: {fault}");
        *state.lock().unwrap() = before;
    }
    assert!(server.asked().iter().all(|asked| asked.method == "GET"));
}
