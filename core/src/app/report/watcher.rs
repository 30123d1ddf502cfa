//! `Watcher`: what is new in a state since it was last looked at, one by one.

use std::collections::{BTreeMap, BTreeSet};

use super::events::{EVENT_FORMAT, Event, EventKind};
use super::gist::{self, Gist};
use crate::app::explain;
use crate::app::state::State;
use crate::domain::error::Fault;
use crate::domain::fleet::Fleet;
use crate::domain::ids::{CanaryId, ItemId, ServiceId, SourceId};
use crate::domain::observed::Observed;
use crate::domain::source::SourceHealth;
use crate::domain::table::Table;
use crate::domain::text::SafeText;

/// Remembers what was seen, so that only what is new is told.
#[derive(Debug, Default)]
pub struct Watcher {
    revision: u64,
    sources: BTreeMap<SourceId, SourceHealth>,
    told: BTreeMap<ItemId, Gist>,
    canaries: BTreeMap<CanaryId, String>,
    unread: BTreeSet<ItemId>,
}

impl Watcher {
    /// What is new in `state`. What only grew older is no news.
    pub fn news(&mut self, state: &State) -> Vec<Event> {
        let mut events = Vec::new();
        self.source_news(state, &mut events);
        self.gone(state, &mut events);
        let fleet = &state.fleet;
        self.table(state, &fleet.pipelines, ItemId::Pipeline, &mut events);
        self.table(state, &fleet.environments, ItemId::Environment, &mut events);
        self.table(state, &fleet.traffic, ItemId::Traffic, &mut events);
        self.table(state, &fleet.flags, ItemId::Flag, &mut events);
        self.table(state, &fleet.alarms, ItemId::Alarm, &mut events);
        self.table(state, &fleet.changes, ItemId::Change, &mut events);
        self.canaries(state, &mut events);
        self.revision = fleet.revision;
        events
    }

    fn source_news(&mut self, state: &State, events: &mut Vec<Event>) {
        for source in state.fleet.sources.values() {
            let id = &source.meta.id;
            let health = source.health();
            if health == SourceHealth::Pending || self.sources.get(id) == Some(&health) {
                continue;
            }
            self.sources.insert(id.clone(), health);
            let text = explain::of_source(state, id).join(" · ");
            events.push(event(state, EventKind::Source, id, id.text(), Vec::new(), text));
        }
    }

    /// What was told of and is not there any more: said once, and forgotten, so that it is news again
    /// if it comes back.
    fn gone(&mut self, state: &State, events: &mut Vec<Event>) {
        let fleet = &state.fleet;
        let is_gone = |item: &&ItemId| !fleet.exists(item);
        let told: Vec<ItemId> = self.told.keys().filter(is_gone).cloned().collect();
        let unread: Vec<ItemId> = self.unread.iter().filter(is_gone).cloned().collect();
        for item in told.into_iter().chain(unread) {
            let gist = self.told.remove(&item);
            self.unread.remove(&item);
            let Some(kind) = kind_of(&item) else { continue };
            // Of the many changes the oldest are forgotten: they have happened all the same.
            if kind == EventKind::Change {
                continue;
            }
            let word = match gist {
                Some(gist) if gist.fires => "fires no more: it is gone",
                _ => "is gone",
            };
            let text = format!("{} {word}", item.name());
            events.push(about(state, kind, &item, text));
        }
    }

    fn table<K, V>(
        &mut self,
        state: &State,
        table: &Table<K, V>,
        item: fn(K) -> ItemId,
        events: &mut Vec<Event>,
    ) where
        K: Ord + Clone,
        V: PartialEq,
    {
        if table.revision() <= self.revision {
            return;
        }
        for (id, observed) in table.iter() {
            if observed.revision > self.revision {
                let item = item(id.clone());
                self.unread.remove(&item);
                self.tell(state, &item, own_fault(&state.fleet, observed), events);
            }
        }
        for (id, fault) in table.iter_unread() {
            let item = item(id.clone());
            if self.unread.insert(item.clone()) {
                let text = format!("{} cannot be read: {fault}", item.name());
                events.push(about(state, EventKind::Unknown, &item, text));
            }
        }
    }

    fn tell(
        &mut self,
        state: &State,
        item: &ItemId,
        fault: Option<&Fault>,
        events: &mut Vec<Event>,
    ) {
        let Some(kind) = kind_of(item) else { return };
        let Some(sentence) = explain::of_item(state, item).into_iter().next() else { return };
        let gist = gist::of(&state.fleet, item, &sentence, fault);
        let before = self.told.insert(item.clone(), gist.clone());
        if before.as_ref() == Some(&gist) {
            return;
        }
        let (kind, text) = match (fault, before) {
            (Some(fault), _) => {
                (EventKind::Unknown, format!("{} cannot be read: {fault}", item.name()))
            }
            // What is worst stays the same; what moved besides is told.
            (None, Some(before))
                if kind == EventKind::Pipeline && before.sentence == gist.sentence =>
            {
                let moved = gist.parts.iter().filter(|part| !before.parts.contains(part));
                let moved: Vec<&str> = moved.map(String::as_str).collect();
                (kind, if moved.is_empty() { sentence } else { moved.join(" · ") })
            }
            (None, _) => (kind, sentence),
        };
        events.push(about(state, kind, item, text));
    }

    fn canaries(&mut self, state: &State, events: &mut Vec<Event>) {
        for row in state.rows.canaries.iter() {
            let Some(judged) = &row.judged else {
                self.canaries.remove(&row.canary);
                continue;
            };
            let gist = format!("{:?}", judged.stand);
            if self.canaries.insert(row.canary.clone(), gist.clone()) == Some(gist) {
                continue;
            }
            let text = format!("{}: {}", judged.lead, judged.sentence);
            let source =
                row.traffic.as_ref().map_or_else(|| SourceId::new(""), |t| t.source.clone());
            events.push(event(
                state,
                EventKind::Canary,
                &source,
                row.canary.text(),
                vec![row.service.clone()],
                text,
            ));
        }
    }
}

/// Why this one thing cannot be read; a source that does not answer at all is told as that.
fn own_fault<'a, V>(fleet: &Fleet, observed: &'a Observed<V>) -> Option<&'a Fault> {
    let source = fleet.sources.get(&observed.source);
    let whole = source.is_some_and(|source| source.is_failing(observed.topic));
    observed.fault.as_ref().filter(|_| !whole)
}

fn kind_of(item: &ItemId) -> Option<EventKind> {
    Some(match item {
        ItemId::Pipeline(_) => EventKind::Pipeline,
        ItemId::Environment(_) => EventKind::Environment,
        ItemId::Traffic(_) => EventKind::Traffic,
        ItemId::Flag(_) => EventKind::Flag,
        ItemId::Alarm(_) => EventKind::Alarm,
        ItemId::Change(_) => EventKind::Change,
        ItemId::Series(_) => return None,
    })
}

fn about(state: &State, kind: EventKind, item: &ItemId, text: String) -> Event {
    let owners = match item {
        ItemId::Change(id) => {
            let target = state.fleet.changes.get(id).and_then(|o| o.value.target.clone());
            target.map(|t| state.membership.owners(&t).to_vec()).unwrap_or_default()
        }
        item if state.fleet.exists(item) => state.membership.owners(item).to_vec(),
        // What is gone belongs to nobody any more; it is still news to those who claim it.
        item => state.membership.claiming(item, &state.setup.services),
    };
    event(state, kind, item.source(), item.name(), owners, text)
}

fn event(
    state: &State,
    kind: EventKind,
    source: &SourceId,
    name: &SafeText,
    services: Vec<ServiceId>,
    text: String,
) -> Event {
    let rehearsed = state.setup.rehearsed(std::iter::once(source.clone()));
    let whole = || state.setup.rehearsal.as_ref().map(|r| r.scenario.clone());
    Event {
        format: EVENT_FORMAT.to_owned(),
        at: state.now,
        kind,
        source: source.clone(),
        name: name.clone(),
        services,
        text: text.into(),
        rehearsal: rehearsed.or_else(|| whole().filter(|_| state.setup.is_rehearsal())),
    }
}
