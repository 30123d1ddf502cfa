//! Sources as a report gives them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::state::State;
use crate::app::unreadable::FailingItems;
use crate::domain::error::Fault;
use crate::domain::ids::SourceId;
use crate::domain::observation::Topic;
use crate::domain::source::{SourceHealth, SourceState};
use crate::domain::text::SafeText;
use crate::domain::time::age;

/// One source: whether it answers, why not, as whom, and at what cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceLine {
    /// Its name.
    pub source: SourceId,
    /// What kind of backend it is.
    pub kind: SafeText,
    /// Where that is.
    pub place: SafeText,
    /// How it is as a whole.
    pub health: SourceHealth,
    /// As whom it sees us, if it tells.
    pub identity: Option<SafeText>,
    /// When it last answered anything.
    pub last_answer: Option<Timestamp>,
    /// How long ago that is, in seconds.
    pub age_seconds: Option<i64>,
    /// API calls so far.
    pub calls: u64,
    /// API calls allowed a minute.
    pub budget_per_minute: u32,
    /// Everything was asked for and was read, or failed, at least once.
    pub settled: bool,
    /// What is known to exist and was not read yet.
    pub unread_items: u32,
    /// Reads that fail now.
    pub failing: Vec<FailingRead>,
    /// What cannot be read while other things can, by reason.
    pub failing_items: Vec<FailingItems>,
    /// What is odd but not wrong.
    pub warnings: Vec<SafeText>,
}

/// A kind of read that fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FailingRead {
    /// Which.
    pub topic: Topic,
    /// Since when.
    pub since: Timestamp,
    /// How often in a row.
    pub times: u32,
    /// Why, and what to do.
    pub fault: Fault,
    /// The permission that is missing, if that is known.
    pub missing_permission: Option<SafeText>,
}

/// The line of a source.
pub(super) fn line(
    state: &State,
    source: &SourceState,
    failing_items: Vec<FailingItems>,
) -> SourceLine {
    let last = source.last_answer();
    SourceLine {
        source: source.meta.id.clone(),
        kind: source.meta.kind.clone(),
        place: source.meta.place.clone(),
        health: source.health(),
        identity: source.identity.clone(),
        last_answer: last,
        age_seconds: last.map(|at| age(state.now, at).as_secs()),
        calls: source.report.calls,
        budget_per_minute: source.report.budget_per_minute,
        settled: source.report.settled,
        unread_items: source.report.unread_items,
        failing: source
            .failing
            .iter()
            .map(|(topic, failing)| FailingRead {
                topic: *topic,
                since: failing.since,
                times: failing.times,
                fault: failing.fault.clone(),
                missing_permission: failing.fault.kind.missing_permission().cloned(),
            })
            .collect(),
        failing_items,
        warnings: source.warnings.clone(),
    }
}
