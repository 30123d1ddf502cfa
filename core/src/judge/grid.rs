//! The grid of rate ratios over which the ratio engine mixes, and sums over parts of it.

use super::special::NEGLIGIBLE;
use std::sync::OnceLock;

/// Points below 1 (and above 1); the point between them is exactly 1.
const HALF: u32 = 120;
/// A point this close to the boundary of a hypothesis belongs to neither side.
const EDGE: f64 = 1e-9;

/// One candidate ratio of the canary's rate to the baseline's.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// `ln r`.
    pub theta: f64,
    /// The ratio itself.
    pub ratio: f64,
    /// `r − 1`, without cancellation near 1.
    pub excess: f64,
}

/// The grid: dense near 1, reaching to about 1/56 and 56.
#[derive(Debug)]
pub struct Grid {
    /// All points, ascending.
    pub points: Vec<Point>,
    /// Prior weights of the points; their sum is 1.
    pub weights: Vec<f64>,
    /// Sum of the weights before each point, and of all at the end.
    cumulative: Vec<f64>,
}

/// A run of neighbouring grid points: one side of a hypothesis about the ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Side {
    /// First point.
    pub from: usize,
    /// One past the last point.
    pub to: usize,
}

impl Grid {
    /// The one grid there is: `u = (j−120)/20`, `θ = 0.02·sinh u`, weight `∝ cosh u/(1+(θ/0.5)²)`.
    pub fn get() -> &'static Self {
        static GRID: OnceLock<Grid> = OnceLock::new();
        GRID.get_or_init(|| {
            let steps = (0..=2 * HALF).map(|j| (f64::from(j) - f64::from(HALF)) / 20.0);
            let mut points = Vec::new();
            let mut weights = Vec::new();
            for u in steps {
                let theta = 0.02 * u.sinh();
                points.push(Point { theta, ratio: theta.exp(), excess: theta.exp_m1() });
                weights.push(u.cosh() / (1.0 + (theta / 0.5).powi(2)));
            }
            let total: f64 = weights.iter().sum();
            for weight in &mut weights {
                *weight /= total;
            }
            let mut sum = 0.0;
            let mut cumulative = vec![0.0];
            for weight in &weights {
                sum += weight;
                cumulative.push(sum);
            }
            Self { points, weights, cumulative }
        })
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Never true; here because a length without it surprises.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// All points.
    pub fn all(&self) -> Side {
        Side { from: 0, to: self.len() }
    }

    /// The points truly above a ratio.
    pub fn above(&self, ratio: f64) -> Side {
        let from = self.points.partition_point(|point| point.ratio <= ratio * (1.0 + EDGE));
        Side { from, to: self.len() }
    }

    /// The points truly below a ratio.
    pub fn below(&self, ratio: f64) -> Side {
        let to = self.points.partition_point(|point| point.ratio < ratio * (1.0 - EDGE));
        Side { from: 0, to }
    }

    /// Sum of the weights of a side.
    pub fn weight_of(&self, side: Side) -> f64 {
        let before = |at: usize| self.cumulative.get(at).copied().unwrap_or(1.0);
        before(side.to) - before(side.from)
    }

    /// `ln ( Σ w_j·e^{scale·(L_j − since_j)} )` over a side; minus infinity for an empty one.
    pub fn ln_sum(&self, side: Side, log_lik: &[f64], since: Option<&[f64]>, scale: f64) -> f64 {
        let (Some(weights), Some(values)) =
            (self.weights.get(side.from..side.to), log_lik.get(side.from..side.to))
        else {
            return f64::NEG_INFINITY;
        };
        match since.and_then(|all| all.get(side.from..side.to)) {
            Some(base) => ln_sum(
                weights
                    .iter()
                    .zip(values.iter().zip(base))
                    .map(|(w, (l, b))| (*w, scale * (l - b))),
            ),
            None => ln_sum(weights.iter().zip(values).map(|(w, l)| (*w, scale * l))),
        }
    }

    /// `ln` of the weighted mean of `e^{scale·(L_j − since_j − at)}` over a side: the evidence that a
    /// mixture over this side has against the point whose log-likelihood is `at`. No points, no
    /// evidence: 0.
    pub fn ln_mean(
        &self,
        side: Side,
        log_lik: &[f64],
        since: Option<&[f64]>,
        at: f64,
        scale: f64,
    ) -> f64 {
        let weight = self.weight_of(side);
        if side.from >= side.to || weight <= 0.0 {
            return 0.0;
        }
        self.ln_sum(side, log_lik, since, scale) - scale * at - weight.ln()
    }
}

/// `ln Σ w·eˣ` in two passes.
fn ln_sum(terms: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let highest = terms.clone().fold(f64::NEG_INFINITY, |best, (_, x)| best.max(x));
    if highest == f64::NEG_INFINITY {
        return highest;
    }
    let sum: f64 = terms
        .map(|(w, x)| if x - highest < NEGLIGIBLE { 0.0 } else { w * (x - highest).exp() })
        .sum();
    highest + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_is_symmetric_and_holds_one() {
        let grid = Grid::get();
        assert_eq!(grid.len(), 241);
        assert!((grid.points[120].ratio - 1.0).abs() < 1e-15);
        assert!((grid.points[0].ratio * grid.points[240].ratio - 1.0).abs() < 1e-12);
        assert!((grid.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((grid.weight_of(grid.all()) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn sides_leave_out_their_boundary() {
        let grid = Grid::get();
        assert_eq!(grid.above(1.0), Side { from: 121, to: 241 });
        assert_eq!(grid.below(1.0), Side { from: 0, to: 120 });
        assert_eq!(grid.above(1e9), Side { from: 241, to: 241 });
        assert!(grid.ln_mean(grid.above(1e9), &[0.0; 241], None, 0.0, 1.0).abs() < 1e-15);
    }
}
