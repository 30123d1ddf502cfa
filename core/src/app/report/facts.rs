//! Facts as a report gives them: each with its age, its source and whose it is.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Wanted;
use crate::app::state::State;
use crate::domain::change::Change;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::{ItemId, ServiceId, SourceId};
use crate::domain::observed::Freshness;
use crate::domain::table::Table;
use crate::domain::text::SafeText;
use crate::domain::time::age;

/// A fact and how far it can be relied on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Known<T> {
    /// The source that told it.
    pub source: SourceId,
    /// When it was read.
    pub at: Timestamp,
    /// How long ago that is, in seconds.
    pub age_seconds: i64,
    /// Whether it can be relied on.
    pub freshness: Freshness,
    /// The services that claim it.
    pub services: Vec<ServiceId>,
    /// Why the latest read of it failed, if it did.
    pub fault: Option<Fault>,
    /// The fact.
    pub value: T,
}

/// Something that is known to exist and could not be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unknown {
    /// The source that knows of it.
    pub source: SourceId,
    /// What kind of thing it is.
    pub kind: String,
    /// Its name.
    pub name: SafeText,
    /// The services that claim it.
    pub services: Vec<ServiceId>,
    /// Why.
    pub fault: Fault,
}

/// Reads facts out of a state.
pub(super) struct Facts<'a> {
    pub(super) state: &'a State,
    pub(super) wanted: &'a Wanted,
}

impl Facts<'_> {
    /// The facts of a table that are asked for.
    pub(super) fn known<K, V>(&self, table: &Table<K, V>, item: fn(K) -> ItemId) -> Vec<Known<V>>
    where
        K: Ord + Clone,
        V: Clone + PartialEq,
    {
        let state = self.state;
        let mut known = Vec::new();
        for (id, observed) in table.iter() {
            let services = state.membership.owners(&item(id.clone()));
            if self.wanted.covers(services) {
                known.push(Known {
                    source: observed.source.clone(),
                    at: observed.at,
                    age_seconds: age(state.now, observed.at).as_secs(),
                    freshness: state.fleet.freshness(observed, state.now),
                    services: services.to_vec(),
                    fault: observed.fault.clone(),
                    value: (*observed.value).clone(),
                });
            }
        }
        known
    }

    /// The changes that are asked for, the newest first.
    pub(super) fn changes(&self) -> Vec<Known<Change>> {
        let state = self.state;
        let rows = state.rows.timeline.iter().filter(|row| self.wanted.covers(&row.services));
        rows.filter_map(|row| {
            let observed = state.fleet.changes.get(&row.change)?;
            Some(Known {
                source: observed.source.clone(),
                at: observed.at,
                age_seconds: age(state.now, observed.at).as_secs(),
                // What happened has happened.
                freshness: Freshness::Fresh,
                services: row.services.clone(),
                fault: None,
                value: (*observed.value).clone(),
            })
        })
        .collect()
    }

    /// What is asked for and could not be read.
    pub(super) fn unknown(&self) -> Vec<Unknown> {
        let fleet = &self.state.fleet;
        let mut unknown = Vec::new();
        self.add(&mut unknown, &fleet.pipelines, ItemId::Pipeline);
        // A listing names a pipeline and says nothing of how it is.
        for (id, observed) in fleet.pipelines.iter().filter(|(_, o)| !o.value.detail) {
            let fault = observed.fault.clone().unwrap_or_else(|| {
                let message = format!("{} is listed; its stages were not read yet", id.name);
                Fault::new(FaultKind::NotReadYet, message)
            });
            self.name(&mut unknown, &ItemId::Pipeline(id.clone()), fault);
        }
        self.add(&mut unknown, &fleet.environments, ItemId::Environment);
        self.add(&mut unknown, &fleet.traffic, ItemId::Traffic);
        self.add(&mut unknown, &fleet.flags, ItemId::Flag);
        self.add(&mut unknown, &fleet.alarms, ItemId::Alarm);
        self.add(&mut unknown, &fleet.series, ItemId::Series);
        unknown
    }

    fn add<K, V>(&self, unknown: &mut Vec<Unknown>, table: &Table<K, V>, item: fn(K) -> ItemId)
    where
        K: Ord + Clone,
        V: PartialEq,
    {
        for (id, fault) in table.iter_unread() {
            self.name(unknown, &item(id.clone()), fault.clone());
        }
    }

    fn name(&self, unknown: &mut Vec<Unknown>, item: &ItemId, fault: Fault) {
        let services = self.state.membership.owners(item);
        if self.wanted.covers(services) {
            unknown.push(Unknown {
                source: item.source().clone(),
                kind: item.kind().to_owned(),
                name: item.name().clone(),
                services: services.to_vec(),
                fault,
            });
        }
    }

    /// Facts that are asked for and stale or lost; what was never read is not stale but unknown.
    pub(super) fn aged(&self) -> usize {
        let fleet = &self.state.fleet;
        self.count(&fleet.pipelines, ItemId::Pipeline, |pipeline| pipeline.detail)
            + self.count(&fleet.environments, ItemId::Environment, |_| true)
            + self.count(&fleet.traffic, ItemId::Traffic, |_| true)
            + self.count(&fleet.flags, ItemId::Flag, |_| true)
            + self.count(&fleet.alarms, ItemId::Alarm, |_| true)
    }

    fn count<K, V>(
        &self,
        table: &Table<K, V>,
        item: fn(K) -> ItemId,
        was_read: fn(&V) -> bool,
    ) -> usize
    where
        K: Ord + Clone,
        V: PartialEq,
    {
        let state = self.state;
        let aged = table.iter().filter(|(id, observed)| {
            was_read(&observed.value)
                && state.fleet.freshness(observed, state.now) != Freshness::Fresh
                && self.wanted.covers(state.membership.owners(&item((*id).clone())))
        });
        aged.count()
    }
}
