//! `Confirmed`: the only thing that gives orders; made only by the right answers to a plan.

use jiff::Timestamp;
use serde::Serialize;

use super::expectation::Expectation;
use super::kind::Write;
use super::plan::{Guard, GuardVerdict, Plan, PlanId};
use crate::domain::text::SafeText;

/// Shortest reason that says anything.
const LEAST_REASON: usize = 3;

/// What a human, or a script for one, answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Yes, do it.
    pub go: bool,
    /// The name that was typed.
    pub typed: String,
    /// What is written beside it; it breaks no glass.
    pub comment: String,
    /// Why a guard is passed over.
    pub reason: String,
    /// The guards that the reason is for, with what they said.
    pub broken: Vec<Guard>,
}

impl Answers {
    /// Yes to `plan`, with the name that was typed, and with a reason for whatever of it wants one as it
    /// stands.
    pub fn to(plan: &Plan, typed: &str, reason: &str) -> Self {
        Self {
            go: true,
            typed: typed.to_owned(),
            comment: String::new(),
            reason: reason.to_owned(),
            broken: plan.wanting(),
        }
    }
}

/// A plan that was confirmed. Its fields are private, so that nothing else can make one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confirmed {
    plan: Plan,
    comment: Option<SafeText>,
    reason: Option<SafeText>,
    at: Timestamp,
}

/// One step of a confirmed plan, as it may be sent. Made only by [`Confirmed::order`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Order {
    plan: PlanId,
    step: usize,
    write: Write,
    expects: Expectation,
}

/// Confirms `plan`; or says what stands in the way.
pub fn confirm(plan: &Plan, answers: &Answers, now: Timestamp) -> Result<Confirmed, String> {
    if plan.steps.is_empty() {
        return Err("there is nothing to do".to_owned());
    }
    let reason = accept(plan, answers)?;
    let comment = answers.comment.trim();
    let comment = (!comment.is_empty()).then(|| SafeText::new(comment));
    Ok(Confirmed { plan: plan.clone(), comment, reason, at: now })
}

/// Whether `answers` are those that `plan` wants; or what stands in the way. Returns the reason that was
/// given.
pub fn accept(plan: &Plan, answers: &Answers) -> Result<Option<SafeText>, String> {
    if let Some((name, why)) = plan.refusals().next() {
        return Err(format!("{name}: {why}"));
    }
    if !answers.go {
        return Err("it was not confirmed".to_owned());
    }
    if plan.production && answers.typed != plan.name.as_str() {
        return Err(format!("type {} to confirm", plan.name));
    }
    let reason = answers.reason.trim();
    for Guard { name, verdict } in plan.wanting() {
        let GuardVerdict::NeedsReason(why) = &verdict else { continue };
        if reason.chars().count() < LEAST_REASON {
            return Err(format!("{name}: {why}; give a reason to go on"));
        }
        if !answers.broken.iter().any(|own| own.name == name && own.verdict == verdict) {
            return Err(format!("{name}: {why}; the reason was given before that was shown"));
        }
    }
    let needed = plan.needs_reason().next().is_some();
    Ok(needed.then(|| SafeText::new(reason)))
}

impl Confirmed {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What was written beside it.
    pub fn comment(&self) -> Option<&SafeText> {
        self.comment.as_ref()
    }

    /// Why, where a guard wanted to know.
    pub fn reason(&self) -> Option<&SafeText> {
        self.reason.as_ref()
    }

    /// When it was confirmed.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The order of one step.
    pub fn order(&self, step: usize) -> Option<Order> {
        let own = self.plan.steps.get(step)?;
        Some(Order {
            plan: self.plan.id.clone(),
            step,
            write: own.write.clone(),
            expects: own.expects.clone(),
        })
    }
}

impl Order {
    /// The plan it belongs to.
    pub fn plan(&self) -> &PlanId {
        &self.plan
    }

    /// Which step of it.
    pub fn step(&self) -> usize {
        self.step
    }

    /// What is written.
    pub fn write(&self) -> &Write {
        &self.write
    }

    /// What must still be true; adapters send it as a native precondition where there is one.
    pub fn expects(&self) -> &Expectation {
        &self.expects
    }
}
