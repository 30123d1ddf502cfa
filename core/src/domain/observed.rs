//! `Observed`: a value with its age and its source, so that nothing is ever silently stale.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::Fault;
use super::ids::SourceId;
use super::observation::Topic;

/// A fact as one source last reported it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Observed<T> {
    /// The last known value.
    pub value: Arc<T>,
    /// When the source last confirmed it.
    pub at: Timestamp,
    /// Who says so.
    pub source: SourceId,
    /// The read by which it came: a failure of that read makes it stale.
    pub topic: Topic,
    /// The last attempt to read this very item failed.
    pub fault: Option<Fault>,
    /// Revision of the fleet at which the value last changed.
    pub revision: u64,
}

/// How much an observed value may be relied on.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Read within its time and no read has failed since.
    Fresh,
    /// The last known value, older than it should be, or its last read failed.
    Stale,
    /// So old, or failing for so long, that the truth must be called unknown.
    Lost,
}

impl Freshness {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Lost => "lost",
        }
    }
}

/// When values of a source become stale and lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FreshnessPolicy {
    /// Older than this is stale.
    pub stale_after: SignedDuration,
    /// Older than this is lost.
    pub lost_after: SignedDuration,
}

impl FreshnessPolicy {
    /// The policy for facts that are read only once per `sweep`: a fact is not stale before it has
    /// missed two sweeps, and not lost before it has missed four. Without this, items that outnumber
    /// the budget of calls would be called stale between any two reads.
    #[must_use]
    pub fn at_pace(self, sweep: SignedDuration) -> Self {
        let times = |n| sweep.checked_mul(n).unwrap_or(SignedDuration::MAX);
        Self {
            stale_after: self.stale_after.max(times(2)),
            lost_after: self.lost_after.max(times(4)),
        }
    }

    /// Freshness of a value confirmed at `at`, given whether its last read failed.
    pub fn judge(self, now: Timestamp, at: Timestamp, failing: bool) -> Freshness {
        let age = super::time::age(now, at);
        if age > self.lost_after {
            Freshness::Lost
        } else if failing || age > self.stale_after {
            Freshness::Stale
        } else {
            Freshness::Fresh
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_follows_age_and_failure() {
        let policy = FreshnessPolicy {
            stale_after: SignedDuration::from_secs(30),
            lost_after: SignedDuration::from_secs(300),
        };
        let at = Timestamp::UNIX_EPOCH;
        for (age, failing, expected) in [
            (0, false, Freshness::Fresh),
            (30, false, Freshness::Fresh),
            (31, false, Freshness::Stale),
            (1, true, Freshness::Stale),
            (301, false, Freshness::Lost),
            (301, true, Freshness::Lost),
        ] {
            let now = at + SignedDuration::from_secs(age);
            assert_eq!(policy.judge(now, at, failing), expected, "{age} s, failing {failing}");
        }
        // A sweep that fits changes nothing; a longer one stretches both limits.
        assert_eq!(policy.at_pace(SignedDuration::from_secs(15)), policy);
        let slow = policy.at_pace(SignedDuration::from_secs(100));
        for (age, failing, expected) in [
            (200, false, Freshness::Fresh),
            (200, true, Freshness::Stale),
            (201, false, Freshness::Stale),
            (400, false, Freshness::Stale),
            (401, false, Freshness::Lost),
        ] {
            let now = at + SignedDuration::from_secs(age);
            assert_eq!(slow.judge(now, at, failing), expected, "{age} s, failing {failing}");
        }
        let endless = policy.at_pace(SignedDuration::MAX);
        assert_eq!(endless.lost_after, SignedDuration::MAX);
        // A clock that went backwards does not make a fact stale.
        assert_eq!(policy.judge(at, at + SignedDuration::from_secs(99), false), Freshness::Fresh);
    }
}
