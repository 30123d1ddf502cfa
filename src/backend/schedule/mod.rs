//! When to read what of one source: cadence, interest, jitter and back-off. Pure: time is passed in.

mod lane;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::port::Cadence;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::ItemId;
use crate::domain::observation::{Scope, Topic};
use lane::{Lane, Range};

/// First pause after a failure; doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// However long a source asks to be left alone, it is tried again after this.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Items over which the calls that an item costs are averaged, at least.
const COST_WINDOW: u64 = 500;

/// When to read what of one source.
#[derive(Debug)]
pub struct Schedule {
    cadence: Cadence,
    topics: Vec<Topic>,
    /// When overview and changes are due.
    due: BTreeMap<Topic, Duration>,
    items: Lane,
    series: Lane,
    /// The lane whose turn it is while both are due.
    series_first: bool,
    interest: BTreeSet<ItemId>,
    everything: bool,
    in_flight: Vec<Flight>,
    /// Kinds of read that were answered or failed at least once; being asked to wait is neither.
    tried: BTreeSet<Topic>,
    /// Failures in a row and the end of the pause, per kind of read.
    paused: BTreeMap<Topic, Pause>,
    /// The source asked to be left alone until then.
    asked_until: Duration,
    /// Calls made for items, and how many items that were.
    cost: (u64, u64),
    rng: ChaCha8Rng,
}

/// A read under way.
#[derive(Debug)]
struct Flight {
    scope: Scope,
    /// It is to be read again at once when this ends: somebody asked for it meanwhile.
    again: bool,
    /// The items of it for which somebody asked meanwhile.
    items: BTreeSet<ItemId>,
    /// Something was written meanwhile to what it reads: what it brings may be from before that.
    outdated: bool,
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    times: u32,
    until: Duration,
    /// The source as a whole is in trouble, not only this kind of read.
    wide: bool,
    throttled: bool,
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
            series_first: false,
            interest: BTreeSet::new(),
            everything: false,
            in_flight: Vec::new(),
            tried: BTreeSet::new(),
            paused: BTreeMap::new(),
            asked_until: Duration::ZERO,
            cost: (0, 0),
            rng: ChaCha8Rng::seed_from_u64(seed),
        };
        if schedule.topics.contains(&Topic::Series) {
            for item in series {
                schedule.series.add(item);
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
            if due && self.may(topic, now) && !self.is_flying(topic) {
                return Some(self.begin(Scope { topic, items: Vec::new() }));
            }
        }
        let mut lanes = [Topic::Items, Topic::Series];
        if self.series_first {
            lanes.reverse();
        }
        for topic in lanes {
            if !self.may(topic, now) {
                continue;
            }
            let batch = self.cadence.batch.max(1);
            let slack = [Range::Near, Range::Far]
                .map(|range| times(self.interval(topic, range), self.jitter()));
            let items = self.lane(topic).take(now, batch, slack);
            if !items.is_empty() {
                self.series_first = topic == Topic::Items;
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
            .filter(|(topic, _)| !self.is_flying(**topic))
            .map(|(topic, due)| (*topic, *due));
        let lanes =
            [(Topic::Items, self.items.first_due()), (Topic::Series, self.series.first_due())]
                .into_iter()
                .filter_map(|(topic, due)| Some((topic, due?)));
        topics
            .chain(lanes)
            .map(|(topic, due)| due.max(self.pause_end(topic)).max(self.asked_until))
            .min()
    }

    /// A read ended well; `items` are what it found to be read one by one.
    pub fn succeeded(&mut self, scope: &Scope, items: Option<Vec<ItemId>>, now: Duration) {
        let flight = self.end(scope);
        self.tried.insert(scope.topic);
        self.paused.remove(&scope.topic);
        match scope.topic {
            Topic::Overview => self.again_after(scope.topic, self.cadence.overview, now),
            Topic::Changes => self.again_after(scope.topic, self.cadence.changes, now),
            Topic::Items | Topic::Series => {
                // One wait for all of a batch, or it would fall apart into single reads.
                let vary = self.chance();
                for item in &scope.items {
                    self.lane(scope.topic).read(item, now);
                    self.replan(item, now, vary);
                }
            }
        }
        if let Some(found) = items {
            self.found(found, now);
        }
        if let Some(flight) = flight {
            self.again(flight, now);
        }
    }

    /// Ends a read that began before something was written to what it reads; true if it did: then
    /// nothing of what it brought is to be told, and it is due again at once.
    pub fn outdated(&mut self, scope: &Scope, now: Duration) -> bool {
        let Some(at) = self.in_flight.iter().position(|f| f.scope == *scope && f.outdated) else {
            return false;
        };
        let flight = self.in_flight.swap_remove(at);
        for item in &flight.scope.items {
            let range = self.range(item);
            self.lane(scope.topic).plan(item, Some((range, now)));
        }
        self.again(flight, now);
        true
    }

    /// What somebody asked for while it was read is due again.
    fn again(&mut self, flight: Flight, now: Duration) {
        if flight.again
            && let Some(due) = self.due.get_mut(&flight.scope.topic)
        {
            *due = now;
        }
        for item in flight.items {
            self.lane(flight.scope.topic).plan(&item, Some((Range::Near, now)));
        }
    }

    /// A read failed. `wait` is how long the source asked to be left alone.
    pub fn failed(&mut self, scope: &Scope, fault: &Fault, wait: Option<Duration>, now: Duration) {
        self.end(scope);
        let throttled = matches!(fault.kind, FaultKind::Throttled { .. });
        if throttled {
            let wait = wait.unwrap_or_default().min(LONGEST_WAIT);
            self.asked_until = self.asked_until.max(now.saturating_add(wait));
        } else {
            self.tried.insert(scope.topic);
        }
        // An adapter that panics over one item says nothing about the others.
        let wide = throttled || (fault.is_source_wide() && fault.kind != FaultKind::Crashed);
        let single = matches!(scope.topic, Topic::Overview | Topic::Changes);
        if wide || single {
            let times = self.paused.get(&scope.topic).map_or(1, |p| p.times.saturating_add(1));
            let until = now.saturating_add(self.pause_after(times));
            self.paused.insert(scope.topic, Pause { times, until, wide, throttled });
        }
        // What the pause keeps back is due when it ends, not a whole interval later.
        if let Some(due) = self.due.get_mut(&scope.topic) {
            *due = now;
        }
        for item in &scope.items {
            let range = self.range(item);
            let at = if throttled {
                now
            } else {
                let times = self.lane(scope.topic).failed(item, now);
                now.saturating_add(self.pause_after(times))
            };
            self.lane(scope.topic).plan(item, Some((range, at)));
        }
    }

    /// Notes that a read of items made this many API calls.
    pub fn cost(&mut self, scope: &Scope, calls: u64) {
        if scope.topic == Topic::Items {
            let (made, items) = self.cost;
            self.cost = (made + calls, items + scope.items.len() as u64);
            // Older reads count less and less.
            if self.cost.1 > 2 * COST_WINDOW {
                self.cost = (self.cost.0 / 2, self.cost.1 / 2);
            }
        }
    }

    /// How long it takes to read every item once, at the cadence and within the budget of calls;
    /// `None` if nothing is read item by item.
    ///
    /// What somebody looks at is read first and leaves a third of the budget to the rest, at least.
    pub fn sweep(&self) -> Option<Duration> {
        if self.items.len() == 0 {
            return None;
        }
        let near = self.items.all().filter(|item| self.interest.contains(*item)).count();
        let far = self.items.len() - near;
        let (made, items) = self.cost;
        let calls = if items == 0 { 1.0 } else { made as f64 / items as f64 };
        let budget = f64::from(self.cadence.budget_per_minute.max(1)) / 60.0;
        let least = 1.0 / f64::from(lane::FAR_TURN);
        let near_calls = near as f64 * calls;
        let wanted = near_calls / self.cadence.fast.as_secs_f64().max(0.001);
        let far_budget = (budget - wanted).max(budget * least);
        let near_every = match near {
            0 => 0.0,
            _ => (near_calls / (budget * (1.0 - least))).max(self.cadence.fast.as_secs_f64()),
        };
        let far_every = match far {
            0 => 0.0,
            _ => (far as f64 * calls / far_budget).max(self.cadence.slow.as_secs_f64()),
        };
        let longest = near_every.max(far_every) * (1.0 + self.jitter());
        Some(Duration::try_from_secs_f64(longest).unwrap_or(Duration::MAX))
    }

    /// What is visible or moving now.
    pub fn watch(&mut self, interest: BTreeSet<ItemId>, everything: bool, now: Duration) {
        let all = everything && !self.everything;
        self.everything = everything;
        let old = std::mem::replace(&mut self.interest, interest);
        let changed: Vec<ItemId> = if all {
            self.series.all().chain(self.items.all()).cloned().collect()
        } else {
            old.symmetric_difference(&self.interest).cloned().collect()
        };
        let vary = self.chance();
        for item in changed {
            self.replan(&item, now, vary);
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
            None => {
                let series = self.series.all();
                let shown = series.filter(|s| self.everything || self.interest.contains(*s));
                self.items.all().chain(shown).cloned().collect()
            }
        };
        for flight in &mut self.in_flight {
            // What is under way may have been told before it was asked for again.
            flight.again = true;
            let scope = &flight.scope;
            flight.items.extend(wanted.iter().filter(|i| scope.items.contains(i)).cloned());
        }
        for item in wanted {
            for topic in [Topic::Items, Topic::Series] {
                if !self.is_under_way(topic, &item) {
                    // Asked for by a human, so before what is merely due.
                    self.lane(topic).plan(&item, Some((Range::Near, now)));
                }
            }
        }
    }

    /// Something was written to `item`: it is read again, and what is under way does not count.
    pub fn written(&mut self, item: &ItemId, now: Duration) {
        self.refresh(Some(std::slice::from_ref(item)), now);
        for flight in &mut self.in_flight {
            let whole = matches!(flight.scope.topic, Topic::Overview | Topic::Changes);
            flight.outdated |= whole || flight.items.contains(item);
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

    /// Whether everything is wanted and was answered or failed at least once. A source that is in
    /// trouble as a whole has failed for everything; one that asks to wait has said nothing yet.
    pub fn settled(&self) -> bool {
        let overview = self.paused.get(&Topic::Overview);
        let down = overview.is_some_and(|p| p.wide && !p.throttled) && self.in_flight.is_empty();
        let answered =
            self.due.keys().all(|topic| self.tried.contains(topic)) && self.unread() == 0;
        self.everything && (down || answered)
    }

    fn begin(&mut self, scope: Scope) -> Scope {
        self.in_flight.push(Flight {
            scope: scope.clone(),
            again: false,
            items: BTreeSet::new(),
            outdated: false,
        });
        scope
    }

    fn end(&mut self, scope: &Scope) -> Option<Flight> {
        let at = self.in_flight.iter().position(|flight| flight.scope == *scope)?;
        Some(self.in_flight.swap_remove(at))
    }

    fn is_flying(&self, topic: Topic) -> bool {
        self.in_flight.iter().any(|flight| flight.scope.topic == topic)
    }

    fn is_under_way(&self, topic: Topic, item: &ItemId) -> bool {
        let mut scopes = self.in_flight.iter().map(|flight| &flight.scope);
        scopes.any(|s| s.topic == topic && s.items.contains(item))
    }

    fn may(&self, topic: Topic, now: Duration) -> bool {
        self.topics.contains(&topic) && now >= self.pause_end(topic)
    }

    /// An overview that fails because of the source holds back everything else too.
    fn pause_end(&self, topic: Topic) -> Duration {
        let own = self.paused.get(&topic).map_or(Duration::ZERO, |p| p.until);
        let overview = self.paused.get(&Topic::Overview).filter(|p| p.wide).map(|p| p.until);
        own.max(overview.unwrap_or_default())
    }

    fn pause_after(&mut self, times: u32) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1_u32 << times.saturating_sub(1).min(10));
        self.vary(doubled).min(self.cadence.longest_pause)
    }

    fn lane(&mut self, topic: Topic) -> &mut Lane {
        if topic == Topic::Series { &mut self.series } else { &mut self.items }
    }

    fn range(&self, item: &ItemId) -> Range {
        if self.interest.contains(item) { Range::Near } else { Range::Far }
    }

    fn again_after(&mut self, topic: Topic, interval: Duration, now: Duration) {
        let next = now.saturating_add(self.vary(interval));
        self.due.insert(topic, next);
    }

    fn found(&mut self, found: Vec<ItemId>, now: Duration) {
        let found: BTreeSet<ItemId> = found.into_iter().collect();
        let gone: Vec<ItemId> =
            self.items.all().filter(|item| !found.contains(*item)).cloned().collect();
        for item in gone {
            self.items.drop(&item);
        }
        let vary = self.chance();
        for item in found {
            if !self.items.contains(&item) {
                self.items.add(item.clone());
                self.replan(&item, now, vary);
            }
        }
    }

    /// Plans the next read of `item` by what is known of it and who is interested.
    fn replan(&mut self, item: &ItemId, now: Duration, vary: f64) {
        let range = self.range(item);
        for topic in [Topic::Items, Topic::Series] {
            if !self.lane(topic).contains(item) || self.is_under_way(topic, item) {
                continue;
            }
            // Nobody reads figures that nobody looks at.
            let paused = topic == Topic::Series && range == Range::Far && !self.everything;
            let at = match (self.lane(topic).last(item), range) {
                _ if paused => None,
                (Some(last), _) => {
                    Some(last.saturating_add(times(self.interval(topic, range), vary)))
                }
                // Never read: due before anything that was.
                (None, Range::Near) => Some(Duration::ZERO),
                (None, Range::Far) => Some(now.max(Duration::from_millis(1))),
            };
            self.lane(topic).plan(item, at.map(|at| (range, at)));
        }
    }

    fn interval(&self, topic: Topic, range: Range) -> Duration {
        match (range, topic) {
            (Range::Far, _) => self.cadence.slow,
            (Range::Near, Topic::Series) => self.cadence.series,
            (Range::Near, _) => self.cadence.fast,
        }
    }

    fn jitter(&self) -> f64 {
        Some(self.cadence.jitter).filter(|j| j.is_finite()).map_or(0.0, |j| j.clamp(0.0, 0.5))
    }

    /// By how much the next wait differs from the usual one.
    fn chance(&mut self) -> f64 {
        let jitter = self.jitter();
        self.rng.random_range(1.0 - jitter..=1.0 + jitter)
    }

    fn vary(&mut self, interval: Duration) -> Duration {
        times(interval, self.chance())
    }
}

fn times(interval: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(interval.as_secs_f64() * factor).unwrap_or(interval)
}
