//! Canaries as users describe them: what is compared with what, by which metrics.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::ids::{CanaryId, SeriesId, ServiceId};
use super::pattern::Pattern;
use super::text::SafeText;

/// A new version under test and what it is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CanarySpec {
    /// Who it is: `service/name`.
    pub id: CanaryId,
    /// Whose it is.
    pub service: ServiceId,
    /// Its name within the service.
    pub name: SafeText,
    /// Where it runs.
    pub environment: Option<Pattern>,
    /// The split that gives it traffic.
    pub traffic: Option<Pattern>,
    /// The arm (or slot) of the old version.
    pub baseline: SafeText,
    /// The arm (or slot) of the new version.
    pub canary: SafeText,
    /// By which figures it is judged.
    pub metrics: Vec<CanaryMetric>,
    /// Ignored at the start, chosen beforehand.
    pub warm_up: SignedDuration,
    /// Steps of the canary's share, in percent.
    pub steps: Vec<f64>,
    /// Shortest stay at one step.
    pub bake: SignedDuration,
}

/// One figure by which a canary is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CanaryMetric {
    /// What people call it: `errors`, `p99`, `orders`.
    pub name: SafeText,
    /// Unit of its values.
    pub unit: SafeText,
    /// Which way is bad.
    pub direction: Direction,
    /// Where its numbers come from.
    pub data: CanaryData,
    /// Tolerated relative change, for example 0.5 for half as many errors again.
    pub margin: f64,
    /// Its weight among the others.
    pub weight: f64,
    /// It must clear before the canary passes.
    pub required: bool,
    /// One failure of it fails the canary.
    pub critical: bool,
    /// A share so low that nobody minds, whatever the ratio.
    pub floor: Option<f64>,
}

/// Which way is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is bad: errors, latency.
    Increase,
    /// Less is bad: conversions.
    Decrease,
}

/// Where a metric's numbers come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CanaryData {
    /// Events among requests.
    Counts {
        /// Of the old version.
        baseline: CountPair,
        /// Of the new version.
        canary: CountPair,
    },
    /// A level.
    Levels {
        /// Of the old version.
        baseline: SeriesId,
        /// Of the new version.
        canary: SeriesId,
    },
}

/// Events and the requests they happened in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountPair {
    /// The events: errors, conversions, slow answers.
    pub events: SeriesId,
    /// All requests.
    pub requests: SeriesId,
}

impl CanaryData {
    /// Every series it needs.
    pub fn series(&self) -> Vec<&SeriesId> {
        match self {
            Self::Counts { baseline, canary } => {
                vec![&baseline.events, &baseline.requests, &canary.events, &canary.requests]
            }
            Self::Levels { baseline, canary } => vec![baseline, canary],
        }
    }
}
