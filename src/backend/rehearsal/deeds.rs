//! What is done to an execution by hand.

use jiff::Timestamp;

/// What somebody did to an execution by hand.
#[derive(Clone, Debug)]
pub struct Deed {
    /// The execution.
    pub execution: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: DeedKind,
}

/// What somebody did to an execution by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeedKind {
    /// Approved it.
    Approved,
    /// Rejected it, and why.
    Rejected(String),
    /// Ran a stage again.
    Retried {
        /// Which.
        stage: String,
        /// Every action, not only the failed ones.
        all: bool,
    },
    /// Stopped it.
    Stopped {
        /// Without waiting for what was under way.
        abandon: bool,
    },
    /// Let it into this stage, whatever the condition there said.
    Overridden(String),
}
