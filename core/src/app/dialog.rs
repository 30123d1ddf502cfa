//! `Dialog`: the confirmation of a plan: what is typed into it, and where the focus is.

use serde::{Deserialize, Serialize};

use super::intent::Intent;
use crate::domain::text::SafeText;
use crate::domain::write::{Answers, Guard, Moved, Plan, Step, Write, hold_reason};

/// Keys are ignored for this long after a dialog opened, in milliseconds: what was typed before it
/// came was not meant for it.
pub const DEAF: u64 = 400;

/// Longest name that is typed.
const LONGEST_NAME: usize = 200;
/// Longest reason.
const LONGEST_REASON: usize = 512;

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
    /// The comment that is written beside it.
    pub comment: String,
    /// Why a guard is passed over.
    pub reason: String,
    /// The guards that wanted a reason when it was given.
    pub broken: Vec<Guard>,
    /// The focus was taken out of a field because it cannot be confirmed any more, and no key came
    /// since.
    pub pulled: bool,
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
    /// The field for the reason.
    Reason,
    /// The field for the comment.
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
            reason: String::new(),
            broken: Vec::new(),
            pulled: false,
            refusal: None,
            top: 0,
        }
    }

    /// Where the focus can be, in the order of Tab.
    pub fn stops(&self) -> Vec<Focus> {
        let mut stops = Vec::new();
        if self.is_dead() {
            return vec![Focus::Cancel];
        }
        if self.plan.production {
            stops.push(Focus::Name);
        }
        if self.needs_reason() {
            stops.push(Focus::Reason);
        }
        if self.takes_comment() {
            stops.push(Focus::Comment);
        }
        stops.extend([Focus::Go, Focus::Cancel]);
        stops
    }

    /// Whether there is a place for a comment.
    pub fn takes_comment(&self) -> bool {
        self.plan.comment_room().is_some()
    }

    /// The comment as the reason of a hold takes it, if that is something else.
    pub fn written_as(&self) -> Option<String> {
        let holds = |step: &Step| matches!(step.write, Write::Hold { .. });
        let comment = self.comment.trim();
        if comment.is_empty() || !self.plan.steps.iter().any(holds) {
            return None;
        }
        Some(hold_reason(comment)).filter(|said| said != comment)
    }

    /// The field that has the focus, and how many characters it takes.
    pub fn field(&mut self) -> Option<(&mut String, usize)> {
        match self.focus {
            Focus::Name => Some((&mut self.typed, LONGEST_NAME)),
            Focus::Reason => Some((&mut self.reason, LONGEST_REASON)),
            Focus::Comment => {
                let room = self.plan.comment_room().unwrap_or(0);
                Some((&mut self.comment, room))
            }
            Focus::Go | Focus::Cancel => None,
        }
    }

    /// The reason was given, or changed: it is for what the guards say now.
    pub fn give_reason(&mut self) {
        self.broken = self.plan.wanting();
    }

    /// What wants a reason and did not when it was given; from then on it is for that as well.
    pub fn other_reason(&mut self) -> Option<String> {
        if self.reason.trim().is_empty() {
            return None;
        }
        let wanting = self.plan.wanting();
        let new = wanting.iter().find(|guard| !self.broken.contains(guard))?;
        let name = new.name.clone();
        self.broken = wanting;
        Some(format!("since the reason was given, {name} says something else: enter goes on"))
    }

    /// Where it cannot be confirmed any more, no field keeps the keys.
    pub fn settle(&mut self) {
        if self.is_dead() && self.focus != Focus::Cancel {
            self.focus = Focus::Cancel;
            self.pulled = true;
            self.refusal = Some("it cannot be done as it was shown: n makes a new plan".into());
        }
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
        Answers {
            go: true,
            typed: self.typed.clone(),
            comment: self.comment.clone(),
            reason: self.reason.clone(),
            broken: self.broken.clone(),
        }
    }

    /// Why it cannot be confirmed, whatever is answered.
    pub fn is_dead(&self) -> bool {
        !self.moved.is_empty() || self.plan.refusals().next().is_some()
    }
}
