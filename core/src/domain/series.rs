//! Series of measurements, and what is asked of a source to get them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::SeriesId;
use super::text::SafeText;

/// Measurements over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// Who it is.
    pub id: SeriesId,
    /// What its numbers are.
    pub kind: SeriesKind,
    /// Unit of the values: `ms`, `%`, `req/s`, `count`.
    pub unit: SafeText,
    /// Time between points.
    pub step: SignedDuration,
    /// In ascending order of time. A moment without a measurement has no point: no zero is invented.
    pub points: Vec<Point>,
    /// What the source says of it: partial data, a warning.
    pub note: Option<SafeText>,
}

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// When.
    pub at: Timestamp,
    /// How much; always finite.
    pub value: f64,
}

/// What the numbers of a series are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeriesKind {
    /// A level: latency, share, rate.
    Gauge,
    /// A raw counter that only grows, but for restarts.
    Counter,
    /// Events within each step.
    Delta,
}

/// What to ask a source for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesSpec {
    /// What the answer is called.
    pub id: SeriesId,
    /// The question in the source's own language; never printed.
    pub query: SeriesQuery,
    /// What the numbers are.
    pub kind: SeriesKind,
    /// Unit of the values.
    pub unit: SafeText,
    /// Time between points.
    pub step: SignedDuration,
    /// How far back to read at first.
    pub window: SignedDuration,
}

/// A question in a source's own language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeriesQuery {
    /// `PromQL`, or a search of CloudWatch's.
    Expression(String),
    /// `PromQL` for the value of now, which has no past: each read adds a point.
    Instant(String),
    /// CloudWatch metric maths.
    Maths {
        /// Over the names of the operands.
        expression: String,
        /// By the names that the expression has for them.
        operands: BTreeMap<String, Operand>,
    },
    /// `PromQL` in which `{edge}` stands for the bucket of a histogram in which a share of what was seen
    /// before ends; found once, and kept.
    Beyond(Box<Beyond>),
    /// A CloudWatch metric.
    Metric {
        /// For example `AWS/ApplicationELB`.
        namespace: String,
        /// For example `TargetResponseTime`.
        name: String,
        /// In order.
        dimensions: Vec<(String, String)>,
        /// `Average`, `Sum`, `p95`, `tm99`, …
        statistic: String,
    },
    /// A counter or rate that the source keeps of one arm of a traffic split.
    Arm {
        /// The split.
        split: String,
        /// The arm.
        arm: String,
        /// Which figure: `requests`, `errors`.
        figure: String,
    },
}

/// A CloudWatch metric within metric maths; as in [`SeriesQuery::Metric`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Operand {
    /// The namespace.
    pub namespace: String,
    /// The metric.
    pub name: String,
    /// In order.
    pub dimensions: Vec<(String, String)>,
    /// The statistic.
    pub statistic: String,
}

/// A question that needs a threshold, and how that is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Beyond {
    /// The question, with `{edge}`.
    pub expression: String,
    /// Whose answer is the time at which the threshold is found, in seconds since 1970; otherwise now.
    pub begun: String,
    /// The counts of a histogram by `le`, up to that time.
    pub buckets: String,
    /// The share that lies below the threshold.
    pub share: f64,
}

impl Series {
    /// The newest value and its time.
    pub fn last(&self) -> Option<Point> {
        self.points.last().copied()
    }
}
