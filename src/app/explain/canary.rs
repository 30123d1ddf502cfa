//! Sentences about a canary.

use super::lately;
use crate::app::row::RowId;
use crate::app::state::State;
use crate::domain::canary::CanarySpec;
use crate::domain::ids::CanaryId;

/// Sentences about a canary.
pub fn sentences(state: &State, id: &CanaryId) -> Vec<String> {
    let Some(row) = state.rows.canaries.get(&RowId::Canary(id.clone())) else { return Vec::new() };
    let share = match row.percent {
        Some(percent) if percent > 0.0 && percent < 100.0 => {
            format!("gets {percent:.0}% of the traffic")
        }
        Some(_) => "is not under way: no traffic is split".to_owned(),
        None => "is unknown: its traffic split could not be read".to_owned(),
    };
    let mut lines = vec![format!("{id} {share}")];
    lines.extend(lately(state, &row.service));
    lines
}

/// What is to be known about a canary that is under way.
pub fn trouble(state: &State, spec: &CanarySpec) -> Option<String> {
    let row = state.rows.canaries.get(&RowId::Canary(spec.id.clone()))?;
    let percent = row.percent.filter(|p| *p > 0.0 && *p < 100.0)?;
    Some(format!("canary {} at {percent:.0}%", spec.name))
}
