//! What an earlier run left: plans of before, and writes that were sent and have no outcome.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::past::{self, Left};
use super::sent::Sent;
use super::{Gateway, ended, plan_lock, target_lock};
use crate::app::activity::Activity;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;
use crate::store::journal::{Entry, JournalError, Record, Verified};
use crate::store::lock::{Lock, try_lock};

/// How far back plans are shown.
const LATELY: SignedDuration = SignedDuration::from_hours(48);
/// A source that cannot be read is tried for so long; then what was left stays open.
const TRIED: Duration = Duration::from_secs(5);

/// What came of looking for the outcomes of what was left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// How many have an outcome now.
    pub ended: usize,
    /// Those that are still open, each with why.
    pub open: Vec<SafeText>,
}

impl Gateway {
    /// The plans that the journal knows from the last days, and those that are open however old they
    /// are; the newest first.
    pub fn past(&self) -> Result<Vec<Activity>, JournalError> {
        let now = self.clock.now();
        let entries = told(self.journal.read(None)?, now - LATELY);
        let (locks, who) = (&self.locks, self.who.as_str());
        let over =
            |plan: &str| matches!(try_lock(locks, &plan_lock(plan), who), Ok(Lock::Taken(_)));
        Ok(past::activities(&entries, now, &over))
    }

    /// Looks for the outcome of every write that was sent and has none, as after a crash, and records
    /// it. Those that another process carries out right now are left to it; what could not be read
    /// stays open.
    pub async fn reconcile(&self) -> Result<Reconciled, JournalError> {
        let known = self
            .on_disk(|journal| {
                journal.check()?;
                journal.read(None)
            })
            .await?;
        let mut found = Reconciled::default();
        for entry in known.unresolved() {
            match self.resolve(&known, entry).await? {
                Resolved::Ended => found.ended += 1,
                Resolved::Elsewhere => {}
                Resolved::Open(why) => {
                    found.open.push(format!("{}: {why}", entry.record.title).into());
                }
            }
        }
        Ok(found)
    }

    async fn resolve(&self, known: &Verified, entry: &Entry) -> Result<Resolved, JournalError> {
        let record = &entry.record;
        let Some(left) = past::left(&known.entries, entry) else {
            return Ok(Resolved::Open("the line of the journal cannot be understood".to_owned()));
        };
        let Left { write, was, me, reply } = left;
        let Some(source) = self.sources.get(&write.source()) else {
            let why = format!("the source {} is configured no more", write.source());
            return Ok(Resolved::Open(why));
        };
        let lock = try_lock(&self.locks, &target_lock(&write), self.who.as_str());
        let Ok(Lock::Taken(_lock)) = lock else { return Ok(Resolved::Elsewhere) };
        // Whoever held the lock until now may have ended it.
        let again = self.on_disk(|journal| journal.read(None)).await?;
        if !again.unresolved().iter().any(|open| open.record == *record) {
            return Ok(Resolved::Elsewhere);
        }
        let message = "the program ended before the answer came";
        let lost = || Err(Fault::new(FaultKind::OutcomeUnknown, message));
        // What did not show in its time is not waited for once more.
        let ago = self.clock.now().duration_since(record.at);
        let ago = Duration::try_from(ago).unwrap_or_default();
        let patience = self.patience.saturating_sub(ago);
        let sent = Sent { write: &write, was: &was, me: me.as_ref() };
        let reply = reply.unwrap_or_else(lost);
        let unread = TRIED.min(self.patience);
        let (found, looked) = self.find(source, &sent, reply, (patience, unread)).await;
        let outcome = match found {
            Ok(outcome) => outcome,
            Err(why) => return Ok(Resolved::Open(format!("it cannot be read: {why}"))),
        };
        let record = Record {
            at: self.clock.now(),
            plan: record.plan.clone(),
            title: record.title.clone(),
            step: record.step,
            who: self.who.clone(),
            event: ended(&outcome, looked),
        };
        self.on_disk(move |journal| journal.append(&record)).await?;
        Ok(Resolved::Ended)
    }
}

/// What came of one of them.
enum Resolved {
    /// It has an outcome now.
    Ended,
    /// Somebody else looks after it.
    Elsewhere,
    /// It has none: why.
    Open(String),
}

/// The lines of plans that are told of: those since then, and those that are open.
fn told(known: Verified, since: Timestamp) -> Vec<Entry> {
    let open = known.unresolved().into_iter().map(|entry| entry.record.plan.clone());
    let mut plans: BTreeSet<String> = open.collect();
    let recent = known.entries.iter().filter(|entry| entry.record.at >= since);
    plans.extend(recent.map(|entry| entry.record.plan.clone()));
    known.entries.into_iter().filter(|entry| plans.contains(&entry.record.plan)).collect()
}
