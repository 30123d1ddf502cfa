//! The report: everything a tired human, a screen or a script needs to know about an analysis.

use super::analysis::{TrailStep, Verdict};
use super::decide::{Action, Obstacle};
use super::eta::Needed;
use super::metric::{DataState, Totals};
use super::odds::Odds;
use super::spec::Direction;
use serde::{Deserialize, Serialize};

/// What one observation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Every request counts.
    Requests,
    /// One value a tick, whatever its traffic.
    Ticks,
}

/// The ratio canary over baseline: best guess, and what is plausible at every look at once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plausible {
    /// Best guess.
    pub ratio: f64,
    /// Lowest plausible; 0 when there is no bound.
    pub low: f64,
    /// Highest plausible; `None` when there is no bound.
    pub high: Option<f64>,
}

/// Shares and what they mean in absolute terms; only for counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Absolute {
    /// Sums of both arms.
    pub totals: Totals,
    /// Events per request of the baseline.
    pub baseline_rate: f64,
    /// Events per request of the canary.
    pub canary_rate: f64,
    /// Best guess of the difference, in percentage points.
    pub points: f64,
    /// The worst plausible difference, in percentage points.
    pub worst_points: Option<f64>,
    /// Additional events on the canary a minute, at its present traffic.
    pub extra_per_minute: f64,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricReport {
    /// Its name.
    pub name: String,
    /// What the evidence says about it alone.
    pub verdict: Verdict,
    /// How its data are.
    pub data: DataState,
    /// What one observation is.
    pub unit: Unit,
    /// Which way is bad.
    pub direction: Direction,
    /// The ratio that its margin allows.
    pub margin_ratio: f64,
    /// Whether a pass needs it.
    pub required: bool,
    /// Whether it is shown without a voice.
    pub muted: bool,
    /// Whether its silence is a failure.
    pub critical: bool,
    /// The ratio and its plausible range; `None` without data.
    pub plausible: Option<Plausible>,
    /// Absolute terms; only for counts with data.
    pub absolute: Option<Absolute>,
    /// Evidence of any harm.
    pub any_harm: Odds,
    /// Evidence of harm beyond the margin.
    pub harm: Odds,
    /// The same, adjusted for the other metrics: what decides about a culprit.
    pub adjusted_harm: Odds,
    /// Evidence of safety within the margin.
    pub safety: Odds,
    /// What it still needs to be safe.
    pub needed: Needed,
    /// φ of the baseline's events; only for counts.
    pub burstiness: Option<f64>,
    /// Effective number of observations; only for series with variation.
    pub effective_ticks: Option<f64>,
    /// Usable ticks.
    pub usable_ticks: u64,
}

/// Time still needed at one share of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimeAt {
    /// The canary's share.
    pub weight: f64,
    /// Seconds until every required metric is clear, if all stays as it is.
    pub seconds: f64,
}

/// The whole analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The verdict, gaps in the data considered.
    pub verdict: Verdict,
    /// What the evidence alone says.
    pub evidence: Verdict,
    /// What to do.
    pub action: Action,
    /// The first words: verdict and action.
    pub lead: String,
    /// One sentence after them: odds, plausible range, time.
    pub sentence: String,
    /// What stands in the way of a step forward.
    pub obstacles: Vec<Obstacle>,
    /// Evidence of harm beyond the margins, all metrics together.
    pub harm: Odds,
    /// Evidence of any harm, all metrics together.
    pub any_harm: Odds,
    /// Odds at which the canary is rolled back.
    pub line: f64,
    /// 0 to 100, for a bar.
    pub score: f64,
    /// Metrics that are guilty by themselves.
    pub culprits: Vec<String>,
    /// Metrics that are likely among the guilty; useful when there are more than 20.
    pub suspects: Vec<String>,
    /// Metrics that are clear.
    pub safe: Vec<String>,
    /// The required metric that takes longest, or that nobody can foresee.
    pub limiting: Option<String>,
    /// Seconds until every required metric is clear at the present share; `None` if not foreseeable.
    pub seconds_needed: Option<f64>,
    /// The same at the other shares of the rollout plan.
    pub seconds_at: Vec<TimeAt>,
    /// The canary's present share.
    pub weight: Option<f64>,
    /// Judged ticks, and of them at this share.
    pub ticks: u64,
    /// Judged ticks at this share.
    pub ticks_at_step: u64,
    /// Length of a tick.
    pub tick_seconds: f64,
    /// Remarks worth a line.
    pub notes: Vec<String>,
    /// log₁₀ of the combined evidence of harm after each of the last ticks, oldest first.
    pub trail: Vec<f32>,
    /// Where on the trail the traffic was stepped, oldest first.
    pub trail_steps: Vec<TrailStep>,
    /// Every metric.
    pub metrics: Vec<MetricReport>,
}
