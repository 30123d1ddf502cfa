//! What is agreed before the rollout: metrics, margins, error levels and times.

use super::series::SeriesSettings;
use serde::{Deserialize, Serialize};

/// Which way a metric gets worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is worse: errors, slow requests, latency.
    #[default]
    Increase,
    /// Less is worse: conversions, throughput.
    Decrease,
}

impl Direction {
    /// The ratio canary over baseline that a margin still tolerates.
    pub fn margin_ratio(self, margin: f64) -> f64 {
        match self {
            Self::Increase => 1.0 + margin,
            Self::Decrease => (1.0 - margin).max(1e-3),
        }
    }
}

/// What a metric is made of, and so which engine judges it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MetricKind {
    /// Events out of requests.
    Count {
        /// A share of events that is fine whatever the baseline does: the only thing that can clear a
        /// metric without any events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        floor: Option<f64>,
        /// Judge harm by the strict engine; for metrics without baseline history.
        #[serde(default)]
        strict: bool,
    },
    /// One aggregated value a tick.
    Series {
        /// Least variance inflation from an A/A history; `None` means it was never calibrated, and
        /// then the metric alone never rolls back by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        v_min: Option<f64>,
    },
}

/// One metric of a canary analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricSpec {
    /// Its name; unique within an analysis.
    pub name: String,
    /// Counts or a series.
    #[serde(flatten)]
    pub kind: MetricKind,
    /// Which way is bad.
    #[serde(default)]
    pub direction: Direction,
    /// Tolerated worsening: 0.5 means up to 1.5 times (or half of it less).
    pub margin: f64,
    /// How much the metric counts; by default 1, and 5 for a critical one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// Whether the canary cannot pass without it.
    #[serde(default = "yes")]
    pub required: bool,
    /// Measured and shown, but without a voice.
    #[serde(default)]
    pub muted: bool,
    /// Its silence is a failure, and it counts five times.
    #[serde(default)]
    pub critical: bool,
}

fn yes() -> bool {
    true
}

impl MetricSpec {
    fn new(name: &str, kind: MetricKind, direction: Direction, margin: f64) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            direction,
            margin,
            weight: None,
            required: true,
            muted: false,
            critical: false,
        }
    }

    /// Failed requests out of all: more is worse, up to 1.5 times is tolerated.
    pub fn errors(name: &str) -> Self {
        let kind = MetricKind::Count { floor: None, strict: false };
        Self::new(name, kind, Direction::Increase, 0.5)
    }

    /// Successful outcomes out of visits: less is worse, a tenth is tolerated.
    pub fn conversions(name: &str) -> Self {
        let kind = MetricKind::Count { floor: None, strict: false };
        Self::new(name, kind, Direction::Decrease, 0.1)
    }

    /// An aggregated latency, one value a tick: more is worse, a tenth is tolerated.
    pub fn latency(name: &str) -> Self {
        Self::new(name, MetricKind::Series { v_min: None }, Direction::Increase, 0.1)
    }

    /// Its weight among the others; none when muted.
    pub fn voice(&self) -> f64 {
        let default = if self.critical { 5.0 } else { 1.0 };
        if self.muted { 0.0 } else { self.weight.unwrap_or(default) }
    }

    /// Whether a pass needs this metric; of an analysis in which none is required, it needs all.
    pub fn is_needed(&self) -> bool {
        self.required && !self.muted
    }

    /// Whether this is a series whose long memory was never measured.
    pub fn is_uncalibrated_series(&self) -> bool {
        matches!(self.kind, MetricKind::Series { v_min: None })
    }

    /// The series knobs of this metric.
    pub(crate) fn series_settings(v_min: Option<f64>) -> SeriesSettings {
        SeriesSettings { v_min: v_min.unwrap_or(1.0), ..SeriesSettings::default() }
    }
}

/// A whole analysis. Everything here is fixed before the rollout: changing it on the way voids the
/// error guarantees, so a change is a new run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spec {
    /// Chance of ever rolling back a healthy canary.
    pub alpha: f64,
    /// Chance of ever clearing a canary that is at its margin.
    pub beta: f64,
    /// Error level of the plausible ranges that are shown.
    pub range_alpha: f64,
    /// Length of a tick in seconds.
    pub tick_seconds: f64,
    /// Ticks at the beginning that are not judged.
    pub warm_up_ticks: u64,
    /// Ticks that every traffic step must last.
    pub min_bake_ticks: u64,
    /// Ticks without data after which a metric counts as silent.
    pub silent_after_ticks: u64,
    /// Ticks after which a human must decide; never an automatic pass.
    pub deadline_ticks: Option<u64>,
    /// Traffic shares of the canary that the rollout walks through, each between 0 and 1.
    pub steps: Vec<f64>,
    /// The metrics.
    pub metrics: Vec<MetricSpec>,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            alpha: 0.01,
            beta: 0.05,
            range_alpha: 0.05,
            tick_seconds: 60.0,
            warm_up_ticks: 3,
            min_bake_ticks: 5,
            silent_after_ticks: 5,
            deadline_ticks: None,
            steps: Vec::new(),
            metrics: Vec::new(),
        }
    }
}

/// Why a specification cannot be judged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SpecError {
    /// There is nothing to judge.
    #[error("no metric to judge by")]
    NoMetric,
    /// Two metrics of one name.
    #[error("metric `{0}` appears twice")]
    Duplicate(String),
    /// An error level that is none.
    #[error("{name} is {value}: it must lie between 0 and 1, both excluded")]
    Level {
        /// Which level.
        name: &'static str,
        /// What was given.
        value: f64,
    },
    /// A tick without length.
    #[error("a tick of {0} seconds: it must be a positive number")]
    Tick(f64),
    /// A traffic share that is none.
    #[error("traffic step {0}: it must lie between 0 and 1")]
    Step(f64),
    /// A number of a metric out of its range.
    #[error("metric `{metric}`: {what} is {value}, {rule}")]
    Metric {
        /// Whose.
        metric: String,
        /// Which number.
        what: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        rule: &'static str,
    },
}

impl Spec {
    /// If nothing is required by name, everything with a voice is: no canary passes by no evidence.
    #[must_use]
    pub fn with_something_required(mut self) -> Self {
        if !self.metrics.iter().any(MetricSpec::is_needed) {
            self.metrics.iter_mut().for_each(|metric| metric.required = true);
        }
        self
    }

    /// Checks everything that would make a verdict meaningless.
    pub fn check(&self) -> Result<(), SpecError> {
        let levels =
            [("alpha", self.alpha), ("beta", self.beta), ("range_alpha", self.range_alpha)];
        for (name, value) in levels {
            if !(value > 0.0 && value < 1.0) {
                return Err(SpecError::Level { name, value });
            }
        }
        if !(self.tick_seconds > 0.0 && self.tick_seconds.is_finite()) {
            return Err(SpecError::Tick(self.tick_seconds));
        }
        if let Some(step) = self.steps.iter().find(|step| !(0.0..=1.0).contains(*step)) {
            return Err(SpecError::Step(*step));
        }
        let mut names = std::collections::BTreeSet::new();
        for metric in &self.metrics {
            if !names.insert(metric.name.as_str()) {
                return Err(SpecError::Duplicate(metric.name.clone()));
            }
            metric.check()?;
        }
        if self.metrics.is_empty() { Err(SpecError::NoMetric) } else { Ok(()) }
    }
}

impl MetricSpec {
    fn check(&self) -> Result<(), SpecError> {
        let wrong = |what, value, rule| {
            Err(SpecError::Metric { metric: self.name.clone(), what, value, rule })
        };
        if !(0.0..=50.0).contains(&self.margin) {
            return wrong("margin", self.margin, "it must lie between 0 and 50");
        }
        if self.direction == Direction::Decrease && self.margin >= 1.0 {
            return wrong("margin", self.margin, "a decrease cannot exceed everything: below 1");
        }
        if let Some(weight) = self.weight.filter(|w| !(0.0..=1e6).contains(w)) {
            return wrong("weight", weight, "it must lie between 0 and 1000000");
        }
        match self.kind {
            MetricKind::Count { floor: Some(floor), .. } if !(floor > 0.0 && floor < 1.0) => {
                wrong("floor", floor, "it must lie between 0 and 1, both excluded")
            }
            MetricKind::Series { v_min: Some(v_min) } if !(1.0..=1e6).contains(&v_min) => {
                wrong("v_min", v_min, "it must be at least 1")
            }
            _ => Ok(()),
        }
    }
}
