//! Services as the configuration describes them: what belongs together, its metrics and canaries.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::{ServiceName, SourceName};
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
    /// The unit, as in "req/s", "ms" or "%".
    #[serde(default)]
    pub unit: Option<String>,
    /// The distance between two points.
    #[serde(default = "minute")]
    pub step: HumanDuration,
}

fn minute() -> HumanDuration {
    HumanDuration::from_secs(60)
}

/// What to ask a metrics source for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum MetricQuery {
    /// PromQL for Prometheus, a metric maths or SEARCH expression for CloudWatch, the name of a
    /// counter for HAProxy.
    Text(#[schemars(length(min = 1))] String),
    /// One statistic of one CloudWatch metric.
    Statistic(CloudWatchStatistic),
}

/// One statistic of one CloudWatch metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloudWatchStatistic {
    /// The namespace, as in AWS/ApplicationELB.
    pub namespace: String,
    /// The name of the metric.
    pub metric: String,
    /// Average, Sum, Minimum, Maximum, SampleCount, or a percentile such as p99.
    pub statistic: String,
    /// Which of the metric's series: dimension = value.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
}

/// The comparison of a new version (canary) with the running one (baseline).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CanaryConfig {
    /// Its name, unique within the service.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The environment it runs in.
    #[serde(default)]
    pub environment: Option<ScopedGlob>,
    /// The traffic split that decides who gets the new version.
    #[serde(default)]
    pub traffic: Option<ScopedGlob>,
    /// What the running version is called in the traffic split; it replaces {arm} in queries.
    #[serde(default = "baseline_arm")]
    #[schemars(length(min = 1))]
    pub baseline: String,
    /// What the new version is called in the traffic split; it replaces {arm} in queries.
    #[serde(default = "canary_arm")]
    #[schemars(length(min = 1))]
    pub canary: String,
    /// What is compared.
    #[serde(default)]
    pub metrics: Vec<CanaryMetricConfig>,
    /// The time after the start that is not judged: caches fill, connections open.
    #[serde(default = "warm_up")]
    pub warm_up: HumanDuration,
    /// How long each step of the weight lasts at least.
    #[serde(default = "bake")]
    pub bake: HumanDuration,
    /// How much history before the start is read to learn how noisy the baseline is.
    #[serde(default = "history")]
    pub history: HumanDuration,
    /// The share of traffic at each step, in percent, rising.
    #[serde(default = "steps")]
    #[schemars(inner(range(min = 0.0, max = 100.0)))]
    pub steps: Vec<f64>,
    /// The distance between two points of the comparison.
    #[serde(default = "minute")]
    pub tick: HumanDuration,
}

fn baseline_arm() -> String {
    "baseline".to_owned()
}

fn canary_arm() -> String {
    "canary".to_owned()
}

fn warm_up() -> HumanDuration {
    HumanDuration::from_secs(3 * 60)
}

fn bake() -> HumanDuration {
    HumanDuration::from_secs(5 * 60)
}

fn history() -> HumanDuration {
    HumanDuration::from_secs(2 * 3600)
}

fn steps() -> Vec<f64> {
    vec![1.0, 5.0, 10.0, 25.0, 50.0, 100.0]
}

/// One figure that is compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum CanaryMetricConfig {
    /// Events among requests: errors, conversions, slow answers.
    Counts(Box<CountsConfig>),
    /// One value per tick: a percentile, a mean, a rate.
    Series(Box<SeriesConfig>),
}

impl CanaryMetricConfig {
    /// What both kinds have in common.
    pub fn judging(&self) -> &Judging {
        match self {
            Self::Counts(metric) => &metric.judging,
            Self::Series(metric) => &metric.judging,
        }
    }
}

/// Events among requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct CountsConfig {
    /// How it counts in the verdict.
    #[serde(flatten)]
    pub judging: Judging,
    /// The number of events per tick.
    pub events: ArmQuery,
    /// The number of requests per tick.
    pub requests: ArmQuery,
    /// The rate of events below which a canary is fine whatever the baseline does, from 0 to 1.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub floor: Option<f64>,
}

/// One value per tick.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct SeriesConfig {
    /// How it counts in the verdict.
    #[serde(flatten)]
    pub judging: Judging,
    /// The value per tick.
    pub query: ArmQuery,
}

/// How one figure counts in the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judging {
    /// Its name, unique within the canary.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The source that knows it.
    pub source: SourceName,
    /// The unit, as in "ms" or "%".
    #[serde(default)]
    pub unit: Option<String>,
    /// The direction that is bad.
    #[serde(default)]
    pub direction: Direction,
    /// How much worse than the baseline is still acceptable, as a share: 0.5 is half as much
    /// again. Otherwise 0.5 for counts and 0.1 for series.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 10.0))]
    pub margin: Option<f64>,
    /// How much it counts among the others; otherwise 1, or 5 for a critical one.
    #[serde(default)]
    #[schemars(range(min = 0.001, max = 1000.0))]
    pub weight: Option<f64>,
    /// Whether the canary cannot pass before this figure is known to be safe.
    #[serde(default)]
    pub required: bool,
    /// Whether silence of the canary in this figure fails it.
    #[serde(default)]
    pub critical: bool,
}

/// The direction that is bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// More is worse: errors, latency.
    #[default]
    Increase,
    /// Less is worse: conversions, revenue.
    Decrease,
}

/// A query for both arms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ArmQuery {
    /// One for each arm.
    Each {
        /// For the running version.
        baseline: MetricQuery,
        /// For the new version.
        canary: MetricQuery,
    },
    /// One for both, in which {arm} stands for the name of the arm.
    Both(MetricQuery),
}

impl ArmQuery {
    /// The query for the arm called `name`; `is_canary` chooses where there is one for each.
    pub fn for_arm(&self, name: &str, is_canary: bool) -> MetricQuery {
        let query = match self {
            Self::Each { canary, .. } if is_canary => canary,
            Self::Each { baseline, .. } => baseline,
            Self::Both(query) => query,
        };
        query.with_arm(name)
    }
}

impl MetricQuery {
    /// The query with the name of an arm in the place of {arm}.
    fn with_arm(&self, name: &str) -> Self {
        let fill = |text: &String| text.replace("{arm}", name);
        match self {
            Self::Text(text) => Self::Text(fill(text)),
            Self::Statistic(statistic) => Self::Statistic(CloudWatchStatistic {
                namespace: fill(&statistic.namespace),
                metric: fill(&statistic.metric),
                statistic: statistic.statistic.clone(),
                dimensions: statistic
                    .dimensions
                    .iter()
                    .map(|(name, value)| (name.clone(), fill(value)))
                    .collect(),
            }),
        }
    }
}
