//! One metric in Kayenta mode: cleaning, the identity checks, the interval, the effect size, the label.

use super::mann_whitney::{Samples, Shift};
use crate::judge::special::normal_quantile;
use serde::{Deserialize, Serialize};

/// Which deviation counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// More is bad.
    Increase,
    /// Less is bad.
    Decrease,
    /// Both are.
    #[default]
    Either,
}

/// What to do with values that are not numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NanStrategy {
    /// Take them as 0, and an empty arm as a pass.
    Replace,
    /// Drop them. Also taken for any unknown name.
    #[default]
    #[serde(other)]
    Remove,
}

/// How the size of an effect is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Measure {
    /// Mean of the experiment over mean of the control.
    #[default]
    #[serde(rename = "meanRatio")]
    MeanRatio,
    /// Chance that a value of the experiment exceeds one of the control.
    #[serde(rename = "cles")]
    Cles,
}

/// The configuration of one metric, with Kayenta's defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Which deviation counts.
    pub direction: Watch,
    /// What to do with values that are not numbers.
    pub nan_strategy: NanStrategy,
    /// Whether to drop outliers.
    pub remove_outliers: bool,
    /// How many interquartile ranges away an outlier begins.
    pub outlier_factor: f64,
    /// How the size of an effect is measured.
    pub measure: Measure,
    /// Effect from which an increase counts.
    pub allowed_increase: Option<f64>,
    /// Effect down to which a decrease counts.
    pub allowed_decrease: Option<f64>,
    /// Effect from which an increase is critical.
    pub critical_increase: Option<f64>,
    /// Effect down to which a decrease is critical.
    pub critical_decrease: Option<f64>,
    /// Whether a deviation fails the whole canary.
    pub critical: bool,
    /// Whether no data is a failure of the metric.
    pub must_have_data: bool,
    /// Part of the estimated shift that the interval must clear. Kayenta never reads it from a
    /// configuration; it is always 0.25 there.
    pub tolerance: f64,
    /// Level of the interval; always 0.98 in Kayenta.
    pub confidence: f64,
    /// Not Kayenta's: exact roots, so that small values are judged like large ones; asks for 8 points
    /// in each arm.
    pub exact_roots: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            direction: Watch::Either,
            nan_strategy: NanStrategy::Remove,
            remove_outliers: false,
            outlier_factor: 3.0,
            measure: Measure::MeanRatio,
            allowed_increase: None,
            allowed_decrease: None,
            critical_increase: None,
            critical_decrease: None,
            critical: false,
            must_have_data: false,
            tolerance: 0.25,
            confidence: 0.98,
            exact_roots: false,
        }
    }
}

/// Kayenta's label of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Classification {
    /// No deviation that counts.
    Pass,
    /// Higher than the control.
    High,
    /// Lower than the control.
    Low,
    /// No data in an arm.
    Nodata,
    /// No data in an arm that had to have some.
    NodataFailMetric,
    /// The test cannot be computed.
    Error,
}

/// What came out for one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The label.
    pub classification: Classification,
    /// Whether this fails the whole canary, unless it is a pass.
    pub critical: bool,
    /// Mean of the experiment over mean of the control; `None` if either is 0 or nothing was compared.
    pub ratio: Option<f64>,
    /// Interval and estimate of the shift; `None` if nothing was compared.
    pub shift: Option<ShiftReport>,
    /// Control points after cleaning.
    pub control_points: usize,
    /// Experiment points after cleaning.
    pub experiment_points: usize,
    /// Warning: all values lie below 0.001, where Kayenta's coarse roots hide real shifts. Multiply the
    /// metric, or set `exact_roots`.
    pub tiny_scale: bool,
}

/// The interval and estimate of the shift, experiment minus control.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShiftReport {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Estimate.
    pub estimate: f64,
}

/// Below this Kayenta's absolute root tolerance (1e-4) hides shifts.
const TINY: f64 = 1e-3;
/// Points that `exact_roots` asks for in each arm.
const LEAST_EXACT_POINTS: usize = 8;
/// Relative spread of the scores that stand in for Kayenta's random noise.
const JITTER: f64 = 1e-5;

/// Labels one metric. Infinite values are taken as "not a number".
pub fn classify(settings: &Settings, control: &[f64], experiment: &[f64]) -> Outcome {
    let control = clean(settings, control);
    let experiment = clean(settings, experiment);
    let largest = control.iter().chain(&experiment).fold(0.0_f64, |best, x| best.max(x.abs()));
    let mut outcome = Outcome {
        classification: Classification::Pass,
        critical: false,
        ratio: Some(1.0),
        shift: None,
        control_points: control.len(),
        experiment_points: experiment.len(),
        tiny_scale: largest > 0.0 && largest < TINY && !settings.exact_roots,
    };
    let fewest = control.len().min(experiment.len());
    if fewest == 0 && settings.nan_strategy == NanStrategy::Replace {
        return outcome;
    }
    if fewest == 0 || (settings.exact_roots && fewest < LEAST_EXACT_POINTS) {
        if settings.must_have_data && !settings.critical {
            outcome.classification = Classification::NodataFailMetric;
        } else {
            outcome.classification = Classification::Nodata;
            outcome.critical = settings.critical;
        }
        return outcome;
    }
    let flat = constant(&control).zip(constant(&experiment));
    if flat.is_some_and(|(a, b)| same(a, b)) || equal_sets(&control, &experiment) {
        return outcome;
    }
    outcome.ratio = mean_ratio(&control, &experiment);
    let compared = if let Some((a, b)) = flat {
        compare(settings, &jitter(a, control.len()), &jitter(b, experiment.len()))
    } else {
        compare(settings, &control, &experiment)
    };
    let Some((shift, effect)) = compared else {
        outcome.classification = Classification::Error;
        outcome.ratio = None;
        return outcome;
    };
    outcome.shift =
        Some(ShiftReport { low: shift.low, high: shift.high, estimate: shift.estimate });
    (outcome.classification, outcome.critical) = label(settings, &shift, effect);
    outcome
}

fn compare(
    settings: &Settings,
    control: &[f64],
    experiment: &[f64],
) -> Option<(Shift, Option<f64>)> {
    let samples = Samples::new(experiment, control)?;
    let shift = if settings.exact_roots {
        samples.exact_crossings(settings.confidence)?
    } else {
        samples.kayenta_shift(settings.confidence)?
    };
    let effect = match settings.measure {
        Measure::MeanRatio => mean_ratio(control, experiment),
        Measure::Cles => Some(samples.superiority()),
    };
    Some((shift, effect))
}

/// The label and the emitted critical flag. An effect that does not exist satisfies every bound.
fn label(settings: &Settings, shift: &Shift, effect: Option<f64>) -> (Classification, bool) {
    let default = match settings.measure {
        Measure::MeanRatio => 1.0,
        Measure::Cles => 0.5,
    };
    let at_least = |bound: Option<f64>| effect.is_none_or(|e| e >= bound.unwrap_or(default));
    let at_most = |bound: Option<f64>| effect.is_none_or(|e| e <= bound.unwrap_or(default));
    let band = settings.tolerance * shift.estimate.abs();
    let rising = settings.direction != Watch::Decrease;
    let falling = settings.direction != Watch::Increase;
    if rising && shift.low > band && at_least(settings.allowed_increase) {
        let critical = settings.critical && at_least(settings.critical_increase);
        (Classification::High, critical)
    } else if falling && shift.high < -band && at_most(settings.allowed_decrease) {
        let critical = settings.critical && at_most(settings.critical_decrease);
        (Classification::Low, critical)
    } else {
        (Classification::Pass, false)
    }
}

fn clean(settings: &Settings, values: &[f64]) -> Vec<f64> {
    let mut kept: Vec<f64> = match settings.nan_strategy {
        NanStrategy::Remove => values.iter().copied().filter(|x| x.is_finite()).collect(),
        NanStrategy::Replace => {
            values.iter().map(|x| if x.is_finite() { *x } else { 0.0 }).collect()
        }
    };
    if settings.remove_outliers && !kept.is_empty() {
        let mut sorted = kept.clone();
        sorted.sort_by(f64::total_cmp);
        let (q1, q3) = (percentile(&sorted, 0.25), percentile(&sorted, 0.75));
        let reach = settings.outlier_factor * (q3 - q1);
        let low = percentile(&sorted, 0.01).min(q1 - reach);
        let high = percentile(&sorted, 0.99).max(q3 + reach);
        kept.retain(|x| *x >= low && *x <= high);
    }
    kept
}

/// The quantile of ascending values that R calls type 7.
fn percentile(sorted: &[f64], p: f64) -> f64 {
    let place = p * sorted.len().saturating_sub(1) as f64;
    let at = |i: usize| sorted.get(i).or(sorted.last()).copied().unwrap_or(f64::NAN);
    let below = place.floor() as usize;
    let (a, b) = (at(below), at(below + 1));
    a + (place - place.floor()) * (b - a)
}

#[expect(clippy::float_cmp, reason = "Kayenta asks whether values are identical")]
fn same(a: f64, b: f64) -> bool {
    a == b
}

fn constant(values: &[f64]) -> Option<f64> {
    let first = values.first().copied()?;
    values.iter().all(|x| same(*x, first)).then_some(first)
}

fn equal_sets(a: &[f64], b: &[f64]) -> bool {
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    a.len() == b.len() && sorted(a).iter().zip(sorted(b)).all(|(x, y)| same(*x, y))
}

/// Kayenta adds random noise to constants before testing them; normal scores do the same for everyone.
fn jitter(value: f64, n: usize) -> Vec<f64> {
    let score = |i: usize| normal_quantile((i as f64 + 0.5) / n as f64);
    (0..n).map(|i| value + value.abs() * JITTER * score(i)).collect()
}

fn mean_ratio(control: &[f64], experiment: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (below, above) = (mean(control), mean(experiment));
    (below != 0.0 && above != 0.0).then(|| above / below).filter(|r| r.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiny_values_warn_and_exact_roots_see_them() {
        let control: Vec<f64> = (0..30).map(|i| 1e-5 + f64::from(i) * 2e-7).collect();
        let experiment: Vec<f64> = control.iter().map(|x| x * 1.3).collect();
        let compat = classify(&Settings::default(), &control, &experiment);
        assert!(compat.tiny_scale && compat.classification == Classification::Pass);
        let settings = Settings { exact_roots: true, ..Settings::default() };
        let exact = classify(&settings, &control, &experiment);
        assert!(!exact.tiny_scale && exact.classification == Classification::High);
        let few = classify(&settings, &control[..5], &experiment[..5]);
        assert_eq!(few.classification, Classification::Nodata);
    }
}
