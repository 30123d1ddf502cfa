//! A flag of each test's own in a real Unleash, as it is and as a source tells it.

use std::sync::Arc;

use flightdeck::backend::port::Source;
use flightdeck::domain::flag::Flag;
use flightdeck::domain::ids::{FlagId, SourceId};
use flightdeck::domain::write::{FlagChange, Write};
use serde_json::{Value, json};

use crate::hands::{read, source};
use crate::lab::address;

pub const PROJECT: &str = "/api/admin/projects/default";
pub const EDITOR: &str = "editor@example.com";
pub const ON: FlagChange = FlagChange::Enabled { on: true };
pub const OFF: FlagChange = FlagChange::Enabled { on: false };

pub fn percent(percent: f64) -> FlagChange {
    FlagChange::Percent { percent }
}

pub fn stale(stale: bool) -> FlagChange {
    FlagChange::Stale { stale }
}

pub fn at(url: &str, token: &str) -> Arc<dyn Source> {
    source(json!({ "kind": "unleash", "url": url, "token": { "env": token } }), "2s")
}

pub fn editor() -> Arc<dyn Source> {
    at(&address("LAB_UNLEASH_URL"), "LAB_UNLEASH_TOKEN_EDITOR")
}

/// Asks as the administrator.
pub async fn admin(method: reqwest::Method, path: &str, body: &Value) -> Value {
    let url = format!("{}{PROJECT}{path}", address("LAB_UNLEASH_URL"));
    let mut request = reqwest::Client::new().request(method.clone(), &url);
    request = request.header("authorization", address("LAB_UNLEASH_TOKEN"));
    if method != reqwest::Method::GET {
        request = request.json(body);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{method} {url}: {status} {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

/// A flag of this test's own.
pub struct Lamp {
    pub name: String,
}

impl Lamp {
    /// Off everywhere; in production for 40% of those in two countries, by their id.
    pub async fn new(name: &str) -> Self {
        let name = format!("edge.{name}.{}", std::process::id());
        let lamp = Self { name: name.clone() };
        let body = json!({ "name": name, "type": "release", "description": "of a test" });
        admin(reqwest::Method::POST, "/features", &body).await;
        let strategy = json!({
            "name": "flexibleRollout",
            "title": "near first",
            "parameters": { "rollout": "40", "stickiness": "userId", "groupId": "lamps" },
            "constraints": [{ "contextName": "country", "operator": "IN", "values": ["be", "lu"] }],
            "variants": [{ "name": "red", "weight": 1000, "weightType": "variable", "stickiness": "userId" }],
        });
        lamp.add(&strategy).await;
        lamp
    }

    pub async fn add(&self, strategy: &Value) {
        let path = format!("{}/strategies", self.path());
        admin(reqwest::Method::POST, &path, strategy).await;
    }

    pub fn path(&self) -> String {
        format!("/features/{}/environments/production", self.name)
    }

    pub fn id(&self) -> FlagId {
        FlagId::new(&SourceId::new("edge"), &format!("default:{}", self.name))
    }

    pub fn write(&self, change: FlagChange) -> Write {
        Write::Flag { flag: self.id(), environment: "production".into(), change, strategy: None }
    }

    /// As Unleash has it.
    pub async fn raw(&self) -> Value {
        admin(reqwest::Method::GET, &format!("/features/{}", self.name), &json!(null)).await
    }

    pub async fn raw_production(&self) -> Value {
        let raw = self.raw().await;
        let all = raw["environments"].as_array().unwrap();
        all.iter().find(|e| e["name"] == "production").unwrap().clone()
    }

    pub async fn is_on(&self) -> bool {
        self.raw_production().await["enabled"].as_bool().unwrap()
    }

    pub async fn rollout(&self) -> String {
        let raw = self.raw_production().await;
        raw["strategies"][0]["parameters"]["rollout"].as_str().unwrap().to_owned()
    }

    /// Makes it as it was made, and lets the log tell so.
    pub async fn reset(&self) {
        self.switch("off").await;
        self.share("40").await;
        self.mark(false).await;
    }

    /// Gives it to so many, as the administrator.
    pub async fn share(&self, percent: &str) {
        let raw = self.raw_production().await;
        let strategy = raw["strategies"][0]["id"].as_str().unwrap();
        let path = format!("{}/strategies/{strategy}", self.path());
        let share = json!([{ "op": "replace", "path": "/parameters/rollout", "value": percent }]);
        admin(reqwest::Method::PATCH, &path, &share).await;
    }

    /// Marks it as stale or not, as the administrator.
    pub async fn mark(&self, stale: bool) {
        let marks = json!([{ "op": "replace", "path": "/stale", "value": stale }]);
        admin(reqwest::Method::PATCH, &format!("/features/{}", self.name), &marks).await;
    }

    /// Turns it on or off, as the administrator.
    pub async fn switch(&self, verb: &str) {
        admin(reqwest::Method::POST, &format!("{}/{verb}", self.path()), &json!({})).await;
    }

    /// How often the editor has changed it since anybody else has.
    pub async fn effects(&self) -> usize {
        let log = self.log().await;
        // A mark is told of twice.
        let own = log.iter().take_while(|(_, who)| who == EDITOR);
        own.filter(|(what, _)| what != "feature-metadata-updated").count()
    }

    /// As the source tells it.
    pub async fn told(&self, source: &dyn Source) -> Flag {
        let fleet = read(source, &self.write(ON)).await;
        Flag::clone(&fleet.flags.get(&self.id()).unwrap().value)
    }

    /// Who did what, by the event log; the newest first.
    pub async fn log(&self) -> Vec<(String, String)> {
        let url = format!("{}/api/admin/search/events", address("LAB_UNLEASH_URL"));
        let feature = format!("IS:{}", self.name);
        let request = reqwest::Client::new().get(&url).query(&[("feature", &feature)]);
        let request = request.header("authorization", address("LAB_UNLEASH_TOKEN"));
        let told = request.send().await.unwrap().json::<Value>().await.unwrap();
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let events = told["events"].as_array().unwrap();
        events.iter().map(|e| (text(&e["type"]), text(&e["createdBy"]))).collect()
    }
}
