//! What a source of figures is asked for.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::series::{Beyond, Operand};

/// What to ask a metrics source for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum MetricQuery {
    /// PromQL for Prometheus, a SEARCH or SELECT expression for CloudWatch, the name of a counter
    /// for HAProxy.
    Text(#[schemars(length(min = 1))] String),
    /// One statistic of one CloudWatch metric.
    Statistic(CloudWatchStatistic),
    /// CloudWatch metric maths over several.
    Maths(CloudWatchMaths),
    /// What a template asks for; nobody writes it.
    #[serde(skip)]
    Beyond(Box<Beyond>),
}

/// CloudWatch metric maths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloudWatchMaths {
    /// The expression, as in 100 * e / r.
    #[schemars(length(min = 1))]
    pub expression: String,
    /// What its names stand for: name = one statistic of one metric. A name begins with a small
    /// letter and has letters, digits and _ in it.
    #[schemars(extend("minProperties" = 1, "propertyNames" = { "format": "flightdeck-operand" }))]
    pub metrics: BTreeMap<String, CloudWatchStatistic>,
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

impl MetricQuery {
    /// The query with the `window` of a tick in the place of {tick}.
    pub(super) fn with_tick(self, window: &str) -> Self {
        match self {
            Self::Text(text) => Self::Text(text.replace("{tick}", window)),
            other @ (Self::Statistic(_) | Self::Maths(_) | Self::Beyond(_)) => other,
        }
    }

    /// The query with the name of an arm in the place of {arm}.
    pub(super) fn with_arm(&self, name: &str) -> Self {
        let fill = |text: &String| text.replace("{arm}", name);
        match self {
            Self::Text(text) => Self::Text(fill(text)),
            // The threshold is the same for both arms.
            Self::Beyond(beyond) => Self::Beyond(Box::new(Beyond {
                expression: fill(&beyond.expression),
                ..(**beyond).clone()
            })),
            Self::Statistic(statistic) => Self::Statistic(statistic.with_arm(name)),
            Self::Maths(maths) => Self::Maths(CloudWatchMaths {
                expression: fill(&maths.expression),
                metrics: maths
                    .metrics
                    .iter()
                    .map(|(key, statistic)| (key.clone(), statistic.with_arm(name)))
                    .collect(),
            }),
        }
    }
}

impl CloudWatchStatistic {
    fn with_arm(&self, name: &str) -> Self {
        let fill = |text: &String| text.replace("{arm}", name);
        Self {
            namespace: fill(&self.namespace),
            metric: fill(&self.metric),
            statistic: self.statistic.clone(),
            dimensions: self
                .dimensions
                .iter()
                .map(|(name, value)| (name.clone(), fill(value)))
                .collect(),
        }
    }

    /// The same in the words of the domain.
    pub(super) fn operand(&self) -> Operand {
        Operand {
            namespace: self.namespace.clone(),
            name: self.metric.clone(),
            dimensions: self.dimensions.clone().into_iter().collect(),
            statistic: self.statistic.clone(),
        }
    }
}
