//! What the journal knows from before: activities for the pane, and writes without an outcome.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::app::activity::{Activity, Phase};
use crate::domain::error::Fault;
use crate::domain::text::SafeText;
use crate::domain::write::{Expectation, Outcome, Plan, PlanId, Receipt, Write};
use crate::store::journal::{Entry, Event};

/// The plans of `entries`, the newest first. A step that was sent and has no outcome is still looked
/// for; one that was never sent is told as that, if `over` says that nobody carries the plan out.
///
/// What was written by a clock that went back since is told as of `now`, in the order of the journal.
pub(super) fn activities(
    entries: &[Entry],
    now: Timestamp,
    over: &dyn Fn(&str) -> bool,
) -> Vec<Activity> {
    let mut found: BTreeMap<&str, (usize, Activity)> = BTreeMap::new();
    for (place, entry) in entries.iter().enumerate() {
        let record = &entry.record;
        match &record.event {
            Event::Confirmed { plan, .. } => {
                let plan = plan.get("plan").cloned().unwrap_or(Value::Null);
                if let Ok(plan) = serde_json::from_value::<Plan>(plan) {
                    let mut activity = Activity::of(&plan);
                    activity.at = record.at.min(now);
                    activity.by = Some(record.who.clone());
                    found.insert(record.plan.as_str(), (place, activity));
                }
            }
            Event::Pilot(told) => {
                let (plan, at) = (record.plan.as_str(), record.at.min(now));
                match found.get_mut(plan) {
                    Some((_, flight)) => flight.tell(at, (**told).clone()),
                    None => {
                        let id = PlanId(plan.to_owned());
                        let flight = Activity::of_flight(id, at, (**told).clone());
                        found.insert(plan, (place, flight));
                    }
                }
            }
            event => {
                let phase = match event {
                    Event::Ended { outcome, .. } => {
                        let outcome = serde_json::from_value(outcome.clone());
                        Phase::Ended { outcome: outcome.unwrap_or_else(|_| unreadable()) }
                    }
                    _ => Phase::Verifying,
                };
                let activity = found.get_mut(record.plan.as_str()).map(|(_, activity)| activity);
                let step = activity.zip(record.step).and_then(|(a, step)| a.steps.get_mut(step));
                if let Some(step) = step {
                    step.phase = Some(phase);
                    step.at = Some(record.at.min(now));
                }
            }
        }
    }
    let mut found: Vec<(usize, Activity)> = found
        .into_iter()
        .map(|(plan, (place, mut activity))| {
            if over(plan) {
                if let Some(flight) = &mut activity.flight {
                    flight.over = true;
                }
                for step in activity.steps.iter_mut().filter(|s| s.phase.is_none()) {
                    let outcome = Outcome::refused("not sent: the plan ended before it");
                    step.phase = Some(Phase::Ended { outcome });
                }
            }
            (place, activity)
        })
        .collect();
    found.sort_by_key(|(place, activity)| Reverse((activity.at, *place)));
    found.into_iter().map(|(_, activity)| activity).collect()
}

fn unreadable() -> Outcome {
    Outcome::Unknown { why: "the journal's line cannot be understood".into() }
}

/// A write that was sent and has no outcome.
pub(super) struct Left {
    pub(super) write: Write,
    pub(super) was: Expectation,
    /// As whom it was sent, where that was told.
    pub(super) me: Option<SafeText>,
    /// What came back, if that was recorded.
    pub(super) reply: Option<Result<Receipt, Fault>>,
}

/// What `entries` tell of the write that `entry` was about to send.
pub(super) fn left(entries: &[Entry], entry: &Entry) -> Option<Left> {
    let Event::Sending { order } = &entry.record.event else { return None };
    let write = serde_json::from_value(order.get("write")?.clone()).ok()?;
    let was = serde_json::from_value(order.get("expects")?.clone()).ok()?;
    let (mut me, mut reply) = (None, None);
    for own in entries.iter().filter(|own| own.record.plan == entry.record.plan) {
        match &own.record.event {
            Event::Confirmed { plan, .. } => {
                let plan = serde_json::from_value::<Plan>(plan.get("plan")?.clone()).ok()?;
                me = plan.steps.get(entry.record.step?).and_then(|step| step.identity.clone());
            }
            Event::Reply { reply: told } if own.record.step == entry.record.step => {
                let receipt = told.get("receipt").map(|it| serde_json::from_value(it.clone()).ok());
                let fault = told.get("fault").map(|it| serde_json::from_value(it.clone()).ok());
                reply = receipt.flatten().map(Ok).or_else(|| fault.flatten().map(Err));
            }
            _ => {}
        }
    }
    Some(Left { write, was, me, reply })
}

/// What the source answered to one step of a plan, if it accepted it.
pub(super) fn receipt(entries: &[Entry], plan: &str, step: usize) -> Option<Receipt> {
    let own = entries.iter().map(|entry| &entry.record);
    let mut own = own.filter(|record| record.plan == plan && record.step == Some(step));
    own.find_map(|record| match &record.event {
        Event::Reply { reply } => serde_json::from_value(reply.get("receipt")?.clone()).ok(),
        _ => None,
    })
}
