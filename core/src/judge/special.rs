//! Special functions and log-space arithmetic: only what the judge needs, accurate to about 1e-13.

/// `½·ln 2π`.
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;
/// Below this the asymptotic series of the gamma function is not accurate enough.
const SERIES_FROM: f64 = 10.0;
/// A term this far below the largest adds nothing that a double can hold.
pub(crate) const NEGLIGIBLE: f64 = -50.0;

/// `ln(eᵃ + eᵇ)` without overflow; minus infinity stands for zero.
pub fn ln_add(a: f64, b: f64) -> f64 {
    let (high, low) = if a >= b { (a, b) } else { (b, a) };
    if high == f64::NEG_INFINITY || low == f64::NEG_INFINITY {
        return high;
    }
    high + (low - high).exp().ln_1p()
}

/// What Stirling's formula leaves out: `lnΓ(x) − [(x−½)·ln x − x + ½·ln 2π]`, for `x > 0`
/// (Abramowitz and Stegun 6.1.41).
fn stirling_rest(x: f64) -> f64 {
    if x >= SERIES_FROM {
        let y = 1.0 / (x * x);
        let tail = 1.0 / 1188.0 - y * (691.0 / 360_360.0 - y / 156.0);
        let series =
            1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y * (1.0 / 1680.0 - y * tail)));
        series / x
    } else {
        ln_gamma(x) - ((x - 0.5) * x.ln() - x + HALF_LN_TWO_PI)
    }
}

/// `lnΓ(x)` for `x > 0`; infinite at zero, not a number below.
pub fn ln_gamma(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 || x.is_infinite() {
        return f64::INFINITY;
    }
    let mut shifted = x;
    let mut product = 1.0;
    while shifted < SERIES_FROM {
        product *= shifted;
        shifted += 1.0;
    }
    let main = (shifted - 0.5) * shifted.ln() - shifted + HALF_LN_TWO_PI;
    main + stirling_rest(shifted) - product.ln()
}

/// `ln B(a, b)` for positive arguments, without the cancellation of three large gamma functions.
pub fn ln_beta(a: f64, b: f64) -> f64 {
    let s = a + b;
    (a - 0.5) * (a / s).ln() + (b - 0.5) * (b / s).ln() - 0.5 * s.ln()
        + HALF_LN_TWO_PI
        + stirling_rest(a)
        + stirling_rest(b)
        - stirling_rest(s)
}

/// `ln [ B(a₀+k, b₀+m) / B(a₀, b₀) / (pᵏ·(1−p)ᵐ) ]`: how much better a Beta(a₀, b₀) mixture explains
/// `k` successes and `m` failures than the fixed share `p` does. Arranged so that large counts do not
/// cancel.
pub fn ln_beta_mixture(k: f64, m: f64, p: f64, a0: f64, b0: f64) -> f64 {
    let (hits, misses) = (a0 + k, b0 + m);
    let all = hits + misses;
    let times = |count: f64, seen: f64, expected: f64| {
        if count == 0.0 { 0.0 } else { count * ((seen - expected) / expected).ln_1p() }
    };
    times(k, hits, all * p)
        + times(m, misses, all * (1.0 - p))
        + (a0 - 0.5) * (hits / all).ln()
        + (b0 - 0.5) * (misses / all).ln()
        - 0.5 * all.ln()
        + HALF_LN_TWO_PI
        + stirling_rest(hits)
        + stirling_rest(misses)
        - stirling_rest(all)
        - ln_beta(a0, b0)
}

/// The density of the standard normal distribution.
fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x - HALF_LN_TWO_PI).exp()
}

/// The share of a standard normal distribution below `x`.
pub fn normal_cdf(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x > 2.5 {
        return 1.0 - normal_cdf(-x);
    }
    if x >= -2.5 {
        // Φ(x) = ½ + φ(x)·(x + x³/3 + x⁵/15 + …), Abramowitz and Stegun 26.2.11.
        let (mut term, mut sum, mut odd) = (x, x, 1.0);
        while term.abs() > 1e-18 * sum.abs() && odd < 200.0 {
            odd += 2.0;
            term *= x * x / odd;
            sum += term;
        }
        return 0.5 + normal_density(x) * sum;
    }
    // The continued fraction of Mills' ratio, Abramowitz and Stegun 26.2.14.
    let t = -x;
    let fraction = (1..=120).rev().fold(t, |below, i| t + f64::from(i) / below);
    normal_density(t) / fraction
}

/// The point below which a share `p` of a standard normal distribution lies.
pub fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    if p <= f64::MIN_POSITIVE {
        return f64::NEG_INFINITY;
    }
    // A first guess (Abramowitz and Stegun 26.2.23), then Halley steps to full precision.
    let t = (-2.0 * p.ln()).sqrt();
    let top = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let bottom = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let mut x = top / bottom - t;
    for _ in 0..4 {
        let density = normal_density(x);
        if density <= 0.0 {
            break;
        }
        let step = (normal_cdf(x) - p) / density;
        x -= step / (1.0 + 0.5 * x * step);
    }
    x
}

/// A zero of `f` between `low` and `high`, whose values there must differ in sign: Illinois steps that
/// fall back on halving, to about `1e-14` of the interval's larger end.
pub fn root(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (mut at_low, mut at_high) = (f(low), f(high));
    let mut last_side = 0_i8;
    for turn in 0..200 {
        let width = high - low;
        if width.abs() <= 1e-14 * low.abs().max(high.abs()) {
            break;
        }
        let secant = high - at_high * width / (at_high - at_low);
        let inside = secant > low.min(high) && secant < low.max(high);
        // Every third step halves, so that a flat function cannot stall the search.
        let middle = if inside && turn % 3 != 2 { secant } else { low + 0.5 * width };
        let value = f(middle);
        if value == 0.0 || value.is_nan() {
            return middle;
        }
        if (value > 0.0) == (at_high > 0.0) {
            (high, at_high) = (middle, value);
            if last_side == 1 {
                at_low *= 0.5;
            }
            last_side = 1;
        } else {
            (low, at_low) = (middle, value);
            if last_side == -1 {
                at_high *= 0.5;
            }
            last_side = -1;
        }
    }
    0.5 * (low + high)
}

/// Serialises the logarithm of an e-value: no evidence at all (minus infinity) becomes `null`, because
/// JSON has no infinities.
pub mod log_e {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes a finite number, or `null`.
    pub fn serialize<S: Serializer>(value: &f64, out: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(out)
    }

    /// Reads a number, or `null` for minus infinity.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(from)?.unwrap_or(f64::NEG_INFINITY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{a} is not {b}");
    }

    #[test]
    fn gamma_and_beta_match_known_values() {
        close(ln_gamma(0.5), std::f64::consts::PI.sqrt().ln());
        close(ln_gamma(1.0), 0.0);
        close(ln_gamma(11.0), 3_628_800_f64.ln());
        close(ln_beta(0.5, 0.5), std::f64::consts::PI.ln());
        close(ln_beta(2.0, 3.0), (1.0_f64 / 12.0).ln());
        assert!(ln_gamma(-1.0).is_nan() && ln_gamma(0.0).is_infinite());
    }

    #[test]
    fn normal_functions_match_known_values_and_each_other() {
        close(normal_cdf(0.0), 0.5);
        close(normal_cdf(1.0), 0.841_344_746_068_542_9);
        close(normal_cdf(-6.0), 9.865_876_450_377e-10);
        close(normal_quantile(0.99), 2.326_347_874_040_841);
        for i in 1..200 {
            let p = f64::from(i) / 200.0;
            close(normal_cdf(normal_quantile(p)), p);
        }
        assert!((normal_quantile(1e-200) + 30.205_6).abs() < 1e-3);
    }

    #[test]
    fn the_mixture_equals_its_definition() {
        let direct =
            ln_beta(5.5, 95.5) - ln_beta(0.5, 0.5) - 5.0 * 0.02_f64.ln() - 95.0 * 0.98_f64.ln();
        close(ln_beta_mixture(5.0, 95.0, 0.02, 0.5, 0.5), direct);
    }

    #[test]
    fn a_root_is_found_on_both_slopes() {
        close(root(0.0, 3.0, |x| x * x - 2.0), 2.0_f64.sqrt());
        close(root(0.0, 3.0, |x| 2.0 - x * x), 2.0_f64.sqrt());
    }
}
