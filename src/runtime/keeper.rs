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

use crate::app::Msg;
use crate::backend::clock::SharedClock;
use crate::backend::context::{Meter, ReadContext};
use crate::backend::schedule::Schedule;
use crate::backend::{Cadence, Source};
use crate::domain::Timestamp;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::ItemId;
use crate::domain::observation::{Observation, ReadFailed, Scope};
use crate::domain::source::{SourceMeta, SourceReport};

/// Facts taken from one answer; a source that floods is cut here and says so.
const MAX_FACTS: usize = 50_000;
/// Between reports of calls and budget while nothing else happens.
const REPORT_EVERY: Duration = Duration::from_secs(5);

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
}

/// Keeps one source until `orders` closes.
pub async fn keep(
    source: Arc<dyn Source>,
    series: Vec<ItemId>,
    clock: SharedClock,
    mut orders: mpsc::UnboundedReceiver<Order>,
    out: mpsc::Sender<Msg>,
) {
    let meta = source.meta();
    let cadence = source.cadence();
    let meter = Arc::new(Meter::new(cadence.budget_per_minute));
    let context = ReadContext::new(Arc::clone(&clock), 0, Arc::clone(&meter));
    let seed = meta.id.as_str().bytes().fold(0, |sum: u64, b| sum.wrapping_mul(31) + u64::from(b));
    let mut keeper = Keeper {
        schedule: Schedule::new(cadence, meta.capabilities.topics.clone(), series, seed),
        start: Instant::now(),
        counted: Vec::new(),
        reported: None,
        backoff: None,
        meta,
        cadence,
        clock,
        meter,
        out,
    };
    let mut reads: JoinSet<Read> = JoinSet::new();
    loop {
        let now = keeper.start.elapsed();
        while let Some(scope) = keeper.schedule.next(now) {
            reads.spawn(read(Arc::clone(&source), scope, context.for_read(), cadence.deadline));
        }
        if !keeper.report().await {
            return;
        }
        let wake = keeper.schedule.wake().map_or(REPORT_EVERY, |at| at.saturating_sub(now));
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => keeper.obey(order),
                None => return,
            },
            Some(read) = reads.join_next() => {
                // `read` itself catches panics; what is left is an abort at shutdown.
                let Ok(read) = read else { continue };
                if !keeper.take(read).await {
                    return;
                }
            },
            () = tokio::time::sleep(wake.clamp(Duration::from_millis(5), REPORT_EVERY)) => {},
        }
    }
}

/// A read that has ended.
struct Read {
    scope: Scope,
    result: Result<Observation, Fault>,
    calls: u64,
}

async fn read(
    source: Arc<dyn Source>,
    scope: Scope,
    context: ReadContext,
    deadline: Duration,
) -> Read {
    let start = Instant::now();
    let asked = scope.clone();
    let reading = async { source.observe(&asked, &context).await };
    let mut reading = std::pin::pin!(AssertUnwindSafe(reading).catch_unwind());
    let ended = loop {
        // The deadline is for the backend: waiting for our own budget does not count.
        let limit = deadline.saturating_add(context.waited());
        let left = limit.saturating_sub(start.elapsed());
        match tokio::time::timeout(left, &mut reading).await {
            Ok(ended) => break Some(ended),
            Err(_) if context.waited() > limit.saturating_sub(deadline) => {}
            Err(_) => break None,
        }
    };
    let what = scope.topic.word();
    let result = match ended {
        Some(Ok(result)) => result,
        Some(Err(_panic)) => Err(Fault::new(
            FaultKind::Crashed,
            format!("the adapter of {} panicked while reading {what}", source.meta().id),
        )),
        None => Err(Fault::new(
            FaultKind::Unreachable,
            format!("no answer within {} s while reading {what}", deadline.as_secs_f32()),
        )),
    };
    let calls = context.calls();
    Read { scope, result, calls }
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
    out: mpsc::Sender<Msg>,
}

impl Keeper {
    fn obey(&mut self, order: Order) {
        let now = self.start.elapsed();
        match order {
            Order::Watch { items, everything } => self.schedule.watch(items, everything, now),
            Order::Refresh(items) => self.schedule.refresh(items.as_deref(), now),
        }
    }

    /// Passes on what a read brought; false when nobody listens any more.
    async fn take(&mut self, read: Read) -> bool {
        let Read { scope, result, calls } = read;
        let now = self.start.elapsed();
        self.schedule.cost(&scope, calls);
        let msg = match result.and_then(|observation| self.checked(observation)) {
            Ok(observation) => {
                self.schedule.succeeded(&scope, observation.items.clone(), now);
                Msg::Observed(Box::new(observation))
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
                Msg::ReadFailed(Box::new(ReadFailed { source, epoch: 0, scope, at, fault }))
            }
        };
        self.out.send(msg).await.is_ok()
    }

    /// An answer that is the source's own and of bounded size.
    fn checked(&self, mut observation: Observation) -> Result<Observation, Fault> {
        if observation.source != self.meta.id {
            let message = format!("{} answered as {}", self.meta.id, observation.source);
            return Err(Fault::new(FaultKind::Crashed, message));
        }
        let items = observation.items.as_ref().map_or(0, Vec::len);
        let count = observation.facts.len().max(observation.faults.len()).max(items);
        if count > MAX_FACTS {
            observation.facts.truncate(MAX_FACTS);
            observation.faults.truncate(MAX_FACTS);
            if let Some(items) = &mut observation.items {
                items.truncate(MAX_FACTS);
            }
            // What was cut off is not gone.
            observation.complete.clear();
            let warning = format!("{count} facts in one answer; the first {MAX_FACTS} are shown");
            observation.warnings.push(warning.into());
        }
        Ok(observation)
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
