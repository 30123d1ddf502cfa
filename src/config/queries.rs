//! What a source of figures is asked for.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::series::Beyond;

/// What to ask a metrics source for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum MetricQuery {
    /// PromQL for Prometheus, a metric maths or SEARCH expression for CloudWatch, the name of a
    /// counter for HAProxy.
    Text(#[schemars(length(min = 1))] String),
    /// One statistic of one CloudWatch metric.
    Statistic(CloudWatchStatistic),
    /// What a template asks for; nobody writes it.
    #[serde(skip)]
    Beyond(Box<Beyond>),
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
            other @ (Self::Statistic(_) | Self::Beyond(_)) => other,
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
