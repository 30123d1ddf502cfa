//! Keeps membership and rows in step with the facts.

use std::collections::BTreeSet;

use crate::app::select::Facts;
use crate::app::state::State;
use crate::domain::fleet::Touched;
use crate::domain::ids::ItemId;

impl State {
    /// Builds every row anew; needed at the start and when the order itself changes.
    pub(in crate::app) fn rebuild_rows(&mut self) {
        let Self { setup, fleet, membership, rows, view, .. } = self;
        let facts = Facts { setup, fleet, membership, group_by_owner: view.group_by_owner };
        rows.rebuild(&facts);
    }

    /// Recomputes what `touched` shows.
    pub(in crate::app) fn refresh_rows(&mut self, touched: &Touched) {
        let Self { setup, fleet, membership, rows, view, .. } = self;
        let mut services = BTreeSet::new();
        for item in &touched.items {
            services.extend(membership.refresh(item, fleet, &setup.services));
            if let ItemId::Series(series) = item {
                let uses = |s: &&crate::domain::service::Service| {
                    let mut metrics = s.canaries.iter().flat_map(|c| &c.metrics);
                    metrics.any(|m| m.data.series().contains(&series))
                };
                services.extend(setup.services.iter().filter(uses).map(|s| s.id.clone()));
            }
        }
        let facts = Facts { setup, fleet, membership, group_by_owner: view.group_by_owner };
        rows.refresh(&facts, touched, &services);
    }
}
