//! Many metrics at once: the weighted mean of e-values, the closed test, and suspects by e-BH.

use super::special::ln_add;

/// `ln` of the weighted mean of e-values, given as `(ln e, weight)`: itself an e-value, whatever the
/// dependence between metrics. Without weight there is no evidence: 0.
pub fn ln_weighted_mean(values: &[(f64, f64)]) -> f64 {
    let (sum, weight) = values
        .iter()
        .filter(|(_, weight)| *weight > 0.0)
        .fold((f64::NEG_INFINITY, 0.0), |(sum, total), (ln_e, weight)| {
            (ln_add(sum, ln_e + weight.ln()), total + weight)
        });
    if weight > 0.0 { sum - weight.ln() } else { 0.0 }
}

/// The closed test: for one metric, the least weighted mean over all sets of metrics that hold it. It
/// may be called guilty by itself when even that is large.
#[derive(Debug)]
pub struct ClosedTest {
    /// `(ln e, weight, original position)`, ascending.
    sorted: Vec<(f64, f64, usize)>,
    /// `ln` of the weighted sum, and the weight, of the metrics before each position.
    before: Vec<(f64, f64)>,
}

impl ClosedTest {
    /// Prepares the test for `(ln e, weight)` of all metrics that take part.
    pub fn new(values: &[(f64, f64)]) -> Self {
        let mut sorted: Vec<_> = values
            .iter()
            .enumerate()
            .filter(|(_, (_, weight))| *weight > 0.0)
            .map(|(at, (ln_e, weight))| (*ln_e, *weight, at))
            .collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut before = Vec::with_capacity(sorted.len());
        let (mut sum, mut total) = (f64::NEG_INFINITY, 0.0);
        for (ln_e, weight, _) in &sorted {
            before.push((sum, total));
            sum = ln_add(sum, ln_e + weight.ln());
            total += weight;
        }
        Self { sorted, before }
    }

    /// `ln` of the adjusted e-value of a metric with this `ln e` and weight, which must be among those
    /// the test was made from. Greedy: take the others in ascending order while they lower the mean.
    pub fn ln_adjusted(&self, ln_e: f64, weight: f64) -> f64 {
        if weight <= 0.0 {
            return ln_e;
        }
        // Metrics that are not smaller can never lower the mean, so only the ones before matter.
        let smaller = self.sorted.partition_point(|(other, _, _)| *other < ln_e);
        let own = ln_e + weight.ln();
        let mean_with = |first: usize| {
            let (sum, total) = self.before.get(first).copied().unwrap_or((f64::NEG_INFINITY, 0.0));
            ln_add(sum, own) - (total + weight).ln()
        };
        let (mut low, mut high) = (0, smaller);
        while low < high {
            let middle = low + (high - low) / 2;
            let lowers = self.sorted.get(middle).is_some_and(|(ln, _, _)| *ln < mean_with(middle));
            if lowers { low = middle + 1 } else { high = middle }
        }
        mean_with(low)
    }

    /// Positions of the suspects by e-BH at level `alpha`: the false ones among them are at most a
    /// share `alpha` on average.
    pub fn suspects(&self, alpha: f64) -> Vec<usize> {
        let all = self.sorted.len() as f64;
        let mut found = 0;
        for (rank, (ln_e, _, _)) in self.sorted.iter().rev().enumerate() {
            let k = rank as f64 + 1.0;
            if *ln_e >= (all / (k * alpha)).ln() {
                found = rank + 1;
            }
        }
        self.sorted.iter().rev().take(found).map(|(_, _, at)| *at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brute(values: &[(f64, f64)], k: usize) -> f64 {
        let mut best = f64::INFINITY;
        for mask in 0_u32..1 << values.len() {
            if mask & (1 << k) != 0 {
                let set: Vec<_> =
                    (0..values.len()).filter(|i| mask & (1 << i) != 0).map(|i| values[i]).collect();
                best = best.min(ln_weighted_mean(&set));
            }
        }
        best
    }

    #[test]
    fn greedy_equals_brute_force() {
        let values = [
            (3.0, 1.0),
            (-2.0, 5.0),
            (f64::NEG_INFINITY, 0.5),
            (3.0, 2.0),
            (40.0, 1.0),
            (0.0, 1.0),
            (700.0, 3.0),
        ];
        let test = ClosedTest::new(&values);
        for k in 0..values.len() {
            let (found, want) = (test.ln_adjusted(values[k].0, values[k].1), brute(&values, k));
            assert!(
                (found - want).abs() < 1e-9 || (found.is_infinite() && want.is_infinite()),
                "{k}: {found} {want}"
            );
        }
    }

    #[test]
    fn suspects_are_the_large_ones() {
        let mut values = vec![(0.0, 1.0); 30];
        values[7] = (20.0, 1.0);
        values[9] = (9.0, 1.0);
        let found = ClosedTest::new(&values).suspects(0.01);
        assert_eq!(found, vec![7, 9]);
        assert!(ClosedTest::new(&[]).suspects(0.01).is_empty());
        assert!(ln_weighted_mean(&[]).abs() < 1e-12);
    }
}
