//! The ratio engine: evidence about canary rate over baseline rate from counts, valid at every look.
//!
//! Given the traffic of a tick, each event lands on the canary with a probability that depends on the
//! ratio alone. The engine keeps one log-likelihood for every ratio of the grid (and the margin); one
//! tick adds to each, whatever the history was.

use super::Direction;
use super::dispersion::Dispersion;
use super::grid::{Grid, Side};
use super::sample::Counts;
use super::special::ln_add;
use serde::{Deserialize, Serialize};

/// Copies started at traffic steps are kept up to this many; later steps start none, which stays valid.
const MOST_STARTS: usize = 64;

/// The logarithms of three e-values of one metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// For any worsening at all.
    #[serde(with = "super::special::log_e")]
    pub reg: f64,
    /// For a worsening beyond the margin.
    #[serde(with = "super::special::log_e")]
    pub fail: f64,
    /// Against a worsening beyond the margin: for safety.
    #[serde(with = "super::special::log_e")]
    pub safe: f64,
}

impl Default for Evidence {
    /// No opinion: three times the e-value 1.
    fn default() -> Self {
        Self { reg: 0.0, fail: 0.0, safe: 0.0 }
    }
}

/// Where a copy of the test started: the log-likelihoods at that moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Start {
    log_lik: Vec<f64>,
    at_margin: f64,
}

/// Evidence about the ratio of two rates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatioEngine {
    direction: Direction,
    margin_ratio: f64,
    /// Log-likelihoods on the grid, relative to the ratio 1.
    log_lik: Vec<f64>,
    /// The same at the margin's ratio.
    at_margin: f64,
    later_starts: Vec<Start>,
    harm: Side,
    harm_beyond: Side,
    within: Side,
    dispersion: Dispersion,
    tempering: bool,
    ticks: u64,
}

impl RatioEngine {
    /// An engine for a bad direction and a tolerated margin (0.5 means 1.5 times, or half of it less).
    pub fn new(direction: Direction, margin: f64) -> Self {
        let margin_ratio = direction.margin_ratio(margin);
        let grid = Grid::get();
        let (harm, harm_beyond, within) = match direction {
            Direction::Increase => {
                (grid.above(1.0), grid.above(margin_ratio), grid.below(margin_ratio))
            }
            Direction::Decrease => {
                (grid.below(1.0), grid.below(margin_ratio), grid.above(margin_ratio))
            }
        };
        Self {
            direction,
            margin_ratio,
            log_lik: vec![0.0; grid.len()],
            at_margin: 0.0,
            later_starts: Vec::new(),
            harm,
            harm_beyond,
            within,
            dispersion: Dispersion::default(),
            tempering: true,
            ticks: 0,
        }
    }

    /// Takes events as independent (φ = 1). Only for data that are known to be so.
    #[must_use]
    pub fn without_dispersion(mut self) -> Self {
        self.tempering = false;
        self
    }

    /// Feeds a baseline tick from before the rollout; it only teaches the dispersion.
    pub fn learn(&mut self, baseline: Counts) {
        self.dispersion.push(baseline);
    }

    /// φ that the next tick will be divided by.
    pub fn phi(&self) -> f64 {
        if self.tempering { self.dispersion.phi() } else { 1.0 }
    }

    /// Pairs of baseline ticks behind φ.
    pub fn dispersion_pairs(&self) -> f64 {
        self.dispersion.pairs()
    }

    /// Usable ticks so far.
    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The ratio that the margin allows.
    pub fn margin_ratio(&self) -> f64 {
        self.margin_ratio
    }

    /// Adds a tick. Returns the φ it was divided by, or `None` when it was skipped: an arm without
    /// traffic, or numbers that cannot be counts.
    pub fn push(&mut self, baseline: Counts, canary: Counts) -> Option<f64> {
        if !baseline.is_usable() || !canary.is_usable() {
            return None;
        }
        let phi = self.phi();
        self.dispersion.push(baseline);
        self.ticks += 1;
        let events = (baseline.events + canary.events) / phi;
        if events > 0.0 {
            let hits = canary.events / phi;
            let share = 1.0 / (1.0 + baseline.requests / canary.requests);
            // ln[π(r)/π(1)] and ln[(1−π(r))/(1−π(1))] share the term ln(1 + share·(r−1)).
            for (value, point) in self.log_lik.iter_mut().zip(&Grid::get().points) {
                *value += hits * point.theta - events * (share * point.excess).ln_1p();
            }
            self.at_margin += hits * self.margin_ratio.ln()
                - events * (share * (self.margin_ratio - 1.0)).ln_1p();
        }
        Some(phi)
    }

    /// Starts another copy of the harm tests, for harm that begins with the next traffic step.
    pub fn restart(&mut self) {
        if self.later_starts.len() + 1 < MOST_STARTS {
            self.later_starts
                .push(Start { log_lik: self.log_lik.clone(), at_margin: self.at_margin });
        }
    }

    /// The three e-values from a single start.
    pub fn evidence(&self) -> Evidence {
        Evidence {
            reg: self.ln_harm(self.harm, 0.0, None),
            fail: self.ln_harm(self.harm_beyond, self.at_margin, None),
            safe: self.ln_safe(1.0),
        }
    }

    /// The three e-values, harm as the mixture over start times.
    pub fn evidence_with_restarts(&self) -> Evidence {
        let single = self.evidence();
        Evidence {
            reg: self.over_starts(single.reg, self.harm, false),
            fail: self.over_starts(single.fail, self.harm_beyond, true),
            safe: single.safe,
        }
    }

    fn ln_harm(&self, side: Side, at: f64, since: Option<&[f64]>) -> f64 {
        Grid::get().ln_mean(side, &self.log_lik, since, at, 1.0)
    }

    fn over_starts(&self, first: f64, side: Side, beyond: bool) -> f64 {
        let later = self.later_starts.iter().map(|start| {
            let at = if beyond { self.at_margin - start.at_margin } else { 0.0 };
            self.ln_harm(side, at, Some(&start.log_lik))
        });
        mix_starts(std::iter::once(first).chain(later))
    }

    /// `ln` of the evidence for safety if everything seen were seen `scale` times.
    pub fn ln_safe(&self, scale: f64) -> f64 {
        Grid::get().ln_mean(self.within, &self.log_lik, None, self.at_margin, scale)
    }

    /// `ln` of the one-sided evidence (canary lower, canary higher) against equal rates.
    pub fn ln_either(&self) -> (f64, f64) {
        let grid = Grid::get();
        let side = |side| grid.ln_mean(side, &self.log_lik, None, 0.0, 1.0);
        (side(grid.below(1.0)), side(grid.above(1.0)))
    }

    /// The ratios not ruled out at any look, with error `alpha`: 0 and `None` mean no bound. Rounded
    /// outward by one grid point.
    pub fn confidence(&self, alpha: f64) -> (f64, Option<f64>) {
        let grid = Grid::get();
        let mixture = grid.ln_sum(grid.all(), &self.log_lik, None, 1.0);
        let line = -alpha.ln();
        let kept = |value: &f64| mixture - value < line;
        let (Some(first), Some(last)) =
            (self.log_lik.iter().position(kept), self.log_lik.iter().rposition(kept))
        else {
            return (0.0, None);
        };
        let ratio = |at: usize| grid.points.get(at).map(|point| point.ratio);
        (first.checked_sub(1).and_then(ratio).unwrap_or(0.0), ratio(last + 1))
    }

    /// The best guess of the ratio: the posterior mean on the logarithmic scale.
    pub fn estimate(&self) -> f64 {
        let grid = Grid::get();
        let highest = self.log_lik.iter().fold(f64::NEG_INFINITY, |best, l| best.max(*l));
        let (mut sum, mut weighted) = (0.0, 0.0);
        for ((point, weight), value) in grid.points.iter().zip(&grid.weights).zip(&self.log_lik) {
            let mass = weight * (value - highest).exp();
            sum += mass;
            weighted += mass * point.theta;
        }
        if sum > 0.0 { (weighted / sum).exp() } else { 1.0 }
    }

    /// Which way is bad.
    pub fn direction(&self) -> Direction {
        self.direction
    }
}

/// The mixture over start times, in logarithms: `Σ E⁽ⁱ⁾/((i+1)(i+2)) + 1/(I+1)` for `I` starts.
pub(crate) fn mix_starts(starts: impl Iterator<Item = f64>) -> f64 {
    let mut sum = f64::NEG_INFINITY;
    let mut count = 0.0_f64;
    for ln_e in starts {
        sum = ln_add(sum, ln_e - ((count + 1.0) * (count + 2.0)).ln());
        count += 1.0;
    }
    ln_add(sum, -(count + 1.0).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_seen_is_no_opinion() {
        let engine = RatioEngine::new(Direction::Increase, 0.5);
        let evidence = engine.evidence_with_restarts();
        for value in [evidence.reg, evidence.fail, evidence.safe] {
            assert!(value.abs() < 1e-12);
        }
        assert_eq!(engine.confidence(0.05), (0.0, None));
        assert!((engine.estimate() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_doubled_rate_is_found_and_a_healthy_one_cleared() {
        let mut bad = RatioEngine::new(Direction::Increase, 0.5);
        let mut good = RatioEngine::new(Direction::Increase, 0.5);
        for _ in 0..60 {
            bad.push(Counts::new(9500.0, 95.0), Counts::new(500.0, 15.0)).unwrap();
            good.push(Counts::new(9500.0, 95.0), Counts::new(500.0, 5.0)).unwrap();
        }
        assert!(bad.evidence_with_restarts().fail > 100.0_f64.ln());
        assert!(good.evidence_with_restarts().safe > 20.0_f64.ln());
        let (low, high) = good.confidence(0.05);
        assert!(low > 0.5 && low < 1.0 && high.unwrap() > 1.0 && high.unwrap() < 2.0);
        assert!((bad.estimate() - 3.0).abs() < 0.3);
    }
}
