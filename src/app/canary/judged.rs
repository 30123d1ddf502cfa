//! What a judgement says, in the words and few figures that a screen and a script show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::experiment::{self, Answer};
use crate::domain::canary::{CanarySpec, Purpose};
use crate::domain::text::SafeText;
use crate::judge::analysis::TrailStep;
use crate::judge::eta::Needed;
use crate::judge::metric::DataState;
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

impl Stand {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Harm => "harm",
            Self::AtRisk => "at risk",
            Self::Watching => "watching",
            Self::Cleared => "ok",
        }
    }
}

/// What a judgement says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// How it stands.
    pub stand: Stand,
    /// What is known.
    pub verdict: Verdict,
    /// Which alternative is better; only of an experiment.
    pub answer: Option<Answer>,
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
    /// Where on it the traffic was stepped, oldest first.
    pub trail_steps: Vec<TrailStep>,
}

/// One metric of a judgement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedMetric {
    /// Its name.
    pub name: SafeText,
    /// How it stands.
    pub stand: Stand,
    /// What sets it apart from the others.
    pub mark: Option<Mark>,
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

/// What sets a metric apart from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Guilty by itself.
    Culprit,
    /// The baseline reports, the canary does not.
    Silent,
    /// Nothing usable comes.
    Missing,
    /// It keeps the canary from clearing for longest.
    Limiting,
    /// Without a voice in the verdict.
    Muted,
}

impl Judged {
    /// From the judge's own report.
    pub fn of(spec: &CanarySpec, report: &Report) -> Self {
        if spec.purpose == Purpose::Experiment {
            return Self::of_experiment(spec, report);
        }
        Self::of_report(report)
    }

    /// From the judge's own report on a new version, whatever was compared.
    pub fn of_report(report: &Report) -> Self {
        let stand = match (report.verdict, report.action) {
            (Verdict::Fail, _) | (_, Action::RollBack) => Stand::Harm,
            (Verdict::Marginal, _) | (_, Action::HoldAndPage) => Stand::AtRisk,
            (Verdict::Pass, _) => Stand::Cleared,
            (Verdict::NotEnoughData, _) => Stand::Watching,
        };
        Self {
            stand,
            verdict: report.verdict,
            answer: None,
            action: report.action,
            weight: report.weight,
            lead: report.lead.as_str().into(),
            sentence: report.sentence.as_str().into(),
            odds: report.harm.text.as_str().into(),
            line: report.line,
            metrics: report.metrics.iter().map(|m| metric(report, m)).collect(),
            ticks: report.ticks,
            seconds_needed: report.seconds_needed,
            trail: report.trail.clone(),
            trail_steps: report.trail_steps.clone(),
        }
    }

    /// An experiment has no harmful side, and nothing is done by itself.
    fn of_experiment(spec: &CanarySpec, report: &Report) -> Self {
        let answer = experiment::answer(spec, report);
        let (lead, sentence) = experiment::headline(spec, report, answer);
        let odds = if answer == Answer::Canary { best(report) } else { report.harm.text.clone() };
        let known = answer != Answer::Open;
        let calm = |mut metric: JudgedMetric| {
            metric.stand = if known { Stand::Cleared } else { Stand::Watching };
            metric.mark = metric.mark.filter(|mark| *mark != Mark::Culprit);
            metric
        };
        Self {
            stand: if known { Stand::Cleared } else { Stand::Watching },
            verdict: report.verdict,
            answer: Some(answer),
            lead: lead.into(),
            action: Action::Wait,
            sentence: sentence.into(),
            weight: report.weight,
            odds: odds.into(),
            line: report.line,
            metrics: report.metrics.iter().map(|m| calm(metric(report, m))).collect(),
            ticks: report.ticks,
            seconds_needed: report.seconds_needed,
            trail: report.trail.clone(),
            trail_steps: report.trail_steps.clone(),
        }
    }
}

/// The weakest of the odds that every metric needs.
fn best(report: &Report) -> String {
    let needed = report.metrics.iter().filter(|metric| metric.required && !metric.muted);
    let weakest = needed.min_by(|a, b| a.safety.ln.total_cmp(&b.safety.ln));
    weakest.map(|metric| metric.safety.text.clone()).unwrap_or_default()
}

fn mark(report: &Report, metric: &MetricReport) -> Option<Mark> {
    if metric.muted {
        return Some(Mark::Muted);
    }
    if report.culprits.contains(&metric.name) {
        return Some(Mark::Culprit);
    }
    match metric.data {
        DataState::CanarySilent { .. } => Some(Mark::Silent),
        DataState::Missing { .. } => Some(Mark::Missing),
        DataState::Arriving | DataState::Awaited => {
            (report.limiting.as_ref() == Some(&metric.name)).then_some(Mark::Limiting)
        }
    }
}

fn metric(whole: &Report, report: &MetricReport) -> JudgedMetric {
    let tick = whole.tick_seconds;
    JudgedMetric {
        name: report.name.as_str().into(),
        mark: mark(whole, report),
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
