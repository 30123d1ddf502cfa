//! What needs a human, counted: the header and the exit code of headless commands.

use super::select::inbox::AskKind;
use super::select::{board, canaries};
use super::state::State;

/// What needs a human, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Approvals, held executions, and pilots that call.
    pub waiting: usize,
    /// Stages that failed.
    pub failed: usize,
    /// Environments with customers on them that do not work.
    pub unhealthy: usize,
    /// Alarms that fire.
    pub alarms: usize,
    /// Canaries that harm or may harm.
    pub canaries: usize,
    /// Writes of which nobody knows what became.
    pub unsure: usize,
    /// Sources that want credentials.
    pub sign_in: usize,
    /// Services of which something is not known.
    pub unknown: usize,
}

/// Counts what needs a human.
pub fn needs(state: &State) -> Needs {
    let rows = &state.rows;
    let asks = |kind: AskKind| rows.inbox.count(kind as u8);
    Needs {
        waiting: asks(AskKind::Approval) + asks(AskKind::Held) + asks(AskKind::Pilot),
        failed: asks(AskKind::Failed),
        unhealthy: asks(AskKind::Unhealthy),
        alarms: asks(AskKind::Alarm),
        unsure: asks(AskKind::Unsure),
        canaries: rows.canaries.count(canaries::AT_RISK),
        sign_in: asks(AskKind::SignIn),
        unknown: rows.board.count(board::UNKNOWN),
    }
}
