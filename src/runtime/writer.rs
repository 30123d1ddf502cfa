//! `Writer`: carries out confirmed plans beside the session, records what pilots tell, and looks after
//! what was written before.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};

use super::diary::Diary;
use super::gateway::{Gateway, plan_lock};
use crate::app::Msg;
use crate::app::activity::{Activity, Phase, WriteReport};
use crate::app::flight::title;
use crate::app::msg::Notice;
use crate::domain::flight::FlightEvent;
use crate::domain::ids::{CanaryId, TrafficId};
use crate::domain::text::SafeText;
use crate::domain::write::{Confirmed, Outcome, PlanId};
use crate::store::journal::{Event, Origin, Record};
use crate::store::lock::{Lock, TargetLock, try_lock};

/// Where writes are recorded, and as whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desk {
    /// The folder of the journal and the locks.
    pub folder: PathBuf,
    /// Who writes, on which host, in which process.
    pub who: SafeText,
    /// The same in its parts, and from which terminal.
    pub origin: Option<Origin>,
    /// What was written outlives the session: real backends, not the rehearsal.
    pub lasting: bool,
    /// How long the effect of a write is looked for.
    pub patience: Duration,
}

/// What is told of a journal whose last line is torn.
pub const TORN: &str = "the journal ended in half a line, as a crash leaves it: what was half written \
                        was never sent, and the next write ends the line";
/// Between two looks at the journal.
const BEAT: Duration = Duration::from_secs(10);
/// Between two looks for the outcome of what could not be read.
const AGAIN: Duration = Duration::from_secs(30);

/// Carries out confirmed plans.
pub struct Writer {
    gateway: Arc<Gateway>,
    out: mpsc::Sender<Msg>,
    /// The split of each canary that a pilot of this session flies, and the flight itself.
    leases: BTreeMap<CanaryId, (TargetLock, Option<TargetLock>)>,
    diary: Diary,
    /// Something was written: the journal is looked at now.
    written: Arc<Notify>,
}

impl Writer {
    /// Begins with what an earlier session left without an outcome, if what it wrote to lasts.
    pub fn start(gateway: Gateway, out: &mpsc::Sender<Msg>, lasting: bool) -> Self {
        let (gateway, written) = (Arc::new(gateway), Arc::new(Notify::new()));
        tokio::spawn(watch(Arc::clone(&gateway), out.clone(), Arc::clone(&written), lasting));
        let diary = Diary::start(Arc::clone(&gateway), Arc::clone(&written));
        let this = Self { gateway, out: out.clone(), leases: BTreeMap::new(), diary, written };
        if lasting {
            tokio::spawn(look_back(Arc::clone(&this.gateway), this.out.clone()));
        }
        this
    }

    /// Takes a canary for a pilot of this session alone. The lock is that of its split, in the state
    /// folder: it is between the sessions of one user on one host.
    pub fn lease(&mut self, canary: &CanaryId, split: &TrafficId, flight: &PlanId) -> Msg {
        let (folder, who) = (self.gateway.locks(), self.gateway.who());
        let target = format!("pilot {}/{}", split.source, split.name);
        let other = match try_lock(folder, &target, who.as_str()) {
            Ok(Lock::Taken(lease)) => {
                // Who finds this one free knows that nobody flies it any more.
                let flight = try_lock(folder, &plan_lock(&flight.0), who.as_str());
                let flight = flight.ok().and_then(Lock::taken);
                self.leases.insert(canary.clone(), (lease, flight));
                None
            }
            Ok(Lock::Held(who)) => Some(who.unwrap_or_else(|| "another process".into())),
            Err(error) => Some(format!("nobody knows who ({error})").into()),
        };
        Msg::Lease { canary: canary.clone(), other }
    }

    /// Gives a canary back.
    pub fn give_back(&mut self, canary: &CanaryId) {
        self.leases.remove(canary);
    }

    /// Records what a pilot tells, in the order in which it is told.
    pub fn tell(&self, flight: &PlanId, at: Timestamp, event: Box<FlightEvent>) {
        self.diary.add(Record {
            at,
            plan: flight.0.clone(),
            title: title(&event.canary),
            step: None,
            who: self.gateway.who().clone(),
            event: Event::Pilot(event),
        });
    }

    /// Ends once all that was told is recorded, or cannot be.
    pub async fn finish(self) {
        self.diary.finish().await;
    }

    /// Carries out a confirmed plan; reports come as messages, even if this program fails at it.
    pub fn carry_out(&self, confirmed: Confirmed) {
        let (gateway, out) = (Arc::clone(&self.gateway), self.out.clone());
        let (plan, at, steps) =
            (confirmed.plan().id.clone(), confirmed.at(), confirmed.plan().steps.len());
        let (to, written) = (out.clone(), Arc::clone(&self.written));
        let work = tokio::spawn(async move {
            gateway.carry_out(&confirmed, &to).await;
            written.notify_one();
        });
        tokio::spawn(async move {
            if work.await.is_err() {
                for step in 0..steps {
                    let why = "this program failed while it was written".into();
                    let phase = Phase::Ended { outcome: Outcome::Unknown { why } };
                    let report = WriteReport { plan: plan.clone(), step, phase, at };
                    let _ = out.send(Msg::Write(Box::new(report))).await;
                }
            }
        });
    }
}

/// What a look at the journal shows.
struct Looked {
    /// Whether its last line is torn; or why it takes no writes.
    ready: Result<bool, SafeText>,
    /// The plans in it, if its files have changed since the last look.
    past: Option<Vec<Activity>>,
}

/// Tells when the journal takes no writes any more, and when it does again; and what other processes
/// write to it.
async fn watch(gateway: Arc<Gateway>, out: mpsc::Sender<Msg>, written: Arc<Notify>, lasting: bool) {
    let (mut told, mut torn) = (None, false);
    // What was there at the start is told by the look back.
    let mut seen = gateway.journal().stamp();
    loop {
        let (own, before) = (Arc::clone(&gateway), seen.clone());
        // It reads files, and waits for other processes that write.
        let found = tokio::task::spawn_blocking(move || {
            let ready = own.ready().map_err(|error| SafeText::from(error.to_string()));
            let now = own.journal().stamp();
            let new = lasting && now != before;
            (Looked { ready, past: new.then(|| own.past().ok()).flatten() }, now)
        });
        let fault = match found.await {
            Ok((looked, now)) => {
                seen = now;
                if let Some(past) = looked.past
                    && out.send(Msg::Past(past)).await.is_err()
                {
                    return;
                }
                if let Ok(now) = looked.ready {
                    let news = now && !std::mem::replace(&mut torn, now);
                    if news && out.send(Msg::Notice(Notice::info(TORN))).await.is_err() {
                        return;
                    }
                }
                looked.ready.err()
            }
            Err(_) => Some("the journal could not be looked at".into()),
        };
        if fault != told {
            told.clone_from(&fault);
            if out.send(Msg::Journal(fault)).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(BEAT) => {}
            () = written.notified() => {}
            () = out.closed() => return,
        }
    }
}

/// Shows what was done before, and finds out what became of writes without an outcome: until each
/// has one.
async fn look_back(gateway: Arc<Gateway>, out: mpsc::Sender<Msg>) {
    let past = || match gateway.past() {
        Ok(activities) => Msg::Past(activities),
        Err(error) => Msg::Notice(Notice::warning(error.to_string())),
    };
    if out.send(past()).await.is_err() {
        return;
    }
    let mut told = Vec::new();
    loop {
        let open = match gateway.reconcile().await {
            Ok(found) => {
                if found.ended > 0 && out.send(past()).await.is_err() {
                    return;
                }
                found.open
            }
            Err(error) => vec![SafeText::from(error.to_string())],
        };
        if open.is_empty() {
            return;
        }
        if open != told {
            let text = format!("sent before and still without an outcome: {}", sentence(&open));
            if out.send(Msg::Notice(Notice::warning(text))).await.is_err() {
                return;
            }
            told = open;
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = out.closed() => return,
        }
    }
}

/// Several sentences as one.
pub fn sentence(all: &[SafeText]) -> String {
    let all: Vec<&str> = all.iter().map(SafeText::as_str).collect();
    all.join("; ")
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
