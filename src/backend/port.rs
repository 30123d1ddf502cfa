//! `Source`: the port that every adapter implements.

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};

use super::context::ReadContext;
use crate::config::Schedule;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::{ExecutionId, PipelineId};
use crate::domain::observation::{Observation, Scope};
use crate::domain::source::SourceMeta;
use crate::domain::text::SafeText;
use crate::domain::write::{Decision, Order, Receipt};

/// One configured backend.
///
/// The rules that the contract test holds every adapter to:
/// - `observe` answers only with facts of its own id, sanitised, stamped through the context;
/// - one item that cannot be read is a fault of that item, never a failure of the others, and never
///   silently left out;
/// - it names a kind as complete only when every page of its listing was read;
/// - it calls [`ReadContext::spend`] before each API call, retries nothing by itself (the schedule
///   does), may be cancelled at any await, and never panics on what the backend sends;
/// - credentials are resolved anew for each read, so that expired ones heal without a restart.
pub trait Source: Send + Sync + 'static {
    /// Who it is, where, and what it can tell and do.
    fn meta(&self) -> SourceMeta;

    /// How often and how much at once it wants to be asked.
    fn cadence(&self) -> Cadence;

    /// Reads `scope`.
    fn observe<'a>(
        &'a self,
        scope: &'a Scope,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Observation, Fault>>;

    /// Sends `order`, once, with what it expects as a native precondition where the backend has one.
    ///
    /// The rules of writing:
    /// - it is sent at most once: nothing here retries, whatever the answer or its absence;
    /// - `Conflict` means that the backend refused it because something moved or somebody was faster
    ///   (the message says who and when, where that is told); nothing happened;
    /// - `OutcomeUnknown` means that it may have happened: the connection broke, time ran out, or the
    ///   server failed after it had the request;
    /// - any other fault means that nothing happened.
    fn submit<'a>(
        &'a self,
        order: &'a Order,
        _context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Receipt, Fault>> {
        let verb = order.write().verb();
        let message = format!("{} cannot {}", self.meta().id, verb.word());
        let fault = Fault::new(FaultKind::InvalidRequest, message);
        std::future::ready(Err(fault)).boxed()
    }

    /// What became of one approval; `None` while nobody has answered it. What the stage shows may be
    /// of another execution by now: this is of this one alone.
    ///
    /// An `InvalidRequest` means that this source cannot tell.
    fn decision<'a>(
        &'a self,
        _asked: &'a Asked,
        _context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Option<Decision>, Fault>> {
        let message = format!("{} does not tell of answers", self.meta().id);
        std::future::ready(Err(Fault::new(FaultKind::InvalidRequest, message))).boxed()
    }
}

/// An approval whose answer is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// In which pipeline.
    pub pipeline: PipelineId,
    /// In which stage; in any.
    pub stage: Option<SafeText>,
    /// Of which action; of any.
    pub action: Option<SafeText>,
    /// For which execution.
    pub execution: ExecutionId,
}

/// How often and how much at once a source wants to be asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cadence {
    /// Between overviews.
    pub overview: Duration,
    /// Between reads of an item that is visible or moving.
    pub fast: Duration,
    /// Between reads of any other item.
    pub slow: Duration,
    /// Between reads of a series that somebody looks at.
    pub series: Duration,
    /// Between reads of the changes.
    pub changes: Duration,
    /// Items (or series) in one read, at most.
    pub batch: usize,
    /// Reads under way at once, at most.
    pub concurrency: usize,
    /// A read that takes longer is given up.
    pub deadline: Duration,
    /// API calls allowed a minute.
    pub budget_per_minute: u32,
    /// The share by which each wait varies, so that many control rooms do not ask in step.
    pub jitter: f64,
    /// The longest wait between two attempts while it fails.
    pub longest_pause: Duration,
}

impl Cadence {
    /// The configured cadence, for a source whose items come one call at a time.
    pub fn of(schedule: &Schedule) -> Self {
        Self {
            overview: schedule.slow.get(),
            fast: schedule.fast.get(),
            slow: schedule.slow.get(),
            series: schedule.slow.get(),
            changes: schedule.slow.get(),
            batch: 10,
            concurrency: 2,
            deadline: schedule.deadline.get(),
            budget_per_minute: schedule.budget_per_minute,
            jitter: schedule.jitter,
            longest_pause: schedule.back_off_max.get(),
        }
    }
}
