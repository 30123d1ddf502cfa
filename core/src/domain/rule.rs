//! Rules that count: what a measured value has to be, and how often it may be something else.

use serde::{Deserialize, Serialize};

use super::condition::Condition;

/// What a metric has to keep to where canaries are judged by counting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// As Argo Rollouts has it: each measurement succeeds, fails or is neither.
    Measured {
        /// What makes it a success.
        success: Option<Condition>,
        /// What makes it a failure.
        failure: Option<Condition>,
        /// How many are taken and tolerated.
        limits: Limits,
    },
    /// As Flagger has it: a range that the value must lie in, its ends included.
    Range {
        /// The least.
        min: Option<f64>,
        /// The greatest.
        max: Option<f64>,
    },
}

/// The limits of one metric, with Argo's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Measurements to take; errors do not count. `None` with an interval runs until it is stopped.
    pub count: Option<u64>,
    /// Whether an interval is configured; without one and without a count, one measurement is taken.
    pub interval: bool,
    /// Failures that are tolerated; -1 tolerates any number.
    pub failure_limit: i64,
    /// Inconclusive measurements that are tolerated.
    pub inconclusive_limit: i64,
    /// Errors in a row that are tolerated.
    pub consecutive_error_limit: i64,
    /// Successes in a row that end the metric early; 0 means no such rule.
    pub consecutive_success_limit: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            count: None,
            interval: false,
            failure_limit: 0,
            inconclusive_limit: 0,
            consecutive_error_limit: 4,
            consecutive_success_limit: 0,
        }
    }
}
