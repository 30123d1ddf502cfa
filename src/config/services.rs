//! Services as the configuration describes them: what belongs together, its metrics and canaries.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::canaries::CanaryConfig;
use super::names::{ServiceName, SourceName};
use super::queries::MetricQuery;
use super::scalar::{HumanDuration, ScopedGlob};

/// What a team owns, and the resources of the sources that belong to it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ServiceConfig {
    /// What it does, in a sentence.
    pub description: Option<String>,
    /// Teams or persons, the first one to call first.
    pub owners: Vec<String>,
    /// How much depends on it: 1 is the most.
    #[schemars(range(min = 1, max = 9))]
    pub tier: Option<u8>,
    /// Links to show and copy: name = address.
    pub links: BTreeMap<String, String>,
    /// The services it cannot work without.
    pub needs: Vec<ServiceName>,
    /// Pipelines that ship it.
    pub pipelines: Vec<ScopedGlob>,
    /// Environments it runs in.
    pub environments: Vec<ScopedGlob>,
    /// Traffic splits between its versions (of HAProxy: the backend's name).
    pub traffic: Vec<ScopedGlob>,
    /// Feature flags it reads: SOURCE/PROJECT:FLAG for Unleash, SOURCE/APPLICATION/PROFILE:FLAG
    /// for AppConfig.
    pub flags: Vec<ScopedGlob>,
    /// Alarms about it.
    pub alarms: Vec<ScopedGlob>,
    /// Tags: resources that carry all of them belong to the service too.
    pub tags: BTreeMap<String, String>,
    /// Figures to watch.
    pub metrics: Vec<MetricConfig>,
    /// Comparisons of a new version with the running one.
    pub canaries: Vec<CanaryConfig>,
}

/// One figure to watch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricConfig {
    /// Its name, as it is shown.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The source that knows it.
    pub source: SourceName,
    /// What to ask for.
    pub query: MetricQuery,
    /// Of Prometheus: asks for the value of now alone, for what has no past to range over. Each read
    /// adds a point.
    #[serde(default)]
    pub instant: bool,
    /// The unit, as in "req/s", "ms" or "%".
    #[serde(default)]
    pub unit: Option<String>,
    /// The distance between two points.
    #[serde(default = "minute")]
    #[schemars(extend("x-at-least" = "1s"))]
    pub step: HumanDuration,
}

fn minute() -> HumanDuration {
    HumanDuration::from_secs(60)
}
