//! The figures by which a canary is judged, as the configuration describes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::SourceName;
use super::queries::MetricQuery;
use super::rules::RuleConfig;

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
    /// The number of events per tick. Of Prometheus, {tick} stands for the window of a tick, as in
    /// increase(x[{tick}]): it counts right however far apart the scrapes are.
    pub events: ArmQuery,
    /// The number of requests per tick.
    pub requests: ArmQuery,
    /// The rate of events below which a canary is fine whatever the baseline does, from 0 to 1.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub floor: Option<f64>,
    /// Judge by an engine that needs no history and stands any bursts, but is slower.
    #[serde(default)]
    pub strict: bool,
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
    /// How much its long memory inflates its variance, measured with the same version on both sides;
    /// without it, harm in this metric alone calls a human and takes nothing back.
    #[serde(default)]
    #[schemars(range(min = 1.0, max = 1000.0))]
    pub v_min: Option<f64>,
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
    /// Whether it is shown only, without a voice in the verdict.
    #[serde(default)]
    pub muted: bool,
    /// What the canary's value has to be where the policy of the canary counts: of counts their share,
    /// 0 to 1. As in { success = "result <= 0.02" } or { max = 0.02 }.
    #[serde(default)]
    pub rule: Option<RuleConfig>,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
