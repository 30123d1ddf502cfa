//! `Fault`: why a read failed, in the few kinds that mean something to an operator.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::SafeText;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FaultKind {
    /// No credentials, or they expired or are refused.
    NotAuthenticated,
    /// Known, but not allowed.
    Forbidden {
        /// The missing permission, where the backend names it.
        permission: Option<SafeText>,
    },
    /// The backend asks for fewer calls.
    Throttled {
        /// Do not call before this moment, if it said so.
        until: Option<Timestamp>,
    },
    /// Something moved under a precondition.
    Conflict,
    /// Known to exist, and nothing was read of it so far.
    NotReadYet,
    /// The named thing does not exist.
    NotFound,
    /// No connection, or no answer within the deadline.
    Unreachable,
    /// An answer that could not be understood.
    InvalidReply,
    /// The backend reports an error of its own.
    ServerError,
    /// This program cannot ask in that way, or was told to ask for something impossible.
    InvalidRequest,
    /// A write was sent and its reply was lost.
    OutcomeUnknown,
    /// The adapter itself failed; a defect of this program.
    Crashed,
}

/// A failed read (or write): what, in which words, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// What went wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// One sentence, with the address or item it is about.
    pub message: SafeText,
    /// What the operator can do next; never empty.
    pub hint: SafeText,
}

impl Fault {
    /// A fault with the usual hint of its kind.
    pub fn new(kind: FaultKind, message: impl Into<SafeText>) -> Self {
        let hint = SafeText::new(kind.usual_hint());
        Self { kind, message: message.into(), hint }
    }

    /// The same with a better hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<SafeText>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Whether it says something about the whole source, not about one item of it.
    pub fn is_source_wide(&self) -> bool {
        matches!(
            self.kind,
            FaultKind::NotAuthenticated
                | FaultKind::Unreachable
                | FaultKind::ServerError
                | FaultKind::InvalidReply
                | FaultKind::Crashed
        )
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.word(), self.message)
    }
}

impl std::error::Error for Fault {}

impl FaultKind {
    /// Two or three words for a status cell.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotAuthenticated => "not authenticated",
            Self::Forbidden { .. } => "forbidden",
            Self::Throttled { .. } => "throttled",
            Self::Conflict => "conflict",
            Self::NotReadYet => "not read yet",
            Self::NotFound => "not found",
            Self::Unreachable => "unreachable",
            Self::InvalidReply => "invalid reply",
            Self::ServerError => "server error",
            Self::InvalidRequest => "invalid request",
            Self::OutcomeUnknown => "outcome unknown",
            Self::Crashed => "crashed",
        }
    }

    /// The permission that is missing, if that is known.
    pub fn missing_permission(&self) -> Option<&SafeText> {
        match self {
            Self::Forbidden { permission } => permission.as_ref(),
            _ => None,
        }
    }

    /// Whether `other` is the same reason, whenever it may be over.
    pub fn is_like(&self, other: &Self) -> bool {
        let throttled = |kind: &Self| matches!(kind, Self::Throttled { .. });
        self == other || throttled(self) && throttled(other)
    }

    fn usual_hint(&self) -> &'static str {
        match self {
            Self::NotAuthenticated => "sign in again; it heals without a restart",
            Self::Forbidden { .. } => "ask for the permission, or drop it from the configuration",
            Self::Throttled { .. } => "wait; the next read is already scheduled",
            Self::Conflict => "read again and decide anew",
            Self::NotReadYet => "wait; its read is already scheduled",
            Self::NotFound => "check the name in the configuration",
            Self::Unreachable => "check the address and the network; it is read again by itself",
            Self::InvalidReply => "check that the address is what it should be",
            Self::ServerError => "look at the backend; it is read again by itself",
            Self::InvalidRequest => "check the configuration of this source",
            Self::OutcomeUnknown => "read the target before doing anything again",
            Self::Crashed => "this is a defect of flightdeck: please report it",
        }
    }
}
