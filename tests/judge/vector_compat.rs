//! Reference cases of the other judges' rules: Mann–Whitney, Kayenta, Argo Rollouts, Flagger.

use crate::support::{Case, EXACT, Tolerance, only};
use flightdeck::judge::kayenta::mann_whitney::Samples;
use flightdeck::judge::kayenta::{
    MetricResult, Settings, Thresholds, classify,
    classify::{Measure, NanStrategy, Watch},
    score,
};
use flightdeck::judge::{argo, flagger};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub fn mann_whitney(case: &mut Case<'_>) -> Result<(), String> {
    let (x, y) = (case.numbers("x")?, case.numbers("y")?);
    let level = case.number("conf")?;
    let samples = Samples::new(&x, &y).ok_or("samples cannot be compared")?;
    let largest = x.iter().chain(&y).fold(0.0_f64, |best, v| best.max(v.abs()));
    let (fine, rough) = (Tolerance::Scaled(1e-9, largest), Tolerance::Scaled(1e-7, largest));
    case.same_number("u", Some(samples.u()), case.wanted("u")?, fine);
    case.same_number("p", samples.p_normal(), case.wanted("p_asymptotic")?, fine);
    case.same_number("hl", Some(samples.median_difference()), case.wanted("hl")?, fine);
    let crossings = samples.exact_crossings(level).map(|s| (s.low, s.high));
    interval(case, "ci_normal", crossings, rough)?;
    case.same_number("p_exact", samples.p_exact(), case.wanted("p_exact")?, fine);
    interval(case, "ci_exact", samples.exact_interval(level), fine)
}

fn interval(
    case: &mut Case<'_>,
    name: &str,
    got: Option<(f64, f64)>,
    tolerance: Tolerance,
) -> Result<(), String> {
    let want = case.wanted(name)?;
    case.same_number(&format!("{name}[0]"), got.map(|ends| ends.0), &want[0], tolerance);
    case.same_number(&format!("{name}[1]"), got.map(|ends| ends.1), &want[1], tolerance);
    Ok(())
}

fn bound(case: &Case<'_>, name: &str) -> Result<Option<f64>, String> {
    case.find(name).map(|_| case.number(name)).transpose()
}

fn settings(case: &Case<'_>) -> Result<Settings, String> {
    let defaults = Settings::default();
    Ok(Settings {
        direction: match case.text("direction")? {
            "increase" => Watch::Increase,
            "decrease" => Watch::Decrease,
            "either" => Watch::Either,
            other => return Err(format!("direction `{other}`")),
        },
        nan_strategy: match case.find("nan_strategy").and_then(Value::as_str) {
            Some("replace") => NanStrategy::Replace,
            _ => NanStrategy::Remove,
        },
        remove_outliers: case.find("outliers").and_then(Value::as_str) == Some("remove"),
        outlier_factor: case.number_or("outlier_factor", defaults.outlier_factor)?,
        measure: match case.text("measure")? {
            "meanRatio" => Measure::MeanRatio,
            "cles" => Measure::Cles,
            other => return Err(format!("measure `{other}`")),
        },
        allowed_increase: bound(case, "allowed_increase")?,
        allowed_decrease: bound(case, "allowed_decrease")?,
        critical_increase: bound(case, "critical_increase")?,
        critical_decrease: bound(case, "critical_decrease")?,
        critical: case.truth_or("critical", false)?,
        must_have_data: case.truth_or("must_have_data", false)?,
        tolerance: case.number_or("tolerance", defaults.tolerance)?,
        confidence: case.number_or("conf", defaults.confidence)?,
        exact_roots: case.truth_or("exact_roots", false)?,
    })
}

pub fn kayenta_classify(case: &mut Case<'_>) -> Result<(), String> {
    let settings = settings(case)?;
    let outcome = classify(&settings, &case.numbers("control")?, &case.numbers("experiment")?);
    case.same("classification", &json!(outcome.classification), case.wanted("classification")?);
    case.same("critical", &json!(outcome.critical), case.wanted("critical")?);
    case.same("n_control", &json!(outcome.control_points), case.wanted("n_control")?);
    case.same("n_experiment", &json!(outcome.experiment_points), case.wanted("n_experiment")?);
    let close = |want: &Value| Tolerance::Scaled(1e-7, want.as_f64().unwrap_or(0.0));
    // Null means that the original gives nothing that could be reproduced.
    let want = case.wanted("ratio")?;
    if !want.is_null() {
        case.same_number("ratio", outcome.ratio, want, close(want));
    }
    let want = case.wanted("ci_lo_hi_estimate")?;
    if !want.is_null() {
        let shift = outcome.shift.ok_or("no interval, but one is expected")?;
        for (at, got) in [shift.low, shift.high, shift.estimate].into_iter().enumerate() {
            case.same_number(&format!("interval[{at}]"), Some(got), &want[at], close(&want[at]));
        }
    }
    Ok(())
}

pub fn kayenta_score(case: &mut Case<'_>) -> Result<(), String> {
    let read = |value: &Value| serde_json::from_value(value.clone()).map_err(|e| e.to_string());
    let results: Vec<MetricResult> = read(case.need("results")?)?;
    let weights: BTreeMap<String, f64> =
        serde_json::from_value(case.need("weights")?.clone()).map_err(|e| e.to_string())?;
    let thresholds = Thresholds {
        pass: case.number("pass_threshold")?,
        marginal: case.number("marginal_threshold")?,
    };
    let report = score(&results, &weights, thresholds);
    let near = Tolerance::Either(0.0, 1e-4);
    case.same_number("score", Some(report.score), case.wanted("score")?, near);
    case.same("classification", &json!(report.classification), case.wanted("classification")?);
    case.same("reason", &json!(report.reason), case.wanted("reason")?);
    let want = case.wanted("groups")?.as_object().ok_or("groups is no object")?;
    case.same("number of groups", &json!(report.groups.len()), &json!(want.len()));
    for (name, want) in want {
        let group = report.groups.get(name).ok_or_else(|| format!("no group `{name}`"))?;
        only(want.as_object().ok_or("a group is no object")?, &["score", "no_data"])?;
        case.same_number(&format!("group {name}"), Some(group.score), &want["score"], near);
        case.same(&format!("group {name} no_data"), &json!(group.no_data), &want["no_data"]);
    }
    Ok(())
}

pub fn argo_metric(case: &mut Case<'_>) -> Result<(), String> {
    let whole = |name: &str, default: i64| match case.find(name) {
        None => Ok(default),
        Some(value) => value.as_i64().ok_or_else(|| format!("`{name}` is no whole number")),
    };
    let limits = argo::Limits {
        count: case.find("count").and_then(Value::as_u64),
        interval: case.truth_or("interval", false)?,
        failure_limit: whole("failure_limit", 0)?,
        inconclusive_limit: whole("inconclusive_limit", 0)?,
        consecutive_error_limit: whole("consecutive_error_limit", 4)?,
        consecutive_success_limit: whole("consecutive_success_limit", 0)?,
    };
    let phases: Vec<argo::Phase> =
        serde_json::from_value(case.need("phases")?.clone()).map_err(|e| e.to_string())?;
    let mut metric = argo::Metric::new(limits);
    let mut got = Vec::new();
    for phase in phases {
        got.push(metric.push(phase));
        if metric.phase().is_complete() {
            break;
        }
    }
    case.same("phases", &json!(got), case.wanted("phase_after_each")?);
    Ok(())
}

pub fn argo_run(case: &mut Case<'_>) -> Result<(), String> {
    let phases: BTreeMap<String, argo::Phase> =
        serde_json::from_value(case.need("metric_phases")?.clone()).map_err(|e| e.to_string())?;
    let dry: Vec<String> = match case.find("dry_run") {
        None => Vec::new(),
        Some(value) => serde_json::from_value(value.clone()).map_err(|e| e.to_string())?,
    };
    let metrics: Vec<_> = phases.iter().map(|(name, p)| (*p, dry.contains(name))).collect();
    case.same("phase", &json!(argo::run(&metrics)), case.wanted("phase")?);
    Ok(())
}

pub fn flagger_loop(case: &mut Case<'_>) -> Result<(), String> {
    let whole = |name: &str, default: u32| match case.find(name) {
        None => Ok(default),
        Some(value) => {
            value.as_u64().map(|v| v as u32).ok_or_else(|| format!("`{name}` is no whole number"))
        }
    };
    let settings = flagger::Settings {
        threshold: whole("threshold", 1)?,
        step_weight: whole("step_weight", 0)?,
        step_weights: case.positions("step_weights")?.into_iter().map(|w| w as u32).collect(),
        max_weight: whole("max_weight", 0)?,
    };
    let checks = case.list("checks")?;
    let want = case.wanted("steps")?.as_array().ok_or("steps is no list")?;
    let mut canary = flagger::Canary::new(settings);
    let mut checks = checks.iter();
    let mut got = Vec::new();
    // One check for every interval that looks at one; the list ends with the checks or the canary.
    while canary.now().phase == flagger::Phase::Progressing {
        let before = canary.now();
        let asked = canary.wants_check();
        let passed = if asked {
            // A query without a value is null, and fails.
            let Some(check) = checks.next() else { break };
            check.as_bool().unwrap_or(false)
        } else {
            false
        };
        let now = canary.interval(passed);
        // Without a step, nothing would ever change again.
        if !asked && now == before && got.len() >= want.len() {
            break;
        }
        got.push(json!([now.weight, now.failed_checks, now.phase]));
    }
    case.same_number("steps", Some(got.len() as f64), &json!(want.len()), EXACT);
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        case.same(&format!("step {at}"), got, want);
    }
    Ok(())
}
