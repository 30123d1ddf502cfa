//! What a judgement says, in the words and few figures that a screen and a script show.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::experiment::{self, Answer};
use crate::domain::canary::{CanarySpec, Purpose};
use crate::domain::text::SafeText;
use crate::judge::analysis::TrailStep;
use crate::judge::eta::Needed;
use crate::judge::metric::DataState;
use crate::judge::report::{MetricReport, Report, Unit};
use crate::judge::{Action, Verdict, words};

/// How a canary, or one metric of it, stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stand {
    /// Harmful beyond the margin.
    Harm,
    /// Worse, but not provably beyond the margin. A human decides.
    AtRisk,
    /// The baseline reports, the canary does not. A human decides.
    Silent,
    /// Nothing usable comes, of either.
    NoData,
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
            Self::Silent => "silent",
            Self::NoData => "no data",
            Self::Watching => "watching",
            Self::Cleared => "ok",
        }
    }

    /// Whether it harms, or may: a human must know.
    pub fn is_risky(self) -> bool {
        matches!(self, Self::Harm | Self::AtRisk | Self::Silent)
    }
}

/// A verdict in words.
pub fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Marginal => "marginal",
        Verdict::Fail => "fail",
        Verdict::NotEnoughData => "not enough data",
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
    /// What was counted, as `2 of 3 failed checks`; only where a policy counts.
    pub counted: Option<SafeText>,
    /// Odds of harm, as `412:1`; empty where a policy counts.
    pub odds: SafeText,
    /// The odds at which it is rolled back, to one.
    pub line: f64,
    /// Its metrics.
    pub metrics: Vec<JudgedMetric>,
    /// Remarks worth a line: why it takes longer than usual, what could help.
    pub notes: Vec<SafeText>,
    /// Metrics that are likely among the guilty; told when there are many.
    pub suspects: Vec<SafeText>,
    /// Seconds until it may be cleared at other shares, 0–1.
    pub seconds_at: Vec<(f64, f64)>,
    /// Ticks judged so far.
    pub ticks: u64,
    /// Length of a tick.
    pub tick_seconds: f64,
    /// Until when figures were judged; the end of the trail.
    pub until: Option<Timestamp>,
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
    /// What one observation is: requests, or ticks.
    pub unit: SafeText,
    /// Canary over baseline: the estimate.
    pub ratio: Option<f64>,
    /// The least plausible ratio.
    pub low: Option<f64>,
    /// The greatest plausible ratio; none if it is not bounded.
    pub high: Option<f64>,
    /// What was counted, as `1 of 5 failed`; only where a policy counts.
    pub counted: Option<SafeText>,
    /// Odds of harm, as `412:1`; empty where a policy counts.
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
    /// From the judge's own report; `before` is what was said at the look before.
    pub fn of(spec: &CanarySpec, report: &Report, before: Option<&Self>) -> Self {
        if spec.purpose == Purpose::Experiment {
            return Self::of_experiment(spec, report, before);
        }
        let mut judged = Self::of_report(report);
        let blamed: Vec<&str> = report.culprits.iter().map(String::as_str).collect();
        if report.verdict == Verdict::NotEnoughData {
            let before = before.map(|judged| judged.lead.as_str());
            let (lead, sentence) = words::headline_after(report, &blamed, before);
            (judged.lead, judged.sentence) = (lead.into(), sentence.into());
        }
        judged
    }

    /// From the judge's own report on a new version, whatever was compared.
    pub fn of_report(report: &Report) -> Self {
        let silent = report.metrics.iter().any(is_silent);
        let seen = report.metrics.iter().any(|metric| metric.usable_ticks > 0);
        let stand = match (report.verdict, report.action) {
            (Verdict::Fail, _) | (_, Action::RollBack) => Stand::Harm,
            (Verdict::Marginal, _) if silent && report.evidence != Verdict::Marginal => {
                Stand::Silent
            }
            (Verdict::NotEnoughData, Action::Wait) if !seen && report.ticks > 0 => Stand::NoData,
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
            counted: None,
            odds: report.harm.text.as_str().into(),
            line: report.line,
            metrics: report.metrics.iter().map(|m| metric(report, m)).collect(),
            notes: texts(&report.notes),
            suspects: texts(&report.suspects),
            seconds_at: report.seconds_at.iter().map(|at| (at.weight, at.seconds)).collect(),
            ticks: report.ticks,
            tick_seconds: report.tick_seconds,
            until: None,
            seconds_needed: report.seconds_needed,
            trail: report.trail.clone(),
            trail_steps: report.trail_steps.clone(),
        }
    }

    /// An experiment has no harmful side, and nothing is done by itself.
    fn of_experiment(spec: &CanarySpec, report: &Report, before: Option<&Self>) -> Self {
        let answer = experiment::answer(spec, report, before.and_then(|judged| judged.answer));
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
            counted: None,
            odds: odds.into(),
            line: report.line,
            metrics: report.metrics.iter().map(|m| calm(metric(report, m))).collect(),
            notes: texts(&report.notes),
            suspects: texts(&report.suspects),
            seconds_at: report.seconds_at.iter().map(|at| (at.weight, at.seconds)).collect(),
            ticks: report.ticks,
            tick_seconds: report.tick_seconds,
            until: None,
            seconds_needed: report.seconds_needed,
            trail: report.trail.clone(),
            trail_steps: report.trail_steps.clone(),
        }
    }
}

fn texts(texts: &[String]) -> Vec<SafeText> {
    texts.iter().map(|text| text.as_str().into()).collect()
}

fn is_silent(metric: &MetricReport) -> bool {
    !metric.muted && matches!(metric.data, DataState::CanarySilent { .. })
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
        unit: match report.unit {
            Unit::Requests => "requests",
            Unit::Ticks => "ticks",
        }
        .into(),
        stand: match report.verdict {
            Verdict::Fail => Stand::Harm,
            Verdict::Marginal | Verdict::NotEnoughData if is_silent(report) => Stand::Silent,
            Verdict::NotEnoughData if matches!(report.data, DataState::Missing { .. }) => {
                Stand::NoData
            }
            Verdict::Marginal => Stand::AtRisk,
            Verdict::NotEnoughData => Stand::Watching,
            Verdict::Pass => Stand::Cleared,
        },
        ratio: report.plausible.map(|p| p.ratio),
        low: report.plausible.map(|p| p.low),
        high: report.plausible.and_then(|p| p.high),
        counted: None,
        odds: report.harm.text.as_str().into(),
        seconds_needed: match report.needed {
            Needed::Ticks { ticks, .. } => Some(ticks * tick),
            Needed::Nothing | Needed::Unknown => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::{Analysis, Counts, MetricSpec, Sample, Spec, words};

    /// Leading words over a healthy run with two metrics, as one look after the other says them.
    fn leads(seed: u64) -> Vec<String> {
        let metric = |name, margin| MetricSpec { margin, ..MetricSpec::errors(name) };
        let spec = Spec {
            metrics: vec![metric("errors", 1.0), metric("slow", 0.1)],
            steps: vec![0.1],
            ..Spec::default()
        };
        let mut analysis = Analysis::new(spec).unwrap();
        let mut state = seed;
        // A sum of uniform values around the mean: close enough to what is counted.
        let mut noisy = |mean: f64| {
            let mut sum = 0.0;
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                sum += (state >> 33) as f64 / f64::from(1_u32 << 31);
            }
            (mean + (sum - 6.0) * mean.sqrt()).max(0.0).round()
        };
        for metric in ["errors", "slow"] {
            let past: Vec<Counts> = (0..120).map(|_| Counts::new(9_000.0, noisy(90.0))).collect();
            assert!(analysis.learn(metric, past));
        }
        analysis.step(0.1);
        let mut leads: Vec<String> = Vec::new();
        for _ in 0..400 {
            let mut sample = || Sample::Counts {
                baseline: Some(Counts::new(9_000.0, noisy(90.0))),
                canary: Some(Counts::new(1_000.0, noisy(10.0))),
            };
            let samples = [sample(), sample()];
            analysis.push(&samples);
            let before = leads.last().map(String::as_str);
            leads.push(words::headline_after(&analysis.report(), &[], before).0);
        }
        leads
    }

    #[test]
    fn a_healthy_run_does_not_flicker() {
        for seed in 1..=8 {
            let leads = leads(seed);
            let changes = leads.windows(2).filter(|pair| pair[0] != pair[1]).count();
            assert!(changes <= 6, "seed {seed}: {changes} changes");
            assert!(leads.iter().any(|lead| lead == "CLEARED SO FAR"), "seed {seed}");
        }
    }
}
