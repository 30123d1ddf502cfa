//! What a judgement says, in the words and few figures that a screen and a script show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::text::SafeText;
use crate::judge::eta::Needed;
use crate::judge::report::{MetricReport, Report};
use crate::judge::{Action, Verdict};

/// How a canary, or one metric of it, stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stand {
    /// Harmful beyond the margin.
    Harm,
    /// Worse, but not provably beyond the margin; or silent. A human decides.
    AtRisk,
    /// Not known yet.
    Watching,
    /// Shown to be within the margin.
    Cleared,
}

/// What a judgement says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// How it stands.
    pub stand: Stand,
    /// What to do, in capitals.
    pub lead: SafeText,
    /// What a pilot would do.
    pub action: Action,
    /// Why, in a sentence.
    pub sentence: SafeText,
    /// The canary's share that the newest evidence is of, 0–1.
    pub weight: Option<f64>,
    /// Odds of harm, as `412:1`.
    pub odds: SafeText,
    /// The odds at which it is rolled back, to one.
    pub line: f64,
    /// Its metrics.
    pub metrics: Vec<JudgedMetric>,
    /// Ticks judged so far.
    pub ticks: u64,
    /// Seconds until it may be cleared, if that can be foreseen.
    pub seconds_needed: Option<f64>,
    /// Evidence of harm over time: logarithms to the base 10, the newest last.
    pub trail: Vec<f32>,
}

/// One metric of a judgement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedMetric {
    /// Its name.
    pub name: SafeText,
    /// How it stands.
    pub stand: Stand,
    /// Canary over baseline: the estimate.
    pub ratio: Option<f64>,
    /// The least plausible ratio.
    pub low: Option<f64>,
    /// The greatest plausible ratio; none if it is not bounded.
    pub high: Option<f64>,
    /// Odds of harm, as `412:1`.
    pub odds: SafeText,
    /// Seconds until it may be cleared, if that can be foreseen.
    pub seconds_needed: Option<f64>,
}

impl Judged {
    /// From the judge's own report.
    pub fn of(report: &Report) -> Self {
        let stand = match (report.verdict, report.action) {
            (Verdict::Fail, _) | (_, Action::RollBack) => Stand::Harm,
            (Verdict::Marginal, _) | (_, Action::HoldAndPage) => Stand::AtRisk,
            (Verdict::Pass, _) => Stand::Cleared,
            (Verdict::NotEnoughData, _) => Stand::Watching,
        };
        Self {
            stand,
            action: report.action,
            weight: report.weight,
            lead: report.lead.as_str().into(),
            sentence: report.sentence.as_str().into(),
            odds: report.harm.text.as_str().into(),
            line: report.line,
            metrics: report.metrics.iter().map(|m| metric(m, report.tick_seconds)).collect(),
            ticks: report.ticks,
            seconds_needed: report.seconds_needed,
            trail: report.trail.clone(),
        }
    }
}

fn metric(report: &MetricReport, tick: f64) -> JudgedMetric {
    JudgedMetric {
        name: report.name.as_str().into(),
        stand: match report.verdict {
            Verdict::Fail => Stand::Harm,
            Verdict::Marginal => Stand::AtRisk,
            Verdict::NotEnoughData => Stand::Watching,
            Verdict::Pass => Stand::Cleared,
        },
        ratio: report.plausible.map(|p| p.ratio),
        low: report.plausible.map(|p| p.low),
        high: report.plausible.and_then(|p| p.high),
        odds: report.harm.text.as_str().into(),
        seconds_needed: match report.needed {
            Needed::Ticks { ticks, .. } => Some(ticks * tick),
            Needed::Nothing | Needed::Unknown => None,
        },
    }
}
