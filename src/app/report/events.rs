//! Events: what is new in a state since it was last looked at, one by one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::explain;
use crate::app::row::RowId;
use crate::app::state::State;
use crate::domain::ids::{ItemId, ServiceId, SourceId};
use crate::domain::source::SourceHealth;
use crate::domain::table::Table;
use crate::domain::text::SafeText;

/// Name and version of the format.
pub const EVENT_FORMAT: &str = "flightdeck/event/1";

/// Something that is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Name and version of this format.
    pub format: String,
    /// When it was noticed.
    pub at: Timestamp,
    /// What kind of thing it is about.
    pub kind: EventKind,
    /// The source that told it.
    pub source: SourceId,
    /// The name of the thing.
    pub name: SafeText,
    /// The services that claim it.
    pub services: Vec<ServiceId>,
    /// What is new, in a sentence.
    pub text: SafeText,
}

/// What an event is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A source that answers differently.
    Source,
    /// A pipeline.
    Pipeline,
    /// An environment.
    Environment,
    /// A traffic split.
    Traffic,
    /// A canary whose judgement changed.
    Canary,
    /// A flag.
    Flag,
    /// An alarm.
    Alarm,
    /// Somebody changed something.
    Change,
    /// Something cannot be read.
    Unknown,
}

impl EventKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Pipeline => "pipeline",
            Self::Environment => "environment",
            Self::Traffic => "traffic",
            Self::Canary => "canary",
            Self::Flag => "flag",
            Self::Alarm => "alarm",
            Self::Change => "change",
            Self::Unknown => "unknown",
        }
    }
}

/// Remembers what was seen, so that only what is new is told.
#[derive(Debug, Default)]
pub struct Watcher {
    revision: u64,
    sources: BTreeMap<SourceId, SourceHealth>,
    told: BTreeMap<RowId, String>,
    unread: BTreeSet<ItemId>,
}

impl Watcher {
    /// What is new in `state`. The same sentence about the same thing is told once.
    pub fn news(&mut self, state: &State) -> Vec<Event> {
        let mut events = Vec::new();
        self.source_news(state, &mut events);
        let fleet = &state.fleet;
        self.table(state, &fleet.pipelines, ItemId::Pipeline, EventKind::Pipeline, &mut events);
        self.table(
            state,
            &fleet.environments,
            ItemId::Environment,
            EventKind::Environment,
            &mut events,
        );
        self.table(state, &fleet.traffic, ItemId::Traffic, EventKind::Traffic, &mut events);
        self.table(state, &fleet.flags, ItemId::Flag, EventKind::Flag, &mut events);
        self.table(state, &fleet.alarms, ItemId::Alarm, EventKind::Alarm, &mut events);
        self.table(state, &fleet.changes, ItemId::Change, EventKind::Change, &mut events);
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

    fn table<K, V>(
        &mut self,
        state: &State,
        table: &Table<K, V>,
        item: fn(K) -> ItemId,
        kind: EventKind,
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
                self.tell(state, kind, &item, events);
            }
        }
        for (id, fault) in table.iter_unread() {
            let item = item(id.clone());
            if self.unread.insert(item.clone()) {
                let owners = state.membership.owners(&item).to_vec();
                let text = format!("{} cannot be read: {fault}", item.name());
                events.push(event(
                    state,
                    EventKind::Unknown,
                    item.source(),
                    item.name(),
                    owners,
                    text,
                ));
            }
        }
    }

    fn tell(&mut self, state: &State, kind: EventKind, item: &ItemId, events: &mut Vec<Event>) {
        let Some(text) = explain::of_item(state, item).into_iter().next() else { return };
        let row = RowId::Item(item.clone());
        // Ages in a sentence grow; what it says besides is what counts.
        let gist: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
        if self.told.insert(row, gist.clone()) == Some(gist) {
            return;
        }
        let owners = match item {
            ItemId::Change(id) => {
                let target = state.fleet.changes.get(id).and_then(|o| o.value.target.clone());
                target.map(|t| state.membership.owners(&t).to_vec()).unwrap_or_default()
            }
            item => state.membership.owners(item).to_vec(),
        };
        events.push(event(state, kind, item.source(), item.name(), owners, text));
    }

    fn canaries(&mut self, state: &State, events: &mut Vec<Event>) {
        for row in state.rows.canaries.iter() {
            let Some(judged) = &row.judged else { continue };
            let gist = format!("{:?}", judged.stand);
            let id = RowId::Canary(row.canary.clone());
            if self.told.insert(id, gist.clone()) == Some(gist) {
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

fn event(
    state: &State,
    kind: EventKind,
    source: &SourceId,
    name: &SafeText,
    services: Vec<ServiceId>,
    text: String,
) -> Event {
    Event {
        format: EVENT_FORMAT.to_owned(),
        at: state.now,
        kind,
        source: source.clone(),
        name: name.clone(),
        services,
        text: text.into(),
    }
}
