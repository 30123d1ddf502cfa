//! Items that are read one by one: when each is due, what somebody looks at before the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::ids::ItemId;

/// While both kinds are due, every this many batches is one of items that nobody looks at.
pub(super) const FAR_TURN: u32 = 3;

/// Whether somebody looks at an item, or it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// Visible or moving.
    Near,
    /// Anything else.
    Far,
}

/// Items that are read one by one.
#[derive(Debug, Default)]
pub(super) struct Lane {
    items: BTreeMap<ItemId, Known>,
    near: BTreeSet<(Duration, ItemId)>,
    far: BTreeSet<(Duration, ItemId)>,
    turn: u32,
}

#[derive(Debug, Default)]
struct Known {
    /// When it was last read, or that failed.
    last: Option<Duration>,
    /// Failures in a row.
    failures: u32,
    planned: Option<(Range, Duration)>,
}

impl Lane {
    pub fn contains(&self, item: &ItemId) -> bool {
        self.items.contains_key(item)
    }

    pub fn all(&self) -> impl Iterator<Item = &ItemId> {
        self.items.keys()
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// When `item` was last read, if it ever was.
    pub fn last(&self, item: &ItemId) -> Option<Duration> {
        self.items.get(item)?.last
    }

    pub fn unread(&self) -> usize {
        self.items.values().filter(|known| known.last.is_none()).count()
    }

    pub fn first_due(&self) -> Option<Duration> {
        let first = |due: &BTreeSet<(Duration, ItemId)>| due.first().map(|(at, _)| *at);
        [first(&self.near), first(&self.far)].into_iter().flatten().min()
    }

    pub fn add(&mut self, item: ItemId) {
        self.items.entry(item).or_default();
    }

    pub fn drop(&mut self, item: &ItemId) {
        self.plan(item, None);
        self.items.remove(item);
    }

    pub fn plan(&mut self, item: &ItemId, at: Option<(Range, Duration)>) {
        let Some(known) = self.items.get_mut(item) else { return };
        let old = std::mem::replace(&mut known.planned, at);
        if let Some((range, at)) = old {
            self.due(range).remove(&(at, item.clone()));
        }
        if let Some((range, at)) = at {
            self.due(range).insert((at, item.clone()));
        }
    }

    pub fn read(&mut self, item: &ItemId, now: Duration) {
        if let Some(known) = self.items.get_mut(item) {
            known.last = Some(now);
            known.failures = 0;
        }
    }

    /// Notes a failure; returns how many there were in a row.
    pub fn failed(&mut self, item: &ItemId, now: Duration) -> u32 {
        self.items.get_mut(item).map_or(1, |known| {
            known.last = Some(now);
            known.failures = known.failures.saturating_add(1);
            known.failures
        })
    }

    /// Takes the next batch: an item that is due, and others that are or will be within the slack
    /// (for what is near, for the rest), so that batches do not fall apart. An item that failed
    /// comes alone, so that it cannot take others down with it again.
    pub fn take(&mut self, now: Duration, batch: usize, slack: [Duration; 2]) -> Vec<ItemId> {
        let is_due = |due: &BTreeSet<(Duration, ItemId)>| due.first().is_some_and(|d| d.0 <= now);
        let range = match (is_due(&self.near), is_due(&self.far)) {
            (false, false) => return Vec::new(),
            (true, false) => Range::Near,
            (false, true) => Range::Far,
            (true, true) => {
                self.turn = (self.turn + 1) % FAR_TURN;
                if self.turn == 0 { Range::Far } else { Range::Near }
            }
        };
        let mut taken: Vec<ItemId> = Vec::new();
        let [near_slack, far_slack] = slack;
        let (due, slack) = match range {
            Range::Near => (&self.near, near_slack),
            Range::Far => (&self.far, far_slack),
        };
        let end = now.saturating_add(slack);
        for (_, item) in due.iter().take_while(|(at, _)| *at <= end) {
            let failed = self.items.get(item).is_some_and(|known| known.failures > 0);
            let alone = failed && taken.is_empty();
            if alone || !failed {
                taken.push(item.clone());
            }
            if alone || taken.len() >= batch {
                break;
            }
        }
        for item in &taken {
            self.plan(item, None);
        }
        taken
    }

    fn due(&mut self, range: Range) -> &mut BTreeSet<(Duration, ItemId)> {
        match range {
            Range::Near => &mut self.near,
            Range::Far => &mut self.far,
        }
    }
}
