//! How much burstier than a coin flip the baseline's events are: the factor φ that tempers evidence.

use super::sample::Counts;
use serde::{Deserialize, Serialize};

/// Without any history, events are taken to be this bursty …
const PRIOR: f64 = 5.0;
/// … and that belief weighs as much as this many pairs of ticks.
const PRIOR_PAIRS: f64 = 5.0;

/// The dispersion of the baseline, from strictly past ticks only, so that it cannot be bent by the
/// data it is used on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Dispersion {
    last: Option<Counts>,
    squares: f64,
    expected: f64,
    pairs: f64,
}

impl Dispersion {
    /// Adds a baseline tick; one without traffic or with nonsense in it is skipped.
    pub fn push(&mut self, tick: Counts) {
        if !tick.is_usable() {
            return;
        }
        if let Some(last) = self.last {
            let scale = tick.requests / last.requests;
            let difference = tick.events - scale * last.events;
            self.squares += difference * difference;
            self.expected += scale * (tick.events + last.events);
            self.pairs += 1.0;
        }
        self.last = Some(tick);
    }

    /// φ: 1 for independent events, more for bursts; never below 1.
    pub fn phi(&self) -> f64 {
        let measured = if self.expected > 0.0 { self.squares / self.expected } else { 1.0 };
        let phi = (PRIOR * PRIOR_PAIRS + self.pairs * measured) / (PRIOR_PAIRS + self.pairs);
        phi.max(1.0)
    }

    /// Pairs of neighbouring ticks seen.
    pub fn pairs(&self) -> f64 {
        self.pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prior_holds_until_pairs_come() {
        let mut phi = Dispersion::default();
        assert!((phi.phi() - 5.0).abs() < 1e-12);
        phi.push(Counts::new(100.0, 0.0));
        phi.push(Counts::new(f64::NAN, 1.0));
        phi.push(Counts::new(100.0, 0.0));
        assert!((phi.phi() - 26.0 / 6.0).abs() < 1e-12, "a pair without events counts as 1");
    }

    #[test]
    fn bursts_raise_it() {
        let mut phi = Dispersion::default();
        for i in 0..100 {
            phi.push(Counts::new(1000.0, if i % 2 == 0 { 0.0 } else { 40.0 }));
        }
        assert!(phi.phi() > 20.0);
    }
}
