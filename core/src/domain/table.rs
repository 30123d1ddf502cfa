//! `Table`: observed values of one kind by id, each with the revision at which it last changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Fault;
use super::ids::{ItemId, SourceId};
use super::observation::Topic;
use super::observed::Observed;

/// Who says something, when, by which read.
pub struct Stamp<'a> {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub source: &'a SourceId,
    /// By which read.
    pub topic: Topic,
    /// Revision of the fleet.
    pub revision: u64,
}

/// Observed values of one kind, and the items that could never be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "K: Ord + Deserialize<'de>, V: Deserialize<'de>"))]
pub struct Table<K, V> {
    rows: BTreeMap<K, Observed<V>>,
    /// Items that are known to exist but were never read, and why.
    unread: BTreeMap<K, Fault>,
    revision: u64,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), unread: BTreeMap::new(), revision: 0 }
    }
}

impl<K: Ord + Clone, V: PartialEq> Table<K, V> {
    /// Revision of the fleet at which any value, fault or row last changed (not mere confirmations).
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The value of `id`.
    pub fn get(&self, id: &K) -> Option<&Observed<V>> {
        self.rows.get(id)
    }

    /// Why `id`, which exists, was never read.
    pub fn unread(&self, id: &K) -> Option<&Fault> {
        self.unread.get(id)
    }

    /// Every value in the order of ids.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Observed<V>)> {
        self.rows.iter()
    }

    /// Every item that exists but was never read, with the reason.
    pub fn iter_unread(&self) -> impl Iterator<Item = (&K, &Fault)> {
        self.unread.iter()
    }

    /// Every item whose last read failed, with the reason.
    pub(super) fn faults<I>(&self, item: fn(K) -> I) -> impl Iterator<Item = (I, &Fault)> {
        let rows = self.rows.iter().filter_map(|(id, row)| Some((id, row.fault.as_ref()?)));
        rows.chain(&self.unread).map(move |(id, fault)| (item(id.clone()), fault))
    }

    /// Whether the last read of `id` failed.
    pub(super) fn fails(&self, id: &K) -> bool {
        match self.rows.get(id) {
            Some(row) => row.fault.is_some(),
            None => self.unread.contains_key(id),
        }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Stores a value; true if that changed anything but its age.
    pub(super) fn put(&mut self, id: K, value: V, stamp: &Stamp<'_>) -> bool {
        let was_unread = self.unread.remove(&id).is_some();
        let changed = match self.rows.get_mut(&id) {
            Some(row) => {
                let same = *row.value == value;
                let healed = row.fault.take().is_some();
                row.at = stamp.at;
                row.topic = stamp.topic;
                if !same {
                    row.value = Arc::new(value);
                }
                if !same || healed {
                    row.revision = stamp.revision;
                }
                !same || healed
            }
            None => {
                let row = Observed {
                    value: Arc::new(value),
                    at: stamp.at,
                    source: stamp.source.clone(),
                    topic: stamp.topic,
                    fault: None,
                    revision: stamp.revision,
                };
                self.rows.insert(id, row);
                true
            }
        };
        if changed || was_unread {
            self.revision = stamp.revision;
        }
        changed || was_unread
    }

    /// Stores what a listing tells of `id`, whose state only a read of its own brings: that such a
    /// read failed stays true, and nothing of it is confirmed. True if that changed anything.
    pub(super) fn list(&mut self, id: K, value: V, stamp: &Stamp<'_>) -> bool {
        let fault = match self.rows.get(&id) {
            Some(row) => row.fault.clone(),
            None => self.unread.get(&id).cloned(),
        };
        let Some(fault) = fault else { return self.put(id, value, stamp) };
        self.unread.remove(&id);
        let (at, topic) =
            self.rows.get(&id).map_or((stamp.at, stamp.topic), |row| (row.at, row.topic));
        if self.rows.get(&id).is_some_and(|row| *row.value == value) {
            return false;
        }
        let row = Observed {
            value: Arc::new(value),
            at,
            source: stamp.source.clone(),
            topic,
            fault: Some(fault),
            revision: stamp.revision,
        };
        self.rows.insert(id, row);
        self.revision = stamp.revision;
        true
    }

    /// Notes that reading `id` failed; true if that is news.
    pub(super) fn fail(&mut self, id: &K, fault: &Fault, revision: u64) -> bool {
        let news = match self.rows.get_mut(id) {
            Some(row) => {
                let news = row.fault.as_ref() != Some(fault);
                row.fault = Some(fault.clone());
                if news {
                    row.revision = revision;
                }
                news
            }
            None => self.unread.insert(id.clone(), fault.clone()).as_ref() != Some(fault),
        };
        if news {
            self.revision = revision;
        }
        news
    }

    /// Nothing was confirmed later than `now`.
    pub(super) fn not_after(&mut self, now: Timestamp) {
        for row in self.rows.values_mut() {
            row.at = row.at.min(now);
        }
    }

    /// Forgets `id`, which is gone.
    pub(super) fn remove(&mut self, id: &K, revision: u64) -> bool {
        let row = self.rows.remove(id).is_some();
        let unread = self.unread.remove(id).is_some();
        if row || unread {
            self.revision = revision;
        }
        row || unread
    }

    /// The items of `source`, read or not.
    pub(super) fn of(&self, source: &SourceId, item: impl Fn(K) -> ItemId) -> Vec<ItemId> {
        self.rows
            .keys()
            .chain(self.unread.keys())
            .map(|id| item(id.clone()))
            .filter(|item| item.source() == source)
            .collect()
    }
}
