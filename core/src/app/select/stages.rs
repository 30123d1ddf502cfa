//! Stages as rows show them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::pipeline::{RunState, Stage};
use crate::domain::text::SafeText;

/// One stage of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageCell {
    /// Its name.
    pub name: SafeText,
    /// Where it stands.
    pub state: RunState,
    /// The way into it is closed.
    pub held: bool,
    /// What is there, short.
    pub revision: Option<String>,
    /// Since when it is in that state; for a waiting one, since when it waits; for one at rest that
    /// is held, since when it is held.
    pub since: Option<Timestamp>,
}

pub(super) fn cell(stage: &Stage) -> StageCell {
    let asked = stage.approvals().filter_map(|(_, ask)| ask.requested).min();
    let held = stage.is_held();
    // What matters of a stage at rest behind a closed door is since when the door is closed.
    let rests = matches!(stage.state, RunState::Succeeded | RunState::NotRun);
    let since = match &stage.transition {
        Some(transition) if held && rests => transition.at,
        _ => stage.since,
    };
    StageCell {
        name: stage.name.clone(),
        state: stage.state,
        held,
        revision: stage.revision.as_ref().map(crate::domain::revision::Revision::short),
        since: asked.or(since),
    }
}
