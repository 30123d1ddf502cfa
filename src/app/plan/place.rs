//! Where a write happens, by name: what freezes and the production rule look at.

use crate::app::state::State;
use crate::domain::write::Write;

/// Names of the stage or environment that `write` changes.
pub(super) fn names(state: &State, write: &Write) -> Vec<String> {
    let parts = |name: &str| -> Vec<String> {
        name.split(['.', '/', ':']).map(str::to_owned).chain([name.to_owned()]).collect()
    };
    match write {
        Write::Answer { stage, .. }
        | Write::Retry { stage, .. }
        | Write::Hold { stage, .. }
        | Write::Release { stage, .. }
        | Write::RollBack { stage, .. }
        | Write::Override { stage, .. } => parts(stage.as_str()),
        Write::Start { pipeline } | Write::Stop { pipeline, .. } => {
            // It goes, or went, through every stage.
            let stages = state.fleet.pipelines.get(pipeline).map(|o| o.value.stages.clone());
            stages.unwrap_or_default().iter().map(|s| s.name.to_string()).collect()
        }
        Write::Shares { split, .. } | Write::Arm { split, .. } => parts(split.name.as_str()),
        Write::Flag { environment, .. } => parts(environment.as_str()),
    }
}

/// Whether `write` touches production. A traffic split of which nothing is known counts as that.
pub(super) fn is_production(state: &State, write: &Write) -> bool {
    let names = names(state, write);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let traffic = matches!(write, Write::Shares { .. } | Write::Arm { .. });
    traffic || state.setup.policy.is_production(&names)
}
