//! What the selection stands for: its id, its link, its service.

use super::command::Wish;
use super::intent::Intent;
use super::pane::Pane;
use super::plan::Subject;
use super::row::RowId;
use super::state::State;
use crate::domain::ids::{CanaryId, ItemId, ServiceId};
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
        RowId::Plan(plan) => {
            state.activity.iter().find(|a| a.plan == *plan).and_then(|a| a.service.clone())
        }
        RowId::Source(_) => None,
    }
}

/// The canary that is selected, or the first of the selected service.
pub fn canary_of_selection(state: &State) -> Option<CanaryId> {
    if let Some(RowId::Canary(id)) = state.selected(state.view.pane) {
        return Some(id.clone());
    }
    let service = match state.view.pane {
        Pane::Service => state.view.service.clone(),
        _ => service_of_selection(state),
    }?;
    let own = state.places.service(&state.setup, &service)?;
    own.canaries.first().map(|canary| canary.id.clone())
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
        RowId::Source(_) | RowId::Plan(_) => Vec::new(),
    }
}

/// What the selection stands for, to be acted on.
pub fn subject(state: &State, wish: Wish) -> Option<Subject> {
    let pane = state.view.pane;
    let selected = state.selected(pane);
    Some(match selected {
        Some(RowId::Plan(plan)) if wish == Wish::Undo => Subject::Plan(plan.clone()),
        // Undo is of what was done last, wherever the selection is.
        _ if wish == Wish::Undo => Subject::Last,
        None if pane == Pane::Service => Subject::Service(state.view.service.clone()?),
        Some(RowId::Service(id)) => Subject::Service(id.clone()),
        Some(RowId::Item(ItemId::Change(id))) => {
            Subject::Item(state.fleet.changes.get(id)?.value.target.clone()?)
        }
        Some(RowId::Item(item) | RowId::Ask(item, _)) => Subject::Item(item.clone()),
        Some(id @ RowId::Canary(_)) => {
            Subject::Service(state.rows.canaries.get(id)?.service.clone())
        }
        Some(RowId::Plan(plan)) => {
            let activity = state.activity.iter().find(|a| a.plan == *plan)?;
            Subject::Service(activity.service.clone()?)
        }
        Some(RowId::Source(_)) | None => return None,
    })
}

/// What was wanted of the selected activity, else of the last one, if it was not done because it had
/// moved.
pub fn to_plan_again(state: &State) -> Option<&Intent> {
    let own = match state.selected(state.view.pane) {
        Some(RowId::Plan(plan)) => state.activity.iter().find(|a| a.plan == *plan),
        _ => state.activity.first(),
    };
    own?.to_plan_again()
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
        RowId::Plan(plan) => plan.0.clone(),
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
    let service = state.places.service(&state.setup, service)?;
    service.links.first().map(|(_, address)| address.clone())
}
