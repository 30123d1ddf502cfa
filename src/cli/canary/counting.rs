//! The counting rules of Argo Rollouts and Flagger on figures in a file: one row is one measurement.

use std::io::{self, Write};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::asked::JudgeArgs;
use super::columns::Columns;
use super::columns::column;
use super::document::{Argo, ArgoMetric, Flagger, FlaggerMetric, JUDGEMENT_FORMAT, Judgement};
use super::text_of;
use crate::cli::exit::Failure;
use crate::cli::rows::rows;
use crate::domain::condition::Condition;
use crate::domain::text::SafeText;
use crate::judge::Verdict;
use crate::judge::argo::{self, Consequence, Limits, Phase};
use crate::judge::flagger::{self, Canary, Settings, in_range};

/// Where a value stands in the canary's file: a column, or a share of events among requests, 0–1.
#[derive(Clone, Debug)]
struct Figure {
    column: Option<String>,
    events: Option<String>,
    requests: Option<String>,
}

/// Argo's rules, as a file says them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArgoFile {
    metrics: Vec<ArgoRule>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArgoRule {
    name: String,
    column: Option<String>,
    events: Option<String>,
    requests: Option<String>,
    success: Option<Condition>,
    failure: Option<Condition>,
    count: Option<u64>,
    failure_limit: Option<i64>,
    inconclusive_limit: Option<i64>,
    consecutive_error_limit: Option<i64>,
    consecutive_success_limit: Option<i64>,
    #[serde(default)]
    dry_run: bool,
}

/// Flagger's rules, as a file says them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlaggerFile {
    threshold: Option<u32>,
    #[serde(default)]
    step_weight: u32,
    #[serde(default)]
    step_weights: Vec<u32>,
    #[serde(default)]
    max_weight: u32,
    metrics: Vec<FlaggerRule>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlaggerRule {
    name: String,
    column: Option<String>,
    events: Option<String>,
    requests: Option<String>,
    min: Option<f64>,
    max: Option<f64>,
}

/// What came of one of the two sets of rules.
struct Rules {
    argo: Option<Argo>,
    flagger: Option<Flagger>,
}

/// Columns of a figure in a file.
enum Place {
    Value(usize),
    Share(usize, usize),
}

impl Figure {
    fn find(&self, name: &str, columns: &Columns) -> Result<Place, Failure> {
        match (&self.column, &self.events) {
            (Some(_), Some(_)) => Err(Failure::usage(format!(
                "metric `{name}`: name a `column`, or `events` and `requests`, not both"
            ))),
            (None, Some(events)) => {
                let requests = self.requests.as_deref().unwrap_or("requests");
                Ok(Place::Share(column(columns, events)?, column(columns, requests)?))
            }
            (own, None) => Ok(Place::Value(column(columns, own.as_deref().unwrap_or(name))?)),
        }
    }
}

impl Place {
    fn value(&self, columns: &Columns, row: i64) -> Option<f64> {
        match self {
            Self::Value(at) => columns.value(row, *at),
            Self::Share(events, requests) => {
                let requests = columns.value(row, *requests).filter(|n| *n > 0.0)?;
                Some(columns.value(row, *events)? / requests)
            }
        }
    }
}

fn read<F: DeserializeOwned>(args: &JudgeArgs, mode: &str) -> Result<F, Failure> {
    let Some(file) = &args.spec else {
        return Err(Failure::usage(format!(
            "--mode {mode} takes its rules from a file: --spec FILE"
        )));
    };
    parse(file, &text_of(file)?)
}

fn parse<F: DeserializeOwned>(file: &Path, text: &str) -> Result<F, Failure> {
    toml::from_str(text).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))
}

fn judgement(
    mode: &'static str,
    verdict: Verdict,
    baseline: &Columns,
    canary: &Columns,
    rules: Rules,
    mut assumed: Vec<String>,
) -> Judgement {
    assumed.insert(0, "these rules compare nothing: the baseline was not looked at".to_owned());
    Judgement {
        format: JUDGEMENT_FORMAT,
        mode,
        verdict,
        baseline: SafeText::new(&baseline.file),
        canary: SafeText::new(&canary.file),
        history: 0,
        rows: canary.rows.len(),
        assumed: assumed.iter().map(SafeText::from).collect(),
        judged: None,
        kayenta: None,
        argo: rules.argo,
        flagger: rules.flagger,
    }
}

/// What Argo Rollouts would say.
pub fn argo(args: &JudgeArgs, baseline: &Columns, canary: &Columns) -> Result<Judgement, Failure> {
    let file: ArgoFile = read(args, "argo")?;
    if file.metrics.is_empty() {
        return Err(Failure::usage("nothing to judge: the file names no metrics"));
    }
    let mut assumed = Vec::new();
    let mut under = Vec::new();
    for rule in &file.metrics {
        let usual = Limits::default();
        let limits = Limits {
            count: rule.count,
            interval: true,
            failure_limit: rule.failure_limit.unwrap_or(usual.failure_limit),
            inconclusive_limit: rule.inconclusive_limit.unwrap_or(usual.inconclusive_limit),
            consecutive_error_limit: rule
                .consecutive_error_limit
                .unwrap_or(usual.consecutive_error_limit),
            consecutive_success_limit: rule
                .consecutive_success_limit
                .unwrap_or(usual.consecutive_success_limit),
        };
        if limits.count.is_none() && limits.consecutive_success_limit <= 0 {
            assumed
                .push(format!("{} has no count: it never ends by itself with success", rule.name));
        }
        let figure = Figure {
            column: rule.column.clone(),
            events: rule.events.clone(),
            requests: rule.requests.clone(),
        };
        let line = ArgoMetric {
            name: SafeText::new(&rule.name),
            phase: Phase::Pending,
            successful: 0,
            failed: 0,
            inconclusive: 0,
            errors: 0,
            failure_limit: limits.failure_limit,
            count: limits.count,
            dry_run: rule.dry_run,
        };
        under.push((rule, figure.find(&rule.name, canary)?, argo::Metric::new(limits), line));
    }
    let mut phase = Phase::Running;
    for row in canary.rows.keys() {
        for (rule, place, metric, line) in &mut under {
            if metric.phase().is_complete() {
                continue;
            }
            let measured = measured(rule, place.value(canary, *row));
            match measured {
                Phase::Successful => line.successful += 1,
                Phase::Failed => line.failed += 1,
                Phase::Inconclusive => line.inconclusive += 1,
                _ => line.errors += 1,
            }
            line.phase = metric.push(measured);
        }
        let phases: Vec<_> =
            under.iter().map(|(rule, _, m, _)| (m.phase(), rule.dry_run)).collect();
        phase = argo::run(&phases);
        if phase.is_complete() {
            break;
        }
    }
    let verdict = match phase.consequence() {
        Consequence::Proceed => Verdict::Pass,
        Consequence::Wait => Verdict::NotEnoughData,
        Consequence::Pause => Verdict::Marginal,
        Consequence::Abort => Verdict::Fail,
    };
    let metrics = under.into_iter().map(|(_, _, _, line)| line).collect();
    let rules = Rules { argo: Some(Argo { phase, metrics }), flagger: None };
    Ok(judgement("argo", verdict, baseline, canary, rules, assumed))
}

/// One measurement; what was not measured is an error, as an empty answer is to Argo.
fn measured(rule: &ArgoRule, value: Option<f64>) -> Phase {
    let Some(value) = value else { return Phase::Error };
    let holds = |condition: &Option<Condition>| condition.as_ref().map(|c| Ok(c.holds(value)));
    argo::measure(holds(&rule.success), holds(&rule.failure))
}

/// What Flagger would say.
pub fn flagger(
    args: &JudgeArgs,
    baseline: &Columns,
    canary: &Columns,
) -> Result<Judgement, Failure> {
    let file: FlaggerFile = read(args, "flagger")?;
    if file.metrics.is_empty() {
        return Err(Failure::usage("nothing to judge: the file names no metrics"));
    }
    if file.step_weight == 0 && file.step_weights.is_empty() {
        let message = "no `step_weight` and no `step_weights`: such a canary never gets traffic";
        return Err(Failure::usage(message));
    }
    let settings = Settings {
        // Flagger takes none for its default too.
        threshold: file.threshold.filter(|n| *n > 0).unwrap_or(Settings::default().threshold),
        step_weight: file.step_weight,
        step_weights: file.step_weights.clone(),
        max_weight: file.max_weight,
    };
    let threshold = settings.threshold;
    let mut metrics = Vec::new();
    for rule in &file.metrics {
        let figure = Figure {
            column: rule.column.clone(),
            events: rule.events.clone(),
            requests: rule.requests.clone(),
        };
        let line = FlaggerMetric {
            name: SafeText::new(&rule.name),
            checks: 0,
            failed: 0,
            missing: 0,
            min: rule.min,
            max: rule.max,
        };
        metrics.push((rule, figure.find(&rule.name, canary)?, line));
    }
    let mut walk = Canary::new(settings);
    for row in canary.rows.keys() {
        let mut passed = true;
        if walk.wants_check() {
            for (rule, place, line) in &mut metrics {
                let value = place.value(canary, *row);
                passed = in_range(value, rule.min, rule.max);
                line.checks += 1;
                line.failed += u64::from(!passed);
                line.missing += u64::from(value.is_none());
                // The first that fails ends the interval.
                if !passed {
                    break;
                }
            }
        }
        walk.interval(passed);
    }
    if walk.now().failed_checks >= threshold {
        // The next interval takes it back, whatever it measures.
        walk.interval(false);
    }
    let now = walk.now();
    let verdict = match now.phase {
        flagger::Phase::Promoting => Verdict::Pass,
        flagger::Phase::Progressing => Verdict::NotEnoughData,
        flagger::Phase::Failed => Verdict::Fail,
    };
    let told = Flagger {
        phase: now.phase,
        weight: now.weight,
        failed_checks: now.failed_checks,
        threshold,
        metrics: metrics.into_iter().map(|(_, _, line)| line).collect(),
    };
    let rules = Rules { argo: None, flagger: Some(told) };
    Ok(judgement("flagger", verdict, baseline, canary, rules, Vec::new()))
}

/// Writes what Argo Rollouts would say, for people.
pub fn argo_table(found: &Argo, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "   run {:?}", found.phase)?;
    let head = ["metric", "phase", "successful", "failed", "inconclusive", "errors", "may fail"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for metric in &found.metrics {
        let dry = if metric.dry_run { ", dry run" } else { "" };
        let limit = match metric.failure_limit {
            limit if limit < 0 => "any".to_owned(),
            limit => limit.to_string(),
        };
        lines.push(vec![
            metric.name.to_string(),
            format!("{:?}{dry}", metric.phase),
            metric.successful.to_string(),
            metric.failed.to_string(),
            metric.inconclusive.to_string(),
            metric.errors.to_string(),
            limit,
        ]);
    }
    rows(&lines, out)
}

/// Writes what Flagger would say, for people.
pub fn flagger_table(found: &Flagger, out: &mut impl Write) -> io::Result<()> {
    let Flagger { phase, weight, failed_checks, threshold, .. } = found;
    writeln!(
        out,
        "   {phase:?} at {weight}%: {failed_checks} failed checks, {threshold} take it back"
    )?;
    let mut lines =
        vec![["metric", "checks", "failed", "without value", "range"].map(str::to_owned).to_vec()];
    for metric in &found.metrics {
        let end = |end: Option<f64>| end.map_or("any".to_owned(), |end| end.to_string());
        lines.push(vec![
            metric.name.to_string(),
            metric.checks.to_string(),
            metric.failed.to_string(),
            metric.missing.to_string(),
            format!("{} to {}", end(metric.min), end(metric.max)),
        ]);
    }
    rows(&lines, out)
}
