//! Ages of what is shown: which rows are fresh, which are stale or lost, and how old the oldest is.

use jiff::Timestamp;

use super::row::RowId;
use super::state::State;
use crate::domain::ids::ItemId;
use crate::domain::observed::{Freshness, Observed};
use crate::domain::source::SourceHealth;

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
        // What happened has happened: a change does not grow stale.
        ItemId::Change(_) => None,
    }
}

/// The age of what a row is mainly about.
pub fn of_row(state: &State, row: &RowId) -> Option<Age> {
    match row {
        RowId::Item(item) | RowId::Ask(item, _) => of_item(state, item),
        RowId::Service(_) => {
            let pipeline = state.rows.board.get(row)?.pipeline.clone()?;
            of_item(state, &ItemId::Pipeline(pipeline))
        }
        RowId::Canary(_) => {
            let traffic = state.rows.canaries.get(row)?.traffic.clone()?;
            of_item(state, &ItemId::Traffic(traffic))
        }
        RowId::Source(_) | RowId::Plan(_) => None,
    }
}

/// The ages of the rows that are on the screen; of the service's resources in the service pane.
pub fn of_view(state: &State) -> Ages {
    let mut ages = Ages::default();
    let pane = state.view.pane;
    for row in state.visible_rows(pane) {
        if let Some(age) = of_row(state, row) {
            ages.add(age);
        }
    }
    if let Some(members) = state.view.service.as_ref().and_then(|id| state.membership.members(id))
        && !pane.is_list()
    {
        for item in members.items() {
            if let Some(age) = of_item(state, &item) {
                ages.add(age);
            }
        }
    }
    ages
}

/// How the sources are, all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourcesNow {
    /// All of them.
    pub all: usize,
    /// Those that answer everything.
    pub answering: usize,
    /// Those that were not heard of yet.
    pub pending: usize,
    /// When the one that has been silent longest last answered.
    pub oldest: Option<Timestamp>,
}

/// How the sources are, all together.
pub fn of_sources(state: &State) -> SourcesNow {
    let mut sum = SourcesNow::default();
    for source in state.fleet.sources.values() {
        sum.all += 1;
        match source.health() {
            SourceHealth::Answering => sum.answering += 1,
            SourceHealth::Pending => sum.pending += 1,
            _ => {}
        }
        if let Some(at) = source.last_answer() {
            sum.oldest = Some(sum.oldest.map_or(at, |oldest| oldest.min(at)));
        }
    }
    sum
}
