//! Designed traffic: a TOML file of named requests, and at what rate, how long and how they are sent.

mod check;
mod expect;
mod file;
mod request;
mod template;
mod variable;

#[cfg(test)]
mod tests;

pub use check::parse;
pub use expect::{Expectation, Is};
pub use file::{DesignFile, Pace};
pub use request::{Request, Wrong};
pub use template::{Escape, Template};
pub use variable::{Order, Values, Variable};

use std::path::PathBuf;
use std::time::Duration;

use super::frozen::LEAST;
use crate::judge::Spec;

/// A design without faults.
#[derive(Clone, Debug)]
pub struct Design {
    /// Requests a second, to each side.
    pub rate: f64,
    /// How long is measured.
    pub duration: Duration,
    /// How long before that nothing is judged.
    pub warm_up: Duration,
    /// Requests under way at once, to each side.
    pub concurrency: usize,
    /// For an answer, and for a free place.
    pub timeout: Duration,
    /// What is judged at once.
    pub tick: Duration,
    /// When requests are due.
    pub pace: Pace,
    /// What chance follows from.
    pub seed: u64,
    /// Whether redirects within one host are followed.
    pub follow_redirects: bool,
    /// The most requests to each side.
    pub max_requests: u64,
    /// Further certificate authorities.
    pub ca_file: Option<PathBuf>,
    /// The variables, in the order of their numbers.
    pub variables: Vec<Variable>,
    /// The requests; never empty.
    pub requests: Vec<Request>,
    /// The share of errors beyond which the baseline is no yardstick.
    pub baseline_errors: f64,
    /// What is judged, and how.
    pub spec: Spec,
}

impl Design {
    /// How long requests are sent.
    pub fn whole(&self) -> Duration {
        self.warm_up + self.duration
    }

    /// About how many requests each side gets.
    pub fn total(&self) -> u64 {
        (self.rate * self.whole().as_secs_f64()).ceil() as u64
    }

    /// Whether it is known of any request when it is slow.
    pub fn has_limit(&self) -> bool {
        self.learns() || self.requests.iter().any(|request| request.latency.is_some())
    }

    /// Whether the warm-up tells what is slow: where a request has no limit, and it is long enough.
    pub fn learns(&self) -> bool {
        let whole: f64 = self.requests.iter().map(|request| request.weight).sum();
        let without = self.requests.iter().filter(|request| request.latency.is_none());
        let share = without.map(|request| request.weight).sum::<f64>() / whole;
        share * self.rate * self.warm_up.as_secs_f64() >= LEAST as f64
    }
}

/// The metric of wrong, broken and missing answers.
pub const ERRORS: &str = "errors";
/// The metric of answers beyond their latency limit, or beyond what the warm-up told.
pub const SLOW: &str = "slow";
