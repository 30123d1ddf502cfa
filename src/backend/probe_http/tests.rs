//! Targets on loopback that answer well, badly, or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::backend::clock::WallClock;
use crate::backend::context::Meter;
use crate::backend::responder::{Reply, Responder, closed_port};
use crate::config::Config;
use crate::domain::change::{Change, ChangeKind};
use crate::domain::environment::Health;
use crate::domain::revision::Revision;

fn source(targets: &serde_json::Value) -> ProbeHttp {
    let settings = serde_json::from_value(json!({ "targets": targets })).unwrap();
    let mut config = Config::default();
    config.polling.deadline = "500ms".parse().unwrap();
    ProbeHttp::new(SourceId::new("web"), settings, &config.schedule("web")).unwrap()
}

async fn observe(source: &ProbeHttp) -> Observation {
    let context = ReadContext::new(Arc::new(WallClock), 1, Arc::new(Meter::new(60_000)));
    let scope = Scope { topic: Topic::Overview, items: Vec::new() };
    source.observe(&scope, &context).await.unwrap()
}

fn environments(answer: &Observation) -> Vec<&Environment> {
    let facts = answer.facts.iter();
    facts.filter_map(|f| if let Fact::Environment(e) = f { Some(e) } else { None }).collect()
}

fn changes(answer: &Observation) -> Vec<&Change> {
    let facts = answer.facts.iter();
    facts.filter_map(|f| if let Fact::Change(c) = f { Some(c) } else { None }).collect()
}

#[tokio::test]
async fn a_healthy_target_tells_status_latency_and_version() {
    let server = Responder::start(|_| {
        let body = br#"{"build":{"version":"v1\u001b[2J.4.2","number":17}}"#.to_vec();
        Reply::Http(200, vec![("X-Version", "header-9".to_owned())], body)
    })
    .await;
    let source = source(&json!([
        { "name": "a", "url": server.url, "version_pointer": "/build/version",
          "environment": "prod-eu", "production": true },
        { "name": "b", "url": server.url, "version_pointer": "/build/number" },
        { "name": "c", "url": server.url, "version_header": "x-version" },
        { "name": "d", "url": server.url, "version_pointer": "/none", "version_header": "x-none" },
    ]));
    let answer = observe(&source).await;
    let found = environments(&answer);
    let versions: Vec<_> =
        found.iter().map(|e| e.revision.as_ref().map(|r| r.id.as_str().to_owned())).collect();
    let expected = [Some("v1.4.2"), Some("17"), Some("header-9"), None];
    assert_eq!(versions, expected.map(|v| v.map(str::to_owned)));
    assert!(found.iter().all(|e| e.health == Health::Healthy && e.latency.is_some()));
    assert_eq!(found[0].name.as_str(), "prod-eu");
    assert_eq!(found[0].id.name.as_str(), "a");
    assert_eq!(found[0].production, Some(true));
    let summary = found[3].summary.as_ref().unwrap().as_str();
    assert_eq!(summary, "200 OK; no version at /none, no header x-none with the version");
    assert_eq!(answer.complete, [FactKind::Environments]);
}

#[tokio::test]
async fn one_that_is_asked_for_alone_is_read_alone_and_takes_no_change_from_the_others() {
    let count = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&count);
    let server = Responder::start(move |_| {
        let before = asked.fetch_add(1, Ordering::SeqCst);
        let version = if before < 2 { "r8" } else { "r9" };
        Reply::Http(200, vec![("X-Version", version.to_owned())], Vec::new())
    })
    .await;
    let target = |name| json!({ "name": name, "url": server.url, "version_header": "x-version" });
    let source = source(&json!([target("a"), target("b")]));
    observe(&source).await;
    let context = ReadContext::new(Arc::new(WallClock), 1, Arc::new(Meter::new(60_000)));
    let b = ItemId::Environment(EnvironmentId::new(&SourceId::new("web"), "b"));
    let scope = Scope { topic: Topic::Overview, items: vec![b.clone()] };
    let alone = source.observe(&scope, &context).await.unwrap();
    assert_eq!((count.load(Ordering::SeqCst), context.calls()), (3, 1));
    let found = environments(&alone);
    assert_eq!(found.iter().map(|e| e.id.name.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(found[0].revision, Some(Revision::of("r9")));
    assert_eq!((alone.complete.len(), changes(&alone).len()), (0, 0));
    let told = observe(&source).await;
    assert!(changes(&told).iter().any(|change| change.target == Some(b.clone())));
}

/// What a target does with a request, given half an answer.
type Answering = fn(Vec<u8>) -> Reply;

#[tokio::test]
async fn what_the_target_does_is_its_health() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec();
    let away = || vec![("Location", "http://other.invalid/".to_owned())];
    let cases: Vec<(Answering, &str)> = vec![
        (
            |_| Reply::Http(503, vec![], b"db \x1b[31mgone".to_vec()),
            "503 Service Unavailable; db gone; expected 200",
        ),
        (|_| Reply::Http(404, vec![], vec![]), "404 Not Found; expected 200"),
        (Reply::Raw, "closed the connection before it had answered"),
        (|_| Reply::Raw(b"220 smtp ready\r\n\r\n".to_vec()), "does not speak HTTP"),
        (|_| Reply::Hang, "no complete answer within 0.5 s"),
    ];
    for (reply, words) in cases {
        let cut = cut.clone();
        let server = Responder::start(move |_| reply(cut.clone())).await;
        let answer = observe(&source(&json!([{ "name": "a", "url": server.url }]))).await;
        let found = environments(&answer)[0];
        assert_eq!(found.health, Health::Unhealthy, "{words}");
        let summary = found.summary.as_ref().unwrap().as_str();
        assert!(summary.contains(words), "{summary}");
    }
    let server = Responder::start(move |_| Reply::Http(302, away(), vec![])).await;
    let targets = json!([
        { "name": "a", "url": server.url },
        { "name": "b", "url": server.url, "expect_status": [200, 302] },
        { "name": "c", "url": closed_port() },
    ]);
    let answer = observe(&source(&targets)).await;
    let shown: Vec<_> = environments(&answer)
        .iter()
        .map(|e| (e.health, e.summary.as_ref().unwrap().as_str().to_owned()))
        .collect();
    let moved = "302 Found; redirects to http://other.invalid/; expected 200";
    assert_eq!(shown[0], (Health::Unhealthy, moved.to_owned()));
    assert_eq!(shown[1], (Health::Healthy, "302 Found".to_owned()));
    assert_eq!(shown[2], (Health::Unhealthy, "connection refused".to_owned()));
    assert!(answer.faults.is_empty());
}

#[tokio::test]
async fn what_lies_between_makes_it_unknown_and_spoils_no_other() {
    let server = Responder::start(|asked| match asked.path.as_str() {
        "/401" => Reply::Http(401, vec![], vec![]),
        "/403" => Reply::Http(403, vec![], vec![]),
        "/429" => Reply::Http(429, vec![("Retry-After", "9".to_owned())], vec![]),
        _ => Reply::json("{}"),
    })
    .await;
    let at = |path: &str| format!("{}{path}", server.url);
    let plain_port = server.url.replace("http://", "https://");
    let answer = observe(&source(&json!([
        { "name": "fine", "url": at("/") },
        { "name": "dns", "url": "http://no-such-host.invalid/" },
        { "name": "tls", "url": plain_port },
        { "name": "401", "url": at("/401") },
        { "name": "403", "url": at("/403") },
        { "name": "429", "url": at("/429") },
        { "name": "401-expected", "url": at("/401"), "expect_status": [401] },
    ])))
    .await;
    let healthy: Vec<&str> = environments(&answer)
        .iter()
        .filter(|e| e.health == Health::Healthy)
        .map(|e| e.name.as_str())
        .collect();
    assert_eq!(healthy, ["fine", "401-expected"]);
    let faults: Vec<(&str, &str)> = answer
        .faults
        .iter()
        .map(|(item, fault)| (item.name().as_str(), fault.kind.word()))
        .collect();
    assert_eq!(
        faults,
        [
            ("dns", "unreachable"),
            ("tls", "unreachable"),
            ("401", "not authenticated"),
            ("403", "forbidden"),
            ("429", "throttled"),
        ]
    );
    assert!(answer.warnings.is_empty());
}

#[tokio::test]
async fn a_new_version_is_a_deploy_and_the_old_one_again_a_rollback() {
    let turn = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&turn);
    let server = Responder::start(move |_| {
        let versions = [Some("v1"), Some("v1"), None, Some("v2"), Some("v1"), Some("v2")];
        match versions[now.load(Ordering::SeqCst)] {
            Some(version) => Reply::json(&format!(r#"{{"v":"{version}"}}"#)),
            None => Reply::status(500, "{}"),
        }
    })
    .await;
    let source = source(&json!([
        { "name": "a", "url": server.url, "version_pointer": "/v", "environment": "prod" }
    ]));
    let mut seen = Vec::new();
    let mut since: Vec<bool> = Vec::new();
    for at in 0..6 {
        turn.store(at, Ordering::SeqCst);
        let answer = observe(&source).await;
        seen.push(changes(&answer).first().map(|c| (c.kind, c.title.as_str().to_owned())));
        since.push(environments(&answer)[0].since.is_some());
    }
    let deploy = (ChangeKind::Deploy, "prod runs v2, before v1".to_owned());
    let back = (ChangeKind::Rollback, "prod runs v1, before v2".to_owned());
    // The last switch is the second one to v2 within minutes: a roll-out with two versions.
    assert_eq!(seen, [None, None, None, Some(deploy), Some(back), None]);
    assert_eq!(since, [false, false, true, true, true, true]);
}

#[test]
fn the_same_change_has_the_same_id_and_flapping_is_told_again_later() {
    let mut history = History::default();
    let begin: Timestamp = "2024-05-01T10:00:00Z".parse().unwrap();
    let mut told = Vec::new();
    for minute in 0..24 {
        let mut environment = environment(if minute % 2 == 0 { "v1" } else { "v2" });
        let now = begin + jiff::SignedDuration::from_mins(minute);
        if let Some(change) = history.see(&mut environment, now) {
            told.push((minute, change.id.name.as_str().to_owned()));
        }
    }
    let minutes: Vec<i64> = told.iter().map(|(minute, _)| *minute).collect();
    assert_eq!(minutes, [1, 2, 11, 12, 21, 22]);
    assert_eq!(told[0].1, "a v2 2024-05-01T10:01:00Z");
}

fn environment(version: &str) -> Environment {
    let id = EnvironmentId::new(&SourceId::new("web"), "a");
    Environment {
        name: id.name.clone(),
        id,
        production: None,
        health: Health::Healthy,
        summary: None,
        revision: Some(Revision::of(version)),
        slots: Vec::new(),
        address: None,
        latency: None,
        tls_expires: None,
        since: None,
        link: None,
        tags: std::collections::BTreeMap::new(),
    }
}

#[test]
fn settings_without_a_target_are_refused_and_many_targets_get_their_time() {
    let schedule = Config::default().schedule("web");
    let none = serde_json::from_value(json!({ "targets": [] })).unwrap();
    assert!(ProbeHttp::new(SourceId::new("web"), none, &schedule).is_err());
    let many: Vec<_> =
        (0..240).map(|n| json!({ "name": n.to_string(), "url": "http://127.0.0.1:1" })).collect();
    let many = serde_json::from_value(json!({ "targets": many })).unwrap();
    let source = ProbeHttp::new(SourceId::new("web"), many, &schedule).unwrap();
    // 240 calls at 120 a minute.
    assert_eq!(source.cadence().overview, Duration::from_mins(2));
    assert!(source.cadence().deadline > Duration::from_mins(2));
}
