//! Sentences about a canary.

use super::lately;
use crate::app::canary::{Judged, Stand};
use crate::app::row::RowId;
use crate::app::state::State;
use crate::domain::canary::CanarySpec;
use crate::domain::ids::CanaryId;

/// Sentences about a canary.
pub fn sentences(state: &State, id: &CanaryId) -> Vec<String> {
    let Some(row) = state.rows.canaries.get(&RowId::Canary(id.clone())) else { return Vec::new() };
    let mut lines = match (row.percent, &row.judged) {
        (Some(percent), Some(judged)) => vec![words(id.as_str(), percent, judged)],
        (Some(percent), None) if percent > 0.0 && percent < 100.0 => {
            vec![format!("{id} gets {percent:.0}% of the traffic; nothing is measured yet")]
        }
        (Some(_), None) => vec![format!("{id} is not under way: no traffic is split")],
        (None, _) if row.has_split => {
            vec![format!("{id} is unknown: its traffic split could not be read")]
        }
        (None, _) => vec![format!("nothing is measured of {id} yet")],
    };
    if let Some(pilot) = state.pilots.get(id) {
        lines.insert(0, format!("pilot: {}", pilot.now()));
    }
    lines.extend(lately(state, &row.service));
    lines
}

/// What is to be known about a canary that is under way, with how it stands.
pub fn trouble(state: &State, spec: &CanarySpec) -> Option<(Stand, String)> {
    let row = state.rows.canaries.get(&RowId::Canary(spec.id.clone()))?;
    let percent = row.percent.filter(|p| *p > 0.0 && *p < 100.0)?;
    Some(match &row.judged {
        Some(judged) => (judged.stand, words(spec.name.as_str(), percent, judged)),
        None => (
            Stand::Watching,
            format!("canary {} at {percent:.0}%; nothing is measured yet", spec.name),
        ),
    })
}

fn words(name: &str, percent: f64, judged: &Judged) -> String {
    format!("{}: canary {name} at {percent:.0}%: {}", judged.lead, judged.sentence)
}
