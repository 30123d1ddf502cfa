//! The strict engine: bets on the canary's share of all events, one bet a tick, so that any clustering
//! inside a tick is harmless. For metrics without baseline history.

use super::Direction;
use super::ratio::mix_starts;
use super::sample::Counts;
use super::special::ln_add;
use serde::{Deserialize, Serialize};

/// Harm factors that the bets are tuned to.
const FACTORS: [f64; 7] = [1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0];
/// Burstiness that the bets are tuned to.
const CLUSTERS: [f64; 3] = [1.0, 4.0, 16.0];
/// The largest part of the stake that one bet may lose.
const BOLDEST: f64 = 0.9;
/// As for the ratio engine.
const MOST_STARTS: usize = 64;

/// The wealth of 21 gamblers who bet that the ratio is worse than a bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StrictEngine {
    direction: Direction,
    bound: f64,
    ln_wealth: Vec<f64>,
    later_starts: Vec<Vec<f64>>,
}

impl StrictEngine {
    /// Bets against "the ratio is no worse than `bound`".
    pub fn new(direction: Direction, bound: f64) -> Self {
        let gamblers = FACTORS.len() * CLUSTERS.len();
        Self { direction, bound, ln_wealth: vec![0.0; gamblers], later_starts: Vec::new() }
    }

    /// Plays one tick; one without traffic on both arms or without events is skipped.
    pub fn push(&mut self, baseline: Counts, canary: Counts) {
        let events = baseline.events + canary.events;
        if !baseline.is_usable() || !canary.is_usable() || events <= 0.0 {
            return;
        }
        let odds = baseline.requests / canary.requests;
        let share_at = |ratio: f64| 1.0 / (1.0 + odds / ratio);
        let fair = share_at(self.bound);
        let surprise = canary.events / events - fair;
        let bets = FACTORS.iter().flat_map(|factor| CLUSTERS.iter().map(move |f| (*factor, *f)));
        for (wealth, (factor, cluster)) in self.ln_wealth.iter_mut().zip(bets) {
            let target = share_at(match self.direction {
                Direction::Increase => self.bound * factor,
                Direction::Decrease => self.bound / factor,
            });
            let edge = target - fair;
            let variance = cluster * target * (1.0 - target) / events;
            let best = edge / (edge * edge + variance);
            let stake = match self.direction {
                Direction::Increase => best.min(BOLDEST / fair),
                Direction::Decrease => best.max(-BOLDEST / (1.0 - fair)),
            };
            let gain = stake * surprise;
            if gain.is_finite() && gain > -1.0 {
                *wealth += gain.ln_1p();
            }
        }
    }

    /// Starts another round of gamblers, for harm that begins with the next traffic step.
    pub fn restart(&mut self) {
        if self.later_starts.len() + 1 < MOST_STARTS {
            self.later_starts.push(self.ln_wealth.clone());
        }
    }

    /// `ln` of the mean wealth since the beginning.
    pub fn ln_e(&self) -> f64 {
        mean_since(&self.ln_wealth, None)
    }

    /// `ln` of the mixture over start times.
    pub fn ln_e_with_restarts(&self) -> f64 {
        let later = self.later_starts.iter().map(|base| mean_since(&self.ln_wealth, Some(base)));
        mix_starts(std::iter::once(self.ln_e()).chain(later))
    }
}

fn mean_since(wealth: &[f64], base: Option<&Vec<f64>>) -> f64 {
    let zero = Vec::new();
    let mut bases = base.unwrap_or(&zero).iter();
    let sum = wealth
        .iter()
        .map(|value| value - bases.next().copied().unwrap_or(0.0))
        .fold(f64::NEG_INFINITY, ln_add);
    sum - (wealth.len() as f64).ln()
}
