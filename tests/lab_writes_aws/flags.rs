//! Flags of `AppConfig`: a version of the raw document, a deployment, its way back.

use std::sync::Arc;

use flightdeck::backend::Source;
use flightdeck::backend::aws::{AppConfig, Sessions};
use flightdeck::backend::clock::WallClock;
use flightdeck::backend::context::{Meter, ReadContext};
use flightdeck::config::sources::{AppConfigSource, AwsAccess};
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::fact::Fact;
use flightdeck::domain::flag::FlagState;
use flightdeck::domain::ids::{FlagId, ItemId, SourceId};
use flightdeck::domain::observation::{Scope, Topic};
use flightdeck::domain::write::{FlagChange, Outcome, Write, inverse, words};
use serde_json::{Value, json};

use crate::hands::{Breaker, carry_out, confirmed, context, losses, read, submit, submit_seen};
use crate::lab::address;
use crate::pipes::schedule;

/// What is deployed at first; it holds members that nobody knows.
const DOCUMENT: &str = r#"{
  "version": "1", "_ours": {"big": 12345678901234567890.10, "z": 1, "a": 2},
  "flags": {"tax": {"name": "Tax", "attributes": {"rate": {"constraints": {"type": "number"}}}},
            "cart": {"name": "Cart"}},
  "values": {"tax": {"enabled": true, "rate": 5}, "cart": {"enabled": false}}
}"#;

/// An application of one test's own in the emulator.
struct Shop {
    name: String,
    id: String,
    profile: String,
    environment: String,
    keys: tempfile::TempDir,
}

async fn call(method: reqwest::Method, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
    let url = format!("{}{path}", address("LAB_AWS_URL"));
    let key = "AWS4-HMAC-SHA256 Credential=LABALICE/20260101/eu-west-1/appconfig/aws4_request";
    let request = reqwest::Client::new().request(method, url).body(body);
    let request = request.header("authorization", key).header("content-type", "application/json");
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

async fn post(path: &str, body: &Value) -> Value {
    let (status, answer) = call(reqwest::Method::POST, path, body.to_string().into_bytes()).await;
    assert_eq!(status, 201, "{path}: {}", String::from_utf8_lossy(&answer));
    serde_json::from_slice(&answer).unwrap()
}

/// The id of the strategy of this name.
async fn strategy_id(name: &str) -> Option<String> {
    let (_, all) = call(reqwest::Method::GET, "/deploymentstrategies", Vec::new()).await;
    let all: Value = serde_json::from_slice(&all).unwrap();
    let found = all["Items"].as_array().unwrap().iter().find(|strategy| strategy["Name"] == name);
    Some(found?["Id"].as_str().unwrap().to_owned())
}

impl Shop {
    async fn new(name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let id = |made: Value| made["Id"].as_str().unwrap().to_owned();
        let shop = id(post("/applications", &json!({ "Name": name })).await);
        let path = format!("/applications/{shop}");
        let environment =
            id(post(&format!("{path}/environments"), &json!({ "Name": "production" })).await);
        let profile = json!({
            "Name": "flags", "LocationUri": "hosted", "Type": "AWS.AppConfig.FeatureFlags"
        });
        let profile = id(post(&format!("{path}/configurationprofiles"), &profile).await);
        for (strategy, minutes, bake) in [("at-once", 0, 0), ("slowly", 60, 30)] {
            // The emulator lists the first fifty only: they are shared.
            if strategy_id(strategy).await.is_some() {
                continue;
            }
            let body = json!({
                "Name": strategy, "DeploymentDurationInMinutes": minutes,
                "GrowthFactor": if minutes == 0 { 100.0 } else { 10.0 },
                "FinalBakeTimeInMinutes": bake, "ReplicateTo": "NONE"
            });
            post("/deploymentstrategies", &body).await;
        }
        let keys = tempfile::tempdir().unwrap();
        let lab = "[lab]\naws_access_key_id = LABALICE\naws_secret_access_key = lab\n";
        std::fs::write(keys.path().join("credentials"), lab).unwrap();
        let config = "[profile lab]\nregion = eu-west-1\n";
        std::fs::write(keys.path().join("config"), config).unwrap();
        let shop = Self { name, id: shop, profile, environment, keys };
        let first = shop.version(DOCUMENT).await;
        shop.deploy(first, "at-once").await;
        shop
    }

    async fn version(&self, text: &str) -> i64 {
        let path = format!(
            "/applications/{}/configurationprofiles/{}/hostedconfigurationversions",
            self.id, self.profile
        );
        let before = self.versions().await;
        let (status, _) = call(reqwest::Method::POST, &path, text.as_bytes().to_vec()).await;
        assert_eq!(status, 201);
        before + 1
    }

    /// How many versions there are.
    async fn versions(&self) -> i64 {
        let path = format!(
            "/applications/{}/configurationprofiles/{}/hostedconfigurationversions",
            self.id, self.profile
        );
        let (_, answer) = call(reqwest::Method::GET, &path, Vec::new()).await;
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        answer["Items"].as_array().unwrap().len().try_into().unwrap()
    }

    async fn text(&self, version: i64) -> String {
        let path = format!(
            "/applications/{}/configurationprofiles/{}/hostedconfigurationversions/{version}",
            self.id, self.profile
        );
        String::from_utf8(call(reqwest::Method::GET, &path, Vec::new()).await.1).unwrap()
    }

    async fn deploy(&self, version: i64, strategy: &str) {
        let body = json!({
            "DeploymentStrategyId": strategy_id(strategy).await, "ConfigurationProfileId": self.profile,
            "ConfigurationVersion": version.to_string()
        });
        post(&self.deployments_path(), &body).await;
    }

    fn deployments_path(&self) -> String {
        format!("/applications/{}/environments/{}/deployments", self.id, self.environment)
    }

    async fn deployments(&self) -> Vec<(String, String)> {
        let (_, answer) = call(reqwest::Method::GET, &self.deployments_path(), Vec::new()).await;
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let word = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
        let all = answer["Items"].as_array().unwrap().iter();
        all.map(|it| (word(it, "ConfigurationVersion"), word(it, "State"))).collect()
    }

    fn source(&self, strategy: &str) -> AppConfig {
        self.source_at(strategy, &address("LAB_AWS_URL"), 10)
    }

    fn source_at(&self, strategy: &str, url: &str, deadline: u64) -> AppConfig {
        self.source_of(&self.name, strategy, url, deadline)
    }

    fn source_of(&self, names: &str, strategy: &str, url: &str, deadline: u64) -> AppConfig {
        let path = |name: &str| self.keys.path().join(name);
        let sessions = Sessions::with_files(path("config"), path("credentials"));
        let settings = AppConfigSource {
            aws: AwsAccess {
                profile: Some("lab".to_owned()),
                endpoint: Some(url.parse().unwrap()),
                ..AwsAccess::default()
            },
            applications: vec![names.parse().unwrap()],
            strategies: strategy.split(' ').map(str::to_owned).collect(),
            ..AppConfigSource::default()
        };
        AppConfig::new(SourceId::new("ac"), &settings, schedule(deadline), &sessions)
    }

    fn change(&self, key: &str, change: FlagChange) -> Write {
        let flag = FlagId::new(&SourceId::new("ac"), &format!("{}/flags:{key}", self.name));
        Write::Flag { flag, environment: "production".into(), change, strategy: None }
    }

    /// The flag as it is told now.
    async fn state(&self, key: &str) -> FlagState {
        let write = self.change(key, FlagChange::Halt);
        let fleet = read(&self.source("at-once"), &write).await;
        let ItemId::Flag(id) = write.target() else { panic!("{write:?}") };
        fleet.flags.get(&id).unwrap().value.environment("production").unwrap().clone()
    }
}

fn counted() -> (ReadContext, Arc<Meter>) {
    let meter = Arc::new(Meter::new(1_000_000));
    (ReadContext::new(Arc::new(WallClock), 0, Arc::clone(&meter)), meter)
}

const OFF: FlagChange = FlagChange::Enabled { on: false };
const ON: FlagChange = FlagChange::Enabled { on: true };

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_flag_goes_off_and_on_again_and_the_rest_of_the_document_stays() {
    let shop = Shop::new("toggle").await;
    let source: Arc<dyn Source> = Arc::new(shop.source("at-once"));
    let off = shop.change("tax", OFF);
    let back = inverse(&off, &read(&*source, &off).await).unwrap();
    let outcome = carry_out(&*source, &source, off).await;
    let Outcome::Done { note: Some(note) } = &outcome else { panic!("{outcome:?}") };
    assert!(note.as_str().starts_with("version 2, deployment 2, "), "{note}");
    assert!(note.as_str().contains("all at once"), "{note}");
    let changed = DOCUMENT.replace(r#""enabled": true"#, r#""enabled": false"#);
    assert_eq!(shop.text(2).await, changed);
    let tax = shop.state("tax").await;
    assert_eq!((tax.enabled, tax.version.unwrap().as_str()), (Some(false), "2"));
    assert!(tax.paces[0].words.as_str().ends_with("at-once: all at once"));

    let rate = FlagChange::Attribute { name: "rate".into(), value: "7.50".into() };
    for write in [back, shop.change("tax", rate)] {
        let outcome = carry_out(&*source, &source, write).await;
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    }
    assert_eq!(shop.text(4).await, DOCUMENT.replace(r#""rate": 5"#, r#""rate": 7.50"#));
    assert_eq!(shop.state("tax").await.enabled, Some(true));

    // What is so already is not sent.
    let receipt = submit(&*source, shop.change("cart", OFF)).await.unwrap();
    assert!(receipt.note.unwrap().as_str().contains("nothing was sent"));
    let nonsense = FlagChange::Attribute { name: "rate".into(), value: "much".into() };
    let fault = submit(&*source, shop.change("tax", nonsense)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidRequest);
    assert_eq!(shop.versions().await, 4);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn only_the_change_ships_and_what_is_left_out_is_said() {
    let shop = Shop::new("left-out").await;
    shop.version(&DOCUMENT.replace(r#""rate": 5"#, r#""rate": 9"#)).await;
    let receipt = submit(&shop.source("at-once"), shop.change("tax", OFF)).await.unwrap();
    let note = receipt.note.unwrap();
    assert!(note.as_str().contains("it is version 1 with this change"), "{note}");
    assert!(note.as_str().contains("(version 2) is not in it"), "{note}");
    assert!(shop.text(3).await.contains(r#""rate": 5"#));
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_slow_deployment_shows_its_progress_and_is_stopped() {
    let shop = Shop::new("slowly").await;
    let source: Arc<dyn Source> = Arc::new(shop.source("slowly"));
    let outcome = carry_out(&*source, &source, shop.change("tax", OFF)).await;
    let Outcome::Done { note: Some(note) } = &outcome else { panic!("{outcome:?}") };
    assert!(note.as_str().contains("linear 10 % over 60m, bakes 30m"), "{note}");
    let tax = shop.state("tax").await;
    let rollout = tax.rollout.unwrap();
    assert_eq!((tax.enabled, rollout.enabled), (Some(true), Some(false)));
    assert_eq!(rollout.state.as_str(), "DEPLOYING");

    // One at a time: the next change is refused before anything of it is made.
    let versions = shop.versions().await;
    let fault = submit(&*source, shop.change("cart", ON)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict, "{fault}");
    assert!(fault.message.as_str().contains("deployment 2 of flags version 2"), "{fault}");
    assert_eq!(shop.versions().await, versions);

    let outcome = carry_out(&*source, &source, shop.change("tax", FlagChange::Halt)).await;
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    assert_eq!(shop.deployments().await[1], ("2".to_owned(), "ROLLED_BACK".to_owned()));
    let tax = shop.state("tax").await;
    assert_eq!((tax.enabled, tax.rollout), (Some(true), None));
    let fault = submit(&*source, shop.change("tax", FlagChange::Halt)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict, "{fault}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn the_strategy_is_chosen_among_those_that_the_settings_offer() {
    let shop = Shop::new("chosen").await;
    let source = shop.source("at-once slowly");
    let by = |name: &str| {
        let mut write = shop.change("tax", OFF);
        let Write::Flag { strategy, .. } = &mut write else { panic!("{write:?}") };
        *strategy = Some(name.into());
        write
    };
    let fleet = read(&source, &by("slowly")).await;
    let to = |write: &Write| words(write, &fleet).to.unwrap().to_string();
    assert_eq!(to(&by("slowly")), "off (slowly: linear 10 % over 60m, bakes 30m)");
    assert_eq!(to(&shop.change("tax", OFF)), "off (at-once: all at once)");
    let fault = submit(&source, by("AppConfig.AllAtOnce")).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidRequest, "{fault}");
    assert_eq!(shop.versions().await, 1);
    let note = submit(&source, by("slowly")).await.unwrap().note.unwrap();
    assert!(note.as_str().ends_with("slowly: linear 10 % over 60m, bakes 30m"), "{note}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn the_last_deployment_is_taken_back_with_everything_in_it() {
    let shop = Shop::new("revert").await;
    let source: Arc<dyn Source> = Arc::new(shop.source("at-once"));
    let fault = submit(&*source, shop.change("tax", FlagChange::Revert)).await.unwrap_err();
    assert!(fault.message.as_str().contains("nothing before"), "{fault}");
    submit(&*source, shop.change("tax", OFF)).await.unwrap();
    let outcome = carry_out(&*source, &source, shop.change("tax", FlagChange::Revert)).await;
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    assert_eq!(shop.deployments().await[1].1, "REVERTED");
    let tax = shop.state("tax").await;
    assert_eq!((tax.enabled, tax.version.unwrap().as_str()), (Some(true), "1"));
    let fault = submit(&*source, shop.change("tax", FlagChange::Revert)).await.unwrap_err();
    assert!(fault.message.as_str().contains("taken back already"), "{fault}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn what_moved_since_it_was_seen_is_not_changed() {
    let shop = Shop::new("moved").await;
    let source: Arc<dyn Source> = Arc::new(shop.source("at-once"));
    let order = confirmed(&*source, shop.change("tax", OFF)).await.order(0).unwrap();
    let other = shop.version(&DOCUMENT.replace(r#""rate": 5"#, r#""rate": 9"#)).await;
    shop.deploy(other, "at-once").await;
    let fault = source.submit(&order, &context()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict, "{fault}");
    assert!(fault.message.as_str().contains("version was 1, is 2"), "{fault}");
    assert_eq!((shop.versions().await, shop.deployments().await.len()), (2, 2));
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_lost_answer_to_the_deployment_is_unknown_and_was_done_once() {
    // The calls of a change that goes well: the last two make the version and deploy it.
    let calm = Shop::new("calm").await;
    let (context, meter) = counted();
    let eyes = calm.source("at-once");
    let order = confirmed(&eyes, calm.change("tax", OFF)).await.order(0).unwrap();
    calm.source("at-once").submit(&order, &context).await.unwrap();
    let reads = meter.calls() - 2;
    for (at, loss) in losses().iter().enumerate() {
        let shop = Shop::new(&format!("lost-{at}")).await;
        let to = address("LAB_AWS_URL").replace("http://", "");
        let breaker = Breaker::new(&format!("flags-{at}"), &to).await;
        let url = format!("http://127.0.0.1:{}", breaker.port);
        let eyes = shop.source("at-once");

        // The answer to the new version is lost: it exists, and nobody gets it.
        let behind = shop.source_at("at-once", &url, 1);
        breaker.breaks(reads, loss).await;
        let fault = submit_seen(&eyes, &behind, shop.change("tax", OFF)).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreachable, "{loss}: {fault}");
        assert!(fault.message.as_str().contains("nothing was deployed"), "{fault}");
        assert_eq!((shop.versions().await, shop.deployments().await.len()), (2, 1), "{loss}");

        let behind = shop.source_at("at-once", &url, 1);
        breaker.breaks(reads + 1, loss).await;
        let fault = submit_seen(&eyes, &behind, shop.change("tax", OFF)).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::OutcomeUnknown, "{loss}: {fault}");
        assert_eq!(shop.deployments().await.len(), 2, "{loss}");
        assert_eq!(shop.state("tax").await.enabled, Some(false), "{loss}");
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn who_needs_one_flag_reads_one_application() {
    const NARROW: &str = "narrow";
    let shop = Shop::new(NARROW).await;
    let _other = Shop::new("narrow-other").await;
    let source = shop.source_of(&format!("{NARROW}*"), "at-once", &address("LAB_AWS_URL"), 10);
    let target = shop.change("tax", OFF).target();
    let scope = Scope { topic: Topic::Overview, items: vec![target] };
    let answer = source.observe(&scope, &context()).await.unwrap();
    assert!(answer.complete.is_empty(), "it says nothing of the others");
    let flags = answer.facts.iter().filter(|fact| matches!(fact, Fact::Flag(_)));
    let names: Vec<String> = flags.map(|fact| fact.item().name().to_string()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.iter().all(|name| name.starts_with(&format!("{}/", shop.name))), "{names:?}");
}
