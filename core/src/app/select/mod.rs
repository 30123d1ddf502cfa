//! Rows of the list panes: built from the facts, kept sorted, recomputed only where facts changed.

pub mod activity;
pub mod board;
pub mod canaries;
pub mod environments;
pub mod flags;
pub mod inbox;
pub mod missing;
pub mod pipelines;
pub mod sources;
pub mod stages;
pub mod timeline;
pub mod unheard;

use std::collections::{BTreeMap, BTreeSet};

use super::canary::Watch;
use super::index::Index;
use super::membership::Membership;
use super::pane::Pane;
use super::pilot::Pilot;
use super::row::RowId;
use super::setup::Setup;
use crate::domain::canary::CanarySpec;
use crate::domain::fleet::{Fleet, Touched};
use crate::domain::ids::{CanaryId, ChangeId, ItemId, PipelineId};
use crate::domain::service::Service;
use crate::domain::text::SafeText;

/// What rows are built from.
pub struct Facts<'a> {
    /// Services and options.
    pub setup: &'a Setup,
    /// All facts.
    pub fleet: &'a Fleet,
    /// Which resources belong to which service.
    pub membership: &'a Membership,
    /// Canaries under judgement.
    pub watches: &'a BTreeMap<CanaryId, Watch>,
    /// Pilots and the canaries that they fly.
    pub pilots: &'a BTreeMap<CanaryId, Pilot>,
    /// The board is grouped by owner.
    pub group_by_owner: bool,
}

/// Rows of every list pane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Services.
    pub board: Index<board::BoardRow>,
    /// What waits for a human.
    pub inbox: Index<inbox::AskRow>,
    /// Pipelines.
    pub pipelines: Index<pipelines::PipelineRow>,
    /// Environments and traffic splits.
    pub environments: Index<environments::EnvironmentRow>,
    /// Canaries.
    pub canaries: Index<canaries::CanaryRow>,
    /// Flags.
    pub flags: Index<flags::FlagRow>,
    /// Changes.
    pub timeline: Index<timeline::ChangeRow>,
    /// Plans that were confirmed.
    pub activity: Index<activity::ActivityRow>,
    /// Sources.
    pub sources: Index<sources::SourceRow>,
    /// Pipelines that move.
    pub moving: BTreeSet<PipelineId>,
    /// Which changes are of which item, for when its owners change.
    changes_of: BTreeMap<ItemId, BTreeSet<ChangeId>>,
}

impl Rows {
    /// The ids of the rows of `pane`, in order.
    pub fn order(&self, pane: Pane) -> &[RowId] {
        match pane {
            Pane::Board => self.board.order(),
            Pane::Inbox => self.inbox.order(),
            Pane::Pipelines => self.pipelines.order(),
            Pane::Environments => self.environments.order(),
            Pane::Canaries => self.canaries.order(),
            Pane::Flags => self.flags.order(),
            Pane::Timeline => self.timeline.order(),
            Pane::Activity => self.activity.order(),
            Pane::Sources => self.sources.order(),
            Pane::Service => &[],
        }
    }

    /// Revision of the rows of `pane`.
    pub fn revision(&self, pane: Pane) -> u64 {
        match pane {
            Pane::Board => self.board.revision(),
            Pane::Inbox => self.inbox.revision(),
            Pane::Pipelines => self.pipelines.revision(),
            Pane::Environments => self.environments.revision(),
            Pane::Canaries => self.canaries.revision(),
            Pane::Flags => self.flags.revision(),
            Pane::Timeline => self.timeline.revision(),
            Pane::Activity => self.activity.revision(),
            Pane::Sources => self.sources.revision(),
            Pane::Service => 0,
        }
    }

    /// What the filter of `pane` looks at for the row of `id`.
    pub fn search_text(&self, pane: Pane, id: &RowId) -> String {
        use super::row::Row;
        match pane {
            Pane::Board => self.board.get(id).map(Row::search_text),
            Pane::Inbox => self.inbox.get(id).map(Row::search_text),
            Pane::Pipelines => self.pipelines.get(id).map(Row::search_text),
            Pane::Environments => self.environments.get(id).map(Row::search_text),
            Pane::Canaries => self.canaries.get(id).map(Row::search_text),
            Pane::Flags => self.flags.get(id).map(Row::search_text),
            Pane::Timeline => self.timeline.get(id).map(Row::search_text),
            Pane::Activity => self.activity.get(id).map(Row::search_text),
            Pane::Sources => self.sources.get(id).map(Row::search_text),
            Pane::Service => None,
        }
        .unwrap_or_default()
    }

    /// Builds every row anew.
    pub fn rebuild(&mut self, facts: &Facts<'_>) {
        let services = &facts.setup.services;
        let shown = services.iter().filter(|service| is_shown(service, facts));
        self.board.rebuild(shown.map(|s| board::row(s, facts)));
        self.canaries
            .rebuild(services.iter().flat_map(|s| &s.canaries).map(|c| canaries::row(c, facts)));
        self.sources.rebuild(facts.fleet.sources.values().map(sources::row));
    }

    /// Recomputes what the touched items and services show.
    pub fn refresh(&mut self, facts: &Facts<'_>, touched: &Touched, services: &[&Service]) {
        for item in &touched.items {
            self.refresh_item(item, facts);
        }
        for service in services {
            for canary in &service.canaries {
                self.refresh_canary(canary, facts);
            }
            self.refresh_service(service, facts);
        }
        if let Some(state) = touched.source.as_ref().and_then(|id| facts.fleet.sources.get(id)) {
            self.sources.set(sources::row(state));
            let id = RowId::Source(state.meta.id.clone());
            match inbox::of_source(state) {
                Some(row) => self.inbox.set(row),
                None => self.inbox.remove(&id),
            }
        }
    }

    fn refresh_service(&mut self, service: &Service, facts: &Facts<'_>) {
        if is_shown(service, facts) {
            self.board.set(board::row(service, facts));
        } else {
            self.board.remove(&RowId::Service(service.id.clone()));
        }
    }

    /// Recomputes what a canary shows, and what it wants from a human.
    pub fn refresh_canary(&mut self, spec: &CanarySpec, facts: &Facts<'_>) {
        let row = canaries::row(spec, facts);
        match inbox::of_canary(&row, facts) {
            Some(ask) => self.inbox.set(ask),
            None => self.inbox.remove(&RowId::Canary(spec.id.clone())),
        }
        self.canaries.set(row);
    }

    /// Recomputes what the pilot of a canary changes.
    pub fn refresh_flown(&mut self, spec: &CanarySpec, facts: &Facts<'_>) {
        self.refresh_canary(spec, facts);
        if let Some(service) = facts.setup.services.iter().find(|s| s.id == spec.service) {
            self.board.set(board::row(service, facts));
        }
    }

    /// Recomputes the changes of items whose owners changed.
    pub fn refresh_changes_of(&mut self, items: &[&ItemId], facts: &Facts<'_>) {
        let changes = items.iter().filter_map(|item| self.changes_of.get(*item)).flatten();
        let rows: Vec<_> = changes.filter_map(|id| timeline::row(id, facts)).collect();
        for row in rows {
            self.timeline.set(row);
        }
    }

    fn refresh_item(&mut self, item: &ItemId, facts: &Facts<'_>) {
        let id = RowId::Item(item.clone());
        match item {
            ItemId::Pipeline(x) => {
                match pipelines::row(x, facts) {
                    Some(row) => self.pipelines.set(row),
                    None => self.pipelines.remove(&id),
                }
                if facts.fleet.pipelines.get(x).is_some_and(|o| o.value.is_moving()) {
                    self.moving.insert(x.clone());
                } else {
                    self.moving.remove(x);
                }
            }
            ItemId::Environment(_) | ItemId::Traffic(_) => match environments::row(item, facts) {
                Some(row) => self.environments.set(row),
                None => self.environments.remove(&id),
            },
            ItemId::Flag(x) => match flags::row(x, facts) {
                Some(row) => self.flags.set(row),
                None => self.flags.remove(&id),
            },
            ItemId::Change(x) => self.refresh_change(x, &id, facts),
            ItemId::Alarm(_) | ItemId::Series(_) => {}
        }
        self.refresh_asks(item, facts);
    }

    fn refresh_change(&mut self, change: &ChangeId, id: &RowId, facts: &Facts<'_>) {
        let row = timeline::row(change, facts);
        let before = self.timeline.get(id).and_then(|row| row.target.clone());
        let now = row.as_ref().and_then(|row| row.target.clone());
        if before != now {
            if let Some(target) = before
                && let Some(changes) = self.changes_of.get_mut(&target)
            {
                changes.remove(change);
                if changes.is_empty() {
                    self.changes_of.remove(&target);
                }
            }
            if let Some(target) = now {
                self.changes_of.entry(target).or_default().insert(change.clone());
            }
        }
        match row {
            Some(row) => self.timeline.set(row),
            None => self.timeline.remove(id),
        }
    }

    fn refresh_asks(&mut self, item: &ItemId, facts: &Facts<'_>) {
        let asks = inbox::of_item(item, facts);
        let first = RowId::Ask(item.clone(), SafeText::default());
        let gone: Vec<RowId> = self
            .inbox
            .ids_from(&first)
            .take_while(|id| matches!(id, RowId::Ask(of, _) if of == item))
            .filter(|id| !asks.iter().any(|ask| ask.id == **id))
            .cloned()
            .collect();
        for id in gone {
            self.inbox.remove(&id);
        }
        for ask in asks {
            self.inbox.set(ask);
        }
    }
}

/// Whether `service` has a row: of what is unclaimed only while there is something.
fn is_shown(service: &Service, facts: &Facts<'_>) -> bool {
    let some = || {
        let members = facts.membership.members(&service.id);
        members.is_some_and(|members| members.items().next().is_some())
    };
    !service.is_unclaimed() || some()
}
