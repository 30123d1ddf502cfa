//! What an experiment says: which of two alternatives is better, and how sure that is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::canary::CanarySpec;
use crate::judge::metric::DataState;
use crate::judge::report::{MetricReport, Report};
use crate::judge::{Verdict, words};

/// Which alternative is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The new one, in every metric that counts.
    Canary,
    /// The old one.
    Baseline,
    /// Neither by more than the margins.
    Same,
    /// Not known yet.
    Open,
}

/// The answer of an experiment whose metrics were judged without a margin: what the evidence says. A side
/// that has fallen silent is no worse for that. What is plausible is so at every look at once: that neither
/// is better was shown once, and stays shown.
pub fn answer(spec: &CanarySpec, report: &Report, before: Option<Answer>) -> Answer {
    match report.evidence {
        Verdict::Fail => Answer::Baseline,
        Verdict::Pass => Answer::Canary,
        _ if before == Some(Answer::Same) => Answer::Same,
        _ if silence(report) => Answer::Open,
        _ if !report.metrics.is_empty() && goals(report).all(|m| is_within(spec, m)) => {
            Answer::Same
        }
        _ => Answer::Open,
    }
}

/// Whether one side says nothing in a metric that counts.
fn silence(report: &Report) -> bool {
    let silent = |metric: &MetricReport| {
        matches!(metric.data, DataState::CanarySilent { .. } | DataState::Missing { .. })
    };
    goals(report).any(silent)
}

/// The answer in capitals, and the figures behind it.
pub fn headline(spec: &CanarySpec, report: &Report, answer: Answer) -> (String, String) {
    let lead = match answer {
        Answer::Canary => format!("{} IS BETTER", spec.canary.as_str().to_uppercase()),
        Answer::Baseline => format!("{} IS BETTER", spec.baseline.as_str().to_uppercase()),
        Answer::Same => "NO DIFFERENCE THAT MATTERS".to_owned(),
        Answer::Open => "NOT KNOWN YET".to_owned(),
    };
    if answer == Answer::Open && silence(report) {
        return (lead, report.sentence.clone());
    }
    let figures: Vec<String> = goals(report)
        .map(|metric| {
            let (word, odds) = if metric.safety.ln >= metric.harm.ln {
                ("better", &metric.safety)
            } else {
                ("worse", &metric.harm)
            };
            format!("{}{word} {}.", words::describe(metric), odds.text)
        })
        .collect();
    (lead, figures.join(" "))
}

fn goals(report: &Report) -> impl Iterator<Item = &MetricReport> {
    report.metrics.iter().filter(|metric| metric.required && !metric.muted)
}

/// Whether all that is plausible lies within the margin, on both sides.
fn is_within(spec: &CanarySpec, metric: &MetricReport) -> bool {
    let agreed = spec.metrics.iter().find(|m| m.name.as_str() == metric.name);
    let (Some(agreed), Some(range)) = (agreed, metric.plausible) else { return false };
    let most = 1.0 + agreed.margin;
    range.high.is_some_and(|high| high <= most) && range.low >= 1.0 / most
}
