//! `Interest`: what is visible or moving and thus read often; the rest is read seldom or not at all.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::pane::Pane;
use super::select::RowId;
use super::state::State;
use crate::domain::ids::ItemId;

/// What is to be read often.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interest {
    /// Items that are visible or moving. Series that are not in here are not read at all.
    pub items: BTreeSet<ItemId>,
    /// Everything once and then at the slow cadence, series too: for a headless picture.
    pub everything: bool,
}

/// What the state is interested in now.
pub fn interest(state: &State) -> Interest {
    let mut items = BTreeSet::new();
    for (id, pipeline) in state.fleet.pipelines.iter() {
        if pipeline.value.is_moving() {
            items.insert(ItemId::Pipeline(id.clone()));
        }
    }
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
                    RowId::Canary(_) | RowId::Source(_) => {}
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
