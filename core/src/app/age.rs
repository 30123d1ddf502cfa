//! Ages of what is shown: which rows are fresh, which are stale or lost, and how old the oldest is.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::membership::Members;
use super::pane::Pane;
use super::row::RowId;
use super::state::State;
use crate::domain::canary::CanarySpec;
use crate::domain::ids::{ItemId, SourceId};
use crate::domain::observation::Topic;
use crate::domain::observed::{Freshness, Observed};
use crate::domain::source::{SourceHealth, SourceState};

/// When a fact was read and whether it can still be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    /// When it was read.
    pub at: Timestamp,
    /// Whether it can be relied on.
    pub freshness: Freshness,
}

/// The ages of several facts, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ages {
    /// Facts that are older than they should be.
    pub stale: usize,
    /// Facts that are too old to be relied on.
    pub lost: usize,
    /// When the oldest was read.
    pub oldest: Option<Timestamp>,
}

impl Ages {
    fn add(&mut self, age: Age) {
        self.oldest = Some(self.oldest.map_or(age.at, |oldest| oldest.min(age.at)));
        match age.freshness {
            Freshness::Fresh => {}
            Freshness::Stale => self.stale += 1,
            Freshness::Lost => self.lost += 1,
        }
    }

    /// The worst of them.
    pub fn worst(&self) -> Freshness {
        match (self.stale, self.lost) {
            (_, 1..) => Freshness::Lost,
            (1.., 0) => Freshness::Stale,
            (0, 0) => Freshness::Fresh,
        }
    }
}

/// The age of a fact; `None` if it was never read.
pub fn of_item(state: &State, item: &ItemId) -> Option<Age> {
    fn age<T>(state: &State, observed: Option<&Observed<T>>) -> Option<Age> {
        let observed = observed?;
        Some(Age { at: observed.at, freshness: state.fleet.freshness(observed, state.now) })
    }
    let fleet = &state.fleet;
    match item {
        ItemId::Pipeline(id) => age(state, fleet.pipelines.get(id)),
        ItemId::Environment(id) => age(state, fleet.environments.get(id)),
        ItemId::Traffic(id) => age(state, fleet.traffic.get(id)),
        ItemId::Flag(id) => age(state, fleet.flags.get(id)),
        ItemId::Alarm(id) => age(state, fleet.alarms.get(id)),
        ItemId::Series(id) => age(state, fleet.series.get(id)),
        // What happened has happened. That nothing happened since is known as of the last read.
        ItemId::Change(id) => {
            let observed = fleet.changes.get(id)?;
            let source = fleet.sources.get(&observed.source)?;
            read_of(state, source, observed.topic)
        }
    }
}

/// When a source last answered this kind of read, and whether that still holds.
fn read_of(state: &State, source: &SourceState, topic: Topic) -> Option<Age> {
    let at = *source.last_ok.get(&topic)?;
    let failing = source.is_failing(topic);
    Some(Age { at, freshness: source.policy(topic).judge(state.now, at, failing) })
}

/// When a source was last heard, and whether that still holds.
fn heard(state: &State, source: &SourceState) -> Option<Age> {
    let at = source.last_answer()?;
    let failing = !source.failing.is_empty();
    Some(Age { at, freshness: source.meta.policy.judge(state.now, at, failing) })
}

/// The items whose facts a row shows.
fn items_of_row(state: &State, row: &RowId) -> Vec<ItemId> {
    match row {
        RowId::Item(item) | RowId::Ask(item, _) => vec![item.clone()],
        RowId::Service(id) => {
            let mut items: Vec<ItemId> =
                state.membership.members(id).into_iter().flat_map(Members::items).collect();
            let service = state.places.service(&state.setup, id);
            for spec in service.into_iter().flat_map(|s| &s.canaries) {
                items.extend(items_of_canary(state, spec));
            }
            items
        }
        RowId::Canary(id) => {
            let spec = state.places.canary(&state.setup, id);
            spec.map(|s| items_of_canary(state, s)).unwrap_or_default()
        }
        RowId::Source(_) | RowId::Plan(_) => Vec::new(),
    }
}

/// Its traffic split and, while it is judged, its series.
fn items_of_canary(state: &State, spec: &CanarySpec) -> Vec<ItemId> {
    let Some(row) = state.rows.canaries.get(&RowId::Canary(spec.id.clone())) else {
        return Vec::new();
    };
    let mut items: Vec<ItemId> = row.traffic.iter().cloned().map(ItemId::Traffic).collect();
    if row.judged.is_some() {
        let series = spec.metrics.iter().flat_map(|m| m.data.series());
        items.extend(series.cloned().map(ItemId::Series));
    }
    items
}

/// The age of what a row shows: of its oldest fact, and no better than its worst; `None` if nothing
/// of it was read.
pub fn of_row(state: &State, row: &RowId) -> Option<Age> {
    let items = items_of_row(state, row);
    let ages = items.iter().filter_map(|item| of_item(state, item));
    ages.reduce(|a, b| Age { at: a.at.min(b.at), freshness: a.freshness.max(b.freshness) })
}

/// The sources whose facts in a row are not fresh, each with the age of its oldest such fact.
pub fn behind(state: &State, row: &RowId) -> BTreeMap<SourceId, Age> {
    let mut behind: BTreeMap<SourceId, Age> = BTreeMap::new();
    for item in items_of_row(state, row) {
        // A change that happened is true for ever.
        if matches!(item, ItemId::Change(_)) {
            continue;
        }
        let Some(age) = of_item(state, &item).filter(|a| a.freshness != Freshness::Fresh) else {
            continue;
        };
        let sum = behind.entry(item.source().clone()).or_insert(age);
        sum.at = sum.at.min(age.at);
        sum.freshness = sum.freshness.max(age.freshness);
    }
    behind
}

/// The ages of what is on the screen: of its rows, of the service's resources, of the sources.
pub fn of_view(state: &State) -> Ages {
    let mut ages = Ages::default();
    match state.view.pane {
        Pane::Service => {
            let service = state.view.service.as_ref();
            let members = service.and_then(|id| state.membership.members(id));
            let items = members.into_iter().flat_map(Members::items);
            for age in items.filter_map(|item| of_item(state, &item)) {
                ages.add(age);
            }
        }
        Pane::Timeline => {
            // An empty timeline is as old as the reads that found nothing.
            let sources = state.fleet.sources.values();
            let reads = sources.filter_map(|source| read_of(state, source, Topic::Changes));
            for age in reads {
                ages.add(age);
            }
        }
        pane => {
            for row in state.visible_rows(pane) {
                let age = match row {
                    RowId::Source(id) if pane == Pane::Sources => {
                        state.fleet.sources.get(id).and_then(|source| heard(state, source))
                    }
                    row => of_row(state, row),
                };
                if let Some(age) = age {
                    ages.add(age);
                }
            }
        }
    }
    ages
}

/// How the sources are, all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourcesNow {
    /// All of them.
    pub all: usize,
    /// Those that answer everything.
    pub answering: usize,
    /// Those that answer some of what they are asked.
    pub partly: usize,
    /// Those that were not heard of yet.
    pub pending: usize,
    /// When the one that has been silent longest last answered.
    pub oldest: Option<Timestamp>,
    /// How much the worst of them can still be relied on.
    pub worst: Freshness,
}

impl SourcesNow {
    /// Those that were asked and do not answer everything.
    pub fn silent(&self) -> usize {
        self.all - self.answering - self.pending
    }

    /// How many do not answer, or only partly, in words or in one; none if all do.
    pub fn trouble(&self, short: bool) -> Option<String> {
        let (all, partly) = (self.all, self.partly);
        match self.silent() - partly {
            0 if partly == 0 => None,
            0 if short => Some(format!("{partly} partly")),
            0 if partly == 1 => Some(format!("1 of {all} sources answers partly")),
            0 => Some(format!("{partly} of {all} sources answer partly")),
            mute if short => Some(format!("{mute} silent")),
            mute if partly == 0 => Some(format!("{mute} of {all} sources not answering")),
            mute => Some(format!("{mute} of {all} sources not answering, {partly} partly")),
        }
    }
}

/// How the sources are, all together.
pub fn of_sources(state: &State) -> SourcesNow {
    let mut sum = SourcesNow {
        all: 0,
        answering: 0,
        partly: 0,
        pending: 0,
        oldest: None,
        worst: Freshness::Fresh,
    };
    for source in state.fleet.sources.values() {
        sum.all += 1;
        match source.health() {
            SourceHealth::Answering => sum.answering += 1,
            SourceHealth::Partly => sum.partly += 1,
            SourceHealth::Pending => sum.pending += 1,
            _ => {}
        }
        if let Some(age) = heard(state, source) {
            sum.oldest = Some(sum.oldest.map_or(age.at, |oldest| oldest.min(age.at)));
            sum.worst = sum.worst.max(age.freshness);
        }
    }
    sum
}
