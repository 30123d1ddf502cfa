//! `Plan`: the steps of an intent, with what was seen, and what the guards say of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::expectation::Expectation;
use super::kind::Write;
use super::words::Words;
use crate::domain::ids::ServiceId;
use crate::domain::text::SafeText;

/// The id of a plan, unique on this host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlanId(pub String);

/// What is to be done, with everything a human must know before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// What it is for, in a few words.
    pub title: SafeText,
    /// Whose it is.
    pub service: Option<ServiceId>,
    /// What is done, in this order; a step that does not succeed ends the plan, but for what stands
    /// alone.
    pub steps: Vec<Step>,
    /// What the guards say.
    pub guards: Vec<Guard>,
    /// When it was made.
    pub at: Timestamp,
    /// It touches production, so that the name must be typed.
    pub production: bool,
    /// What must be typed.
    pub name: SafeText,
    /// What to know besides: what ships, what it means for this service.
    pub notes: Vec<SafeText>,
    /// What was wanted, as the journal keeps it.
    #[serde(default)]
    pub intent: serde_json::Value,
}

/// One write of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What is written.
    pub write: Write,
    /// What was seen of its target.
    pub expects: Expectation,
    /// When that was read.
    pub seen_at: Timestamp,
    /// The same in words.
    pub words: Words,
    /// As whom it is written, if the source tells.
    pub identity: Option<SafeText>,
    /// Where it is written: account, region, host.
    pub place: SafeText,
    /// The write that undoes it.
    pub undo: Option<Write>,
    /// Why nothing undoes it.
    pub no_undo: Option<SafeText>,
}

/// What one guard says of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// Its name.
    pub name: SafeText,
    /// What it says.
    pub verdict: GuardVerdict,
}

/// What a guard says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardVerdict {
    /// Nothing against it.
    Passed,
    /// Against it, unless a reason is given.
    NeedsReason(SafeText),
    /// Against it.
    Refused(SafeText),
}

impl Plan {
    /// Why it cannot be confirmed, whatever is answered.
    pub fn refusals(&self) -> impl Iterator<Item = (&SafeText, &SafeText)> {
        self.guards.iter().filter_map(|guard| match &guard.verdict {
            GuardVerdict::Refused(why) => Some((&guard.name, why)),
            _ => None,
        })
    }

    /// How many characters of a comment its steps take; `None` if none takes one.
    pub fn comment_room(&self) -> Option<usize> {
        self.steps.iter().filter_map(|step| step.write.comment_room()).min()
    }

    /// Writes `comment` beside the steps that take one.
    pub fn comment(&mut self, comment: &str) {
        let comment = SafeText::new(comment.trim());
        if !comment.is_empty() {
            for step in &mut self.steps {
                step.write.comment(&comment);
            }
        }
    }

    /// The guards that want a reason, with what they say.
    pub fn wanting(&self) -> Vec<Guard> {
        let wants = |guard: &&Guard| matches!(guard.verdict, GuardVerdict::NeedsReason(_));
        self.guards.iter().filter(wants).cloned().collect()
    }

    /// What a reason must be given for.
    pub fn needs_reason(&self) -> impl Iterator<Item = (&SafeText, &SafeText)> {
        self.guards.iter().filter_map(|guard| match &guard.verdict {
            GuardVerdict::NeedsReason(why) => Some((&guard.name, why)),
            _ => None,
        })
    }
}
