//! What is slow where nobody said: beyond the p95 of the baseline's own answers in the warm-up. Frozen
//! when the warm-up ends, so that the measure does not move with what is measured.

use std::time::Duration;

use super::tally::Latencies;

/// The share of the baseline's answers that are not slow.
const QUANTILE: f64 = 0.95;
/// With fewer answers of the baseline there is no quantile worth the name.
pub const LEAST: u64 = 20;

/// Latencies of the baseline while they are gathered, and what follows from them.
#[derive(Clone, Debug)]
pub enum Frozen {
    /// The warm-up is under way.
    Learning {
        /// Of each request; none of those that have a limit.
        by_request: Vec<Latencies>,
        /// Of all together, for requests that are too rare.
        all: Latencies,
    },
    /// It is over.
    Set(Vec<Option<Duration>>),
}

impl Frozen {
    /// For so many requests; nothing is to be learned without a warm-up.
    pub fn new(requests: usize, warm_up: bool) -> Self {
        if warm_up {
            let by_request = vec![Latencies::default(); requests];
            Self::Learning { by_request, all: Latencies::default() }
        } else {
            Self::Set(vec![None; requests])
        }
    }

    /// Whether the warm-up is over.
    pub fn is_set(&self) -> bool {
        matches!(self, Self::Set(_))
    }

    /// Takes the latency of an answer of the baseline in the warm-up.
    pub fn learn(&mut self, request: usize, latency: Duration) {
        if let Self::Learning { by_request, all } = self
            && let Some(own) = by_request.get_mut(request)
        {
            own.record(latency);
            all.record(latency);
        }
    }

    /// The warm-up is over.
    pub fn set(&mut self) {
        let Self::Learning { by_request, all } = self else { return };
        let p95 =
            |latencies: &Latencies| latencies.at(QUANTILE).filter(|_| latencies.count() >= LEAST);
        let general = p95(all);
        *self = Self::Set(by_request.iter().map(|own| p95(own).or(general)).collect());
    }

    /// From when on an answer to this request is slow.
    pub fn limit(&self, request: usize) -> Option<Duration> {
        match self {
            Self::Learning { .. } => None,
            Self::Set(limits) => limits.get(request).copied().flatten(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_rare_request_takes_the_measure_of_all() {
        let mut frozen = Frozen::new(3, true);
        for number in 1..=100 {
            frozen.learn(0, ms(number));
        }
        for _ in 1..LEAST {
            frozen.learn(1, ms(900));
        }
        assert!(!frozen.is_set() && frozen.limit(0).is_none());
        frozen.set();
        frozen.learn(0, ms(5_000));
        let near = |request: usize, wanted: u64| {
            let limit = frozen.limit(request).unwrap().as_secs_f64() * 1e3;
            assert!((limit / wanted as f64 - 1.0).abs() < 0.01, "{request}: {limit}");
        };
        near(0, 95);
        near(1, 900);
        near(2, 900);
        assert_eq!(frozen.limit(3), None);
    }

    #[test]
    fn too_few_answers_measure_nothing() {
        let mut frozen = Frozen::new(1, true);
        for _ in 1..LEAST {
            frozen.learn(0, ms(5));
        }
        frozen.set();
        assert!(frozen.is_set() && frozen.limit(0).is_none());
        assert!(Frozen::new(1, false).is_set());
    }
}
