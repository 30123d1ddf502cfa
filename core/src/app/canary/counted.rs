//! What is said of a canary that is judged by counting, as Argo Rollouts or Flagger do it.

use super::judged::{Judged, JudgedMetric, Mark, Stand};
use crate::domain::canary::{CanaryData, CanarySpec, Policy};
use crate::domain::rule::Rule;
use crate::domain::text::SafeText;
use crate::judge::counted::{Agreed, Tally, Times};
use crate::judge::words::duration;
use crate::judge::{Action, Counted, Spec, Verdict};

/// A canary before its first tick. A metric without a rule has no voice: there is nothing to count.
pub fn begin(spec: &CanarySpec, agreed: &Spec) -> Counted {
    let times = Times {
        warm_up: agreed.warm_up_ticks,
        bake: agreed.min_bake_ticks,
        silent_after: agreed.silent_after_ticks,
    };
    let metrics = spec.metrics.iter().map(|metric| Agreed {
        name: metric.name.to_string(),
        rule: metric.rule.clone().unwrap_or(Rule::Range { min: None, max: None }),
        muted: metric.muted || metric.rule.is_none(),
    });
    Counted::new(spec.policy, times, metrics.collect())
}

/// What the counting says; `tick` is the length of a tick in seconds.
pub fn judged(spec: &CanarySpec, counted: &Counted, tick: f64) -> Judged {
    let verdict = counted.verdict();
    let seen = counted.tallies().iter().any(|tally| tally.latest.is_some() || tally.measured > 0);
    let stand = match verdict {
        Verdict::Fail => Stand::Harm,
        Verdict::Marginal if !counted.is_blind() => Stand::AtRisk,
        Verdict::Marginal if counted.baseline_seen() => Stand::Silent,
        Verdict::Marginal => Stand::NoData,
        Verdict::Pass => Stand::Cleared,
        Verdict::NotEnoughData if !seen && counted.ticks() > 0 => Stand::NoData,
        Verdict::NotEnoughData => Stand::Watching,
    };
    let (lead, sentence) = words(spec, counted, tick);
    Judged {
        stand,
        verdict,
        answer: None,
        lead: lead.into(),
        action: counted.action(),
        sentence: sentence.into(),
        weight: counted.weight(),
        counted: Some(format!("by {}", spec.policy.words()).into()),
        odds: SafeText::default(),
        line: 1.0 / spec.alpha,
        metrics: spec.metrics.iter().zip(counted.tallies()).map(metric).collect(),
        notes: Vec::new(),
        suspects: Vec::new(),
        seconds_at: Vec::new(),
        ticks: counted.ticks(),
        tick_seconds: tick,
        until: None,
        seconds_needed: None,
        trail: Vec::new(),
        trail_steps: Vec::new(),
    }
}

fn words(spec: &CanarySpec, counted: &Counted, tick: f64) -> (&'static str, String) {
    let blamed: Vec<&Tally> = counted.tallies().iter().filter(|tally| tally.blamed).collect();
    let reasons: Vec<String> = blamed.iter().map(|tally| reason(spec, tally)).collect();
    let reasons = reasons.join("; ");
    let failed = counted.failed_checks();
    let checks = match spec.policy {
        Policy::Flagger { threshold } if failed > 0 => {
            let plural = if failed == 1 { "" } else { "s" };
            format!("{failed} failed check{plural}, {threshold} take it back. ")
        }
        _ => String::new(),
    };
    match (counted.verdict(), counted.action()) {
        (Verdict::Fail, _) => ("ROLL BACK", format!("{checks}{reasons}.")),
        (Verdict::Marginal, _) if counted.is_blind() => {
            let ticks = blamed.iter().map(|tally| tally.blind).max().unwrap_or_default();
            let time = duration(ticks as f64 * tick);
            let names: Vec<&str> = blamed.iter().map(|tally| tally.agreed.name.as_str()).collect();
            let sentence = if counted.baseline_seen() {
                format!("canary silent {time} while baseline reports. Hold and call a human.")
            } else {
                format!("{} not readable for {time}; no pass without it.", names.join(", "))
            };
            ("NO DATA", sentence)
        }
        (Verdict::Marginal, _) => ("HOLD, CALL A HUMAN", format!("{reasons}.")),
        (Verdict::Pass, Action::NextStep) => {
            ("CLEARED", format!("{checks}{} Ready for the next step.", fine(counted)))
        }
        (Verdict::Pass, _) => {
            let more = duration(counted.bake_left() as f64 * tick);
            ("CLEARED", format!("{checks}{} Bakes {more} more.", fine(counted)))
        }
        (Verdict::NotEnoughData, _) if counted.warm_up_left() > 0 => {
            let more = duration(counted.warm_up_left() as f64 * tick);
            ("WARMING UP", format!("not judged for {more} more."))
        }
        (Verdict::NotEnoughData, _) if reasons.is_empty() => {
            ("WATCHING", format!("{checks}no run has ended yet. {}", fine(counted)))
        }
        (Verdict::NotEnoughData, _) => ("WATCHING", format!("{checks}{reasons}.")),
    }
}

/// `errors failed 3 of 4 measurements, 2 are tolerated: 0.06, wanted result[0] <= 0.02`
fn reason(spec: &CanarySpec, tally: &Tally) -> String {
    let name = &tally.agreed.name;
    let value = tally.latest.map_or("no value".to_owned(), figure);
    let wanted = match &tally.agreed.rule {
        Rule::Range { min, max } => match (min, max) {
            (Some(min), Some(max)) => format!("{min} to {max}"),
            (None, Some(max)) => format!("at most {max}"),
            (Some(min), None) => format!("at least {min}"),
            (None, None) => "anything".to_owned(),
        },
        Rule::Measured { success: Some(success), .. } => success.text().to_owned(),
        Rule::Measured { failure: Some(failure), .. } => format!("not {}", failure.text()),
        Rule::Measured { .. } => "anything".to_owned(),
    };
    let count = match spec.policy {
        Policy::Flagger { .. } => String::new(),
        _ if tally.failed == 0 && tally.inconclusive > 0 => {
            format!(" inconclusive in {} of {} measurements", tally.inconclusive, tally.measured)
        }
        _ => {
            let limit = tally.tolerated().unwrap_or_default();
            let (failed, measured) = (tally.failed, tally.measured);
            format!(" failed {failed} of {measured} measurements, {limit} are tolerated")
        }
    };
    let colon = if count.is_empty() { "" } else { ":" };
    format!("{name}{count}{colon} {value}, wanted {wanted}")
}

/// `errors 0.012, p99 212.`
fn fine(counted: &Counted) -> String {
    let voiced = counted.tallies().iter().filter(|tally| !tally.agreed.muted);
    let values = voiced.filter_map(|tally| {
        let value = tally.latest?;
        Some(format!("{} {}", tally.agreed.name, figure(value)))
    });
    let values: Vec<String> = values.take(3).collect();
    if values.is_empty() { String::new() } else { format!("{}.", values.join(", ")) }
}

/// A figure with as many digits as mean something.
fn figure(value: f64) -> String {
    let digits = match value.abs() {
        100.0.. => 0,
        1.0.. => 1,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    if digits == 4 { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn metric((spec, tally): (&crate::domain::canary::CanaryMetric, &Tally)) -> JudgedMetric {
    let neither = match tally.inconclusive {
        0 => String::new(),
        n => format!(", {n} neither"),
    };
    JudgedMetric {
        name: spec.name.clone(),
        stand: match () {
            () if tally.latest.is_none() && tally.blind > 0 => Stand::NoData,
            () if tally.blamed && tally.failed > 0 => Stand::Harm,
            () if tally.blamed => Stand::AtRisk,
            () if tally.measured == 0 || tally.failed > 0 => Stand::Watching,
            () => Stand::Cleared,
        },
        mark: match () {
            () if tally.agreed.muted => Some(Mark::Muted),
            () if tally.latest.is_none() && tally.blind > 0 => Some(Mark::Missing),
            () if tally.blamed => Some(Mark::Culprit),
            () => None,
        },
        unit: match spec.data {
            CanaryData::Counts { .. } => "requests",
            CanaryData::Levels { .. } => "ticks",
        }
        .into(),
        ratio: None,
        low: None,
        high: None,
        counted: Some(format!("{} of {} failed{neither}", tally.failed, tally.measured).into()),
        odds: SafeText::default(),
        seconds_needed: None,
    }
}
