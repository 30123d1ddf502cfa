//! Canaries as the configuration describes them: what is compared, by which figures, and what for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::canary_metrics::CanaryMetricConfig;
use super::rules::Policy;
use super::scalar::{HumanDuration, ScopedGlob};
use super::signals::SignalsConfig;

/// The comparison of a new version (canary) with the running one (baseline).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CanaryConfig {
    /// Its name, unique within the service.
    #[schemars(length(min = 1))]
    pub name: String,
    /// What the comparison is for.
    #[serde(default)]
    pub purpose: Purpose,
    /// By which rules it is judged. The counting rules of other tools keep thresholds that exist: each
    /// metric has a `rule` then, of which the canary's own figures are the measure, one a tick.
    #[serde(default)]
    pub policy: Policy,
    /// How many failed checks take it back; of policy "flagger" only, otherwise 1.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub threshold: Option<u32>,
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
    /// Metrics that are asked for by the names everybody uses: errors, slow answers, saturation and
    /// traffic. A metric of the same name below takes the place of one of them.
    #[serde(default)]
    pub signals: Option<SignalsConfig>,
    /// What is compared. If none of them is required, all are.
    #[serde(default)]
    pub metrics: Vec<CanaryMetricConfig>,
    /// The time after the start that is not judged: caches fill, connections open.
    #[serde(default = "warm_up")]
    pub warm_up: HumanDuration,
    /// How long each step of the weight lasts at least. A canary that says nothing for so long, or for
    /// five minutes if that is shorter, while the baseline reports is silent.
    #[serde(default = "bake")]
    #[schemars(extend("x-at-least" = "1s"))]
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
    #[schemars(extend("x-at-least" = "1s"))]
    pub tick: HumanDuration,
    /// A pilot takes no step forward when it has flown for so long; a deadline never promotes.
    #[serde(default = "deadline")]
    #[schemars(extend("x-at-least" = "1s"))]
    pub deadline: HumanDuration,
    /// What a pilot does when harm is shown.
    #[serde(default = "roll_back")]
    pub on_fail: OnHarm,
    /// What a pilot does when the canary is worse, but not shown to be beyond its margins, or silent.
    #[serde(default = "hold")]
    pub on_marginal: OnHarm,
    /// What a pilot does when every required metric has cleared.
    #[serde(default)]
    pub on_pass: OnPass,
    /// The chance of ever taking back a canary that is as good as the baseline.
    #[serde(default = "alpha")]
    #[schemars(range(min = 0.0001, max = 0.2))]
    pub alpha: f64,
    /// The chance of ever clearing a canary that is as bad as its margins allow.
    #[serde(default = "beta")]
    #[schemars(range(min = 0.0001, max = 0.2))]
    pub beta: f64,
}

/// What a comparison is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To find out whether a new version does harm.
    #[default]
    Canary,
    /// To find out which of two alternatives is better; neither is taken back.
    Experiment,
}

/// What a pilot does with a canary that looks bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnHarm {
    /// All traffic back to the baseline; new versions are held.
    RollBack,
    /// No step forward any more; a human is called.
    Hold,
}

/// What a pilot does with a canary that has cleared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnPass {
    /// On to the next share.
    #[default]
    NextStep,
    /// A human takes every step; the pilot only watches for harm.
    Hold,
}

fn deadline() -> HumanDuration {
    HumanDuration::from_secs(4 * 3600)
}

fn roll_back() -> OnHarm {
    OnHarm::RollBack
}

fn hold() -> OnHarm {
    OnHarm::Hold
}

fn alpha() -> f64 {
    0.01
}

fn beta() -> f64 {
    0.05
}

fn minute() -> HumanDuration {
    HumanDuration::from_secs(60)
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
