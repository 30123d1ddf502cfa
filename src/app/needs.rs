//! What needs a human, counted: the header and the exit code of headless commands.

use super::select::inbox::AskKind;
use super::state::State;

/// What needs a human, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Approvals and held executions.
    pub waiting: usize,
    /// Stages that failed.
    pub failed: usize,
    /// Alarms that fire.
    pub alarms: usize,
    /// Canaries that harm or may harm.
    pub canaries: usize,
    /// Sources that want credentials.
    pub sign_in: usize,
}

/// Counts what needs a human.
pub fn needs(state: &State) -> Needs {
    let mut needs = Needs::default();
    for ask in state.rows.inbox.iter() {
        match ask.kind {
            AskKind::Alarm => needs.alarms += 1,
            AskKind::Failed => needs.failed += 1,
            AskKind::Approval | AskKind::Held | AskKind::Pilot => needs.waiting += 1,
            // Canaries are counted by their rows.
            AskKind::Canary => {}
            AskKind::SignIn => needs.sign_in += 1,
        }
    }
    needs.canaries = state.rows.canaries.iter().filter(|row| row.is_at_risk()).count();
    needs
}
