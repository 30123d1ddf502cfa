//! The keeper of one source: reads it when its schedule says so, and survives whatever it does.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use jiff::SignedDuration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::answer::{checked, parts};
use super::manner::Manner;
use super::reading::{Read, Running, read};
use crate::app::Msg;
use crate::backend::clock::SharedClock;
use crate::backend::context::{Meter, Meters, ReadContext};
use crate::backend::schedule::Schedule;
use crate::backend::{Cadence, Source};
use crate::domain::Timestamp;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::{ItemId, SourceId};
use crate::domain::observation::{ReadFailed, Scope, Topic};
use crate::domain::source::{SourceMeta, SourceReport};

/// Between reports of calls and budget while nothing else happens.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// Between two looks at the schedule, at least.
const SHORTEST_WAIT: Duration = Duration::from_millis(5);
/// Between two looks at a read that blocks its thread.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Before a keeper that panicked is started again; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// An order to a keeper.
#[derive(Debug, Clone)]
pub enum Order {
    /// This is visible or moving.
    Watch {
        /// Items of this source.
        items: BTreeSet<ItemId>,
        /// Everything is wanted, for a headless picture.
        everything: bool,
    },
    /// Read these now; all if `None`.
    Refresh(Option<Vec<ItemId>>),
    /// This was written to: what is being read of it now does not count, and it is read again.
    Written(ItemId),
}

/// What a keeper keeps, and how.
pub struct Kept {
    /// The source's id.
    pub id: SourceId,
    /// The source.
    pub source: Arc<dyn Source>,
    /// The series that may be asked of it.
    pub series: Vec<ItemId>,
    /// The time.
    pub clock: SharedClock,
    /// Where its calls are counted.
    pub meters: Meters,
    /// How it is read.
    pub manner: Manner,
}

/// What outlives a keeper that panics.
struct Standing {
    orders: mpsc::UnboundedReceiver<Order>,
    /// The newest `Order::Watch`.
    watch: Option<Order>,
    /// How often it was started again.
    epoch: u64,
}

/// Keeps one source until `orders` closes. A keeper that panics says so and is started again.
pub async fn keep(kept: Kept, orders: mpsc::UnboundedReceiver<Order>, out: mpsc::Sender<Msg>) {
    let mut standing = Standing { orders, watch: None, epoch: 0 };
    let mut pause = FIRST_PAUSE;
    loop {
        let keeping = AssertUnwindSafe(run(&kept, &mut standing, &out)).catch_unwind();
        let Err(_panic) = keeping.await else { return };
        let message = format!("the keeper of {} panicked and is started again", kept.id);
        let failed = ReadFailed {
            source: kept.id.clone(),
            epoch: standing.epoch,
            scope: Scope { topic: Topic::Overview, items: Vec::new() },
            at: kept.clock.now(),
            fault: Fault::new(FaultKind::Crashed, message),
        };
        if out.send(Msg::ReadFailed(Box::new(failed))).await.is_err() {
            return;
        }
        standing.epoch += 1;
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

async fn run(kept: &Kept, standing: &mut Standing, out: &mpsc::Sender<Msg>) {
    let meta = kept.source.meta();
    let cadence = kept.source.cadence();
    let meter = kept.meters.of(&kept.id, cadence.budget_per_minute);
    let context = ReadContext::new(Arc::clone(&kept.clock), standing.epoch, Arc::clone(&meter));
    let seed = kept.manner.seed_of(&kept.id);
    let topics = meta.capabilities.topics.clone();
    let mut keeper = Keeper {
        schedule: Schedule::new(cadence, topics, kept.series.iter().cloned(), seed),
        start: Instant::now(),
        counted: Vec::new(),
        reported: None,
        backoff: None,
        meta,
        cadence,
        clock: Arc::clone(&kept.clock),
        meter,
        epoch: standing.epoch,
        out: out.clone(),
    };
    if let Some(watch) = standing.watch.clone() {
        keeper.obey(watch);
    }
    let mut reads: JoinSet<Read> = JoinSet::new();
    let mut stuck: Vec<Running> = Vec::new();
    loop {
        let now = keeper.start.elapsed();
        stuck.retain_mut(|running| !running.is_over());
        // A read that blocks its thread for ever must not take one thread after the other.
        while reads.len() + stuck.len() < cadence.concurrency.max(1)
            && let Some(scope) = keeper.schedule.next(now)
        {
            reads.spawn(read(
                Arc::clone(&kept.source),
                scope,
                context.for_read(),
                cadence.deadline,
            ));
        }
        if !keeper.report().await {
            return;
        }
        let wake = keeper.schedule.wake().map_or(REPORT_EVERY, |at| at.saturating_sub(now));
        let least = if stuck.is_empty() { SHORTEST_WAIT } else { LOOK_AGAIN };
        tokio::select! {
            order = standing.orders.recv() => match order {
                Some(order) => {
                    if matches!(order, Order::Watch { .. }) {
                        standing.watch = Some(order.clone());
                    }
                    keeper.obey(order);
                }
                None => return,
            },
            Some(read) = reads.join_next() => {
                // `read` itself catches panics; what is left is an abort at shutdown.
                let Ok(mut read) = read else { continue };
                stuck.extend(read.stuck.take());
                if !keeper.take(read).await {
                    return;
                }
            },
            () = tokio::time::sleep(wake.clamp(least, REPORT_EVERY)) => {},
        }
    }
}

struct Keeper {
    schedule: Schedule,
    start: Instant,
    /// Calls made so far, at each report of the last minute.
    counted: Vec<(Duration, u64)>,
    reported: Option<SourceReport>,
    /// The end of the pause, on the schedule and on the clock.
    backoff: Option<(Duration, Timestamp)>,
    meta: SourceMeta,
    cadence: Cadence,
    clock: SharedClock,
    meter: Arc<Meter>,
    epoch: u64,
    out: mpsc::Sender<Msg>,
}

impl Keeper {
    fn obey(&mut self, order: Order) {
        let now = self.start.elapsed();
        match order {
            Order::Watch { items, everything } => self.schedule.watch(items, everything, now),
            Order::Refresh(items) => self.schedule.refresh(items.as_deref(), now),
            Order::Written(item) => self.schedule.written(&item, now),
        }
    }

    /// Passes on what a read brought; false when nobody listens any more.
    async fn take(&mut self, read: Read) -> bool {
        let Read { scope, result, calls, .. } = read;
        let now = self.start.elapsed();
        self.schedule.cost(&scope, calls);
        let msg = match result.and_then(|answer| checked(&self.meta.id, answer)) {
            Ok(_) if self.schedule.outdated(&scope, now) => return true,
            Ok(answer) => {
                self.schedule.succeeded(&scope, answer.items.clone(), now);
                for part in parts(answer) {
                    if self.out.send(Msg::Observed(Box::new(part))).await.is_err() {
                        return false;
                    }
                }
                return true;
            }
            Err(fault) => {
                let at = self.clock.now();
                let wait = match &fault.kind {
                    FaultKind::Throttled { until: Some(until) } => {
                        Duration::try_from(until.duration_since(at)).ok()
                    }
                    _ => None,
                };
                self.schedule.failed(&scope, &fault, wait, now);
                let source = self.meta.id.clone();
                let epoch = self.epoch;
                Msg::ReadFailed(Box::new(ReadFailed { source, epoch, scope, at, fault }))
            }
        };
        self.out.send(msg).await.is_ok()
    }

    /// Reports calls and budget if they changed in a way worth showing.
    async fn report(&mut self) -> bool {
        let now = self.start.elapsed();
        let calls = self.meter.calls();
        let minute_ago = now.saturating_sub(Duration::from_mins(1));
        self.counted.retain(|(at, _)| *at >= minute_ago);
        if self.counted.last().is_none_or(|(at, _)| now >= *at + Duration::from_secs(1)) {
            self.counted.push((now, calls));
        }
        let before = self.counted.first().filter(|_| now > Duration::from_mins(1));
        let lately = calls - before.map_or(0, |(_, calls)| *calls);
        let unread = self.schedule.unread();
        let report = SourceReport {
            calls,
            calls_last_minute: u32::try_from(lately).unwrap_or(u32::MAX),
            budget_per_minute: self.cadence.budget_per_minute,
            in_flight: u32::try_from(self.schedule.in_flight()).unwrap_or(u32::MAX),
            backoff_until: self.backoff(now),
            sweep: self.schedule.sweep().map(coarse),
            unread_items: u32::try_from(unread).unwrap_or(u32::MAX),
            settled: self.schedule.settled(),
        };
        if self.reported.as_ref() == Some(&report) {
            return true;
        }
        self.reported = Some(report.clone());
        let msg = Msg::Report(self.meta.id.clone(), report);
        self.out.send(msg).await.is_ok()
    }

    /// The end of the pause; told once, so that the same pause is not reported as a new one.
    fn backoff(&mut self, now: Duration) -> Option<Timestamp> {
        let until = self.schedule.backoff(now)?;
        if let Some((known, moment)) = self.backoff
            && known == until
        {
            return Some(moment);
        }
        let wait = SignedDuration::try_from(until.saturating_sub(now)).ok()?;
        let moment = self.clock.now().checked_add(wait).ok()?;
        self.backoff = Some((until, moment));
        Some(moment)
    }
}

/// In steps of ten seconds, upwards: a sweep that varies a little is no news.
fn coarse(sweep: Duration) -> SignedDuration {
    let tens = i64::try_from(sweep.as_secs().div_ceil(10)).unwrap_or(i64::MAX);
    SignedDuration::from_secs(tens.saturating_mul(10))
}
