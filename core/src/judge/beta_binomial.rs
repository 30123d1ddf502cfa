//! One arm against a fixed share: the Jeffreys mixture, valid at any time, and order-statistic ranks.

use super::special::{ln_beta_mixture, root};
use serde::{Deserialize, Serialize};

/// Events out of requests of one arm; not necessarily whole numbers, because tempering divides them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Share {
    /// Events.
    pub k: f64,
    /// Requests.
    pub n: f64,
}

impl Share {
    /// Whether this can be a share: counts, and not more events than requests.
    pub fn is_valid(self) -> bool {
        self.k.is_finite() && self.n.is_finite() && self.k >= 0.0 && self.n >= self.k
    }

    /// `ln M(p)`: evidence that the true share is not `p`, as a logarithm. No data, no evidence: 0.
    pub fn ln_m(self, p: f64) -> f64 {
        if !self.is_valid() || self.n <= 0.0 || p.is_nan() {
            return 0.0;
        }
        if p <= 0.0 || p >= 1.0 {
            let explained = if p <= 0.0 { self.k == 0.0 } else { self.k >= self.n };
            return if explained { 0.0 } else { f64::INFINITY };
        }
        ln_beta_mixture(self.k, self.n - self.k, p, 0.5, 0.5)
    }

    /// `ln` of the evidence that the true share lies below `p`; `None` when the data do not point there.
    pub fn ln_below(self, p: f64) -> Option<f64> {
        (self.is_valid() && self.n > 0.0 && self.k / self.n < p).then(|| self.ln_m(p))
    }

    /// The shares that the data have not ruled out, at every look at once, with error `alpha`.
    pub fn confidence(self, alpha: f64) -> (f64, f64) {
        if !self.is_valid() || self.n <= 0.0 || !(alpha > 0.0 && alpha < 1.0) {
            return (0.0, 1.0);
        }
        let line = -alpha.ln();
        let excess = |p: f64| self.ln_m(p) - line;
        let middle = self.k / self.n;
        // Logits keep the digits of very small shares.
        let from_logit = |x: f64| 1.0 / (1.0 + (-x).exp());
        let in_logit = |x: f64| {
            let value = excess(from_logit(x));
            if value.is_finite() { value } else { f64::MAX.sqrt() }
        };
        let centre = if middle <= 0.0 {
            -700.0
        } else if middle >= 1.0 {
            36.0
        } else {
            (middle / (1.0 - middle)).ln()
        };
        let low = if self.k <= 0.0 { 0.0 } else { from_logit(root(-700.0, centre, in_logit)) };
        let high = if self.k >= self.n { 1.0 } else { from_logit(root(centre, 36.0, in_logit)) };
        (low, high)
    }
}

/// Ranks `(lower, upper)` of the order statistics that enclose the `p` quantile of `n` raw samples, at
/// every look at once, with error `alpha`: 1-based, 0 means minus infinity, `n + 1` plus infinity.
/// `prior` is the weight of the Beta prior centred at `p` (the specification uses 20).
pub fn quantile_ranks(n: u64, p: f64, alpha: f64, prior: f64) -> (u64, u64) {
    let usable = p > 0.0 && p < 1.0 && alpha > 0.0 && alpha < 1.0 && prior > 0.0;
    if n == 0 || !usable || !prior.is_finite() {
        return (0, n.saturating_add(1));
    }
    let line = -alpha.ln();
    let evidence =
        |s: u64| ln_beta_mixture(s as f64, (n - s) as f64, p, prior * p, prior * (1.0 - p));
    let kept = |s: u64| evidence(s) < line;
    // The evidence is convex in the rank, so its minimum and both ends are found by halving.
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if evidence(middle) <= evidence(middle + 1) { high = middle } else { low = middle + 1 }
    }
    let best = low;
    let (mut from, mut to) = (0, best);
    while from < to {
        let middle = from + (to - from) / 2;
        if kept(middle) { to = middle } else { from = middle + 1 }
    }
    let lower = from;
    let (mut from, mut to) = (best, n);
    while from < to {
        let middle = to - (to - from) / 2;
        if kept(middle) { from = middle } else { to = middle - 1 }
    }
    (lower, from + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_ends_are_where_the_evidence_reaches_the_line() {
        let share = Share { k: 5.0, n: 1000.0 };
        let (low, high) = share.confidence(0.05);
        assert!((share.ln_m(low) - 20.0_f64.ln()).abs() < 1e-9);
        assert!((share.ln_m(high) - 20.0_f64.ln()).abs() < 1e-9);
        assert_eq!(Share { k: 0.0, n: 0.0 }.confidence(0.05), (0.0, 1.0));
    }

    #[test]
    fn ranks_match_a_walk_over_all_of_them() {
        for (n, p) in [(50, 0.5), (500, 0.95), (1, 0.5), (7, 0.99), (20, 0.01)] {
            let kept: Vec<u64> = (0..=n)
                .filter(|s| {
                    ln_beta_mixture(*s as f64, (n - s) as f64, p, 20.0 * p, 20.0 * (1.0 - p))
                        < 20.0_f64.ln()
                })
                .collect();
            let expected = (*kept.first().unwrap(), kept.last().unwrap() + 1);
            assert_eq!(quantile_ranks(n, p, 0.05, 20.0), expected, "n={n} p={p}");
        }
    }
}
