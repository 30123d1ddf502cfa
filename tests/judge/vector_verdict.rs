//! Reference cases of whole analyses.

use crate::engines::{counts, direction_of, history};
use crate::support::{Case, Tolerance, only};
use flightdeck::judge::{Analysis, MetricKind, MetricSpec, Sample, Spec};
use serde_json::{Map, Value, json};

const METRIC_FIELDS: [&str; 13] = [
    "name",
    "kind",
    "direction",
    "margin",
    "history",
    "floor",
    "strict",
    "v_min",
    "weight",
    "required",
    "muted",
    "critical",
    "unit",
];

fn metric(fields: &Map<String, Value>) -> Result<MetricSpec, String> {
    only(fields, &METRIC_FIELDS)?;
    let get = |name: &str| fields.get(name).filter(|value| !value.is_null());
    let truth = |name: &str, default| get(name).map_or(Some(default), Value::as_bool);
    let name = get("name").and_then(Value::as_str).ok_or("a metric has no name")?;
    let kind = match get("kind").and_then(Value::as_str) {
        Some("count") => MetricKind::Count {
            floor: get("floor").and_then(Value::as_f64),
            strict: truth("strict", false).ok_or("strict is no boolean")?,
        },
        Some("series") => MetricKind::Series { v_min: get("v_min").and_then(Value::as_f64) },
        other => return Err(format!("metric kind {other:?}")),
    };
    Ok(MetricSpec {
        kind,
        direction: direction_of(get("direction").unwrap_or(&json!("increase")))?,
        margin: get("margin").and_then(Value::as_f64).ok_or("a metric has no margin")?,
        weight: get("weight").and_then(Value::as_f64),
        required: truth("required", true).ok_or("required is no boolean")?,
        muted: truth("muted", false).ok_or("muted is no boolean")?,
        critical: truth("critical", false).ok_or("critical is no boolean")?,
        ..MetricSpec::errors(name)
    })
}

fn sample(kind: &MetricKind, tick: Option<&Value>) -> Sample {
    let Some(tick) = tick.filter(|tick| tick.is_array()) else { return Sample::Missing };
    match kind {
        MetricKind::Count { .. } => Sample::Counts {
            baseline: counts(&tick[0], &tick[1]),
            canary: counts(&tick[2], &tick[3]),
        },
        MetricKind::Series { .. } => {
            Sample::Values { baseline: tick[0].as_f64(), canary: tick[1].as_f64() }
        }
    }
}

pub fn verdict(case: &mut Case<'_>) -> Result<(), String> {
    let described = case.list("metrics")?;
    let mut spec = Spec {
        alpha: case.number_or("alpha", 0.01)?,
        beta: case.number_or("beta", 0.05)?,
        warm_up_ticks: 0,
        ..Spec::default()
    };
    for fields in described {
        spec.metrics.push(metric(fields.as_object().ok_or("a metric is no object")?)?);
    }
    let mut analysis = Analysis::new(spec.clone()).map_err(|e| e.to_string())?;
    for (fields, metric) in described.iter().zip(&spec.metrics) {
        if let Some(list) = fields["history"].as_array() {
            assert!(analysis.learn(&metric.name, history(list)));
        }
    }
    let restarts = case.positions("restart_before")?;
    let looks = case.wanted("looks")?.as_array().ok_or("looks is no list")?;
    let mut first = Map::new();
    let ticks = case.list("ticks")?;
    case.all_within("look", looks, ticks.len());
    for (at, tick) in ticks.iter().enumerate() {
        restarts.iter().filter(|before| **before == at).for_each(|_| analysis.restart());
        let row: Vec<Sample> =
            spec.metrics.iter().map(|m| sample(&m.kind, tick.get(&m.name))).collect();
        analysis.push(&row);
        let overall = json!(analysis.verdict());
        first.entry(overall.as_str().unwrap_or("?")).or_insert(json!(at));
        for want in looks.iter().filter(|want| want["look"].as_u64() == Some(at as u64)) {
            look(case, &analysis, want)?;
        }
    }
    let want = case.wanted("first_look_of_each_state")?.as_object().ok_or("no first looks")?;
    for name in first.keys().chain(want.keys()) {
        let (got, want) = (first.get(name), want.get(name));
        case.same(&format!("first look of {name}"), &json!(got), &json!(want));
    }
    Ok(())
}

fn look(case: &mut Case<'_>, analysis: &Analysis, want: &Value) -> Result<(), String> {
    let at = &want["look"];
    let (fail, reg) = analysis.ln_global();
    for (name, want) in want.as_object().ok_or("a look is no object")? {
        let what = format!("look {at}: {name}");
        match name.as_str() {
            "look" => {}
            "overall" => case.same(&what, &json!(analysis.verdict()), want),
            "global_log_e_fail" => case.same_log(&what, fail, want),
            "global_log_e_reg" => case.same_log(&what, reg, want),
            "score" => {
                let near = Tolerance::Either(0.0, 1e-4);
                case.same_number(&what, Some(analysis.score()), want, near);
            }
            "metrics" => metrics(case, analysis, &what, want)?,
            "culprits" | "safe" => {
                let report = analysis.report();
                let got = if name == "safe" { report.safe } else { report.culprits };
                case.same(&what, &json!(got), want);
            }
            other => return Err(format!("field `{other}` of a look is not understood")),
        }
    }
    Ok(())
}

fn metrics(
    case: &mut Case<'_>,
    analysis: &Analysis,
    what: &str,
    want: &Value,
) -> Result<(), String> {
    for want in want.as_array().ok_or("metrics is no list")? {
        let name = want["name"].as_str().ok_or("a metric has no name")?;
        let at = analysis.spec().metrics.iter().position(|metric| metric.name == name);
        let metric = at.map(|at| &analysis.metrics()[at]).ok_or("an unknown metric")?;
        for (field, want) in want.as_object().ok_or("a metric is no object")? {
            let what = format!("{what}: {name}: {field}");
            match field.as_str() {
                "name" => {}
                "log_e_reg" => case.same_log(&what, metric.evidence.reg, want),
                "log_e_fail" => case.same_log(&what, metric.evidence.fail, want),
                "log_e_safe" => case.same_log(&what, metric.evidence.safe, want),
                "state" => case.same(&what, &json!(Analysis::metric_verdict(metric)), want),
                other => return Err(format!("field `{other}` of a metric is not understood")),
            }
        }
    }
    Ok(())
}
