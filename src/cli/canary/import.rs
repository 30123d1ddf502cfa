//! `flightdeck canary import-kayenta`: a canary configuration of Kayenta as one of flightdeck.

use std::io::Write;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::Value;

use super::kayenta::{Config, Judging, Metric};
use super::text_of;
use crate::cli::exit::{Exit, Failure};
use crate::judge::kayenta::classify::{Measure, NanStrategy, Watch};

/// What to import.
#[derive(Clone, Debug, ClapArgs)]
pub struct ImportArgs {
    /// The canary configuration, in JSON
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The service that it belongs to; otherwise the first application that it names
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// The source that knows its metrics
    #[arg(long, value_name = "NAME", default_value = "prometheus")]
    pub source: String,
}

/// Prints a piece of configuration.
pub fn run(args: &ImportArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    let config = Config::read(&args.file, &text_of(&args.file)?)?;
    let service = args.service.as_ref().or(config.applications.first());
    let Some(service) = service else {
        let message = "it names no application: say which service it is, with --service";
        return Err(Failure::usage(format!("{}: {message}", args.file.display())));
    };
    let text = Fragment { config: &config, service, source: &args.source }.text();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(Exit::Good),
        Err(error) => Failure::output(&error, Exit::Good),
    }
}

struct Fragment<'a> {
    config: &'a Config,
    service: &'a str,
    source: &'a str,
}

impl Fragment<'_> {
    fn text(&self) -> String {
        let mut lines = vec![
            format!("# From Kayenta's canary configuration {}.", quoted(&self.config.name)),
            "# Judged by odds instead of a score: the verdict stays right however often it is looked"
                .to_owned(),
            "# at. For the score itself: flightdeck canary judge --mode kayenta --spec FILE.json"
                .to_owned(),
        ];
        if let Some(thresholds) = self.config.classifier.score_thresholds {
            lines.push(format!(
                "# Thresholds there: pass from {}, marginal from {}.",
                thresholds.pass, thresholds.marginal
            ));
        }
        if let Some(text) = &self.config.description {
            lines.push(format!("# {}", one_line(text)));
        }
        let key = format!("services.{}.canaries", bare(self.service));
        lines.push(format!("[[{key}]]"));
        lines.push(format!("name = {}", quoted(&self.config.name)));
        lines.push(
            "# traffic = \"SOURCE/SPLIT\"          # what decides who gets the canary".to_owned(),
        );
        lines.push(
            "baseline = \"baseline\"               # what {arm} stands for in queries".to_owned(),
        );
        lines.push("canary = \"canary\"".to_owned());
        for metric in &self.config.metrics {
            lines.push(String::new());
            self.metric(&key, metric, &mut lines);
        }
        lines.join("\n") + "\n"
    }

    fn metric(&self, key: &str, metric: &Metric, lines: &mut Vec<String>) {
        let query = self.query(metric);
        let judging = &metric.analysis_configurations.canary;
        let mut own = vec![
            format!("[[{key}.metrics]]"),
            format!("name = {}", quoted(&metric.name)),
            "kind = \"series\"".to_owned(),
            format!("source = {}", quoted(self.source)),
        ];
        let mut notes = Vec::new();
        match &query {
            Ok(query) => own.push(format!("query = {}", quoted(query))),
            Err(why) => {
                notes.push(format!("{why}; what was asked there: {}", metric.query));
                own.push("query = \"\"".to_owned());
            }
        }
        self.judging(metric, judging, &mut own, &mut notes);
        lines.extend(notes.iter().map(|note| format!("# {}", one_line(note))));
        // What cannot be asked for as it stands would be refused as a whole.
        let off = if query.is_err() { "# " } else { "" };
        lines.extend(own.iter().map(|line| format!("{off}{line}")));
    }

    fn judging(
        &self,
        metric: &Metric,
        judging: &Judging,
        own: &mut Vec<String>,
        notes: &mut Vec<String>,
    ) {
        let effect = &judging.effect_size;
        let decrease = judging.direction == Some(Watch::Decrease);
        own.push(format!("direction = \"{}\"", if decrease { "decrease" } else { "increase" }));
        if matches!(judging.direction, None | Some(Watch::Either)) {
            notes.push(
                "either direction counted there; here one does: copy it for the other".to_owned(),
            );
        }
        let allowed = if decrease { effect.allowed_decrease } else { effect.allowed_increase };
        let by_ratio = matches!(effect.measure, None | Some(Measure::MeanRatio));
        let margin = allowed.filter(|_| by_ratio).map(|ratio| (ratio - 1.0).abs());
        match margin.filter(|margin| *margin > 0.0 && *margin < 1.0) {
            Some(margin) => own.push(format!("margin = {}", (margin * 1e6).round() / 1e6)),
            None => own
                .push("margin = 0.1                          # nothing was said there".to_owned()),
        }
        if !by_ratio {
            notes.push(
                "the effect was measured as a chance there (cles), here as a ratio".to_owned(),
            );
        }
        if let Some(weight) = self.weight(metric) {
            own.push(format!("weight = {weight}"));
        }
        if judging.must_have_data || judging.critical {
            own.push("required = true".to_owned());
        }
        if judging.critical {
            own.push("critical = true".to_owned());
        }
        if judging.muted {
            own.push("muted = true".to_owned());
        }
        if judging.nan_strategy == Some(NanStrategy::Replace) {
            notes.push(
                "no data counted as 0 there; here it is no data: write `or vector(0)`".to_owned(),
            );
        }
        if judging.outliers.strategy.as_deref() == Some("remove") {
            notes.push("outliers were dropped there; here they count".to_owned());
        }
    }

    /// Its part of the weight of its groups.
    fn weight(&self, metric: &Metric) -> Option<f64> {
        let group = metric.groups.first()?;
        let whole = self.config.classifier.group_weights.get(group)?;
        let members = self.config.metrics.iter().filter(|m| m.groups.contains(group)).count();
        let weight = whole / members.max(1) as f64;
        (weight > 0.0).then_some((weight * 100.0).round() / 100.0)
    }

    /// What is asked for, with {arm} where Kayenta puts the scope; or why that is not known.
    fn query(&self, metric: &Metric) -> Result<String, String> {
        let text =
            |key: &str| metric.query.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
        let template = text("customInlineTemplate").or_else(|| {
            text("customFilterTemplate")
                .and_then(|name| self.config.templates.get(name))
                .map(String::as_str)
        });
        let asked = match (template, text("metricName")) {
            (Some(template), _) => template.trim_start_matches("PromQL:").trim().to_owned(),
            (None, Some(name)) if is_prometheus(&metric.query) => {
                let labels: Vec<&str> = metric
                    .query
                    .get("labelBindings")
                    .and_then(Value::as_array)
                    .map(|labels| labels.iter().filter_map(Value::as_str).collect())
                    .unwrap_or_default();
                format!("avg({name}{{{}}})", labels.join(","))
            }
            _ => return Err("this kind of query has no counterpart yet".to_owned()),
        };
        let asked = asked.replace("${scope}", "{arm}");
        if !asked.contains("{arm}") {
            return Err(
                "the query does not tell the arms apart: there is no ${scope} in it".to_owned()
            );
        }
        if asked.contains("${") {
            return Err(format!("the query has variables that are unknown here: {asked}"));
        }
        Ok(asked)
    }
}

fn is_prometheus(query: &Value) -> bool {
    query.get("type").or(query.get("serviceType")).and_then(Value::as_str) == Some("prometheus")
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A key of TOML.
fn bare(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(plain) { name.to_owned() } else { quoted(name) }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
