//! What came of a write.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::moved::Moved;
use crate::domain::error::Fault;
use crate::domain::text::SafeText;

/// What a backend answered to an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Its own id of what it began: an execution, a deployment, a request.
    pub id: Option<SafeText>,
    /// What it said.
    pub note: Option<SafeText>,
}

/// What came of a write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Its effect was seen.
    Done {
        /// What was seen, or what the backend said.
        note: Option<SafeText>,
    },
    /// It was not done: what was seen has moved.
    Moved {
        /// What.
        moved: Vec<Moved>,
        /// What the backend said, if it was asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<SafeText>,
    },
    /// Nothing was sent, for another reason; or the backend refused it as a whole.
    Refused {
        /// Why, and what to do.
        why: SafeText,
        /// The failed read that is the reason, if it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<Fault>,
    },
    /// Nothing was sent: the journal could not take it.
    Unrecorded {
        /// Why, and what to do.
        why: SafeText,
    },
    /// Somebody else was faster.
    Answered {
        /// What: approved or rejected, if it is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approved: Option<bool>,
        /// Who, if it is told.
        by: Option<SafeText>,
        /// When, if it is told.
        at: Option<Timestamp>,
    },
    /// The backend did not do it.
    Failed {
        /// Why.
        fault: Fault,
    },
    /// It may have happened or not: nothing read so far shows which.
    Unknown {
        /// Why.
        why: SafeText,
    },
}

/// The kinds of outcome, for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// Done.
    Done,
    /// Moved since it was seen.
    Moved,
    /// Refused.
    Refused,
    /// The journal could not take it.
    Unrecorded,
    /// Answered by somebody else.
    Answered,
    /// Failed.
    Failed,
    /// Not known.
    Unknown,
}

impl Outcome {
    /// Nothing was sent, because of this.
    pub fn refused(why: impl Into<SafeText>) -> Self {
        Self::Refused { why: why.into(), fault: None }
    }

    /// Which kind it is.
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Done { .. } => OutcomeKind::Done,
            Self::Moved { .. } => OutcomeKind::Moved,
            Self::Refused { .. } => OutcomeKind::Refused,
            Self::Unrecorded { .. } => OutcomeKind::Unrecorded,
            Self::Answered { .. } => OutcomeKind::Answered,
            Self::Failed { .. } => OutcomeKind::Failed,
            Self::Unknown { .. } => OutcomeKind::Unknown,
        }
    }

    /// The same, with something more to tell.
    #[must_use]
    pub fn but(self, more: &str) -> Self {
        let with = |text: SafeText| SafeText::from(format!("{text}; {more}"));
        match self {
            Self::Done { note } => Self::Done { note: Some(note.map_or(more.into(), with)) },
            Self::Refused { why, fault } => Self::Refused { why: with(why), fault },
            Self::Unknown { why } => Self::Unknown { why: with(why) },
            Self::Failed { mut fault } => {
                fault.message = with(fault.message);
                Self::Failed { fault }
            }
            // What these tell leaves no doubt about the target.
            Self::Moved { .. } | Self::Unrecorded { .. } | Self::Answered { .. } => self,
        }
    }

    /// It in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Done { note } => {
                note.as_ref().map_or("done".to_owned(), |note| format!("done: {note}"))
            }
            Self::Moved { moved, said } => {
                let said = said.as_ref().map(|said| format!(" ({said})")).unwrap_or_default();
                let all: Vec<String> = moved
                    .iter()
                    .map(|m| format!("{} was {}, is {}", m.what, m.seen, m.now))
                    .collect();
                format!("refused, it has moved: {}{said}", all.join("; "))
            }
            Self::Refused { why, .. } => format!("refused: {why}"),
            Self::Unrecorded { why } => format!("refused, nothing was sent: {why}"),
            Self::Answered { approved, by, at } => {
                let how = approved.map_or("", |yes| if yes { ": approved" } else { ": rejected" });
                let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                let at =
                    at.map(|at| format!(" at {}", at.strftime("%H:%M:%S"))).unwrap_or_default();
                format!("answered before{how}{by}{at}")
            }
            Self::Failed { fault } => format!("failed: {fault} ({})", fault.hint),
            Self::Unknown { why } => {
                format!("unknown: {why}; read the target before doing it again")
            }
        }
    }
}
