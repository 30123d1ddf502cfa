//! An `AppConfig` for tests: a small account in the shapes of its API reference, and short ways to
//! read it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use flightdeck::backend::Source;
use flightdeck::backend::aws::AppConfig;
use flightdeck::config::sources::AppConfigSource;
use flightdeck::domain::change::Change;
use flightdeck::domain::error::Fault;
use flightdeck::domain::fact::Fact;
use flightdeck::domain::flag::{Flag, FlagState};
use flightdeck::domain::ids::SourceId;
use flightdeck::domain::observation::{Observation, Topic};
use serde_json::{Value, json};

use super::aws::{Cloud, Reply, Request, context, schedule, scope};

/// What an account holds: bodies by path. Tests change it while it is read.
#[derive(Clone, Default)]
pub struct Account {
    bodies: Arc<Mutex<BTreeMap<String, Reply>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

/// A moment so many seconds before the test began, as this API writes it.
pub fn ago(seconds: i64) -> String {
    static START: OnceLock<i64> = OnceLock::new();
    let start = START.get_or_init(|| jiff::Timestamp::now().as_second());
    jiff::Timestamp::from_second(start - seconds).unwrap().to_string()
}

/// A complete deployment.
pub fn deployment(number: i32, version: i32, seconds_ago: i64) -> Value {
    json!({
        "DeploymentNumber": number, "ConfigurationProfileId": "prof1",
        "ConfigurationName": "flags", "ConfigurationVersion": version.to_string(),
        "DeploymentDurationInMinutes": 10, "GrowthType": "LINEAR", "GrowthFactor": 20.0,
        "FinalBakeTimeInMinutes": 5, "State": "COMPLETE", "PercentageComplete": 100.0,
        "StartedAt": ago(seconds_ago), "CompletedAt": ago(seconds_ago - 60)
    })
}

/// The same in another state.
pub fn in_state(mut deployment: Value, state: &str, percent: f64) -> Value {
    deployment["State"] = json!(state);
    deployment["PercentageComplete"] = json!(percent);
    deployment.as_object_mut().unwrap().remove("CompletedAt");
    deployment
}

impl Account {
    /// `shop` with the profile `flags`, in `prod` and `test`: version 2 everywhere.
    pub fn shop() -> Self {
        let account = Self::default();
        account.put("/applications", &json!({ "Items": [{ "Id": "app1", "Name": "shop" }] }));
        account.put(
            "/applications/app1/configurationprofiles",
            &json!({ "Items": [{
                "ApplicationId": "app1", "Id": "prof1", "Name": "flags",
                "LocationUri": "hosted", "Type": "AWS.AppConfig.FeatureFlags"
            }] }),
        );
        account.put(
            "/applications/app1/environments",
            &json!({ "Items": [
                { "ApplicationId": "app1", "Id": "env1", "Name": "prod", "State": "READY_FOR_DEPLOYMENT" },
                { "ApplicationId": "app1", "Id": "env2", "Name": "test", "State": "READY_FOR_DEPLOYMENT" }
            ] }),
        );
        account.version(1, &json!({ "tax": { "enabled": false }, "old": { "enabled": true } }));
        account.version(
            2,
            &json!({ "tax": { "enabled": true, "rate": 5 }, "old": { "enabled": true } }),
        );
        account.deployments("env1", &[deployment(2, 2, 3_600), deployment(1, 1, 864_000)]);
        account.deployments("env2", &[deployment(7, 2, 864_000)]);
        account
    }

    pub fn put(&self, path: &str, body: &Value) {
        self.reply(path, Reply::json(body));
    }

    pub fn reply(&self, path: &str, reply: Reply) {
        self.bodies.lock().unwrap().insert(path.to_owned(), reply);
    }

    /// Version `number` of `flags`, with these values.
    pub fn version(&self, number: i32, values: &Value) {
        let mut flags = json!({});
        for key in values.as_object().unwrap().keys() {
            flags[key] = json!({ "name": key, "description": format!("what {key} is for") });
        }
        let document = json!({ "version": "1", "flags": flags, "values": values });
        self.reply(&Self::version_path(number), Reply::json(&document));
    }

    pub fn version_path(number: i32) -> String {
        format!(
            "/applications/app1/configurationprofiles/prof1/hostedconfigurationversions/{number}"
        )
    }

    pub fn deployments(&self, environment: &str, items: &[Value]) {
        let path = format!("/applications/app1/environments/{environment}/deployments");
        self.put(&path, &json!({ "Items": items }));
    }

    /// How many requests whose path ends like this arrived.
    pub fn asked(&self, end: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|path| path.ends_with(end)).count()
    }

    pub async fn start(&self) -> Cloud {
        let account = self.clone();
        Cloud::start(move |request| account.answer(request)).await
    }

    pub fn answer(&self, request: &Request) -> Reply {
        assert_eq!(request.method, "GET");
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        self.asked.lock().unwrap().push(path.to_owned());
        let bodies = self.bodies.lock().unwrap();
        // A page has its token in the name.
        let token = query.split('&').find_map(|pair| pair.strip_prefix("next_token="));
        let key = token.map_or_else(|| path.to_owned(), |token| format!("{path}#{token}"));
        bodies.get(&key).cloned().unwrap_or_else(|| refusal(404, "ResourceNotFoundException", &key))
    }
}

/// An error as this protocol carries it.
pub fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let body = json!({ "Message": message }).to_string();
    Reply::status(status, &body).header("x-amzn-errortype", code)
}

pub fn source(cloud: &Cloud, globs: &[&str]) -> AppConfig {
    let settings = AppConfigSource {
        aws: cloud.access(),
        applications: globs.iter().map(|g| g.parse().unwrap()).collect(),
        ..AppConfigSource::default()
    };
    AppConfig::new(SourceId::new("ac"), &settings, schedule(), &cloud.sessions())
}

pub async fn read(source: &AppConfig) -> Result<Observation, Fault> {
    let (context, _) = context();
    source.observe(&scope(Topic::Overview, Vec::new()), &context).await
}

pub fn flags(observation: &Observation) -> Vec<&Flag> {
    let facts = observation.facts.iter();
    facts.filter_map(|fact| if let Fact::Flag(it) = fact { Some(it) } else { None }).collect()
}

pub fn state<'a>(observation: &'a Observation, key: &str, environment: &str) -> &'a FlagState {
    let flag = flags(observation).into_iter().find(|flag| flag.key.as_str() == key).unwrap();
    flag.environment(environment).unwrap()
}

pub fn changes(observation: &Observation) -> Vec<&Change> {
    let facts = observation.facts.iter();
    facts.filter_map(|fact| if let Fact::Change(it) = fact { Some(it) } else { None }).collect()
}
