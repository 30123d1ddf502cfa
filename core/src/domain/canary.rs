//! Canaries as users describe them: what is compared with what, by which metrics.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::ids::{CanaryId, SeriesId, ServiceId};
use super::pattern::Pattern;
use super::rule::Rule;
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
    /// What the comparison is for.
    pub purpose: Purpose,
    /// Where it runs.
    pub environment: Option<Pattern>,
    /// The split that gives it traffic.
    pub traffic: Option<Pattern>,
    /// The arm (or slot) of the old version.
    pub baseline: SafeText,
    /// The arm (or slot) of the new version.
    pub canary: SafeText,
    /// By which rules it is judged.
    #[serde(default)]
    pub policy: Policy,
    /// By which figures it is judged.
    pub metrics: Vec<CanaryMetric>,
    /// Ignored at the start, chosen beforehand.
    pub warm_up: SignedDuration,
    /// Steps of the canary's share, in percent.
    pub steps: Vec<f64>,
    /// Shortest stay at one step.
    pub bake: SignedDuration,
    /// How much of what was before its start teaches how noisy the baseline is.
    pub history: SignedDuration,
    /// A pilot that has flown for so long takes no step forward.
    pub deadline: SignedDuration,
    /// What a pilot does at each verdict.
    pub at: AtVerdict,
    /// Chance of ever taking back a canary that is as good as the baseline.
    pub alpha: f64,
    /// Chance of ever clearing a canary that is at its margins.
    pub beta: f64,
}

/// What a comparison is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To find out whether a new version does harm.
    #[default]
    Canary,
    /// To find out which of two alternatives is better; neither is taken back.
    Experiment,
}

/// By which rules a canary is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// By evidence, compared with the baseline, that is right whenever it is looked at.
    #[default]
    Anytime,
    /// As Argo Rollouts counts: the measurements of each metric against its limits.
    ArgoRollouts,
    /// As Flagger counts: failed checks of all metrics together.
    Flagger {
        /// How many take the canary back.
        threshold: u32,
    },
}

impl Policy {
    /// Whose rules they are, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Anytime => "the odds",
            Self::ArgoRollouts => "Argo Rollouts' rules",
            Self::Flagger { .. } => "Flagger's rules",
        }
    }
}

/// What a pilot does at each verdict. Without enough data it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtVerdict {
    /// Every required metric has cleared: on to the next step, or a human takes it.
    pub pass_steps: bool,
    /// Worse, but not shown to be beyond the margins, or silent: taken back, or a human decides.
    pub marginal_rolls_back: bool,
    /// Harm: taken back, or a human decides.
    pub fail_rolls_back: bool,
}

impl Default for AtVerdict {
    fn default() -> Self {
        Self { pass_steps: true, marginal_rolls_back: false, fail_rolls_back: true }
    }
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
    /// Shown, without a voice in the verdict.
    pub muted: bool,
    /// Counts judged by the engine that needs no history.
    pub strict: bool,
    /// Least inflation of a level's variance, if it was measured.
    pub v_min: Option<f64>,
    /// What the canary's value has to be, where the policy counts.
    #[serde(default)]
    pub rule: Option<Rule>,
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
