//! The gateway: the one way to write. Reads again, records, sends once, and looks for the effect.

mod fresh;
mod past;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::app::Msg;
use crate::app::activity::{Activity, Phase, WriteReport};
use crate::backend::Source;
use crate::backend::clock::SharedClock;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::SourceId;
use crate::domain::text::SafeText;
use crate::domain::write::{
    Confirmed, Expectation, Order, Outcome, Receipt, Seen, Write, expectation, seen,
};
use crate::store::journal::{Event, Journal, JournalError, Record};
use crate::store::lock::{Lock, try_lock};
use fresh::{answered_by, conflict, read};

/// How long a submission may take before its outcome counts as unknown.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long the effect is looked for.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks.
const PACE: Duration = Duration::from_millis(700);
/// How far back plans are shown.
const LATELY: SignedDuration = SignedDuration::from_hours(48);

/// What writes are made through.
pub struct Gateway {
    sources: BTreeMap<SourceId, Arc<dyn Source>>,
    clock: SharedClock,
    journal: Journal,
    locks: PathBuf,
    who: SafeText,
    patience: Duration,
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
        Self { sources, clock, journal, locks: folder, who, patience: PATIENCE }
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
        let recorded = self.ready().map_err(|error| error.to_string()).and_then(|_| {
            let plan = serde_json::to_value(confirmed).map_err(|error| error.to_string())?;
            let event = Event::Confirmed { plan };
            self.record(confirmed, None, event).map_err(|error| error.to_string())
        });
        let mut over = false;
        for (step, own) in plan.steps.iter().enumerate() {
            let outcome = match &recorded {
                Ok(()) if over && !own.write.stands_alone() => {
                    Outcome::Refused { why: "not sent: a step before it was not done".into() }
                }
                Ok(()) => {
                    let outcome = self.step(confirmed, step, out).await;
                    self.ended(confirmed, step, outcome)
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

    async fn step(&self, confirmed: &Confirmed, step: usize, out: &mpsc::Sender<Msg>) -> Outcome {
        let Some(order) = confirmed.order(step) else {
            return Outcome::Refused { why: "there is no such step".into() };
        };
        self.report(confirmed, step, Phase::Checking, out).await;
        let id = order.write().source();
        let Some(source) = self.sources.get(&id) else {
            return Outcome::Refused { why: format!("there is no source {id}").into() };
        };
        let target = target_lock(order.write());
        let lock = match try_lock(&self.locks, &target, self.who.as_str()) {
            Ok(Lock::Taken(lock)) => lock,
            Ok(Lock::Held(who)) => {
                let who = who.map(|who| format!(": {who}")).unwrap_or_default();
                let why = format!("another process of this host writes to {target} right now{who}");
                return Outcome::Refused { why: why.into() };
            }
            Err(error) => {
                return Outcome::Refused { why: format!("cannot lock {target}: {error}").into() };
            }
        };
        if let Err(outcome) = self.check(source, &order).await {
            return outcome;
        }
        let sending = match serde_json::to_value(&order) {
            Ok(order) => Event::Sending { order },
            Err(error) => return Outcome::Refused { why: error.to_string().into() },
        };
        if let Err(error) = self.record(confirmed, Some(step), sending) {
            return Outcome::Unrecorded { why: error.to_string().into() };
        }
        self.report(confirmed, step, Phase::Sending, out).await;
        let reply = self.send(source, &order).await;
        // It was sent: without this line, its end tells the same.
        let _ = self.record(confirmed, Some(step), reply_event(&reply));
        self.report(confirmed, step, Phase::Verifying, out).await;
        let outcome =
            self.verify(source, order.write(), order.expects(), reply, self.patience).await;
        drop(lock);
        outcome
    }

    /// Reads the target again: only what was seen may be written to.
    async fn check(&self, source: &Arc<dyn Source>, order: &Order) -> Result<(), Outcome> {
        let fresh = match read(source, order.write(), &self.clock).await {
            Ok(fresh) => fresh,
            Err(fault) => {
                let why = format!("the target could not be read again: {fault} ({})", fault.hint);
                return Err(Outcome::Refused { why: why.into() });
            }
        };
        let now = match expectation(order.write(), &fresh.fleet) {
            Ok(now) => now,
            Err(why) => {
                return Err(match answered_by(order.write(), &fresh.fleet) {
                    Some(answered) => answered,
                    None if !fresh.fleet.knows(&order.write().target()) => {
                        Outcome::Refused { why: why.into() }
                    }
                    None => Outcome::Moved { moved: vec![order.expects().gone(&why)], said: None },
                });
            }
        };
        let moved = order.expects().moved(&now);
        if moved.is_empty() {
            return Ok(());
        }
        Err(answered_by(order.write(), &fresh.fleet)
            .unwrap_or(Outcome::Moved { moved, said: None }))
    }

    async fn send(&self, source: &Arc<dyn Source>, order: &Order) -> Result<Receipt, Fault> {
        let context = fresh::context(source, &self.clock);
        match tokio::time::timeout(DEADLINE, source.submit(order, &context)).await {
            Ok(reply) => reply,
            Err(_) => Err(Fault::new(
                FaultKind::OutcomeUnknown,
                format!("no answer within {} s", DEADLINE.as_secs()),
            )),
        }
    }

    /// Reads the target until it shows the effect, or patience ends.
    async fn verify(
        &self,
        source: &Arc<dyn Source>,
        write: &Write,
        was: &Expectation,
        reply: Result<Receipt, Fault>,
        patience: Duration,
    ) -> Outcome {
        let (note, sure) = match reply {
            Ok(receipt) => (receipt.note.or(receipt.id), true),
            Err(fault) if fault.kind == FaultKind::OutcomeUnknown => (Some(fault.message), false),
            Err(fault) if matches!(fault.kind, FaultKind::Conflict | FaultKind::InvalidRequest) => {
                return conflict(source, write, was, fault, &self.clock).await;
            }
            Err(fault) if matches!(fault.kind, FaultKind::Throttled { .. }) => {
                // Something on the way back may have said so.
                let now = read(source, write, &self.clock).await.ok();
                if now.is_some_and(|now| seen(write, was, &now.fleet) == Seen::Effect) {
                    let note =
                        format!("it was answered as {fault}; reading again shows that it was done");
                    return Outcome::Done { note: Some(note.into()) };
                }
                return Outcome::Failed { fault };
            }
            Err(fault) => return Outcome::Failed { fault },
        };
        let start = Instant::now();
        let not_yet = "its effect was not seen yet";
        let mut last = not_yet.to_owned();
        loop {
            let mut end = start + patience;
            match read(source, write, &self.clock).await {
                Ok(now) => match seen(write, was, &now.fleet) {
                    Seen::Effect if sure => return Outcome::Done { note },
                    Seen::Effect => {
                        let note = "the answer was lost; reading again shows that it was done";
                        return Outcome::Done { note: Some(note.into()) };
                    }
                    Seen::Other(what) => {
                        let told = answered_by(write, &now.fleet);
                        return told.unwrap_or(Outcome::Refused { why: what.into() });
                    }
                    Seen::NotYet => not_yet.clone_into(&mut last),
                    Seen::Unknown(why) => last = why,
                },
                // What could not be read yet is tried for, however long ago it was sent.
                Err(fault) => {
                    last = fault.to_string();
                    end = start + self.patience;
                }
            }
            if Instant::now() + PACE >= end {
                break;
            }
            tokio::time::sleep(PACE).await;
        }
        let said = note.map(|note| format!(" ({note})")).unwrap_or_default();
        let why = if sure {
            format!("it was accepted{said}, but {last}")
        } else {
            format!("the answer was lost{said}, and {last}")
        };
        Outcome::Unknown { why: why.into() }
    }

    /// The plans that the journal knows from the last days, the newest first.
    pub fn past(&self) -> Result<Vec<Activity>, JournalError> {
        let now = self.clock.now();
        let since = now - LATELY;
        let known = self.journal.read(Some(since))?;
        let (locks, who) = (&self.locks, self.who.as_str());
        let over =
            |plan: &str| matches!(try_lock(locks, &plan_lock(plan), who), Ok(Lock::Taken(_)));
        Ok(past::activities(&known.entries, now, &over))
    }

    /// Looks for the outcome of every write that was sent and has none, as after a crash, and records
    /// it. Those that another process carries out right now are left to it. Returns how many were
    /// looked for.
    pub async fn reconcile(&self) -> Result<usize, JournalError> {
        let known = self.journal.read(None)?;
        let mut looked = 0;
        for entry in known.unresolved() {
            let Some((write, was)) = past::sent(entry) else { continue };
            let Some(source) = self.sources.get(&write.source()) else { continue };
            let lock = try_lock(&self.locks, &target_lock(&write), self.who.as_str());
            let Ok(Lock::Taken(_lock)) = lock else { continue };
            let message = "the program ended before the answer came";
            let lost = Err(Fault::new(FaultKind::OutcomeUnknown, message));
            let record = &entry.record;
            // What did not show in its time is not waited for once more.
            let ago = self.clock.now().duration_since(record.at);
            let ago = Duration::try_from(ago).unwrap_or_default();
            let left = self.patience.saturating_sub(ago);
            let outcome = self.verify(source, &write, &was, lost, left).await;
            self.journal.append(&Record {
                at: self.clock.now(),
                plan: record.plan.clone(),
                title: record.title.clone(),
                step: record.step,
                who: self.who.clone(),
                event: ended(&outcome),
            })?;
            looked += 1;
        }
        Ok(looked)
    }

    /// Records what came of it. What was sent and cannot be recorded is told all the same.
    fn ended(&self, confirmed: &Confirmed, step: usize, outcome: Outcome) -> Outcome {
        match self.record(confirmed, Some(step), ended(&outcome)) {
            Ok(()) => outcome,
            Err(error) => outcome.but(&format!(
                "this was not recorded, and is looked for again at the next start: {error}"
            )),
        }
    }

    /// Whether the journal takes writes now. Returns whether its last line is torn.
    pub fn ready(&self) -> Result<bool, JournalError> {
        self.journal.check()
    }

    fn record(
        &self,
        confirmed: &Confirmed,
        step: Option<usize>,
        event: Event,
    ) -> Result<(), JournalError> {
        let plan = confirmed.plan();
        self.journal.append(&Record {
            at: self.clock.now(),
            plan: plan.id.0.clone(),
            title: plan.title.clone(),
            step,
            who: self.who.clone(),
            event,
        })
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

fn ended(outcome: &Outcome) -> Event {
    Event::Ended {
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
