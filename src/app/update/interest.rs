//! What the state is interested in: what is visible, what moves, and what canaries need.

use std::collections::BTreeSet;

use crate::app::interest::Interest;
use crate::app::pane::Pane;
use crate::app::row::RowId;
use crate::app::state::State;
use crate::domain::ids::ItemId;

/// What the state is interested in now.
pub fn interest(state: &State) -> Interest {
    let mut items: BTreeSet<ItemId> =
        state.rows.moving.iter().cloned().map(ItemId::Pipeline).collect();
    let mut services: BTreeSet<&str> = BTreeSet::new();
    match state.view.pane {
        Pane::Service => {
            services.extend(state.view.service.as_ref().map(crate::domain::ids::ServiceId::as_str));
        }
        pane => {
            for row in state.visible_rows(pane) {
                match row {
                    RowId::Item(item) | RowId::Ask(item, _) => {
                        items.insert(item.clone());
                    }
                    RowId::Service(id) => {
                        services.insert(id.as_str());
                    }
                    RowId::Canary(_) | RowId::Source(_) | RowId::Plan(_) => {}
                }
            }
        }
    }
    for service in &state.setup.services {
        let shown = services.contains(service.id.as_str());
        if shown && let Some(members) = state.membership.members(&service.id) {
            items.extend(members.items());
        }
        if shown && state.view.pane == Pane::Service {
            items.extend(service.metrics.iter().map(|m| ItemId::Series(m.series.clone())));
        }
        // A canary is judged whether or not somebody looks at it.
        for metric in service.canaries.iter().flat_map(|c| &c.metrics) {
            items.extend(metric.data.series().into_iter().cloned().map(ItemId::Series));
        }
    }
    Interest { items, everything: false }
}
