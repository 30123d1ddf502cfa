//! Kayenta's score: group scores, group weights, overrides and thresholds.

use super::classify::Classification;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The result of one metric, as the score needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricResult {
    /// Its label.
    pub classification: Classification,
    /// Whether it fails the whole canary, unless it is a pass.
    pub critical: bool,
    /// The groups it belongs to.
    pub groups: Vec<String>,
    /// Left out of everything.
    #[serde(default)]
    pub muted: bool,
}

/// Scores that divide pass, marginal and fail.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// At least this passes.
    pub pass: f64,
    /// At least this is marginal.
    pub marginal: f64,
}

/// Kayenta's final word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ScoreClass {
    /// At or above the pass threshold.
    Pass,
    /// Between the thresholds.
    Marginal,
    /// Below both.
    Fail,
}

/// Why a score was set to 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Override {
    /// A critical metric did not pass.
    Critical,
    /// Half of the metrics or more had no data.
    Nodata,
}

/// The score of one group.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GroupScore {
    /// 0 to 100; 0 without data.
    pub score: f64,
    /// Nothing in it could be judged; it then counts 100 in the total.
    pub no_data: bool,
}

/// The score of a canary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreReport {
    /// 0 to 100, two decimals.
    pub score: f64,
    /// Its class.
    pub classification: ScoreClass,
    /// By group.
    pub groups: BTreeMap<String, GroupScore>,
    /// Why it is 0, if it was set so.
    pub reason: Option<Override>,
}

/// Scores metric results. `weights` are the configured group weights, in percent.
pub fn score(
    results: &[MetricResult],
    weights: &BTreeMap<String, f64>,
    thresholds: Thresholds,
) -> ScoreReport {
    let heard: Vec<&MetricResult> = results.iter().filter(|result| !result.muted).collect();
    let groups = group_scores(&heard);
    let nodata = heard.iter().filter(|r| r.classification == Classification::Nodata).count() as f64;
    let critical = heard.iter().any(|r| r.critical && r.classification != Classification::Pass);
    let reason = if critical {
        Some(Override::Critical)
    } else if !heard.is_empty() && nodata / heard.len() as f64 >= 0.5 {
        Some(Override::Nodata)
    } else {
        None
    };
    let score = if reason.is_some() { 0.0 } else { weighted(&groups, weights) };
    let classification = if score >= thresholds.pass {
        ScoreClass::Pass
    } else if score >= thresholds.marginal {
        ScoreClass::Marginal
    } else {
        ScoreClass::Fail
    };
    ScoreReport { score, classification, groups, reason }
}

/// What the orchestrator does after an interval: it stops at or below the marginal threshold, and the
/// last interval must pass.
pub fn goes_on(score: f64, thresholds: Thresholds, last: bool) -> bool {
    score > thresholds.marginal && (!last || score >= thresholds.pass)
}

fn group_scores(results: &[&MetricResult]) -> BTreeMap<String, GroupScore> {
    let mut counts: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for result in results {
        for group in &result.groups {
            let (passed, judged) = counts.entry(group.clone()).or_default();
            match result.classification {
                Classification::Pass => {
                    *passed += 1.0;
                    *judged += 1.0;
                }
                Classification::High | Classification::Low | Classification::NodataFailMetric => {
                    *judged += 1.0;
                }
                Classification::Nodata | Classification::Error => {}
            }
        }
    }
    let one = |(passed, judged): (f64, f64)| GroupScore {
        score: if judged > 0.0 { passed / judged * 100.0 } else { 0.0 },
        no_data: judged == 0.0,
    };
    counts.into_iter().map(|(group, count)| (group, one(count))).collect()
}

fn weighted(groups: &BTreeMap<String, GroupScore>, weights: &BTreeMap<String, f64>) -> f64 {
    let configured: f64 = weights.values().sum();
    let unlisted = groups.keys().filter(|group| !weights.contains_key(*group)).count();
    let rest = if unlisted > 0 { (100.0 - configured) / unlisted as f64 } else { 0.0 };
    let total: f64 = groups
        .iter()
        .map(|(group, score)| {
            let weight = weights.get(group).copied().unwrap_or(rest);
            (if score.no_data { 100.0 } else { score.score }) * (weight / 100.0)
        })
        .sum();
    round_half_up(total)
}

/// Two decimals, halves away from zero, judged on the shortest decimal form of the number, as Java's
/// `BigDecimal` does it.
fn round_half_up(x: f64) -> f64 {
    if !x.is_finite() || x.abs() >= 1e15 {
        return x;
    }
    let text = format!("{}", x.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut cents: f64 = whole.parse::<f64>().unwrap_or(0.0) * 100.0;
    let kept: String = fraction.chars().chain("00".chars()).take(2).collect();
    cents += kept.parse::<f64>().unwrap_or(0.0);
    if fraction.chars().nth(2).is_some_and(|digit| digit >= '5') {
        cents += 1.0;
    }
    (cents / 100.0).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_up_by_their_decimal_form() {
        let cases = [
            (33.335, "33.34"),
            (1.005, "1.01"),
            (66.666_666_666, "66.67"),
            (70.0, "70"),
            (0.004_999, "0"),
        ];
        for (x, want) in cases {
            assert_eq!(round_half_up(x).to_string(), want);
        }
    }

    #[test]
    fn an_interval_at_the_marginal_line_stops() {
        let thresholds = Thresholds { pass: 95.0, marginal: 75.0 };
        assert!(!goes_on(75.0, thresholds, false) && goes_on(76.0, thresholds, false));
        assert!(!goes_on(94.0, thresholds, true) && goes_on(95.0, thresholds, true));
    }

    #[test]
    fn no_results_score_nothing() {
        let thresholds = Thresholds { pass: 95.0, marginal: 75.0 };
        let report = score(&[], &BTreeMap::new(), thresholds);
        assert!(report.score.abs() < 1e-12 && report.classification == ScoreClass::Fail);
    }
}
