//! `Msg`: everything that can happen to the state, as data that can be recorded and replayed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::activity::{Activity, WriteReport};
use super::key::Key;
use crate::domain::ids::{CanaryId, SourceId};
use crate::domain::observation::{Observation, ReadFailed};
use crate::domain::source::SourceReport;
use crate::domain::text::SafeText;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Msg {
    /// A key was pressed; `ms` counts from the start and never goes back.
    Key {
        /// Which.
        key: Key,
        /// Monotonic milliseconds since the start.
        ms: u64,
    },
    /// Text was pasted; it goes to a text field or nowhere.
    Paste(String),
    /// The mouse was used; only while it is switched on.
    Mouse(Mouse),
    /// The terminal has a new size.
    Resize {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// The terminal window gained or lost the focus.
    Focus(bool),
    /// Time went on (at least once a second while anything depends on it).
    Tick(Timestamp),
    /// A source answered.
    Observed(Box<Observation>),
    /// A read failed as a whole.
    ReadFailed(Box<ReadFailed>),
    /// Calls made, budget and schedule of a source.
    Report(SourceId, SourceReport),
    /// Something to tell the operator, shown until the next key.
    Notice(Notice),
    /// What became of a step of a confirmed plan.
    Write(Box<WriteReport>),
    /// Writes that the journal knows from before, the newest first.
    Past(Vec<Activity>),
    /// Why the journal takes no writes now; `None` if it does.
    Journal(Option<SafeText>),
    /// Whether a pilot of this session has the canary to itself.
    Lease {
        /// Which canary.
        canary: CanaryId,
        /// Who has it instead, as others are told; none if it is this session's.
        other: Option<SafeText>,
    },
    /// The theme that is used now.
    Theme(String),
    /// The rehearsal's clock runs at this speed; zero is paused.
    Speed(f64),
    /// A signal asks to suspend.
    Suspend,
    /// The program is back from a suspend.
    Resumed,
    /// A signal asks to leave.
    Leave,
}

/// A line for the operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// How it is meant.
    pub level: Level,
    /// The line.
    pub text: SafeText,
}

/// How a notice is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Needs a look.
    Warning,
    /// Went wrong.
    Error,
}

impl Notice {
    /// Good to know.
    pub fn info(text: impl Into<SafeText>) -> Self {
        Self { level: Level::Info, text: text.into() }
    }

    /// Needs a look.
    pub fn warning(text: impl Into<SafeText>) -> Self {
        Self { level: Level::Warning, text: text.into() }
    }
}

/// What the mouse did, in cells from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mouse {
    /// What.
    pub kind: MouseKind,
    /// Column.
    pub x: u16,
    /// Row.
    pub y: u16,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MouseKind {
    /// The first button was pressed.
    Click,
    /// The wheel went up.
    ScrollUp,
    /// The wheel went down.
    ScrollDown,
}
