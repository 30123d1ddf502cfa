//! When to read what of one source: cadence, interest, jitter and back-off. Pure: time is passed in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::port::Cadence;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::ItemId;
use crate::domain::observation::{Scope, Topic};

/// First pause after a failure; doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// When to read what of one source.
#[derive(Debug)]
pub struct Schedule {
    cadence: Cadence,
    topics: Vec<Topic>,
    /// When overview and changes are due.
    due: BTreeMap<Topic, Duration>,
    items: Lane,
    series: Lane,
    interest: BTreeSet<ItemId>,
    everything: bool,
    in_flight: Vec<Scope>,
    /// Kinds of read that were tried at least once.
    tried: BTreeSet<Topic>,
    /// Failures in a row and the end of the pause, per kind of read.
    paused: BTreeMap<Topic, Pause>,
    /// The source asked to be left alone until then.
    asked_until: Duration,
    rng: ChaCha8Rng,
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    times: u32,
    until: Duration,
}

/// Items that are read one by one, by the time at which each is due.
#[derive(Debug, Default)]
struct Lane {
    last: BTreeMap<ItemId, Option<Duration>>,
    due: BTreeSet<(Duration, ItemId)>,
    keys: BTreeMap<ItemId, Duration>,
}

impl Lane {
    fn plan(&mut self, item: &ItemId, at: Option<Duration>) {
        if let Some(old) = self.keys.remove(item) {
            self.due.remove(&(old, item.clone()));
        }
        if let Some(at) = at {
            self.due.insert((at, item.clone()));
            self.keys.insert(item.clone(), at);
        }
    }

    fn drop(&mut self, item: &ItemId) {
        self.plan(item, None);
        self.last.remove(item);
    }

    fn unread(&self) -> usize {
        self.last.values().filter(|last| last.is_none()).count()
    }
}

impl Schedule {
    /// A schedule on which everything is due at once; `series` are all that may ever be asked for.
    pub fn new(
        cadence: Cadence,
        topics: Vec<Topic>,
        series: impl IntoIterator<Item = ItemId>,
        seed: u64,
    ) -> Self {
        let due = [Topic::Overview, Topic::Changes]
            .into_iter()
            .filter(|t| topics.contains(t))
            .map(|t| (t, Duration::ZERO))
            .collect();
        let mut schedule = Self {
            cadence,
            topics,
            due,
            items: Lane::default(),
            series: Lane::default(),
            interest: BTreeSet::new(),
            everything: false,
            in_flight: Vec::new(),
            tried: BTreeSet::new(),
            paused: BTreeMap::new(),
            asked_until: Duration::ZERO,
            rng: ChaCha8Rng::seed_from_u64(seed),
        };
        if schedule.topics.contains(&Topic::Series) {
            for item in series {
                schedule.series.last.insert(item, None);
            }
        }
        schedule
    }

    /// The next read that is due, now marked as under way.
    pub fn next(&mut self, now: Duration) -> Option<Scope> {
        if self.in_flight.len() >= self.cadence.concurrency.max(1) || now < self.asked_until {
            return None;
        }
        for topic in [Topic::Overview, Topic::Changes] {
            let due = self.due.get(&topic).is_some_and(|due| *due <= now);
            if due && self.may(topic, now) && !self.in_flight.iter().any(|s| s.topic == topic) {
                return Some(self.begin(Scope { topic, items: Vec::new() }));
            }
        }
        for topic in [Topic::Items, Topic::Series] {
            if !self.may(topic, now) {
                continue;
            }
            let batch = self.cadence.batch.max(1);
            let lane = self.lane(topic);
            let items: Vec<ItemId> = lane
                .due
                .iter()
                .take_while(|(due, _)| *due <= now)
                .take(batch)
                .map(|(_, item)| item.clone())
                .collect();
            if !items.is_empty() {
                for item in &items {
                    lane.plan(item, None);
                }
                return Some(self.begin(Scope { topic, items }));
            }
        }
        None
    }

    /// When to ask `next` again; `None` while only the end of a read can change anything.
    pub fn wake(&self) -> Option<Duration> {
        if self.in_flight.len() >= self.cadence.concurrency.max(1) {
            return None;
        }
        let topics = self
            .due
            .iter()
            .filter(|(topic, _)| !self.in_flight.iter().any(|s| s.topic == **topic))
            .map(|(topic, due)| (*topic, *due));
        let first = |lane: &Lane| lane.due.first().map(|(due, _)| *due);
        let lanes = [(Topic::Items, first(&self.items)), (Topic::Series, first(&self.series))]
            .into_iter()
            .filter_map(|(topic, due)| Some((topic, due?)));
        topics
            .chain(lanes)
            .map(|(topic, due)| due.max(self.pause_end(topic)).max(self.asked_until))
            .min()
    }

    /// A read ended well; `items` are what it found to be read one by one.
    pub fn succeeded(&mut self, scope: &Scope, items: Option<Vec<ItemId>>, now: Duration) {
        self.end(scope);
        self.paused.remove(&scope.topic);
        self.plan_again(scope, now);
        if let Some(found) = items {
            self.found(found, now);
        }
    }

    /// A read failed. `wait` is how long the source asked to be left alone.
    pub fn failed(&mut self, scope: &Scope, fault: &Fault, wait: Option<Duration>, now: Duration) {
        self.end(scope);
        self.plan_again(scope, now);
        if let FaultKind::Throttled { .. } = fault.kind
            && let Some(wait) = wait
        {
            self.asked_until = self.asked_until.max(now + wait);
        }
        let times = self.paused.get(&scope.topic).map_or(1, |p| p.times.saturating_add(1));
        let doubled = FIRST_PAUSE.saturating_mul(1_u32 << times.saturating_sub(1).min(10));
        let pause = self.vary(doubled.min(self.cadence.longest_pause));
        self.paused.insert(scope.topic, Pause { times, until: now + pause });
        // What the pause keeps back is due when it ends, not a whole interval later.
        if let Some(due) = self.due.get_mut(&scope.topic) {
            *due = now;
        }
        for item in &scope.items {
            let lane = self.lane(scope.topic);
            if lane.last.contains_key(item) {
                lane.plan(item, Some(now));
            }
        }
    }

    /// What is visible or moving now.
    pub fn watch(&mut self, interest: BTreeSet<ItemId>, everything: bool, now: Duration) {
        self.everything = everything;
        let old = std::mem::replace(&mut self.interest, interest);
        let changed: Vec<ItemId> = old.symmetric_difference(&self.interest).cloned().collect();
        for item in changed {
            self.replan(&item, now);
        }
        if everything {
            let all: Vec<ItemId> =
                self.series.last.keys().chain(self.items.last.keys()).cloned().collect();
            for item in all {
                self.replan(&item, now);
            }
        }
    }

    /// The operator wants these now (all if `None`); a request of the source to wait still holds.
    pub fn refresh(&mut self, items: Option<&[ItemId]>, now: Duration) {
        self.paused.clear();
        for due in self.due.values_mut() {
            *due = now;
        }
        let wanted: Vec<ItemId> = match items {
            Some(items) => items.to_vec(),
            None => self.items.last.keys().chain(self.interest.iter()).cloned().collect(),
        };
        for item in wanted {
            for topic in [Topic::Items, Topic::Series] {
                let under_way =
                    self.in_flight.iter().any(|s| s.topic == topic && s.items.contains(&item));
                let lane = self.lane(topic);
                if lane.last.contains_key(&item) && !under_way {
                    lane.plan(&item, Some(now));
                }
            }
        }
    }

    /// Until when nothing is read, because the source asked for it or keeps failing.
    pub fn backoff(&self, now: Duration) -> Option<Duration> {
        let paused = self.paused.get(&Topic::Overview).map(|p| p.until);
        Some(self.asked_until.max(paused.unwrap_or_default())).filter(|until| *until > now)
    }

    /// Reads under way.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Items that were found but not read yet.
    pub fn unread(&self) -> usize {
        self.items.unread() + if self.everything { self.series.unread() } else { 0 }
    }

    /// Whether everything is wanted and was tried at least once.
    pub fn settled(&self) -> bool {
        self.everything
            && self.in_flight.is_empty()
            && self.due.keys().all(|topic| self.tried.contains(topic))
            && self.unread() == 0
    }

    fn begin(&mut self, scope: Scope) -> Scope {
        self.in_flight.push(scope.clone());
        scope
    }

    fn end(&mut self, scope: &Scope) {
        self.tried.insert(scope.topic);
        if let Some(at) = self.in_flight.iter().position(|s| s == scope) {
            self.in_flight.swap_remove(at);
        }
    }

    fn may(&self, topic: Topic, now: Duration) -> bool {
        self.topics.contains(&topic) && now >= self.pause_end(topic)
    }

    /// A failing overview holds back everything else too: the source itself is in trouble.
    fn pause_end(&self, topic: Topic) -> Duration {
        let of = |topic| self.paused.get(&topic).map_or(Duration::ZERO, |p: &Pause| p.until);
        of(topic).max(of(Topic::Overview))
    }

    fn lane(&mut self, topic: Topic) -> &mut Lane {
        if topic == Topic::Series { &mut self.series } else { &mut self.items }
    }

    fn plan_again(&mut self, scope: &Scope, now: Duration) {
        let interval = match scope.topic {
            Topic::Overview => self.cadence.overview,
            Topic::Changes => self.cadence.changes,
            Topic::Items | Topic::Series => {
                for item in &scope.items {
                    let lane = self.lane(scope.topic);
                    if let Some(last) = lane.last.get_mut(item) {
                        *last = Some(now);
                    }
                    self.replan(item, now);
                }
                return;
            }
        };
        let next = now + self.vary(interval);
        self.due.insert(scope.topic, next);
    }

    fn found(&mut self, found: Vec<ItemId>, now: Duration) {
        let found: BTreeSet<ItemId> = found.into_iter().collect();
        let gone: Vec<ItemId> =
            self.items.last.keys().filter(|item| !found.contains(*item)).cloned().collect();
        for item in gone {
            self.items.drop(&item);
        }
        for item in found {
            if !self.items.last.contains_key(&item) {
                self.items.last.insert(item.clone(), None);
                self.replan(&item, now);
            }
        }
    }

    /// Plans the next read of `item` by what is known of it and who is interested.
    fn replan(&mut self, item: &ItemId, now: Duration) {
        let wanted = self.interest.contains(item);
        for topic in [Topic::Items, Topic::Series] {
            let (fast, slow) = match topic {
                Topic::Series => (self.cadence.series, self.cadence.slow),
                _ => (self.cadence.fast, self.cadence.slow),
            };
            // Nobody reads figures that nobody looks at.
            let paused = topic == Topic::Series && !wanted && !self.everything;
            let interval = self.vary(if wanted { fast } else { slow });
            let under_way =
                self.in_flight.iter().any(|s| s.topic == topic && s.items.contains(item));
            let lane = self.lane(topic);
            let Some(last) = lane.last.get(item).copied() else { continue };
            if under_way {
                continue;
            }
            let at = match last {
                _ if paused => None,
                Some(last) => Some(last + interval),
                // What is looked at comes first.
                None if wanted => Some(Duration::ZERO),
                None => Some(now.max(Duration::from_millis(1))),
            };
            lane.plan(item, at);
        }
    }

    fn vary(&mut self, interval: Duration) -> Duration {
        let jitter = self.cadence.jitter.clamp(0.0, 0.5);
        interval.mul_f64(self.rng.random_range(1.0 - jitter..=1.0 + jitter))
    }
}
