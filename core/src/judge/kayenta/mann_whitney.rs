//! The Mann–Whitney (Wilcoxon rank-sum) test and its confidence interval for the shift canary minus
//! baseline, as R's `wilcox.test` and as Kayenta compute them.

use super::brent::brent;
use crate::judge::special::{normal_cdf, normal_quantile};

/// Kayenta's absolute tolerance of roots: far too coarse for values below about 0.001.
const KAYENTA_TOLERANCE: f64 = 1e-4;
const KAYENTA_STEPS: u32 = 1001;
/// Beyond so many pairs the exact distribution costs more than it tells.
const MOST_EXACT_PAIRS: usize = 20_000;

/// Two samples that can be compared: finite numbers, neither empty.
#[derive(Debug, Clone)]
pub struct Samples {
    experiment: Vec<f64>,
    control: Vec<f64>,
}

/// An interval for the shift and its estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The Hodges–Lehmann estimate (or Kayenta's version of it).
    pub estimate: f64,
}

impl Samples {
    /// Takes the samples; `None` if one is empty or holds anything but finite numbers.
    pub fn new(experiment: &[f64], control: &[f64]) -> Option<Self> {
        let fine = |values: &[f64]| !values.is_empty() && values.iter().all(|x| x.is_finite());
        if !fine(experiment) || !fine(control) {
            return None;
        }
        let sorted = |values: &[f64]| {
            let mut values = values.to_vec();
            values.sort_by(f64::total_cmp);
            values
        };
        Some(Self { experiment: sorted(experiment), control: sorted(control) })
    }

    fn sizes(&self) -> (f64, f64) {
        (self.experiment.len() as f64, self.control.len() as f64)
    }

    /// `D` and `σ` at a shift: how far the rank sum of `experiment − shift` lies from its mean, and its
    /// standard deviation, both with midranks for ties.
    fn distance(&self, shift: f64) -> (f64, f64) {
        let (m, n) = self.sizes();
        let total = m + n;
        let mut moved = self.experiment.iter().map(|x| x - shift).peekable();
        let mut still = self.control.iter().copied().peekable();
        let (mut rank_sum, mut seen, mut ties) = (0.0, 0.0, 0.0);
        loop {
            let next = match (moved.peek(), still.peek()) {
                (Some(a), Some(b)) => a.min(*b),
                (Some(a), None) => *a,
                (None, Some(b)) => *b,
                (None, None) => break,
            };
            let mine = std::iter::from_fn(|| moved.next_if(|x| *x <= next)).count() as f64;
            let theirs = std::iter::from_fn(|| still.next_if(|x| *x <= next)).count() as f64;
            let size = mine + theirs;
            rank_sum += mine * (seen + f64::midpoint(size, 1.0));
            ties += size * size * size - size;
            seen += size;
        }
        let distance = rank_sum - m * (m + 1.0) / 2.0 - m * n / 2.0;
        let correction = ties / (total * (total - 1.0));
        let variance = m * n / 12.0 * ((total + 1.0) - correction);
        (distance, variance.max(0.0).sqrt())
    }

    /// The continuity- and tie-corrected statistic at a shift; `None` when everything is tied.
    fn statistic(&self, shift: f64) -> Option<f64> {
        let (distance, sigma) = self.distance(shift);
        let sign = if distance == 0.0 { 0.0 } else { distance.signum() };
        (sigma > 0.0).then(|| (distance - 0.5 * sign) / sigma)
    }

    /// Pairs in which the experiment is larger, ties counting half.
    pub fn u(&self) -> f64 {
        let (m, n) = self.sizes();
        self.distance(0.0).0 + m * n / 2.0
    }

    /// The chance that a value of the experiment exceeds one of the control, ties counting half.
    pub fn superiority(&self) -> f64 {
        let (m, n) = self.sizes();
        self.u() / (m * n)
    }

    /// Two-sided p-value by the normal approximation, continuity- and tie-corrected.
    pub fn p_normal(&self) -> Option<f64> {
        self.statistic(0.0).map(|z| (2.0 * normal_cdf(-z.abs())).min(1.0))
    }

    /// The least and greatest shift that the data can show.
    fn range(&self) -> (f64, f64) {
        let ends = |values: &[f64]| {
            (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(0.0))
        };
        let (low, high) = ends(&self.experiment);
        let (control_low, control_high) = ends(&self.control);
        (low - control_high, high - control_low)
    }

    /// All differences experiment minus control, ascending.
    fn differences(&self) -> Vec<f64> {
        let mut all: Vec<f64> =
            self.experiment.iter().flat_map(|x| self.control.iter().map(move |y| x - y)).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    /// The Hodges–Lehmann estimate: the median of all differences.
    pub fn median_difference(&self) -> f64 {
        median(&self.differences())
    }

    /// Kayenta's interval and estimate; `None` where it reports an error. The estimate keeps the
    /// continuity correction, and all three roots their coarse tolerance.
    pub fn kayenta_shift(&self, confidence: f64) -> Option<Shift> {
        let z = normal_quantile(0.5 + confidence / 2.0);
        let (low, high) = self.range();
        let (at_low, at_high) = (self.statistic(low)?, self.statistic(high)?);
        let failed = std::cell::Cell::new(false);
        let find = |target: f64| {
            brent(
                low,
                high,
                at_low - target,
                at_high - target,
                KAYENTA_TOLERANCE,
                KAYENTA_STEPS,
                |shift| {
                    self.statistic(shift).map_or_else(
                        || {
                            failed.set(true);
                            0.0
                        },
                        |w| w - target,
                    )
                },
            )
        };
        let end = |target: f64| {
            if at_low <= target {
                low
            } else if at_high >= target {
                high
            } else {
                find(target)
            }
        };
        let shift = Shift { low: end(z), high: end(-z), estimate: find(0.0) };
        (!failed.get()).then_some(shift)
    }

    /// The interval with exact crossings of the same statistic, and the median difference.
    pub fn exact_crossings(&self, confidence: f64) -> Option<Shift> {
        let z = normal_quantile(0.5 + confidence / 2.0);
        let (low, high) = self.range();
        let (at_low, at_high) = (self.statistic(low)?, self.statistic(high)?);
        let differences = self.differences();
        let mut jumps = differences.clone();
        jumps.dedup();
        let end = |target: f64| {
            if at_low <= target {
                low
            } else if at_high >= target {
                high
            } else {
                self.crossing(&jumps, target).unwrap_or(high)
            }
        };
        Some(Shift { low: end(z), high: end(-z), estimate: median(&differences) })
    }

    /// The difference at which the falling statistic passes `target`: between two neighbouring
    /// differences it is constant, so halving over them is exact.
    fn crossing(&self, jumps: &[f64], target: f64) -> Option<f64> {
        let after = |at: usize| {
            let here = jumps.get(at)?;
            let middle = jumps.get(at + 1).map_or(here + here.abs() + 1.0, |next| {
                let middle = here + (next - here) / 2.0;
                if middle > *here { middle } else { *next }
            });
            self.statistic(middle)
        };
        let (mut from, mut to) = (0, jumps.len());
        while from < to {
            let middle = from + (to - from) / 2;
            if after(middle).is_none_or(|w| w < target) { to = middle } else { from = middle + 1 }
        }
        jumps.get(from).copied()
    }

    /// Whether any two values of the two samples together are equal.
    fn has_ties(&self) -> bool {
        let mut all = [self.experiment.as_slice(), self.control.as_slice()].concat();
        all.sort_by(f64::total_cmp);
        #[expect(clippy::float_cmp, reason = "ties are exactly equal values")]
        all.iter().zip(all.iter().skip(1)).any(|(a, b)| a == b)
    }

    /// Two-sided p-value from the exact null distribution; `None` with ties or very large samples.
    pub fn p_exact(&self) -> Option<f64> {
        let below = self.exact_distribution()?;
        let u = self.u();
        let pairs = below.len().checked_sub(1)?;
        // The distribution is symmetric, so the upper tail is read from the lower one.
        let tail = u.min(pairs as f64 - u);
        below.get(tail as usize).map(|p| (2.0 * p).min(1.0))
    }

    /// The interval from the exact null distribution; `None` with ties or very large samples.
    pub fn exact_interval(&self, confidence: f64) -> Option<(f64, f64)> {
        let below = self.exact_distribution()?;
        let differences = self.differences();
        let level = (1.0 - confidence) / 2.0 - 10.0 * f64::EPSILON;
        let rank = below.iter().position(|p| *p >= level)?.max(1);
        let low = differences.get(rank - 1).copied()?;
        let high = differences.get(differences.len().checked_sub(rank)?).copied()?;
        Some((low, high))
    }

    /// `P(U ≤ u)` for u = 0 … mn without ties.
    fn exact_distribution(&self) -> Option<Vec<f64>> {
        let (m, n) = (self.experiment.len(), self.control.len());
        if m * n > MOST_EXACT_PAIRS || m + n > 1000 || self.has_ties() {
            return None;
        }
        let mut ways = rank_sum_ways(m, n);
        let total: f64 = ways.iter().sum();
        let mut sum = 0.0;
        for way in &mut ways {
            sum += *way;
            *way = sum / total;
        }
        Some(ways)
    }
}

/// In how many of all orders of `m` and `n` distinct values the pair count is u, for every u: each value
/// of the larger sample in turn, with the smaller ones below it. `f(m, n, u) = f(m−1, n, u−n) +
/// f(m, n−1, u)`.
fn rank_sum_ways(m: usize, n: usize) -> Vec<f64> {
    let (few, many) = if m <= n { (m, n) } else { (n, m) };
    // `rows[i]` holds the counts for i values against those placed so far.
    let mut rows: Vec<Vec<f64>> = (0..=few).map(|_| vec![1.0]).collect();
    for placed in 1..=many {
        let mut previous = vec![1.0];
        for (i, row) in rows.iter_mut().enumerate().skip(1) {
            let mut next = vec![0.0; i * placed + 1];
            for (slot, value) in next.iter_mut().zip(row.iter()) {
                *slot += value;
            }
            for (slot, value) in next.iter_mut().skip(placed).zip(&previous) {
                *slot += value;
            }
            previous.clone_from(&next);
            *row = next;
        }
    }
    rows.pop().unwrap_or_default()
}

/// The median of ascending values; not a number for none.
fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    let at = |i: usize| sorted.get(i).copied().unwrap_or(f64::NAN);
    if sorted.len() % 2 == 1 {
        at(half)
    } else {
        half.checked_sub(1).map_or(f64::NAN, |below| f64::midpoint(at(below), at(half)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_orders_is_a_binomial() {
        let ways = rank_sum_ways(3, 4);
        assert_eq!(ways, vec![1., 1., 2., 3., 4., 4., 5., 4., 4., 3., 2., 1., 1.]);
        assert_eq!(rank_sum_ways(4, 3), ways);
    }

    #[test]
    fn samples_must_be_numbers() {
        assert!(Samples::new(&[], &[1.0]).is_none());
        assert!(Samples::new(&[f64::NAN], &[1.0]).is_none());
        assert!(Samples::new(&[1.0], &[1.0]).unwrap().kayenta_shift(0.98).is_none());
    }
}
