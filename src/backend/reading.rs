//! The cadence and freshness of a source from how it is configured to be read.

use std::time::Duration;

use jiff::SignedDuration;

use super::port::Cadence;
use crate::config::Schedule;
use crate::domain::observed::FreshnessPolicy;

/// Rounds of calls that one read may need: the calls of a batch, at the usual concurrency.
const ROUNDS: u32 = 2;

/// How often and how much at once a source is asked that answers over HTTP or a socket.
///
/// A read gets the time of several calls, so that one slow item spoils neither the others nor
/// its own message.
pub(super) fn cadence(schedule: &Schedule) -> Cadence {
    Cadence {
        overview: schedule.fast.get(),
        fast: schedule.fast.get(),
        slow: schedule.slow.get(),
        series: schedule.fast.get(),
        changes: schedule.fast.get().saturating_mul(2),
        batch: 8,
        concurrency: 3,
        deadline: schedule.deadline.get().saturating_mul(ROUNDS) + Duration::from_secs(1),
        budget_per_minute: schedule.budget_per_minute,
    }
}

/// When facts of a source are stale and lost.
pub(super) fn policy(schedule: &Schedule) -> FreshnessPolicy {
    let signed = |length: Duration| SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
    FreshnessPolicy {
        stale_after: signed(schedule.stale_after.get()),
        lost_after: signed(schedule.lost_after.get()),
    }
}
