//! What the selection stands for: its id, its link, its service.

use super::pane::Pane;
use super::row::RowId;
use super::state::State;
use crate::domain::ids::{ItemId, ServiceId};
use crate::domain::text::SafeText;

/// The service that the selected row belongs to.
pub fn service_of_selection(state: &State) -> Option<ServiceId> {
    match state.selected(state.view.pane)? {
        RowId::Service(id) => Some(id.clone()),
        RowId::Item(ItemId::Change(id)) => {
            let target = state.fleet.changes.get(id)?.value.target.clone()?;
            state.membership.owners(&target).first().cloned()
        }
        RowId::Item(item) | RowId::Ask(item, _) => state.membership.owners(item).first().cloned(),
        id @ RowId::Canary(_) => state.rows.canaries.get(id).map(|row| row.service.clone()),
        RowId::Source(_) => None,
    }
}

/// The services that a row of `pane` belongs to.
pub fn services_of_row(state: &State, pane: Pane, row: &RowId) -> Vec<ServiceId> {
    match row {
        RowId::Service(id) => vec![id.clone()],
        RowId::Item(ItemId::Change(_)) if pane == Pane::Timeline => {
            state.rows.timeline.get(row).map(|change| change.services.clone()).unwrap_or_default()
        }
        RowId::Item(item) | RowId::Ask(item, _) => state.membership.owners(item).to_vec(),
        RowId::Canary(_) => {
            state.rows.canaries.get(row).map(|row| vec![row.service.clone()]).unwrap_or_default()
        }
        RowId::Source(_) => Vec::new(),
    }
}

/// The id of what is selected, as its backend names it.
pub fn id_text(state: &State) -> Option<String> {
    if state.view.pane == Pane::Service {
        return state.view.service.as_ref().map(ToString::to_string);
    }
    Some(match state.selected(state.view.pane)? {
        RowId::Service(id) => id.to_string(),
        RowId::Item(item) | RowId::Ask(item, _) => item.name().to_string(),
        RowId::Canary(id) => id.to_string(),
        RowId::Source(id) => id.to_string(),
    })
}

/// The link of what is selected.
pub fn link(state: &State) -> Option<String> {
    let fleet = &state.fleet;
    let link = match state.selected(state.view.pane) {
        Some(RowId::Item(item) | RowId::Ask(item, _)) => match item {
            ItemId::Pipeline(id) => fleet.pipelines.get(id)?.value.link.clone(),
            ItemId::Environment(id) => {
                let environment = &fleet.environments.get(id)?.value;
                environment.link.clone().or_else(|| environment.address.clone())
            }
            ItemId::Flag(id) => fleet.flags.get(id)?.value.link.clone(),
            ItemId::Alarm(id) => fleet.alarms.get(id)?.value.link.clone(),
            ItemId::Change(id) => fleet.changes.get(id)?.value.link.clone(),
            ItemId::Traffic(_) | ItemId::Series(_) => None,
        },
        Some(RowId::Service(id)) => first_link(state, id),
        None if state.view.pane == Pane::Service => first_link(state, state.view.service.as_ref()?),
        _ => None,
    };
    link.map(|l| l.to_string())
}

fn first_link(state: &State, service: &ServiceId) -> Option<SafeText> {
    let service = state.setup.services.iter().find(|s| s.id == *service)?;
    service.links.first().map(|(_, address)| address.clone())
}
