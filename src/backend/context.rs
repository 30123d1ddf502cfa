//! What a read is given: the time, its epoch, and the budget it draws calls from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;
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
}

impl ReadContext {
    /// The context of the reads of one epoch.
    pub fn new(clock: SharedClock, epoch: u64, meter: Arc<Meter>) -> Self {
        Self { clock, epoch, meter }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Call this before each API call: counts it, and waits while the budget is used up.
    pub async fn spend(&self) {
        self.meter.spend().await;
    }

    /// An answer to `scope`, stamped with the time now.
    pub fn answer(&self, source: &SourceId, scope: &Scope) -> Observation {
        Observation::new(source, self.epoch, scope, self.now())
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
}

impl Meter {
    /// A meter that lets `per_minute` calls pass.
    pub fn new(per_minute: u32) -> Self {
        let per_minute = per_minute.max(1);
        let bucket = Bucket { tokens: burst(per_minute), filled: Instant::now() };
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

    async fn spend(&self) {
        let rate = f64::from(self.per_minute) / 60.0;
        loop {
            let wait = {
                let mut bucket = self.bucket.lock().await;
                let now = Instant::now();
                let gained = now.duration_since(bucket.filled).as_secs_f64() * rate;
                bucket.tokens = (bucket.tokens + gained).min(burst(self.per_minute));
                bucket.filled = now;
                if bucket.tokens >= 1.0 {
                    bucket.tokens -= 1.0;
                    self.calls.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                (1.0 - bucket.tokens) / rate
            };
            tokio::time::sleep(Duration::from_secs_f64(wait)).await;
        }
    }
}

fn burst(per_minute: u32) -> f64 {
    (f64::from(per_minute) / 6.0).max(1.0)
}
