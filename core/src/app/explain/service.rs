//! Sentences about a service: its worst trouble first.

use std::collections::{BTreeMap, BTreeSet};

use super::{ago, canary, lately, pipeline};
use crate::app::membership::Members;
use crate::app::row::RowId;
use crate::app::select::board::BoardRow;
use crate::app::state::State;
use crate::domain::alarm::AlarmState;
use crate::domain::environment::Health;
use crate::domain::ids::{ServiceId, SourceId};
use crate::domain::source::SourceState;

/// Sentences about a service.
pub fn sentences(state: &State, id: &ServiceId) -> Vec<String> {
    let fleet = &state.fleet;
    let mut lines = Vec::new();
    let mut watched = Vec::new();
    let Some(members) = state.membership.members(id) else { return Vec::new() };
    if let Some(service) = state.places.service(&state.setup, id) {
        let canaries = service.canaries.iter().filter_map(|c| canary::trouble(state, c));
        let (urgent, calm): (Vec<_>, Vec<_>) = canaries.partition(|(stand, _)| stand.is_risky());
        lines.extend(urgent.into_iter().map(|(_, text)| text));
        watched.extend(calm.into_iter().map(|(_, text)| text));
    }
    for alarm in members.alarms.iter().filter_map(|a| fleet.alarms.get(a)) {
        let alarm = &alarm.value;
        if alarm.state == AlarmState::Firing {
            let silenced = if alarm.silenced { ", silenced" } else { "" };
            let told = if alarm.silenced { &mut watched } else { &mut lines };
            let since =
                alarm.since.map(|at| format!(" for {}", ago(state, at))).unwrap_or_default();
            let why = alarm.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
            told.push(format!("{} fires{since}{silenced}{why}", alarm.name));
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
    lines.extend(row.and_then(|row| unheard(state, row, members)));
    let unread = row.map_or(0, |row| row.unread);
    if unread > 0 {
        let s = if unread == 1 { " of its resources is" } else { " of its resources are" };
        let why = "not read yet, or the latest read failed; see the sources";
        lines.push(format!("{unread}{s} unknown: {why}"));
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

/// What was claimed of it and never read, and what keeps it from being read.
fn unheard(state: &State, row: &BoardRow, members: &Members) -> Option<String> {
    let why = |source: &SourceId| {
        let source = state.fleet.sources.get(source);
        match source.and_then(SourceState::worst) {
            Some(failing) => failing.fault.kind.word(),
            None => "not heard yet",
        }
    };
    if row.unheard.is_empty() {
        return None;
    }
    if members.items().all(|item| !state.fleet.exists(&item)) {
        let mut sources: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for it in &row.unheard {
            sources.entry(why(&it.source)).or_default().insert(it.source.as_str());
        }
        let told = sources.into_iter().map(|(why, sources)| {
            format!("{}: {why}", sources.into_iter().collect::<Vec<_>>().join(", "))
        });
        let told: Vec<String> = told.collect();
        return Some(format!("unknown: nothing of it was read yet ({})", told.join("; ")));
    }
    let told = row.unheard.iter().map(|it| {
        format!("the {} of {} were never read ({})", it.kind.word(), it.source, why(&it.source))
    });
    Some(format!("unknown: {}", told.collect::<Vec<_>>().join(", ")))
}
