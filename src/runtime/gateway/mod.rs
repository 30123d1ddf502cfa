//! The gateway: the one way to write. Reads again, records, sends once, and looks for the effect.

mod fresh;
mod past;
mod reconcile;
mod sent;
mod verify;

pub use reconcile::Reconciled;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::app::Msg;
use crate::app::activity::{Phase, WriteReport};
use crate::backend::Source;
use crate::backend::clock::SharedClock;
use crate::backend::context::Meters;
use crate::backend::port::Asked;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fleet::Fleet;
use crate::domain::ids::{ItemId, SourceId};
use crate::domain::text::SafeText;
use crate::domain::write::{
    Confirmed, Decision, Order, Outcome, Plan, Receipt, Write, expectation,
};
use crate::store::journal::{Event, Journal, JournalError, Looked, Origin, Record};
use crate::store::lock::{Lock, try_lock};
use fresh::Asking;
use sent::Sent;

/// How long a submission may take before its outcome counts as unknown.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long the effect is looked for.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks.
const PACE: Duration = Duration::from_millis(700);

/// What writes are made through.
pub struct Gateway {
    sources: BTreeMap<SourceId, Arc<dyn Source>>,
    clock: SharedClock,
    journal: Journal,
    locks: PathBuf,
    who: SafeText,
    origin: Option<Origin>,
    patience: Duration,
    meters: Meters,
}

impl Gateway {
    /// A gateway to these sources; `folder` holds the journal and the locks of this host.
    pub fn new(
        sources: impl IntoIterator<Item = Arc<dyn Source>>,
        clock: SharedClock,
        folder: PathBuf,
        who: SafeText,
    ) -> Self {
        let sources = sources.into_iter().map(|source| (source.meta().id, source)).collect();
        let journal = Journal::new(folder.join("journal"));
        let (patience, meters) = (PATIENCE, Meters::default());
        Self { sources, clock, journal, locks: folder, who, origin: None, patience, meters }
    }

    /// From where is confirmed what it carries out.
    #[must_use]
    pub fn origin(mut self, origin: Option<Origin>) -> Self {
        self.origin = origin;
        self
    }

    /// Counts its calls among those of whoever reads these sources.
    #[must_use]
    pub fn meters(mut self, meters: &Meters) -> Self {
        self.meters = meters.clone();
        self
    }

    /// Looks for effects no longer than this.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// As whom it writes.
    pub fn who(&self) -> &SafeText {
        &self.who
    }

    /// The folder of the locks.
    pub fn locks(&self) -> &Path {
        &self.locks
    }

    /// The journal.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Carries out a confirmed plan, step by step, and reports on each to `out`. A step that is not
    /// done ends it, but for what stands alone: what comes after was not sent. Returns the outcomes.
    pub async fn carry_out(&self, confirmed: &Confirmed, out: &mpsc::Sender<Msg>) -> Vec<Outcome> {
        let plan = confirmed.plan();
        // Who finds this lock free knows that nobody carries the plan out any more.
        let _lock = try_lock(&self.locks, &plan_lock(&plan.id.0), self.who.as_str());
        let mut outcomes = Vec::new();
        let recorded = self.begin(confirmed).await;
        let mut over = false;
        for (step, own) in plan.steps.iter().enumerate() {
            let outcome = match &recorded {
                Ok(()) if over && !own.write.stands_alone() => {
                    Outcome::refused("not sent: a step before it was not done")
                }
                Ok(()) => {
                    let end = self.step(confirmed, step, out).await;
                    self.ended(confirmed, step, end).await
                }
                // No journal, no write.
                Err(why) => Outcome::Unrecorded { why: why.into() },
            };
            self.report(confirmed, step, Phase::Ended { outcome: outcome.clone() }, out).await;
            over |= !matches!(outcome, Outcome::Done { .. }) && !own.write.stands_alone();
            outcomes.push(outcome);
        }
        outcomes
    }

    async fn begin(&self, confirmed: &Confirmed) -> Result<(), String> {
        self.on_disk(Journal::check).await.map_err(|error| error.to_string())?;
        let plan = serde_json::to_value(confirmed).map_err(|error| error.to_string())?;
        let event = Event::Confirmed { plan, origin: self.origin.clone() };
        self.record(confirmed, None, event).await.map_err(|error| error.to_string())
    }

    async fn report(
        &self,
        confirmed: &Confirmed,
        step: usize,
        phase: Phase,
        out: &mpsc::Sender<Msg>,
    ) {
        let report =
            WriteReport { plan: confirmed.plan().id.clone(), step, phase, at: self.clock.now() };
        // Nobody may be listening any more; the journal has it.
        let _ = out.send(Msg::Write(Box::new(report))).await;
    }

    async fn step(&self, confirmed: &Confirmed, step: usize, out: &mpsc::Sender<Msg>) -> End {
        let Some(order) = confirmed.order(step) else {
            return Outcome::refused("there is no such step").into();
        };
        self.report(confirmed, step, Phase::Checking, out).await;
        let id = order.write().source();
        let Some(source) = self.sources.get(&id) else {
            return Outcome::refused(format!("there is no source {id}")).into();
        };
        let target = target_lock(order.write());
        let lock = match try_lock(&self.locks, &target, self.who.as_str()) {
            Ok(Lock::Taken(lock)) => lock,
            Ok(Lock::Held(who)) => {
                let who = who.map(|who| format!(": {who}")).unwrap_or_default();
                let why = format!("another process of this host writes to {target} right now{who}");
                return Outcome::refused(why).into();
            }
            Err(error) => {
                return Outcome::refused(format!("cannot lock {target}: {error}")).into();
            }
        };
        if let Err(outcome) = self.check(source, &order).await {
            return outcome.into();
        }
        let sending = match serde_json::to_value(&order) {
            Ok(order) => Event::Sending { order },
            Err(error) => return Outcome::refused(error.to_string()).into(),
        };
        if let Err(error) = self.record(confirmed, Some(step), sending).await {
            return Outcome::Unrecorded { why: error.to_string().into() }.into();
        }
        self.report(confirmed, step, Phase::Sending, out).await;
        let reply = self.send(source, &order).await;
        // It was sent: without this line, its end tells the same.
        let _ = self.record(confirmed, Some(step), reply_event(&reply)).await;
        self.report(confirmed, step, Phase::Verifying, out).await;
        let me = confirmed.plan().steps.get(step).and_then(|step| step.identity.as_ref());
        let sent = Sent { write: order.write(), was: order.expects(), me };
        let end = self.verify(source, &sent, reply).await;
        drop(lock);
        end
    }

    /// Reads the target again: only what was seen may be written to.
    async fn check(&self, source: &Arc<dyn Source>, order: &Order) -> Result<(), Outcome> {
        let asking = self.asking(source).at_once();
        let fresh = match asking.read(order.write()).await {
            Ok(fresh) => fresh,
            Err(fault) => {
                let why = format!("the target could not be read again: {fault} ({})", fault.hint);
                return Err(Outcome::Refused { why: why.into(), fault: Some(fault) });
            }
        };
        let now = match expectation(order.write(), &fresh.fleet) {
            Ok(now) => now,
            Err(why) => {
                let answered = asking.answered_by(order.write(), &fresh.fleet).await;
                return Err(match answered {
                    Some(answered) => answered,
                    None if !fresh.fleet.knows(&order.write().target()) => Outcome::refused(why),
                    None => Outcome::Moved { moved: vec![order.expects().gone(&why)], said: None },
                });
            }
        };
        let moved = order.expects().moved(&now);
        if moved.is_empty() {
            return self.check_beside(order).await;
        }
        let answered = asking.answered_by(order.write(), &fresh.fleet).await;
        Err(answered.unwrap_or(Outcome::Moved { moved, said: None }))
    }

    /// Reads again what was seen beside the target, in other sources: a canary's share goes to the
    /// version that was on the screen, or nowhere.
    async fn check_beside(&self, order: &Order) -> Result<(), Outcome> {
        let mut moved = Vec::new();
        for beside in order.expects().beside.iter().filter(|beside| beside.binding) {
            let id = &beside.environment;
            let Some(source) = self.sources.get(&id.source) else {
                return Err(Outcome::refused(format!("there is no source {}", id.source)));
            };
            let item = ItemId::Environment(id.clone());
            match self.asking(source).at_once().look(item).await {
                Ok(fresh) => moved.extend(beside.moved_or_gone(&fresh.fleet)),
                Err(fault) => {
                    let (what, hint) = (beside.what(), &fault.hint);
                    let why = format!("the {what} could not be read again: {fault} ({hint})");
                    return Err(Outcome::Refused { why: why.into(), fault: Some(fault) });
                }
            }
        }
        if moved.is_empty() { Ok(()) } else { Err(Outcome::Moved { moved, said: None }) }
    }

    async fn send(&self, source: &Arc<dyn Source>, order: &Order) -> Result<Receipt, Fault> {
        let context = self.asking(source).at_once().context();
        match tokio::time::timeout(DEADLINE, source.submit(order, &context)).await {
            Ok(reply) => reply,
            Err(_) => Err(Fault::new(
                FaultKind::OutcomeUnknown,
                format!("no answer within {} s", DEADLINE.as_secs()),
            )),
        }
    }

    /// Records what came of it. What was sent and cannot be recorded is told all the same.
    async fn ended(&self, confirmed: &Confirmed, step: usize, end: End) -> Outcome {
        let End { outcome, looked } = end;
        match self.record(confirmed, Some(step), ended(&outcome, looked)).await {
            Ok(()) => outcome,
            Err(error) => outcome.but(&format!(
                "this was not recorded, and is looked for again at the next start: {error}"
            )),
        }
    }

    /// What the target of `write` is now, as its source tells.
    pub async fn read(&self, write: &Write) -> Result<Fleet, Fault> {
        let id = write.source();
        let Some(source) = self.sources.get(&id) else {
            let message = format!("there is no source {id}");
            return Err(Fault::new(FaultKind::InvalidRequest, message));
        };
        Ok(self.asking(source).read(write).await?.fleet)
    }

    /// Its calls are among those of its source, and under the same budget.
    fn asking<'a>(&'a self, source: &'a Arc<dyn Source>) -> Asking<'a> {
        let (id, budget) = (source.meta().id, source.cadence().budget_per_minute);
        Asking::new(source, &self.clock, self.meters.of(&id, budget))
    }

    /// Between two reads of the target of `write` that somebody waits for.
    pub fn pace(&self, write: &Write) -> Duration {
        let source = self.sources.get(&write.source());
        source.map_or(PACE, |source| source.cadence().fast).max(PACE)
    }

    /// What became of one approval, as its source tells.
    pub async fn decision(&self, asked: &Asked) -> Result<Option<Decision>, Fault> {
        let Some(source) = self.sources.get(&asked.pipeline.source) else { return Ok(None) };
        self.asking(source).decision(asked).await
    }

    /// What came back for each step of `plan`, as it was recorded.
    pub fn receipts(&self, plan: &Plan) -> Vec<Option<Receipt>> {
        let Ok(known) = self.journal.read(Some(plan.at)) else { return Vec::new() };
        let told = |step| past::receipt(&known.entries, &plan.id.0, step);
        (0..plan.steps.len()).map(told).collect()
    }

    /// Whether the journal takes writes now. Returns whether its last line is torn.
    pub fn ready(&self) -> Result<bool, JournalError> {
        self.journal.check()
    }

    async fn record(
        &self,
        confirmed: &Confirmed,
        step: Option<usize>,
        event: Event,
    ) -> Result<(), JournalError> {
        let plan = confirmed.plan();
        let record = Record {
            at: self.clock.now(),
            plan: plan.id.0.clone(),
            title: plan.title.clone(),
            step,
            who: self.who.clone(),
            event,
        };
        self.on_disk(move |journal| journal.append(&record)).await
    }

    /// Files are synced, and other processes waited for, without holding up anything else.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Journal) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let journal = self.journal.clone();
        let done = tokio::task::spawn_blocking(move || work(&journal)).await;
        done.unwrap_or_else(|_| Err(self.journal.unusable()))
    }
}

/// The lock of what `write` changes.
fn target_lock(write: &Write) -> String {
    format!("{}/{}", write.source(), write.target().name())
}

/// The lock of a plan, held while it is carried out, or of a flight while it is flown.
pub(super) fn plan_lock(plan: &str) -> String {
    format!("plan {plan}")
}

/// What came of a step, and how that was found out.
struct End {
    outcome: Outcome,
    looked: Option<Looked>,
}

impl From<Outcome> for End {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, looked: None }
    }
}

fn ended(outcome: &Outcome, looked: Option<Looked>) -> Event {
    Event::Ended {
        looked,
        outcome: serde_json::to_value(outcome).unwrap_or_default(),
        sentence: outcome.sentence().into(),
    }
}

fn reply_event(reply: &Result<Receipt, Fault>) -> Event {
    let reply = match reply {
        Ok(receipt) => serde_json::json!({ "receipt": receipt }),
        Err(fault) => serde_json::json!({ "fault": fault }),
    };
    Event::Reply { reply }
}

#[cfg(test)]
mod tests;
