//! `Decision`: what became of one approval of one execution, as its backend's history tells.

use jiff::Timestamp;

use crate::domain::text::SafeText;

/// How an approval ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Somebody said yes.
    Approved,
    /// Somebody said no.
    Rejected,
    /// Nobody answered in time.
    TimedOut,
    /// It was stopped before anybody answered.
    Abandoned,
}

impl Verdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::TimedOut => "timed out",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether somebody answered, and what.
    pub fn answer(self) -> Option<bool> {
        match self {
            Self::Approved => Some(true),
            Self::Rejected => Some(false),
            Self::TimedOut | Self::Abandoned => None,
        }
    }
}

/// What became of one approval of one execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// How it ended.
    pub verdict: Verdict,
    /// By whom, where that is told.
    pub by: Option<SafeText>,
    /// When.
    pub at: Option<Timestamp>,
    /// What was written beside it.
    pub comment: Option<SafeText>,
}

impl Decision {
    /// `approved by bob at …`, as far as it is told.
    pub fn words(&self) -> String {
        let by = self.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        let at = self.at.map(|at| format!(" at {at}")).unwrap_or_default();
        format!("{}{by}{at}", self.verdict.word())
    }
}
