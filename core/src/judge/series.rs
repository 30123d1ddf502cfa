//! Aggregated series (a p95, a mean, a throughput): one observation a tick, the paired log ratio.
//!
//! A scale-free t-mixture over the mean of the log ratios, with the effective sample size that the
//! autocorrelation leaves. All sums are kept incrementally.

use serde::{Deserialize, Serialize};

/// Knobs of the t-mixture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SeriesSettings {
    /// Width of the mixture over standardised shifts.
    pub g: f64,
    /// Least variance inflation; above 1 when calibrated on an A/A history.
    pub v_min: f64,
    /// Whether to correct for autocorrelation.
    pub inflate: bool,
    /// Standard errors added to the autocorrelation, so that young series are humble.
    pub humility: f64,
    /// Ticks before the first opinion.
    pub burn_in: u64,
}

impl Default for SeriesSettings {
    fn default() -> Self {
        Self { g: 0.3, v_min: 1.0, inflate: true, humility: 1.5, burn_in: 10 }
    }
}

/// What the sums say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SeriesStats {
    /// Observations.
    pub n: u64,
    /// Mean log ratio.
    pub mean: f64,
    /// Sample variance.
    pub variance: f64,
    /// Autocorrelation taken for the inflation.
    pub phi: f64,
    /// Effective number of observations.
    pub effective: f64,
}

/// The t-mixture over paired log ratios.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesEngine {
    settings: SeriesSettings,
    n: u64,
    first: f64,
    last: f64,
    largest: f64,
    mean: f64,
    /// Sum of squared deviations from the mean.
    squares: f64,
    /// Sum of products of neighbouring deviations from the mean.
    products: f64,
}

/// Below this effective size a variance is no variance.
const LEAST_EFFECTIVE: f64 = 1.5;
/// A log ratio beyond this is not a measurement, and its exponential is hardly a number.
const LARGEST: f64 = 200.0;
/// A spread this small beside the values is rounding, not variation.
const ROUNDING: f64 = 1e-13;

impl SeriesEngine {
    /// An engine without observations.
    pub fn new(settings: SeriesSettings) -> Self {
        let (zero, n) = (0.0, 0);
        Self {
            settings,
            n,
            first: zero,
            last: zero,
            largest: zero,
            mean: zero,
            squares: zero,
            products: zero,
        }
    }

    /// Adds the pair of one tick. Skipped (and `false`) unless both are positive numbers within
    /// e²⁰⁰ of each other, because the log ratio needs them so.
    pub fn push_pair(&mut self, baseline: f64, canary: f64) -> bool {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let d = canary.ln() - baseline.ln();
        positive(baseline) && positive(canary) && d.abs() <= LARGEST && self.push(d)
    }

    /// Adds a log ratio; one that is not a finite number is skipped.
    pub fn push(&mut self, d: f64) -> bool {
        // A square beyond the range of doubles would poison every later tick.
        if !d.is_finite() || d.abs() > 1e100 {
            return false;
        }
        if self.n == 0 {
            self.first = d;
        }
        let n = self.n as f64;
        let shift = (d - self.mean) / (n + 1.0);
        let mean = self.mean + shift;
        if self.n > 0 {
            // Re-centre the products of neighbours on the new mean, then add the new pair.
            let ends = (self.last - self.mean) + (self.first - self.mean);
            self.products += shift * ends + (n - 1.0) * shift * shift;
            self.products += (self.last - mean) * (d - mean);
        }
        self.squares += (d - self.mean) * (d - mean);
        self.mean = mean;
        self.last = d;
        self.largest = self.largest.max(d.abs());
        self.n += 1;
        true
    }

    /// Observations so far.
    pub fn ticks(&self) -> u64 {
        self.n
    }

    /// The statistics; `None` below three observations or without any variation.
    pub fn stats(&self) -> Option<SeriesStats> {
        let n = self.n as f64;
        if self.n < 3 {
            return None;
        }
        let variance = self.squares / (n - 1.0);
        if !variance.is_finite() || variance.sqrt() <= ROUNDING * self.largest {
            return None;
        }
        let phi = if self.settings.inflate {
            let a = (self.products / self.squares).clamp(-1.0, 1.0);
            let humble = self.settings.humility * ((1.0 - a * a) / n).max(0.0).sqrt();
            (a + (1.0 + 3.0 * a) / n + humble).clamp(0.0, 0.95)
        } else {
            0.0
        };
        let inflation = ((1.0 + phi) / (1.0 - phi)).max(self.settings.v_min);
        Some(SeriesStats { n: self.n, mean: self.mean, variance, phi, effective: n / inflation })
    }

    /// The statistics once an opinion is allowed.
    fn ripe(&self) -> Option<SeriesStats> {
        self.stats().filter(|s| s.n >= self.settings.burn_in && s.effective > LEAST_EFFECTIVE)
    }

    /// `ln` of the two-sided evidence against the mean log ratio `mu`; 0 while there is no opinion.
    pub fn ln_two_sided(&self, mu: f64) -> f64 {
        self.ripe().map_or(0.0, |stats| self.ln_mixture(&stats, stats.effective, mu))
    }

    /// `ln` of the evidence that the mean lies above `mu`; minus infinity when it points elsewhere.
    pub fn ln_above(&self, mu: f64) -> f64 {
        self.one_sided(mu, 1.0, |mean| mean > mu)
    }

    /// `ln` of the evidence that the mean lies below `mu`; minus infinity when it points elsewhere.
    pub fn ln_below(&self, mu: f64) -> f64 {
        self.one_sided(mu, 1.0, |mean| mean < mu)
    }

    /// [`Self::ln_above`] or [`Self::ln_below`] if the same were seen `scale` times as long.
    pub fn ln_scaled(&self, mu: f64, above: bool, scale: f64) -> f64 {
        self.one_sided(mu, scale, |mean| if above { mean > mu } else { mean < mu })
    }

    fn one_sided(&self, mu: f64, scale: f64, points_there: impl Fn(f64) -> bool) -> f64 {
        match self.ripe() {
            None => 0.0,
            Some(stats) if points_there(stats.mean) => {
                self.ln_mixture(&stats, stats.effective * scale, mu)
            }
            Some(_) => f64::NEG_INFINITY,
        }
    }

    fn ln_mixture(&self, stats: &SeriesStats, effective: f64, mu: f64) -> f64 {
        let nu = effective - 1.0;
        let t2 = effective * (stats.mean - mu).powi(2) / stats.variance;
        let q = 1.0 + self.settings.g * effective;
        let gain = (t2 / nu).ln_1p() - (t2 / (nu * q)).ln_1p();
        let ln_e = -0.5 * q.ln() + 0.5 * effective * gain;
        if ln_e.is_nan() { 0.0 } else { ln_e }
    }

    /// The mean log ratios not ruled out at any look, with error `alpha`; `None` while unbounded.
    pub fn confidence(&self, alpha: f64) -> Option<(f64, f64)> {
        let stats = self.ripe()?;
        let n = stats.effective;
        let q = 1.0 + self.settings.g * n;
        let a = ((2.0 / n) * (0.5 * q.ln() - alpha.ln())).exp();
        if a.is_nan() || a >= q {
            return None;
        }
        let half = (stats.variance * (n - 1.0) * (a - 1.0) / ((1.0 - a / q) * n)).sqrt();
        half.is_finite().then_some((stats.mean - half, stats.mean + half))
    }
}

/// The least variance inflation that an A/A history of log ratios asks for: `b` times the variance of
/// the means of `b = ⌊√n⌋` ticks over the variance of single ticks. `None` for too short a history or
/// one without variation.
pub fn calibrate_v_min(history: &[f64]) -> Option<f64> {
    let clean: Vec<f64> = history.iter().copied().filter(|d| d.is_finite()).collect();
    let block = clean.len().isqrt();
    if block < 3 {
        return None;
    }
    let means: Vec<f64> =
        clean.chunks_exact(block).map(|c| c.iter().sum::<f64>() / block as f64).collect();
    let single = sample_variance(&clean)?;
    let of_means = sample_variance(&means)?;
    let inflation = block as f64 * of_means / single;
    inflation.is_finite().then_some(inflation.max(1.0))
}

fn sample_variance(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    Some(values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0))
}

/// A two-sided asymptotic confidence sequence for a mean after `t` raw samples, tightest near `t_star`
/// (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas). For at least 50 samples. `None` for nonsense.
pub fn asymptotic_confidence(
    mean: f64,
    variance: f64,
    t: f64,
    alpha: f64,
    t_star: f64,
) -> Option<(f64, f64)> {
    if !(t > 0.0 && t_star > 0.0 && alpha > 0.0 && alpha < 1.0 && variance >= 0.0) {
        return None;
    }
    let l = -2.0 * alpha.ln();
    let rho2 = (l + l.ln_1p()) / t_star;
    let spread = t * rho2 + 1.0;
    let half =
        (variance * 2.0 * spread / (t * t * rho2) * (spread.sqrt().ln() - alpha.ln())).sqrt();
    half.is_finite().then_some((mean - half, mean + half)).filter(|_| mean.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incremental_sums_equal_direct_ones() {
        let data: Vec<f64> = (0..50).map(|i| (f64::from(i) * 0.7).sin() + 5.0).collect();
        let mut engine = SeriesEngine::new(SeriesSettings { humility: 0.0, ..Default::default() });
        for d in &data {
            engine.push(*d);
        }
        let n = data.len() as f64;
        let mean = data.iter().sum::<f64>() / n;
        let squares: f64 = data.iter().map(|d| (d - mean).powi(2)).sum();
        let products: f64 = data.windows(2).map(|w| (w[0] - mean) * (w[1] - mean)).sum();
        assert!((engine.mean - mean).abs() < 1e-12);
        assert!((engine.squares - squares).abs() < 1e-10);
        assert!((engine.products - products).abs() < 1e-10);
    }

    #[test]
    fn a_constant_series_has_no_opinion() {
        let mut engine = SeriesEngine::new(SeriesSettings::default());
        for _ in 0..100 {
            engine.push_pair(100.0, 110.0);
        }
        assert!(engine.stats().is_none());
        assert!(engine.ln_above(0.0).abs() < 1e-12 && engine.confidence(0.05).is_none());
        assert!(!engine.push_pair(0.0, 1.0) && !engine.push_pair(f64::NAN, 1.0));
    }

    #[test]
    fn a_long_memory_asks_for_more_inflation() {
        let slow: Vec<f64> = (0..400).map(|i| (f64::from(i) / 60.0).sin()).collect();
        let fast: Vec<f64> = (0..400).map(|i| (f64::from(i) * 2.9).sin()).collect();
        assert!(calibrate_v_min(&slow).unwrap() > 10.0);
        assert!((calibrate_v_min(&fast).unwrap() - 1.0).abs() < 1e-9);
        assert!(calibrate_v_min(&[1.0; 5]).is_none());
    }
}
