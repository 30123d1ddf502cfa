//! `Dialog`: the confirmation of a plan: what is typed into it, and where the focus is.

use serde::{Deserialize, Serialize};

use super::intent::Intent;
use crate::domain::text::SafeText;
use crate::domain::write::{Answers, Moved, Plan};

/// Keys are ignored for this long after a dialog opened, in milliseconds: what was typed before it
/// came was not meant for it.
pub const DEAF: u64 = 400;

/// The confirmation of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dialog {
    /// What was wanted, for a new plan when things move.
    pub intent: Intent,
    /// What is confirmed.
    pub plan: Plan,
    /// What has moved since the plan was made: it cannot be confirmed any more.
    pub moved: Vec<Moved>,
    /// When it opened, in monotonic milliseconds.
    pub opened: u64,
    /// The window gained the focus again, and no key came since: the next key is not meant for it.
    pub refocused: bool,
    /// Where keys go.
    pub focus: Focus,
    /// The name, as far as it was typed.
    pub typed: String,
    /// The comment, and the reason where a guard wants one.
    pub comment: String,
    /// What stood in the way when it was last confirmed.
    pub refusal: Option<SafeText>,
    /// First line shown.
    pub top: usize,
}

/// Where keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Focus {
    /// The field for the name.
    Name,
    /// The field for the comment or reason.
    Comment,
    /// The button that does it.
    Go,
    /// The button that does not.
    Cancel,
}

impl Dialog {
    /// A dialog whose focus is where it does no harm.
    pub fn new(intent: Intent, plan: Plan, opened: u64) -> Self {
        Self {
            intent,
            plan,
            moved: Vec::new(),
            opened,
            refocused: false,
            focus: Focus::Cancel,
            typed: String::new(),
            comment: String::new(),
            refusal: None,
            top: 0,
        }
    }

    /// Where the focus can be, in the order of Tab.
    pub fn stops(&self) -> Vec<Focus> {
        let mut stops = Vec::new();
        if self.plan.production {
            stops.push(Focus::Name);
        }
        if self.takes_comment() {
            stops.push(Focus::Comment);
        }
        stops.extend([Focus::Go, Focus::Cancel]);
        stops
    }

    /// Whether there is a place for a comment or reason.
    pub fn takes_comment(&self) -> bool {
        self.needs_reason() || self.plan.comment_room().is_some()
    }

    /// Whether a guard wants a reason.
    pub fn needs_reason(&self) -> bool {
        self.plan.needs_reason().next().is_some()
    }

    /// Moves the focus to the next place, or the one before.
    pub fn turn(&mut self, forward: bool) {
        let stops = self.stops();
        let at = stops.iter().position(|stop| *stop == self.focus).unwrap_or(stops.len() - 1);
        let step = if forward { 1 } else { stops.len() - 1 };
        if let Some(next) = stops.iter().cycle().nth(at + step) {
            self.focus = *next;
        }
    }

    /// What was answered so far.
    pub fn answers(&self) -> Answers {
        Answers { go: true, typed: self.typed.clone(), reason: self.comment.clone() }
    }

    /// Why it cannot be confirmed, whatever is answered.
    pub fn is_dead(&self) -> bool {
        !self.moved.is_empty() || self.plan.refusals().next().is_some()
    }
}
