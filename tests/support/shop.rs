//! An application of `AppConfig` of a test's own, in the emulator of the lab.

use flightdeck::backend::aws::{AppConfig, Sessions};
use flightdeck::config::sources::{AppConfigSource, AwsAccess};
use flightdeck::domain::flag::FlagState;
use flightdeck::domain::ids::{FlagId, ItemId, SourceId};
use flightdeck::domain::write::{FlagChange, Write};
use serde_json::{Value, json};

use crate::hands::read;
use crate::lab::address;
use crate::pipes::schedule;

/// What is deployed at first; it holds members that nobody knows.
pub const DOCUMENT: &str = r#"{
  "version": "1", "_ours": {"big": 12345678901234567890.10, "z": 1, "a": 2},
  "flags": {"tax": {"name": "Tax", "attributes": {"rate": {"constraints": {"type": "number"}}}},
            "cart": {"name": "Cart"}, "split": {"name": "Split"}},
  "values": {"tax": {"enabled": true, "rate": 5}, "cart": {"enabled": false}, "split": {"_variants": [
    {"name":"some","enabled":true,"rule":"(split by::$id pct::10 seed::\"x\")"},
    {"name":"rest","enabled":false}]}}
}"#;

/// An application of one test's own in the emulator.
pub struct Shop {
    pub name: String,
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
    pub async fn new(name: &str) -> Self {
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

    /// The emulator lists the first fifty applications only: who makes many takes them away again.
    pub async fn close(&self) {
        call(reqwest::Method::DELETE, &format!("/applications/{}", self.id), Vec::new()).await;
    }

    pub async fn version(&self, text: &str) -> i64 {
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
    pub async fn versions(&self) -> i64 {
        let path = format!(
            "/applications/{}/configurationprofiles/{}/hostedconfigurationversions",
            self.id, self.profile
        );
        let (_, answer) = call(reqwest::Method::GET, &path, Vec::new()).await;
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        answer["Items"].as_array().unwrap().len().try_into().unwrap()
    }

    pub async fn text(&self, version: i64) -> String {
        let path = format!(
            "/applications/{}/configurationprofiles/{}/hostedconfigurationversions/{version}",
            self.id, self.profile
        );
        String::from_utf8(call(reqwest::Method::GET, &path, Vec::new()).await.1).unwrap()
    }

    pub async fn deploy(&self, version: i64, strategy: &str) {
        let body = json!({
            "DeploymentStrategyId": strategy_id(strategy).await, "ConfigurationProfileId": self.profile,
            "ConfigurationVersion": version.to_string()
        });
        post(&self.deployments_path(), &body).await;
    }

    /// Somebody stops the deployment that is under way.
    pub async fn stop_last(&self) {
        let number = self.deployments().await.len();
        let path = format!("{}/{number}", self.deployments_path());
        let (status, _) = call(reqwest::Method::DELETE, &path, Vec::new()).await;
        assert!(status < 300, "{status}");
    }

    pub fn deployments_path(&self) -> String {
        format!("/applications/{}/environments/{}/deployments", self.id, self.environment)
    }

    pub async fn deployments(&self) -> Vec<(String, String)> {
        let (_, answer) = call(reqwest::Method::GET, &self.deployments_path(), Vec::new()).await;
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let word = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
        let all = answer["Items"].as_array().unwrap().iter();
        all.map(|it| (word(it, "ConfigurationVersion"), word(it, "State"))).collect()
    }

    pub fn source(&self, strategy: &str) -> AppConfig {
        self.source_at(strategy, &address("LAB_AWS_URL"), 10)
    }

    pub fn source_at(&self, strategy: &str, url: &str, deadline: u64) -> AppConfig {
        self.source_of(&self.name, strategy, url, deadline)
    }

    pub fn source_of(&self, names: &str, strategy: &str, url: &str, deadline: u64) -> AppConfig {
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

    pub fn change(&self, key: &str, change: FlagChange) -> Write {
        let flag = FlagId::new(&SourceId::new("ac"), &format!("{}/flags:{key}", self.name));
        Write::Flag { flag, environment: "production".into(), change, strategy: None }
    }

    /// The flag as it is told now.
    pub async fn state(&self, key: &str) -> FlagState {
        let write = self.change(key, FlagChange::Halt);
        let fleet = read(&self.source("at-once"), &write).await;
        let ItemId::Flag(id) = write.target() else { panic!("{write:?}") };
        fleet.flags.get(&id).unwrap().value.environment("production").unwrap().clone()
    }
}

pub const OFF: FlagChange = FlagChange::Enabled { on: false };
pub const ON: FlagChange = FlagChange::Enabled { on: true };
