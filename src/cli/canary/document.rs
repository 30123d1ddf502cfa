//! What is said of canaries, for scripts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::canary::Judged;
use crate::domain::ids::{CanaryId, ServiceId, TrafficId};
use crate::domain::text::SafeText;
use crate::judge::{Verdict, argo, flagger};

/// Name and version of the format of [`CanaryPicture`].
pub const PICTURE_FORMAT: &str = "flightdeck/canary/1";
/// Name and version of the format of [`CanaryEvent`].
pub const EVENT_FORMAT: &str = "flightdeck/canary-event/1";
/// Name and version of the format of [`Judgement`].
pub const JUDGEMENT_FORMAT: &str = "flightdeck/canary-judge/1";

/// The canaries, once.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CanaryPicture {
    /// Name and version of this format.
    #[schemars(extend("const" = PICTURE_FORMAT))]
    pub format: &'static str,
    /// When.
    pub at: Timestamp,
    /// The rehearsal's scenario: nothing of this is real.
    pub rehearsal: Option<SafeText>,
    /// Each canary.
    pub canaries: Vec<CanaryLine>,
}

/// How one canary stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CanaryLine {
    /// Which.
    pub canary: CanaryId,
    /// Whose it is.
    pub service: ServiceId,
    /// What the comparison is for: canary or experiment.
    pub purpose: &'static str,
    /// By what it is judged: the odds, or the rules of which tool.
    pub policy: SafeText,
    /// The names of its metrics.
    pub metrics: Vec<SafeText>,
    /// Its steps, in percent of the traffic.
    pub steps: Vec<f64>,
    /// The split that gives it traffic, once it was found.
    pub traffic: Option<TrafficId>,
    /// Its share of the traffic, in percent; null if that is not known.
    pub percent: Option<f64>,
    /// The verdict, while it is under way; null if nothing was judged.
    pub verdict: Option<Verdict>,
    /// What the judge says.
    pub judged: Option<Judged>,
    /// How old the oldest of its figures is, in seconds; null if one was never read.
    pub oldest_seconds: Option<i64>,
    /// Why what is known of it is too old to go by; null if it is not, or if it is not under way.
    pub old: Option<SafeText>,
    /// What of it could not be read, and why.
    pub unread: Vec<SafeText>,
}

/// A change of what is known about a canary.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CanaryEvent {
    /// Name and version of this format.
    #[schemars(extend("const" = EVENT_FORMAT))]
    pub format: &'static str,
    /// When.
    pub at: Timestamp,
    /// Which canary.
    pub canary: CanaryId,
    /// Its share of the traffic, in percent; null if that is not known.
    pub percent: Option<f64>,
    /// The verdict; null if nothing was judged.
    pub verdict: Option<Verdict>,
    /// Why the verdict is too old to go by; null if it is not.
    pub old: Option<SafeText>,
    /// What to do, in capitals.
    pub lead: Option<SafeText>,
    /// Why, in a sentence.
    pub sentence: SafeText,
}

/// A judgement on figures in files.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Judgement {
    /// Name and version of this format.
    #[schemars(extend("const" = JUDGEMENT_FORMAT))]
    pub format: &'static str,
    /// How it was judged: anytime, kayenta, argo or flagger.
    pub mode: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// The file of the baseline.
    pub baseline: SafeText,
    /// The file of the canary.
    pub canary: SafeText,
    /// Rows before the canary's first, which taught how noisy the baseline is.
    pub history: usize,
    /// Rows that were judged.
    pub rows: usize,
    /// What nobody said and was assumed.
    pub assumed: Vec<SafeText>,
    /// What the judge says; null in the other modes than anytime.
    pub judged: Option<Judged>,
    /// What Kayenta would say; null in the other modes.
    pub kayenta: Option<Kayenta>,
    /// What Argo Rollouts would say; null in the other modes.
    pub argo: Option<Argo>,
    /// What Flagger would say; null in the other modes.
    pub flagger: Option<Flagger>,
}

/// What Kayenta would say.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Kayenta {
    /// 0 to 100.
    pub score: f64,
    /// At least this passes.
    pub pass: f64,
    /// At least this is marginal.
    pub marginal: f64,
    /// Why the score is 0, if it was set so.
    pub reason: Option<&'static str>,
    /// The scores of the groups, 0 to 100.
    pub groups: BTreeMap<String, f64>,
    /// Each metric.
    pub metrics: Vec<KayentaMetric>,
}

/// One metric, as Kayenta sees it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KayentaMetric {
    /// Its name.
    pub name: SafeText,
    /// Kayenta's label: `Pass`, `High`, `Low`, `Nodata`, `NodataFailMetric` or `Error`.
    pub classification: &'static str,
    /// Whether it fails the whole canary.
    pub critical: bool,
    /// Mean of the canary over mean of the baseline.
    pub ratio: Option<f64>,
    /// The lower end of the plausible shift.
    pub low: Option<f64>,
    /// The upper end of the plausible shift.
    pub high: Option<f64>,
    /// Values so small that Kayenta's rounding hides real shifts.
    pub tiny_scale: bool,
}

/// What Argo Rollouts would say.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Argo {
    /// The phase of the run: the worst of those that count.
    pub phase: argo::Phase,
    /// Each metric.
    pub metrics: Vec<ArgoMetric>,
}

/// One metric, as Argo Rollouts counts it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ArgoMetric {
    /// Its name.
    pub name: SafeText,
    /// Its phase by its own limits.
    pub phase: argo::Phase,
    /// Measurements that succeeded.
    pub successful: u64,
    /// Measurements that failed.
    pub failed: u64,
    /// Measurements that say neither.
    pub inconclusive: u64,
    /// Rows without a value.
    pub errors: u64,
    /// Failures that are tolerated; below 0 any number.
    pub failure_limit: i64,
    /// Measurements to take; null if it runs until it is stopped.
    pub count: Option<u64>,
    /// Whether it has no voice.
    pub dry_run: bool,
}

/// What Flagger would say.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Flagger {
    /// Where it is.
    pub phase: flagger::Phase,
    /// The share that the canary would have, in percent.
    pub weight: u32,
    /// Failed checks so far.
    pub failed_checks: u32,
    /// Failed checks that take it back.
    pub threshold: u32,
    /// Each metric.
    pub metrics: Vec<FlaggerMetric>,
}

/// One metric, as Flagger checks it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FlaggerMetric {
    /// Its name.
    pub name: SafeText,
    /// How often it was checked; the first failure of an interval ends the interval.
    pub checks: u64,
    /// Checks that failed.
    pub failed: u64,
    /// Of them those without a value.
    pub missing: u64,
    /// The least value that passes.
    pub min: Option<f64>,
    /// The greatest value that passes.
    pub max: Option<f64>,
}
