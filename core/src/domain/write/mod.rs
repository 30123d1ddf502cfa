//! Writes: what can be changed, what must still be true when it is, and what came of it.
//!
//! The life of a write: an intent becomes a [`Plan`] of [`Step`]s with what was seen; guards judge
//! it; [`confirm`] makes a [`Confirmed`] of it; only that gives an [`Order`], and only an order can
//! be submitted; reading again tells the [`Outcome`].

mod beside;
mod confirmed;
mod decision;
mod expectation;
mod inverse;
mod kind;
mod moved;
mod outcome;
mod plan;
mod reason;
mod seen;
mod traffic;
mod whose;
mod words;

pub use beside::Beside;
pub use confirmed::{Answers, Confirmed, Order, accept, confirm};
pub use decision::{Decision, Verdict};
pub use expectation::{Expectation, expectation};
pub use inverse::inverse;
pub use kind::{ArmWish, FlagChange, Write};
pub use moved::Moved;
pub use outcome::{Outcome, OutcomeKind, Receipt};
pub use plan::{Guard, GuardVerdict, Plan, PlanId, Step};
pub use reason::hold_reason;
pub use seen::{Seen, seen};
pub use whose::{Whose, begun, whose, whose_answer};
pub use words::{Words, words};

#[cfg(test)]
mod tests;
