//! Unleash against a loopback server that replays what Unleash 7.5.1 and 8.2.0 answered.
//!
//! The files under `tests/unleash` are captured answers of both versions to the adapter's own
//! questions, without pictures and feature switches.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex as StdMutex};

use serde_json::{Value, json};

use super::*;
use crate::backend::clock::Clock;
use crate::backend::context::Meter;
use crate::backend::responder::{Reply, Responder};
use crate::config::Config;
use crate::domain::change::ChangeKind;
use crate::domain::flag::FlagState;
use crate::domain::text::SafeText;

const NOW: i64 = 1_795_442_400;

macro_rules! captured {
    ($version:literal, $name:literal) => {
        include_str!(concat!("../../../tests/unleash/", $version, "/", $name, ".json"))
    };
}

macro_rules! world {
    ($version:literal) => {
        World::new([
            ("/api/admin/projects", captured!($version, "projects")),
            ("/api/admin/projects/default/features", captured!($version, "features")),
            ("/api/admin/projects/default/features/new-tax", captured!($version, "new-tax")),
            ("/api/admin/projects/default/features/dark.mode", captured!($version, "dark.mode")),
            ("/api/admin/projects/default/features/old-cart", captured!($version, "old-cart")),
            ("/api/admin/search/events", captured!($version, "events")),
            ("/api/admin/segments", captured!($version, "segments")),
            ("/api/admin/user", captured!($version, "user")),
            ("/api/admin/ui-config", captured!($version, "ui-config")),
        ])
    };
}

#[path = "odd_tests.rs"]
mod odd;

/// What the server answers, by path; anything else is not found.
#[derive(Clone)]
struct World(Arc<StdMutex<BTreeMap<String, (u16, String)>>>);

impl World {
    fn new<const N: usize>(answers: [(&str, &str); N]) -> Self {
        let answers = answers.map(|(path, body)| (path.to_owned(), (200, body.to_owned())));
        Self(Arc::new(StdMutex::new(answers.into())))
    }

    fn set(&self, path: &str, status: u16, body: &str) {
        self.0.lock().unwrap().insert(format!("/api/admin/{path}"), (status, body.to_owned()));
    }

    /// Alters the JSON that `path` answers.
    fn alter(&self, path: &str, alter: impl FnOnce(&mut Value)) {
        let mut answers = self.0.lock().unwrap();
        let body = &mut answers.get_mut(&format!("/api/admin/{path}")).unwrap().1;
        let mut value: Value = serde_json::from_str(body).unwrap();
        alter(&mut value);
        *body = value.to_string();
    }

    /// Puts an entry on top of the event log.
    fn log(&self, id: u64, kind: &str, flag: &str) {
        let entry = json!({
            "id": id, "type": kind, "createdBy": "dana", "createdAt": "2026-11-23T13:50:00.000Z",
            "data": null, "preData": null, "featureName": flag, "project": "default",
            "environment": "production", "label": "Something",
        });
        self.alter("search/events", |log| log["events"].as_array_mut().unwrap().insert(0, entry));
    }

    async fn serve(&self) -> Responder {
        let answers = Arc::clone(&self.0);
        Responder::start(move |asked| {
            let answers = answers.lock().unwrap();
            match answers.get(&asked.path) {
                Some((status, body)) => Reply::status(*status, body),
                None => Reply::status(404, r#"{"name":"NotFoundError","message":"none"}"#),
            }
        })
        .await
    }
}

pub(super) struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

pub(super) struct Bench {
    pub(super) source: Unleash,
    clock: Arc<Hand>,
    pub(super) context: ReadContext,
    meter: Arc<Meter>,
    /// Where the token is kept.
    _folder: tempfile::TempDir,
}

pub(super) fn bench(url: &str, more: &Value) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "*:*.adm1n").unwrap();
    let mut settings = json!({ "url": url, "token": { "file": token } });
    for (key, value) in more.as_object().unwrap() {
        settings[key] = value.clone();
    }
    let mut config = Config::default();
    config.polling.deadline = "500ms".parse().unwrap();
    let settings = serde_json::from_value(settings).unwrap();
    let source = Unleash::new(SourceId::new("flags"), settings, &config.schedule("flags"));
    let clock = Arc::new(Hand(AtomicI64::new(NOW)));
    let shared: Arc<dyn Clock> = clock.clone();
    let meter = Arc::new(Meter::new(60_000));
    let context = ReadContext::new(shared, 3, Arc::clone(&meter));
    Bench { source, clock, context, meter, _folder: folder }
}

impl Bench {
    pub(super) async fn read(
        &self,
        topic: Topic,
        items: Vec<ItemId>,
    ) -> Result<Observation, Fault> {
        self.source.observe(&Scope { topic, items }, &self.context).await
    }

    async fn overview(&self) -> Observation {
        self.read(Topic::Overview, Vec::new()).await.unwrap()
    }

    /// Reads everything that the overview found, one by one.
    async fn all(&self) -> Observation {
        let items = self.overview().await.items.unwrap();
        self.read(Topic::Items, items).await.unwrap()
    }

    fn later(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

fn flags(answer: &Observation) -> BTreeMap<&str, &Flag> {
    let facts = answer.facts.iter();
    let flags = facts.filter_map(|f| if let Fact::Flag(flag) = f { Some(flag) } else { None });
    flags.map(|flag| (flag.key.as_str(), flag)).collect()
}

fn changes(answer: &Observation) -> Vec<&Change> {
    let facts = answer.facts.iter();
    facts.filter_map(|f| if let Fact::Change(change) = f { Some(change) } else { None }).collect()
}

fn rules(state: &FlagState) -> Vec<&str> {
    state.rules.iter().map(SafeText::as_str).collect()
}

#[tokio::test]
async fn flags_of_both_versions_are_told_whole() {
    for (world, version) in [(world!("v7"), "7.5.1"), (world!("v8"), "8.2.0")] {
        let server = world.serve().await;
        let bench = bench(&server.url, &json!({}));
        let first = bench.overview().await;
        let who = format!("admin token init (Unleash Open Source {version})");
        assert_eq!(first.identity.as_ref().unwrap().as_str(), who);
        assert_eq!(first.complete, [FactKind::Flags]);
        assert!(first.warnings.is_empty(), "{:?}", first.warnings);
        let bare = flags(&first)["new-tax"].environment("production").unwrap();
        assert_eq!((bare.enabled, bare.percent, rules(bare).len()), (Some(true), None, 0));
        assert_eq!(flags(&first)["new-tax"].tags[&"simple".into()].as_str(), "checkout");

        let items = first.items.clone().unwrap();
        let ours = ["new-tax", "dark.mode", "old-cart"].map(|key| format!("default:{key}"));
        let ours = items.iter().filter(|id| ours.iter().any(|name| id.name() == name.as_str()));
        let read = bench.read(Topic::Items, ours.cloned().collect()).await.unwrap();
        assert!(read.faults.is_empty());
        let told = flags(&read);
        let new_tax = told["new-tax"].environment("production").unwrap();
        assert_eq!(new_tax.percent, Some(10.0));
        let first_rule = "EU first: 40% by userId where country in DE, FR; \
                          not appVersion > 1.2.3; segment beta-people";
        assert_eq!(rules(new_tax), [first_rule, "10%"]);
        assert_eq!(new_tax.by.as_ref().unwrap().as_str(), "init");
        assert!(new_tax.last_seen.is_some());
        let dark = told["dark.mode"].environment("development").unwrap();
        assert_eq!((dark.enabled, dark.percent), (Some(false), Some(50.0)));
        let variants: Vec<_> =
            dark.attributes.iter().map(|(name, value)| format!("{name} {value}")).collect();
        assert_eq!(variants, ["blue 25% = #00f", "green 75%"]);
        assert_eq!(told["old-cart"].stale.as_ref().unwrap().as_str(), "stale");
        assert_eq!(told["old-cart"].kind.as_ref().unwrap().as_str(), "kill-switch");
        let link = format!("{}/projects/default/features/old-cart", server.url);
        assert_eq!(told["old-cart"].link.as_ref().unwrap().as_str(), link);

        let shown = serde_json::to_string(&(first, read)).unwrap();
        assert!(!shown.contains("adm1n"), "the token is told with the user, and not shown");
        assert_eq!(bench.meter.calls(), 9, "6 for the overview, 3 for the flags");
        assert_eq!(server.asked().len(), 9);
        assert!(server.asked().iter().all(|asked| asked.headers["authorization"] == "*:*.adm1n"));
    }
}

#[tokio::test]
async fn the_event_log_confirms_what_was_read_and_names_what_moved() {
    let world = world!("v7");
    let server = world.serve().await;
    let bench = bench(&server.url, &json!({}));
    bench.all().await;
    let calls = bench.meter.calls();
    bench.later(60);
    let quiet = bench.overview().await;
    let told = flags(&quiet);
    assert_eq!(told["new-tax"].environment("production").unwrap().rules.len(), 2);
    assert!(!told.contains_key("alldis") || told["alldis"].environments[0].rules.is_empty());
    assert!(changes(&quiet).is_empty());
    assert_eq!(bench.meter.calls() - calls, 3, "projects, one listing, the log");

    world.log(900, "feature-environment-disabled", "new-tax");
    world.alter("projects/default/features/new-tax", |flag| {
        flag["environments"][1]["enabled"] = json!(false);
    });
    bench.later(60);
    let moved = bench.overview().await;
    let state = flags(&moved)["new-tax"].environment("production").unwrap();
    assert_eq!((state.enabled, state.rules.len()), (Some(false), 2));
    assert_eq!(state.by.as_ref().unwrap().as_str(), "dana");
    let change = changes(&moved)[0];
    assert_eq!(
        (change.title.as_str(), change.kind),
        ("new-tax off in production", ChangeKind::Flag)
    );
    assert_eq!(change.target, Some(ItemId::Flag(flags(&moved)["new-tax"].id.clone())));

    // A listing that contradicts is enough, even where the log says nothing.
    world.alter("projects/default/features", |listing| {
        listing["features"][0]["environments"][1]["enabled"] = json!(true);
    });
    world.alter("projects/default/features", |listing| {
        listing["features"][0]["stale"] = json!(true);
    });
    world.alter("projects/default/features/new-tax", |flag| flag["stale"] = json!(true));
    let stale = bench.overview().await;
    assert_eq!(flags(&stale)["new-tax"].stale.as_ref().unwrap().as_str(), "stale");
    assert!(changes(&stale).is_empty());
}

#[tokio::test]
async fn a_read_that_is_dropped_loses_nothing() {
    let world = world!("v8");
    let server = world.serve().await;
    let bench = bench(&server.url, &json!({}));
    bench.all().await;
    world.log(900, "feature-strategy-update", "new-tax");
    world.set("projects/default/features/new-tax", 503, "later");
    let failed = bench.overview().await;
    let (item, fault) = &failed.faults[0];
    assert_eq!((item.name().as_str(), &fault.kind), ("default:new-tax", &FaultKind::ServerError));
    assert!(!flags(&failed).contains_key("new-tax"), "nobody knows what it is like now");
    world.set("projects/default/features/new-tax", 200, captured!("v8", "new-tax"));
    let healed = bench.overview().await;
    assert_eq!(flags(&healed)["new-tax"].environment("production").unwrap().rules.len(), 2);
}

#[tokio::test]
async fn without_the_event_log_only_reads_confirm() {
    let world = world!("v7");
    let server = world.serve().await;
    let bench = bench(&server.url, &json!({}));
    bench.all().await;
    let denied = r#"{"name":"PermissionError","message":"you need the \"READ_LOGS\" permission"}"#;
    world.set("search/events", 403, denied);
    let answer = bench.overview().await;
    assert!(!flags(&answer).contains_key("new-tax"));
    assert_eq!(answer.complete, [FactKind::Flags]);
    assert!(answer.warnings[0].as_str().starts_with("event log, so that"), "{:?}", answer.warnings);
    let fault = bench.read(Topic::Changes, Vec::new()).await.unwrap_err();
    assert!(matches!(fault.kind, FaultKind::Forbidden { .. }));
}

#[tokio::test]
async fn changes_say_what_when_and_by_whom() {
    let world = world!("v7");
    let server = world.serve().await;
    let bench = bench(&server.url, &json!({}));
    let answer = bench.read(Topic::Changes, Vec::new()).await.unwrap();
    let told = changes(&answer);
    let titles: Vec<_> = told.iter().map(|c| c.title.as_str()).collect();
    for title in [
        "new-tax 10%, before 5% in production",
        "new-tax strategy update in production",
        "user created: Vera V",
        "old-cart off in production",
        "alldis 100% added in development",
        "dead archived",
        "old-cart marked stale",
    ] {
        assert!(titles.contains(&title), "{title}: {titles:?}");
    }
    assert!(!titles.iter().any(|title| title.contains("application")), "{titles:?}");
    let user = told.iter().find(|c| c.title == *"user created: Vera V").unwrap();
    assert_eq!((user.kind, user.who.as_ref().unwrap().as_str()), (ChangeKind::Config, "admin"));
    assert_eq!(user.at.to_string(), "2026-11-23T13:42:51.066Z");
    let ids: std::collections::BTreeSet<_> = told.iter().map(|c| &c.id).collect();
    assert_eq!(ids.len(), told.len());
    assert_eq!(server.asked()[0].query["limit"], "200");
}

#[tokio::test]
async fn the_log_is_read_back_page_by_page_and_later_only_what_is_new() {
    let world = world!("v7");
    let page = |from: u64| -> Vec<Value> {
        let entry = |id| {
            json!({ "id": id, "type": "feature-created", "createdBy": "init", "project": "default",
                    "createdAt": "2026-11-23T13:42:51.066Z", "featureName": format!("f{id}") })
        };
        (0..200).map(|n| entry(from - n)).collect()
    };
    let paged = page(1000);
    let server = Responder::start({
        let answers = Arc::clone(&world.0);
        move |asked| {
            if asked.path != "/api/admin/search/events" {
                return Reply::json(&answers.lock().unwrap()[&asked.path].1);
            }
            let offset: u64 = asked.query["offset"].parse().unwrap();
            let events = if offset == 0 { paged.clone() } else { page(1000 - offset) };
            let events = if offset >= 400 { events[..10].to_vec() } else { events };
            Reply::json(&json!({ "events": events }).to_string())
        }
    })
    .await;
    let bench = bench(&server.url, &json!({}));
    let first = bench.read(Topic::Changes, Vec::new()).await.unwrap();
    assert_eq!(changes(&first).len(), 410);
    assert_eq!(bench.meter.calls(), 3);
    let second = bench.read(Topic::Changes, Vec::new()).await.unwrap();
    assert_eq!(bench.meter.calls(), 4);
    assert_eq!(changes(&second).len(), 50, "late entries may still appear among the newest");
}

#[tokio::test]
async fn an_unreadable_project_is_a_fault_of_its_flags_alone() {
    let world = world!("v8");
    world.alter("projects", |all| {
        let projects = all["projects"].as_array_mut().unwrap();
        projects.push(json!({ "id": "secret" }));
    });
    world.set("projects/secret/features", 200, r#"{"features":[{"name":"x","environments":[]}]}"#);
    let server = world.serve().await;
    let bench = bench(&server.url, &json!({}));
    let whole = bench.overview().await;
    assert_eq!(whole.complete, [FactKind::Flags]);
    world.set("projects/secret/features", 403, r#"{"message":"no"}"#);
    let answer = bench.overview().await;
    assert!(answer.complete.is_empty());
    let (item, fault) = &answer.faults[0];
    assert_eq!((answer.faults.len(), item.name().as_str()), (1, "secret:x"));
    assert!(matches!(fault.kind, FaultKind::Forbidden { .. }));
    assert!(flags(&answer).contains_key("new-tax") && !flags(&answer).contains_key("x"));
    assert_eq!(answer.items.unwrap().len(), whole.items.unwrap().len());
    world.set("projects/default/features", 403, r#"{"message":"no"}"#);
    let fault = bench.read(Topic::Overview, Vec::new()).await.unwrap_err();
    assert!(matches!(fault.kind, FaultKind::Forbidden { .. }));
}

#[tokio::test]
async fn an_odd_entry_spoils_no_other_and_one_that_is_gone_is_gone() {
    let world = world!("v8");
    world.alter("projects/default/features", |listing| {
        listing["features"][1]["environments"] = json!("none");
        listing["features"].as_array_mut().unwrap().push(json!(7));
    });
    let server = world.serve().await;
    let bench = bench(&server.url, &json!({}));
    let answer = bench.overview().await;
    let (item, fault) = &answer.faults[0];
    assert_eq!(
        (item.name().as_str(), &fault.kind),
        ("default:dark.mode", &FaultKind::InvalidReply)
    );
    assert!(flags(&answer).contains_key("new-tax"));
    assert_eq!(answer.warnings[0].as_str(), "project default: 1 flags without a name");
    assert!(answer.complete.is_empty());
    let gone = FlagId::new(&bench.source.meta.id, "default:dead");
    let read = bench.read(Topic::Items, vec![ItemId::Flag(gone)]).await.unwrap();
    assert_eq!(read.faults[0].1.kind, FaultKind::NotFound);
}

#[tokio::test]
async fn only_what_is_configured_is_read() {
    let world = world!("v7");
    let server = world.serve().await;
    let bench = bench(
        &server.url,
        &json!({ "projects": ["def*", "shop"], "environments": ["production"] }),
    );
    let answer = bench.overview().await;
    assert_eq!(answer.warnings[0].as_str(), "no project matches shop");
    for flag in flags(&answer).values() {
        let names: Vec<_> = flag.environments.iter().map(|e| e.environment.as_str()).collect();
        assert_eq!(names, ["production"]);
    }
    let log = bench.read(Topic::Changes, Vec::new()).await.unwrap();
    assert!(!changes(&log).iter().any(|c| c.title.as_str().contains("development")));
}

#[tokio::test]
async fn failures_are_what_they_are() {
    let cases = [
        (401, "{}", FaultKind::NotAuthenticated),
        (503, "oops", FaultKind::ServerError),
        (200, "<html>", FaultKind::InvalidReply),
        (200, "", FaultKind::InvalidReply),
        (200, r#"{"projects":null}"#, FaultKind::InvalidReply),
    ];
    for (status, body, kind) in cases {
        let world = world!("v8");
        world.set("projects", status, body);
        let server = world.serve().await;
        let fault = bench(&server.url, &json!({})).read(Topic::Overview, vec![]).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{status} {body}");
    }
    let server =
        Responder::start(|_| Reply::Http(429, vec![("Retry-After", "30".to_owned())], Vec::new()))
            .await;
    let bench = bench(&server.url, &json!({}));
    let item = FlagId::new(&bench.source.meta.id, "default:x");
    for (topic, items) in [
        (Topic::Overview, vec![]),
        (Topic::Changes, vec![]),
        (Topic::Items, vec![ItemId::Flag(item)]),
    ] {
        let FaultKind::Throttled { until } = bench.read(topic, items).await.unwrap_err().kind
        else {
            panic!("{topic:?} is not throttled");
        };
        assert_eq!(until.unwrap().as_second(), NOW + 30);
    }
}
