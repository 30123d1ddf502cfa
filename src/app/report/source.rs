//! Sources as a report gives them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::state::State;
use crate::domain::error::Fault;
use crate::domain::fleet::Fleet;
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

/// Items that cannot be read, all for the same reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FailingItems {
    /// What kind of thing they are.
    pub kind: String,
    /// How many.
    pub count: usize,
    /// Some of their names.
    pub names: Vec<SafeText>,
    /// Why one of them failed, and what to do.
    pub fault: Fault,
    /// The permission that is missing, if that is known.
    pub missing_permission: Option<SafeText>,
}

/// Names told of items that fail for the same reason.
const NAMES: usize = 5;

/// What of each source cannot be read by itself, by kind and reason.
pub(super) fn failing_items(fleet: &Fleet) -> BTreeMap<SourceId, Vec<FailingItems>> {
    let mut found: BTreeMap<SourceId, Vec<FailingItems>> = BTreeMap::new();
    for (item, fault) in fleet.faults() {
        let groups = found.entry(item.source().clone()).or_default();
        let same = |group: &&mut FailingItems| {
            group.kind == item.kind() && group.fault.kind.is_like(&fault.kind)
        };
        match groups.iter_mut().find(same) {
            Some(group) => {
                group.count += 1;
                if group.names.len() < NAMES {
                    group.names.push(item.name().clone());
                }
            }
            None => groups.push(FailingItems {
                kind: item.kind().to_owned(),
                count: 1,
                names: vec![item.name().clone()],
                fault: fault.clone(),
                missing_permission: fault.kind.missing_permission().cloned(),
            }),
        }
    }
    found
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
