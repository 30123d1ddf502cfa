//! What the state is interested in: what is visible, what moves, and what canaries need.

use std::collections::BTreeSet;

use crate::app::interest::Interest;
use crate::app::pane::Pane;
use crate::app::row::RowId;
use crate::app::state::State;
use crate::domain::ids::{ItemId, ServiceId};

/// What the state is interested in now.
pub fn interest(state: &State) -> Interest {
    let mut items: BTreeSet<ItemId> =
        state.rows.moving.iter().cloned().map(ItemId::Pipeline).collect();
    let mut services: Vec<&ServiceId> = Vec::new();
    match state.view.pane {
        Pane::Service => {
            services.extend(state.view.service.as_ref());
        }
        pane => {
            for row in state.visible_rows(pane) {
                match row {
                    RowId::Item(item) | RowId::Ask(item, _) => {
                        items.insert(item.clone());
                    }
                    RowId::Service(id) => {
                        services.push(id);
                    }
                    RowId::Canary(_) | RowId::Source(_) | RowId::Plan(_) => {}
                }
            }
        }
    }
    for id in services {
        if let Some(members) = state.membership.members(id) {
            items.extend(members.items());
        }
        if state.view.pane == Pane::Service
            && let Some(service) = state.places.service(&state.setup, id)
        {
            items.extend(service.metrics.iter().map(|m| ItemId::Series(m.series.clone())));
        }
    }
    // A canary is judged whether or not somebody looks at it.
    items.extend(state.places.series.iter().cloned());
    Interest { items, everything: false }
}
