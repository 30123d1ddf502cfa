//! What the adapters share: cadence and freshness by the configuration, reads that all failed.

use std::time::Duration;

use jiff::SignedDuration;

use super::port::Cadence;
use crate::config::Schedule;
use crate::config::sources::Reading;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::observed::FreshnessPolicy;

/// Rounds of calls that one read may need: the calls of a batch, at the usual concurrency.
const ROUNDS: u32 = 2;
/// Fast intervals between two overviews.
const OVERVIEW: u32 = 3;

/// The cadence of a source whose overview carries the facts themselves in a few calls, so that
/// it is read oftener than a listing; an interval of its own in the configuration counts first.
///
/// A read gets the time of several calls, so that one slow item spoils neither the others nor
/// its own message.
pub(super) fn cadence(schedule: &Schedule, reading: &Reading) -> Cadence {
    let usual = Cadence::of(schedule);
    let between = match reading.every {
        Some(every) => every.get(),
        None => usual.fast.saturating_mul(OVERVIEW).min(usual.slow),
    };
    Cadence {
        overview: between,
        series: between,
        changes: between.saturating_mul(2),
        batch: 8,
        deadline: usual.deadline.saturating_mul(ROUNDS) + Duration::from_secs(1),
        ..usual
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

/// The fault that all reads share, if nothing at all could be read and it is not about one item.
pub(super) fn all_failed<'a>(faults: impl Iterator<Item = Option<&'a Fault>>) -> Option<&'a Fault> {
    let faults: Option<Vec<&Fault>> = faults.collect();
    let faults = faults?;
    let wide = |f: &&&Fault| {
        matches!(
            f.kind,
            FaultKind::NotAuthenticated | FaultKind::Unreachable | FaultKind::Throttled { .. }
        )
    };
    let first = faults.iter().find(wide)?;
    faults.iter().all(|f| wide(&f)).then_some(*first)
}
