//! Chance by name: every draw is addressed by what it is for, so that it does not matter who asks first.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Words kept apart for one draw; more than any distribution here needs.
const WORDS: u128 = 256;

/// A seed from which any named draw can be made directly.
#[derive(Clone, Debug)]
pub struct Chance {
    root: ChaCha8Rng,
}

impl Chance {
    /// All the chance of one world.
    pub fn new(seed: u64) -> Self {
        Self { root: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The generator of draw `n` of `stream`.
    pub fn at(&self, stream: u64, n: u64) -> ChaCha8Rng {
        let mut rng = self.root.clone();
        rng.set_stream(stream);
        rng.set_word_pos(u128::from(n) * WORDS);
        rng
    }

    /// Noise of mean 0 and deviation about 1 that wanders: neighbours within `1.0` of `x` are alike.
    pub fn smooth(&self, stream: u64, x: f64) -> f64 {
        let floor = x.floor();
        let normal = |n: f64| -> f64 { self.at(stream, n.max(0.0) as u64).sample(StandardNormal) };
        let (before, after) = (normal(floor), normal(floor + 1.0));
        // The blend keeps the deviation at 1 everywhere, which a straight line would not.
        let angle = (x - floor) * std::f64::consts::FRAC_PI_2;
        before * angle.cos() + after * angle.sin()
    }
}

/// The stream that belongs to a name (FNV-1a, 64 bit).
pub fn stream(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `digits` lower-case hexadecimal digits.
pub fn hex(rng: &mut ChaCha8Rng, digits: usize) -> String {
    (0..digits).filter_map(|_| char::from_digit(rng.random_range(0..16), 16)).collect()
}

/// One of `all`; `None` only if there is none.
pub fn pick<'a, T>(rng: &mut ChaCha8Rng, all: &'a [T]) -> Option<&'a T> {
    if all.is_empty() { None } else { all.get(rng.random_range(0..all.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_do_not_depend_on_the_order_of_asking() {
        let chance = Chance::new(7);
        let forward: Vec<u64> = (0..50).map(|n| chance.at(stream("a"), n).random()).collect();
        let mut backward: Vec<u64> =
            (0..50).rev().map(|n| chance.at(stream("a"), n).random()).collect();
        backward.reverse();
        assert_eq!(forward, backward);
        let other: Vec<u64> = (0..50).map(|n| chance.at(stream("b"), n).random()).collect();
        assert_ne!(forward, other);
    }

    #[test]
    fn smooth_noise_has_about_unit_deviation_and_alike_neighbours() {
        let chance = Chance::new(7);
        let values: Vec<f64> = (0..4_000).map(|i| chance.smooth(3, f64::from(i) * 0.25)).collect();
        let mean = values.iter().sum::<f64>() / 4_000.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 4_000.0;
        assert!(mean.abs() < 0.15 && (0.8..1.2).contains(&variance), "{mean} {variance}");
        let step = values.windows(2).map(|w| (w[1] - w[0]).powi(2)).sum::<f64>() / 4_000.0;
        assert!(step < variance / 2.0, "{step}");
    }
}
