//! Canary configurations of Spinnaker's Kayenta, and its judgement on figures in files.
//!
//! The shape is the one that Kayenta documents for its canary configurations: `metrics` with
//! `analysisConfigurations.canary`, and `classifier` with group weights and thresholds.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::asked::JudgeArgs;
use super::columns::Columns;
use super::columns::{WEIGHT, column};
use super::document::{JUDGEMENT_FORMAT, Judgement, Kayenta, KayentaMetric};
use super::text_of;
use crate::cli::exit::Failure;
use crate::cli::rows::rows;
use crate::domain::text::SafeText;
use crate::judge::Verdict;
use crate::judge::kayenta::classify::{Measure, NanStrategy, Watch};
use crate::judge::kayenta::score::{Override, ScoreClass};
use crate::judge::kayenta::{
    Classification, MetricResult, Outcome, Settings, Thresholds, classify, score,
};

/// Thresholds where neither the configuration nor a flag names any: those of Kayenta's examples.
const USUAL: Thresholds = Thresholds { pass: 95.0, marginal: 75.0 };

/// Points of a metric that the guide to canary analysis with Kayenta asks for in each arm.
const ENOUGH: usize = 50;

/// A canary configuration. What is not needed here is passed over.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Config {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The applications that it belongs to.
    pub applications: Vec<String>,
    /// What is compared.
    pub metrics: Vec<Metric>,
    /// Reusable parts of queries, by name.
    pub templates: BTreeMap<String, String>,
    /// Weights and thresholds.
    pub classifier: Classifier,
}

/// One metric.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// How its figures are asked for; differs by the kind of source.
    #[serde(default)]
    pub query: Value,
    /// The groups that it counts in.
    #[serde(default)]
    pub groups: Vec<String>,
    /// How it is judged, by the kind of analysis; only `canary` is known.
    #[serde(default)]
    pub analysis_configurations: Analyses,
}

/// How a metric is judged.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Analyses {
    /// In a canary analysis.
    pub canary: Judging,
}

/// How a metric is judged in a canary analysis.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Judging {
    /// Which way is bad.
    pub direction: Option<Watch>,
    /// What to do with values that are not numbers.
    pub nan_strategy: Option<NanStrategy>,
    /// Whether it fails the whole canary.
    pub critical: bool,
    /// Whether no data is a failure.
    pub must_have_data: bool,
    /// Left out of the score.
    pub muted: bool,
    /// From which effect a deviation counts.
    pub effect_size: Effect,
    /// What to do with outliers.
    pub outliers: Outliers,
}

/// From which effect a deviation counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Effect {
    /// How it is measured.
    pub measure: Option<Measure>,
    /// Upwards.
    pub allowed_increase: Option<f64>,
    /// Downwards.
    pub allowed_decrease: Option<f64>,
    /// Upwards, and critical.
    pub critical_increase: Option<f64>,
    /// Downwards, and critical.
    pub critical_decrease: Option<f64>,
}

/// What to do with outliers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Outliers {
    /// `keep` or `remove`.
    pub strategy: Option<String>,
    /// How many interquartile ranges away they begin.
    pub outlier_factor: Option<f64>,
}

/// Weights and thresholds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Classifier {
    /// Weight of each group, in percent.
    pub group_weights: BTreeMap<String, f64>,
    /// Scores that divide pass, marginal and fail.
    pub score_thresholds: Option<Thresholds>,
}

impl Config {
    /// Reads a configuration.
    pub fn read(file: &Path, text: &str) -> Result<Self, Failure> {
        let config: Self = serde_json::from_str(text).map_err(|error| {
            let hint = "this is no canary configuration of Kayenta";
            Failure::usage(format!("{}: {hint}: {error}", file.display()))
        })?;
        if config.metrics.is_empty() {
            return Err(Failure::usage(format!("{}: it has no metrics", file.display())));
        }
        Ok(config)
    }
}

impl Judging {
    fn settings(&self) -> Settings {
        let usual = Settings::default();
        Settings {
            direction: self.direction.unwrap_or_default(),
            nan_strategy: self.nan_strategy.unwrap_or_default(),
            remove_outliers: self.outliers.strategy.as_deref() == Some("remove"),
            outlier_factor: self.outliers.outlier_factor.unwrap_or(usual.outlier_factor),
            measure: self.effect_size.measure.unwrap_or_default(),
            allowed_increase: self.effect_size.allowed_increase,
            allowed_decrease: self.effect_size.allowed_decrease,
            critical_increase: self.effect_size.critical_increase,
            critical_decrease: self.effect_size.critical_decrease,
            critical: self.critical,
            must_have_data: self.must_have_data,
            ..usual
        }
    }
}

/// What Kayenta would say. Without a configuration every column is a metric.
pub fn judge(args: &JudgeArgs, baseline: &Columns, canary: &Columns) -> Result<Judgement, Failure> {
    let mut assumed = Vec::new();
    let config = match &args.spec {
        Some(file) => Config::read(file, &text_of(file)?)?,
        None => {
            assumed.push("every column is a metric, and any deviation counts".to_owned());
            let metric = |name: &String| Metric {
                name: name.clone(),
                query: Value::Null,
                groups: vec!["all".to_owned()],
                analysis_configurations: Analyses::default(),
            };
            let names = baseline.names.iter().filter(|name| *name != WEIGHT);
            Config { metrics: names.map(metric).collect(), ..Config::default() }
        }
    };
    let told = config.classifier.score_thresholds;
    if told.is_none() && (args.pass.is_none() || args.marginal.is_none()) {
        assumed.push(format!("pass from {}, marginal from {}", USUAL.pass, USUAL.marginal));
    }
    let told = told.unwrap_or(USUAL);
    let thresholds = Thresholds {
        pass: args.pass.unwrap_or(told.pass),
        marginal: args.marginal.unwrap_or(told.marginal),
    };
    let mut results = Vec::new();
    let mut metrics = Vec::new();
    for metric in &config.metrics {
        let values = |columns: &Columns| -> Result<Vec<f64>, Failure> {
            let at = column(columns, &metric.name)?;
            Ok(columns.values(at).map(|value| value.unwrap_or(f64::NAN)).collect())
        };
        let judging = &metric.analysis_configurations.canary;
        let (old, new) = (values(baseline)?, values(canary)?);
        let points = |arm: &[f64]| arm.iter().filter(|value| !value.is_nan()).count();
        let fewest = points(&old).min(points(&new));
        if fewest < ENOUGH {
            let name = &metric.name;
            assumed.push(format!(
                "{name}: {fewest} points are enough; Kayenta's guide asks for {ENOUGH}"
            ));
        }
        let settings = Settings { exact_roots: args.exact_roots, ..judging.settings() };
        let outcome = classify(&settings, &old, &new);
        metrics.push(line(&metric.name, &outcome));
        results.push(MetricResult {
            classification: outcome.classification,
            critical: outcome.critical,
            groups: metric.groups.clone(),
            muted: judging.muted,
        });
    }
    let report = score(&results, &config.classifier.group_weights, thresholds);
    Ok(Judgement {
        format: JUDGEMENT_FORMAT,
        mode: "kayenta",
        verdict: match report.classification {
            ScoreClass::Pass => Verdict::Pass,
            ScoreClass::Marginal => Verdict::Marginal,
            ScoreClass::Fail => Verdict::Fail,
        },
        baseline: SafeText::new(&baseline.file),
        canary: SafeText::new(&canary.file),
        history: 0,
        rows: canary.rows.len(),
        assumed: assumed.iter().map(SafeText::from).collect(),
        judged: None,
        kayenta: Some(Kayenta {
            score: report.score,
            pass: thresholds.pass,
            marginal: thresholds.marginal,
            reason: report.reason.map(|reason| match reason {
                Override::Critical => "a critical metric did not pass",
                Override::Nodata => "half of the metrics or more have no data",
            }),
            groups: report.groups.iter().map(|(name, group)| (name.clone(), group.score)).collect(),
            metrics,
        }),
        argo: None,
        flagger: None,
    })
}

fn line(name: &str, outcome: &Outcome) -> KayentaMetric {
    KayentaMetric {
        name: SafeText::new(name),
        classification: match outcome.classification {
            Classification::Pass => "Pass",
            Classification::High => "High",
            Classification::Low => "Low",
            Classification::Nodata => "Nodata",
            Classification::NodataFailMetric => "NodataFailMetric",
            Classification::Error => "Error",
        },
        critical: outcome.critical,
        ratio: outcome.ratio,
        low: outcome.shift.map(|shift| shift.low),
        high: outcome.shift.map(|shift| shift.high),
        tiny_scale: outcome.tiny_scale,
    }
}

/// Writes what Kayenta would say, for people.
pub fn table(found: &Kayenta, out: &mut impl Write) -> io::Result<()> {
    let reason = found.reason.map(|why| format!(": {why}")).unwrap_or_default();
    let Kayenta { score, pass, marginal, .. } = found;
    writeln!(out, "   score {score} (pass from {pass}, marginal from {marginal}){reason}")?;
    let mut lines =
        vec![["metric", "label", "ratio", "plausible shift"].map(str::to_owned).to_vec()];
    for metric in &found.metrics {
        let shift = match (metric.low, metric.high) {
            (Some(low), Some(high)) => format!("{low:.4} to {high:.4}"),
            _ => "-".to_owned(),
        };
        let critical = if metric.critical { ", critical" } else { "" };
        lines.push(vec![
            metric.name.to_string(),
            format!("{}{critical}", metric.classification),
            metric.ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")),
            shift,
        ]);
    }
    rows(&lines, out)?;
    for metric in found.metrics.iter().filter(|metric| metric.tiny_scale) {
        writeln!(
            out,
            "   warning: {}: all values lie below 0.001, where this method sees nothing; multiply them, \
             or judge with --exact-roots",
            metric.name
        )?;
    }
    Ok(())
}
