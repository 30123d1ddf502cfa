//! `Fleet`: all facts of all sources, by typed id, with revisions.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alarm::Alarm;
use super::change::Change;
use super::environment::Environment;
use super::error::{Fault, FaultKind};
use super::fact::{Fact, FactKind};
use super::flag::Flag;
use super::ids::{
    AlarmId, ChangeId, EnvironmentId, FlagId, ItemId, PipelineId, SeriesId, SourceId, TrafficId,
};
use super::observation::{Observation, ReadFailed, Topic};
use super::observed::{Freshness, Observed};
use super::pipeline::Pipeline;
use super::series::Series;
use super::source::{Failing, SourceMeta, SourceState};
use super::table::{Stamp, Table};
use super::traffic::TrafficSplit;

/// Changes kept; older ones are forgotten.
pub const MAX_CHANGES: usize = 5_000;
/// Points kept of a series; older ones are forgotten.
pub const MAX_POINTS: usize = 2_000;

/// All facts of all sources.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    /// Grows with every change of a value, a fault or a source.
    pub revision: u64,
    /// The sources, with their health.
    pub sources: BTreeMap<SourceId, SourceState>,
    /// Pipelines.
    pub pipelines: Table<PipelineId, Pipeline>,
    /// Environments.
    pub environments: Table<EnvironmentId, Environment>,
    /// Traffic splits.
    pub traffic: Table<TrafficId, TrafficSplit>,
    /// Flags.
    pub flags: Table<FlagId, Flag>,
    /// Alarms.
    pub alarms: Table<AlarmId, Alarm>,
    /// Series.
    pub series: Table<SeriesId, Series>,
    /// Changes.
    pub changes: Table<ChangeId, Change>,
}

/// What a message changed in the fleet, so that only that is computed again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Touched {
    /// Items whose value, fault or existence changed.
    pub items: Vec<ItemId>,
    /// The source's health changed.
    pub source: Option<SourceId>,
}

impl Fleet {
    /// A fleet of these sources, nothing read yet.
    pub fn new(sources: impl IntoIterator<Item = SourceMeta>) -> Self {
        let sources =
            sources.into_iter().map(|meta| (meta.id.clone(), SourceState::new(meta))).collect();
        Self { sources, ..Self::default() }
    }

    /// Takes in what a source answered. A reply of an epoch that is over changes nothing.
    pub fn apply(&mut self, observation: Observation) -> Touched {
        let Observation { source, epoch, scope, at, facts, faults, complete, items, .. } =
            observation;
        let Some(state) = self.sources.get_mut(&source) else { return Touched::default() };
        if epoch < state.epoch {
            return Touched::default();
        }
        state.epoch = epoch;
        self.revision += 1;
        let mut touched = Touched::default();
        let unreadable = state.unreadable;
        let healed = state.failing.remove(&scope.topic).is_some();
        let first = state.last_ok.insert(scope.topic, at).is_none();
        let listed = complete.iter().filter(|kind| state.listed.insert(**kind)).count() > 0;
        if healed || first || listed || state.warnings != observation.warnings {
            touched.source = Some(source.clone());
        }
        state.warnings = observation.warnings;
        if let Some(identity) = observation.identity {
            state.identity = Some(identity);
        }
        let mut named: Vec<ItemId> = items.unwrap_or_default();
        let stamp = Stamp { at, source: &source, topic: scope.topic, revision: self.revision };
        let changes = facts.iter().any(|fact| matches!(fact, Fact::Change(_)));
        let horizon = if changes { self.horizon() } else { None };
        for fact in facts {
            // A source speaks only of its own things.
            let item = fact.item();
            if *item.source() != source {
                continue;
            }
            // What would be forgotten at once is not taken in.
            let forgotten = match &fact {
                Fact::Change(change) => {
                    horizon.as_ref().is_some_and(|(at, id)| age_of(change) < (*at, id))
                }
                _ => false,
            };
            if !forgotten && self.put(fact, &stamp) {
                touched.items.push(item.clone());
            }
            if !complete.is_empty() {
                named.push(item);
            }
        }
        touched.items.extend(self.forget_oldest_changes().into_iter().map(ItemId::Change));
        for (item, fault) in faults {
            if *item.source() != source {
                continue;
            }
            // A backend that says "no such thing" to a read of one item has told us that it is gone.
            let gone = fault.kind == FaultKind::NotFound;
            if if gone { self.remove(&item) } else { self.fail(&item, &fault) } {
                touched.items.push(item.clone());
            }
            named.push(item);
        }
        if !complete.is_empty() {
            named.sort();
            for kind in complete {
                touched.items.extend(self.retain_named(kind, &source, &named));
            }
        }
        if !touched.items.is_empty() && self.drop_failures_of_gone(&source)
            || (unreadable == 0) != (self.unreadable_of(&source) == 0)
        {
            touched.source = Some(source);
        }
        touched
    }

    /// A read of things by name, all of which are gone, is never repeated: it does not fail any more.
    fn drop_failures_of_gone(&mut self, source: &SourceId) -> bool {
        let failing = self.sources.get(source).into_iter().flat_map(|s| &s.failing);
        let over: Vec<Topic> = failing
            .filter(|(_, f)| !f.items.is_empty() && !f.items.iter().any(|i| self.exists(i)))
            .map(|(topic, _)| *topic)
            .collect();
        if let Some(state) = self.sources.get_mut(source) {
            state.failing.retain(|topic, _| !over.contains(topic));
        }
        !over.is_empty()
    }

    /// Takes in that a read failed. What it would have brought keeps its last value.
    pub fn apply_failure(&mut self, failed: &ReadFailed) -> Touched {
        let Some(state) = self.sources.get_mut(&failed.source) else { return Touched::default() };
        if failed.epoch < state.epoch {
            return Touched::default();
        }
        state.epoch = failed.epoch;
        self.revision += 1;
        let mut touched = Touched { source: Some(failed.source.clone()), ..Touched::default() };
        state
            .failing
            .entry(failed.scope.topic)
            .and_modify(|f| {
                f.fault = failed.fault.clone();
                f.times = f.times.saturating_add(1);
                f.items.extend(failed.scope.items.iter().cloned());
            })
            .or_insert_with(|| Failing {
                fault: failed.fault.clone(),
                since: failed.at,
                times: 1,
                items: failed.scope.items.iter().cloned().collect(),
            });
        for item in failed.scope.items.iter().filter(|item| *item.source() == failed.source) {
            if self.fail(item, &failed.fault) {
                touched.items.push(item.clone());
            }
        }
        touched
    }

    /// The clock went back to `now`: what was confirmed in what is the future again ages from now on,
    /// instead of staying fresh until the clock is there once more.
    pub fn not_after(&mut self, now: Timestamp) {
        self.pipelines.not_after(now);
        self.environments.not_after(now);
        self.traffic.not_after(now);
        self.flags.not_after(now);
        self.alarms.not_after(now);
        self.series.not_after(now);
        self.changes.not_after(now);
        for source in self.sources.values_mut() {
            source.last_ok.values_mut().for_each(|at| *at = (*at).min(now));
        }
    }

    /// Whether anything was ever read of `item`.
    pub fn knows(&self, item: &ItemId) -> bool {
        match item {
            ItemId::Pipeline(id) => self.pipelines.get(id).is_some(),
            ItemId::Environment(id) => self.environments.get(id).is_some(),
            ItemId::Traffic(id) => self.traffic.get(id).is_some(),
            ItemId::Flag(id) => self.flags.get(id).is_some(),
            ItemId::Alarm(id) => self.alarms.get(id).is_some(),
            ItemId::Series(id) => self.series.get(id).is_some(),
            ItemId::Change(id) => self.changes.get(id).is_some(),
        }
    }

    /// Whether `item` is there, read or not.
    pub fn exists(&self, item: &ItemId) -> bool {
        let unread = match item {
            ItemId::Pipeline(id) => self.pipelines.unread(id),
            ItemId::Environment(id) => self.environments.unread(id),
            ItemId::Traffic(id) => self.traffic.unread(id),
            ItemId::Flag(id) => self.flags.unread(id),
            ItemId::Alarm(id) => self.alarms.unread(id),
            ItemId::Series(id) => self.series.unread(id),
            ItemId::Change(id) => self.changes.unread(id),
        };
        unread.is_some() || self.knows(item)
    }

    /// Every item that could not be read at its last attempt, and why.
    pub fn faults(&self) -> impl Iterator<Item = (ItemId, &Fault)> {
        let pipelines = self.pipelines.faults(ItemId::Pipeline);
        let environments = self.environments.faults(ItemId::Environment);
        let traffic = self.traffic.faults(ItemId::Traffic);
        let flags = self.flags.faults(ItemId::Flag);
        let alarms = self.alarms.faults(ItemId::Alarm);
        let series = self.series.faults(ItemId::Series);
        pipelines.chain(environments).chain(traffic).chain(flags).chain(alarms).chain(series)
    }

    /// How much `observed` may be relied on at `now`.
    pub fn freshness<T>(&self, observed: &Observed<T>, now: Timestamp) -> Freshness {
        let Some(source) = self.sources.get(&observed.source) else { return Freshness::Lost };
        let failing = observed.fault.is_some() || source.is_failing(observed.topic);
        source.policy(observed.topic).judge(now, observed.at, failing)
    }

    /// How many items of `source` could not be read at their last attempt.
    fn unreadable_of(&self, source: &SourceId) -> usize {
        self.sources.get(source).map_or(0, |state| state.unreadable)
    }

    /// Whether the last read of `item` failed; changes are never read by themselves.
    fn fails(&self, item: &ItemId) -> bool {
        match item {
            ItemId::Pipeline(id) => self.pipelines.fails(id),
            ItemId::Environment(id) => self.environments.fails(id),
            ItemId::Traffic(id) => self.traffic.fails(id),
            ItemId::Flag(id) => self.flags.fails(id),
            ItemId::Alarm(id) => self.alarms.fails(id),
            ItemId::Series(id) => self.series.fails(id),
            ItemId::Change(_) => false,
        }
    }

    /// Changes what is known of `item`, and counts with its source whether it can be read.
    fn counted(&mut self, item: &ItemId, change: impl FnOnce(&mut Self) -> bool) -> bool {
        let before = self.fails(item);
        let changed = change(self);
        let after = self.fails(item);
        if let Some(source) = self.sources.get_mut(item.source()) {
            match (before, after) {
                (false, true) => source.unreadable += 1,
                (true, false) => source.unreadable = source.unreadable.saturating_sub(1),
                _ => {}
            }
        }
        changed
    }

    fn put(&mut self, fact: Fact, stamp: &Stamp<'_>) -> bool {
        let item = fact.item();
        self.counted(&item, |fleet| fleet.store(fact, stamp))
    }

    fn store(&mut self, fact: Fact, stamp: &Stamp<'_>) -> bool {
        match fact {
            Fact::Pipeline(x) => {
                // A listing does not undo what a read of the item itself told.
                if !x.detail && self.pipelines.get(&x.id).is_some_and(|o| o.value.detail) {
                    return false;
                }
                if x.detail {
                    self.pipelines.put(x.id.clone(), x, stamp)
                } else {
                    self.pipelines.list(x.id.clone(), x, stamp)
                }
            }
            Fact::Environment(x) => self.environments.put(x.id.clone(), x, stamp),
            Fact::Traffic(x) => self.traffic.put(x.id.clone(), x, stamp),
            Fact::Flag(x) => self.flags.put(x.id.clone(), x, stamp),
            Fact::Alarm(x) => self.alarms.put(x.id.clone(), x, stamp),
            Fact::Series(x) => {
                let known = self.series.get(&x.id).map(|o| Arc::clone(&o.value));
                let merged = merge_points(known.as_deref(), x);
                self.series.put(merged.id.clone(), merged, stamp)
            }
            Fact::Change(x) => self.changes.put(x.id.clone(), x, stamp),
        }
    }

    /// The oldest change that is kept, once there are as many as are kept.
    fn horizon(&self) -> Option<(Timestamp, ChangeId)> {
        if self.changes.len() < MAX_CHANGES {
            return None;
        }
        let oldest = self.changes.iter().map(|(_, o)| age_of(&o.value)).min();
        oldest.map(|(at, id)| (at, id.clone()))
    }

    /// Forgets the oldest of the changes that are too many.
    fn forget_oldest_changes(&mut self) -> Vec<ChangeId> {
        let surplus = self.changes.len().saturating_sub(MAX_CHANGES);
        if surplus == 0 {
            return Vec::new();
        }
        let mut all: Vec<_> = self.changes.iter().map(|(_, o)| age_of(&o.value)).collect();
        all.sort_unstable();
        let oldest: Vec<_> = all.into_iter().take(surplus).map(|(_, id)| id.clone()).collect();
        for id in &oldest {
            self.changes.remove(id, self.revision);
        }
        oldest
    }

    fn fail(&mut self, item: &ItemId, fault: &Fault) -> bool {
        self.counted(item, |fleet| fleet.note(item, fault))
    }

    fn note(&mut self, item: &ItemId, fault: &Fault) -> bool {
        match item {
            ItemId::Pipeline(id) => self.pipelines.fail(id, fault, self.revision),
            ItemId::Environment(id) => self.environments.fail(id, fault, self.revision),
            ItemId::Traffic(id) => self.traffic.fail(id, fault, self.revision),
            ItemId::Flag(id) => self.flags.fail(id, fault, self.revision),
            ItemId::Alarm(id) => self.alarms.fail(id, fault, self.revision),
            ItemId::Series(id) => self.series.fail(id, fault, self.revision),
            ItemId::Change(id) => self.changes.fail(id, fault, self.revision),
        }
    }

    fn remove(&mut self, item: &ItemId) -> bool {
        self.counted(item, |fleet| fleet.forget(item))
    }

    fn forget(&mut self, item: &ItemId) -> bool {
        match item {
            ItemId::Pipeline(id) => self.pipelines.remove(id, self.revision),
            ItemId::Environment(id) => self.environments.remove(id, self.revision),
            ItemId::Traffic(id) => self.traffic.remove(id, self.revision),
            ItemId::Flag(id) => self.flags.remove(id, self.revision),
            ItemId::Alarm(id) => self.alarms.remove(id, self.revision),
            ItemId::Series(id) => self.series.remove(id, self.revision),
            ItemId::Change(id) => self.changes.remove(id, self.revision),
        }
    }

    fn retain_named(&mut self, kind: FactKind, source: &SourceId, named: &[ItemId]) -> Vec<ItemId> {
        let gone: Vec<ItemId> = match kind {
            FactKind::Pipelines => self.pipelines.of(source, ItemId::Pipeline),
            FactKind::Environments => self.environments.of(source, ItemId::Environment),
            FactKind::Traffic => self.traffic.of(source, ItemId::Traffic),
            FactKind::Flags => self.flags.of(source, ItemId::Flag),
            FactKind::Alarms => self.alarms.of(source, ItemId::Alarm),
            FactKind::Series => self.series.of(source, ItemId::Series),
            FactKind::Changes => self.changes.of(source, ItemId::Change),
        }
        .into_iter()
        .filter(|item| named.binary_search(item).is_err())
        .collect();
        for item in &gone {
            self.remove(item);
        }
        gone
    }
}

/// Where a change stands among others: the oldest are forgotten first.
pub fn age_of(change: &Change) -> (Timestamp, &ChangeId) {
    (change.at, &change.id)
}

/// Newer points replace and extend the known ones, so that a read need only fetch the end. An end without
/// points takes nothing back.
fn merge_points(known: Option<&Series>, mut new: Series) -> Series {
    if let Some(known) = known
        && known.step == new.step
    {
        let first = new.points.first().map_or(Timestamp::MAX, |first| first.at);
        let keep = known.points.partition_point(|p| p.at < first);
        let mut points: Vec<_> = known.points.iter().take(keep).copied().collect();
        points.append(&mut new.points);
        new.points = points;
    }
    let surplus = new.points.len().saturating_sub(MAX_POINTS);
    new.points.drain(..surplus);
    new
}
