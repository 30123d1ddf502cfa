//! Time still needed: how much more of the same would clear a metric.

use super::metric::{Engine, MetricState};
use super::spec::{Direction, MetricSpec};
use super::special::root;
use serde::{Deserialize, Serialize};

/// Beyond so many times what was seen, an estimate is worth nothing.
const FARTHEST: f64 = 1000.0;

/// The smallest scale, at least 1, at which `ln_e(scale)` reaches `target`. Looked for by doubling while
/// the scale stays below 1000, so what lies beyond 512 is already `None`.
pub fn scale_to_reach(target: f64, ln_e: impl Fn(f64) -> f64) -> Option<f64> {
    if ln_e(1.0) >= target {
        return Some(1.0);
    }
    let (mut low, mut high) = (1.0, 2.0);
    while high <= FARTHEST {
        if ln_e(high) >= target {
            return Some(root(low, high, |scale| ln_e(scale) - target));
        }
        (low, high) = (high, 2.0 * high);
    }
    None
}

/// What a metric still needs before it is safe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Needed {
    /// Nothing: it is safe.
    Nothing,
    /// More ticks like those seen.
    Ticks {
        /// Estimated number, at the present share of traffic.
        ticks: f64,
        /// Whether more traffic on the canary would shorten it.
        by_traffic: bool,
    },
    /// Not foreseeable: no data, no sign of safety yet, or too far away.
    Unknown,
}

/// Estimates what one metric still needs, with `ln 1/β` as the line to reach.
pub fn needed(spec: &MetricSpec, metric: &MetricState, ln_beta: f64) -> Needed {
    if metric.safe && !metric.has_worsened() {
        return Needed::Nothing;
    }
    let seen = metric.usable() as f64;
    if seen < 1.0 {
        return Needed::Unknown;
    }
    let (scale, by_traffic) = match &metric.engine {
        Engine::Count(count) => (scale_to_reach(ln_beta, |c| count.ln_safe(c)), true),
        Engine::Series(series) => {
            let margin = spec.direction.margin_ratio(spec.margin).ln();
            let above = spec.direction == Direction::Decrease;
            (scale_to_reach(ln_beta, |c| series.ln_scaled(margin, above, c)), false)
        }
    };
    match scale {
        Some(scale) => Needed::Ticks { ticks: ((scale - 1.0) * seen).ceil().max(1.0), by_traffic },
        None => Needed::Unknown,
    }
}

/// Factor on the remaining time when the canary's share of traffic goes from `now` to `then`: a tick
/// tells in proportion to `w·(1−w)`. `None` at a share that leaves one arm without traffic.
pub fn traffic_factor(now: f64, then: f64) -> Option<f64> {
    let (seen, coming) = (now * (1.0 - now), then * (1.0 - then));
    (seen > 0.0 && coming > 0.0).then(|| seen / coming)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_scale_is_found_or_given_up() {
        assert_eq!(scale_to_reach(3.0, |c| 4.0 * c), Some(1.0));
        let found = scale_to_reach(3.0, |c| c - 10.0).unwrap();
        assert!((found - 13.0).abs() < 1e-9);
        assert_eq!(scale_to_reach(3.0, |_| 0.0), None);
        assert_eq!(scale_to_reach(3.0, |_| f64::NAN), None);
    }

    #[test]
    fn more_traffic_is_faster() {
        assert!((traffic_factor(0.05, 0.1).unwrap() - 0.475 / 0.9).abs() < 1e-12);
        assert_eq!(traffic_factor(0.05, 1.0), None);
    }
}
