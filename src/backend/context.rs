//! What a read is given: the time, its epoch, and the budget it draws calls from.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::clock::SharedClock;
use crate::domain::ids::SourceId;
use crate::domain::observation::{Observation, Scope};

/// What a read is given.
#[derive(Clone)]
pub struct ReadContext {
    clock: SharedClock,
    epoch: u64,
    meter: Arc<Meter>,
    at_once: bool,
    own: Arc<Own>,
}

/// What one read did so far.
#[derive(Default)]
struct Own {
    calls: AtomicU64,
    waits: Mutex<Waits>,
}

/// Time in which at least one call of a read waited for the budget.
#[derive(Default)]
struct Waits {
    sum: Duration,
    until: Option<Instant>,
}

impl ReadContext {
    /// The context of the reads of one epoch.
    pub fn new(clock: SharedClock, epoch: u64, meter: Arc<Meter>) -> Self {
        Self { clock, epoch, meter, at_once: false, own: Arc::default() }
    }

    /// For a write: its calls count, and wait for none of the reads; these wait the longer.
    #[must_use]
    pub fn at_once(self) -> Self {
        Self { at_once: true, ..self }
    }

    /// The same for one more read, with calls and waits counted from zero.
    #[must_use]
    pub fn for_read(&self) -> Self {
        Self { own: Arc::default(), ..self.clone() }
    }

    /// API calls made by this read.
    pub fn calls(&self) -> u64 {
        self.own.calls.load(Ordering::Relaxed)
    }

    /// How long this read has waited for the budget, the wait that is under way included.
    pub fn waited(&self) -> Duration {
        self.own.waits.lock().unwrap_or_else(PoisonError::into_inner).sum
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Call this before each API call: counts it, and waits while the budget is used up.
    pub async fn spend(&self) {
        while let Some(wait) = self.meter.take(self.at_once) {
            self.own.wait(wait);
            tokio::time::sleep(wait).await;
            self.own.woken();
        }
        self.own.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// An answer to `scope`, stamped with the time now.
    pub fn answer(&self, source: &SourceId, scope: &Scope) -> Observation {
        Observation::new(source, self.epoch, scope, self.now())
    }
}

impl Own {
    fn wait(&self, wait: Duration) {
        let now = Instant::now();
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        // Calls that wait at the same time delay the read once.
        let from = waits.until.map_or(now, |until| until.max(now));
        let until = now + wait;
        waits.sum += until.saturating_duration_since(from);
        waits.until = Some(until.max(from));
    }

    /// A wait is over, later than it was meant to be where the machine is busy.
    fn woken(&self) {
        let now = Instant::now();
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = waits.until.filter(|until| *until < now) {
            waits.sum += now.duration_since(until);
            waits.until = Some(now);
        }
    }
}

/// Counts the API calls of one source and spaces them: a token bucket that holds ten seconds' worth.
pub struct Meter {
    calls: AtomicU64,
    per_minute: u32,
    bucket: Mutex<Bucket>,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
    /// Calls that may still be made ahead of their time.
    loan: f64,
}

/// The shortest wait for a call.
const SHORTEST: Duration = Duration::from_millis(1);
/// How much faster a picture is read for which somebody waits, and for how many minutes' worth.
const LENT: f64 = 5.0;

impl Meter {
    /// A meter that lets `per_minute` calls pass.
    pub fn new(per_minute: u32) -> Self {
        Self::with_loan(per_minute, 0.0)
    }

    /// The same for a picture for which somebody waits: the calls of the next minutes are lent, at a
    /// few times the pace, so that all of a usual account is read before anybody gives up.
    pub fn lending(per_minute: u32) -> Self {
        Self::with_loan(per_minute, f64::from(per_minute.max(1)) * (LENT - 1.0))
    }

    fn with_loan(per_minute: u32, loan: f64) -> Self {
        let per_minute = per_minute.max(1);
        let bucket = Bucket { tokens: burst(per_minute), filled: Instant::now(), loan };
        Self { calls: AtomicU64::new(0), per_minute, bucket: Mutex::new(bucket) }
    }

    /// Calls allowed a minute.
    pub fn per_minute(&self) -> u32 {
        self.per_minute
    }

    /// Calls made so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Takes a call from the bucket, or says how long to wait before trying again. What is taken at
    /// once and is not there is owed.
    fn take(&self, at_once: bool) -> Option<Duration> {
        let rate = f64::from(self.per_minute) / 60.0;
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let gained = now.duration_since(bucket.filled).as_secs_f64() * rate;
        let room = (burst(self.per_minute) - bucket.tokens - gained).max(0.0);
        let lent = (gained * (LENT - 1.0)).min(bucket.loan).min(room);
        bucket.loan -= lent;
        bucket.tokens = (bucket.tokens + gained + lent).min(burst(self.per_minute));
        bucket.filled = now;
        if at_once || bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            self.calls.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let pace = if bucket.loan > 0.0 { rate * LENT } else { rate };
        // What rounding leaves of a token must not be waited for in no time, again and again.
        Some(Duration::from_secs_f64((1.0 - bucket.tokens) / pace).max(SHORTEST))
    }
}

/// The meters of all sources of a control room: whatever asks a source counts with the same one.
#[derive(Clone, Default)]
pub struct Meters {
    lends: bool,
    known: Arc<Mutex<BTreeMap<SourceId, Arc<Meter>>>>,
}

impl Meters {
    /// Meters that lend calls, if somebody waits for a picture.
    pub fn new(lends: bool) -> Self {
        Self { lends, known: Arc::default() }
    }

    /// The meter of `source`, which lets `per_minute` calls pass.
    pub fn of(&self, source: &SourceId, per_minute: u32) -> Arc<Meter> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(meter) = known.get(source) {
            return Arc::clone(meter);
        }
        let meter = if self.lends { Meter::lending(per_minute) } else { Meter::new(per_minute) };
        let meter = Arc::new(meter);
        known.insert(source.clone(), Arc::clone(&meter));
        meter
    }
}

fn burst(per_minute: u32) -> f64 {
    (f64::from(per_minute) / 6.0).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::clock::WallClock;

    /// Calls that pass within `limit` when they are asked for one after the other.
    async fn calls_in(meter: Meter, limit: Duration) -> u64 {
        let meter = Arc::new(meter);
        let context = ReadContext::new(Arc::new(WallClock), 0, Arc::clone(&meter));
        let spending = async {
            loop {
                context.spend().await;
            }
        };
        let _ = tokio::time::timeout(limit, spending).await;
        meter.calls()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_called_at_once_counts_and_the_others_wait_for_it() {
        let meters = Meters::default();
        let meter = meters.of(&SourceId::new("a"), 60);
        assert!(Arc::ptr_eq(&meter, &meters.of(&SourceId::new("a"), 60)));
        let read = ReadContext::new(Arc::new(WallClock), 0, Arc::clone(&meter));
        let write = read.for_read().at_once();
        let start = Instant::now();
        for _ in 0..10 {
            read.spend().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO, "ten seconds' worth");
        for _ in 0..3 {
            write.spend().await;
        }
        assert_eq!((start.elapsed(), write.waited()), (Duration::ZERO, Duration::ZERO));
        assert_eq!((meter.calls(), write.calls()), (13, 3));
        read.spend().await;
        // What was owed comes first: three calls, and its own.
        assert!(start.elapsed().abs_diff(Duration::from_secs(4)) < Duration::from_millis(50));
        assert_eq!(meter.calls(), 14);
    }

    #[tokio::test(start_paused = true)]
    async fn a_picture_that_is_waited_for_is_read_sooner_and_on_the_whole_costs_little_more() {
        let (seconds, hour) = (Duration::from_secs, Duration::from_hours(1));
        let plain = calls_in(Meter::new(120), seconds(20)).await;
        assert!((58..=61).contains(&plain), "{plain}");
        // Fifty pipelines at three calls each, and the listing.
        let lent = calls_in(Meter::lending(120), seconds(20)).await;
        assert!((200..=230).contains(&lent), "{lent}");
        let plain = calls_in(Meter::new(120), hour).await;
        let lent = calls_in(Meter::lending(120), hour).await;
        assert!(lent <= plain + 480 && lent >= plain + 400, "{lent} for {plain}");
    }
}
