//! What one tick of one metric brings: raw counts of both arms, or two values of a series.

use serde::{Deserialize, Serialize};

/// Beyond this a double no longer counts one by one, so it is not a count.
const LARGEST_COUNT: f64 = 9_007_199_254_740_992.0;
/// Fewer requests than this are none: extrapolated counters leave such crumbs.
const LEAST_TRAFFIC: f64 = 1e-9;

/// Requests and events of one arm during one tick: raw counter differences, not rates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests (the exposure).
    pub requests: f64,
    /// Events among them: errors, slow requests, conversions.
    pub events: f64,
}

impl Counts {
    /// Counts of one arm.
    pub fn new(requests: f64, events: f64) -> Self {
        Self { requests, events }
    }

    /// Whether the numbers can be counts at all.
    pub fn is_valid(&self) -> bool {
        let countable = |x: f64| (0.0..=LARGEST_COUNT).contains(&x);
        countable(self.requests) && countable(self.events)
    }

    /// Whether the tick carries information about this arm: valid, and with traffic.
    pub fn is_usable(&self) -> bool {
        self.is_valid() && self.requests >= LEAST_TRAFFIC
    }
}

/// One tick of one metric. A missing arm is `None`: it could not be read, or reported nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sample {
    /// Neither arm could be read.
    #[default]
    Missing,
    /// Counts of both arms.
    Counts {
        /// The version in use.
        baseline: Option<Counts>,
        /// The version under test.
        canary: Option<Counts>,
    },
    /// One aggregated value of both arms, with the same timestamp.
    Values {
        /// The version in use.
        baseline: Option<f64>,
        /// The version under test.
        canary: Option<f64>,
    },
}

impl Sample {
    /// Counts of both arms: requests and events of the baseline, then of the canary.
    pub fn counts(baseline: (f64, f64), canary: (f64, f64)) -> Self {
        Self::Counts {
            baseline: Some(Counts::new(baseline.0, baseline.1)),
            canary: Some(Counts::new(canary.0, canary.1)),
        }
    }

    /// What one figure of each arm is, the baseline's first: the value of a series, the share of events
    /// among requests. None without requests.
    pub fn levels(self) -> (Option<f64>, Option<f64>) {
        match self {
            Self::Missing => (None, None),
            Self::Counts { baseline, canary } => {
                let share = |counts: Option<Counts>| {
                    counts.filter(Counts::is_usable).map(|c| c.events / c.requests)
                };
                (share(baseline), share(canary))
            }
            Self::Values { baseline, canary } => {
                let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
                (finite(baseline), finite(canary))
            }
        }
    }

    /// One value of each arm.
    pub fn values(baseline: f64, canary: f64) -> Self {
        Self::Values { baseline: Some(baseline), canary: Some(canary) }
    }
}
