//! Sentences about a service: its worst trouble first.

use super::{ago, canary, lately, pipeline};
use crate::app::row::RowId;
use crate::app::state::State;
use crate::domain::alarm::AlarmState;
use crate::domain::environment::Health;
use crate::domain::ids::ServiceId;

/// Sentences about a service.
pub fn sentences(state: &State, id: &ServiceId) -> Vec<String> {
    let fleet = &state.fleet;
    let mut lines = Vec::new();
    let mut watched = Vec::new();
    let Some(members) = state.membership.members(id) else {
        return vec![format!("{id}: nothing that belongs to it was found yet")];
    };
    if let Some(service) = state.setup.services.iter().find(|s| s.id == *id) {
        let canaries = service.canaries.iter().filter_map(|c| canary::trouble(state, c));
        let (urgent, calm): (Vec<_>, Vec<_>) = canaries.partition(|(stand, _)| stand.is_risky());
        lines.extend(urgent.into_iter().map(|(_, text)| text));
        watched.extend(calm.into_iter().map(|(_, text)| text));
    }
    for alarm in members.alarms.iter().filter_map(|a| fleet.alarms.get(a)) {
        let alarm = &alarm.value;
        if alarm.state == AlarmState::Firing {
            let since =
                alarm.since.map(|at| format!(" for {}", ago(state, at))).unwrap_or_default();
            let why = alarm.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
            lines.push(format!("{} fires{since}{why}", alarm.name));
        }
    }
    for environment in members.environments.iter().filter_map(|e| fleet.environments.get(e)) {
        let e = &environment.value;
        if matches!(e.health, Health::Unhealthy | Health::Degraded) {
            let summary = e.summary.as_ref().map(|s| format!(": {s}")).unwrap_or_default();
            lines.push(format!("{} is {}{summary}", e.name, e.health.word()));
        }
    }
    for observed in members.pipelines.iter().filter_map(|p| fleet.pipelines.get(p)) {
        let troubles = observed.value.stages.iter();
        lines.extend(troubles.filter_map(|s| pipeline::trouble(state, &observed.value, s)));
    }
    lines.extend(watched);
    let row = state.rows.board.get(&RowId::Service(id.clone()));
    for item in row.into_iter().flat_map(|row| &row.missing) {
        lines.push(format!(
            "{item} is claimed and not there: it was removed, or the claim is wrong"
        ));
    }
    let unread = row.map_or(0, |row| row.unread);
    if unread > 0 {
        let s = if unread == 1 { " of its resources is" } else { " of its resources are" };
        lines.push(format!("{unread}{s} unknown: the read failed, see the sources"));
    }
    if lines.is_empty() {
        lines.extend(members.pipelines.iter().flat_map(|p| pipeline::sentences(state, p)).take(1));
    }
    if lines.is_empty() {
        lines.push(format!("{id}: nothing needs you"));
    }
    // The changes come second, before lesser troubles: they are the likeliest causes.
    let at = lines.len().min(1);
    if let Some(changes) = lately(state, id) {
        lines.insert(at, changes);
    }
    lines
}
