//! From what came of a plan to the exit code.

use crate::app::State;
use crate::cli::exit::Exit;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::write::{Outcome, Plan};

/// What a plan that was not confirmed exits with: what the guard that stopped it stands for.
pub fn refused(state: &State, plan: &Plan) -> Exit {
    let guard = plan.refusals().next().or_else(|| plan.needs_reason().next());
    if state.journal.is_some() {
        Exit::NoJournal
    } else if guard.is_some_and(|(name, _)| *name == "freeze") {
        Exit::Frozen
    } else {
        Exit::Refused
    }
}

/// What the outcomes of the steps exit with: the first that is not good. Where another step was done,
/// what promises that nothing was is not true of the whole.
pub fn exit_of(outcomes: &[Outcome]) -> Exit {
    let done = outcomes.iter().any(|outcome| of_step(outcome) == Exit::Good);
    match outcomes.iter().map(of_step).find(|exit| *exit != Exit::Good) {
        None => Exit::Good,
        Some(Exit::Unknown) => Exit::Unknown,
        Some(_) if done => Exit::Failed,
        Some(exit) => exit,
    }
}

fn of_step(outcome: &Outcome) -> Exit {
    let shut = |fault: &Fault| fault.kind == FaultKind::NotAuthenticated;
    match outcome {
        Outcome::Done { .. } => Exit::Good,
        Outcome::Moved { .. } => Exit::Moved,
        Outcome::Refused { fault: Some(fault), .. } if shut(fault) => Exit::NotAuthenticated,
        Outcome::Refused { .. } => Exit::Refused,
        Outcome::Unrecorded { .. } => Exit::NoJournal,
        Outcome::Answered { .. } => Exit::Answered,
        Outcome::Failed { fault } if shut(fault) => Exit::NotAuthenticated,
        Outcome::Failed { .. } => Exit::Failed,
        Outcome::Unknown { .. } => Exit::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_exit() {
        let fault = |kind| Fault::new(kind, "said");
        let done = || Outcome::Done { note: None };
        let refused = |fault| Outcome::Refused { why: "why".into(), fault };
        let moved = || Outcome::Moved { moved: Vec::new(), said: None };
        let answered = || Outcome::Answered { approved: Some(true), by: None, at: None };
        let unknown = || Outcome::Unknown { why: "why".into() };
        let failed = |kind| Outcome::Failed { fault: fault(kind) };
        let unrecorded = || Outcome::Unrecorded { why: "full".into() };
        for (outcomes, exit) in [
            (vec![done()], Exit::Good),
            (vec![done(), done()], Exit::Good),
            (vec![refused(None)], Exit::Refused),
            (vec![refused(Some(fault(FaultKind::Unreachable)))], Exit::Refused),
            (vec![refused(Some(fault(FaultKind::NotAuthenticated)))], Exit::NotAuthenticated),
            (vec![moved()], Exit::Moved),
            (vec![answered()], Exit::Answered),
            (vec![failed(FaultKind::NotAuthenticated)], Exit::NotAuthenticated),
            (vec![failed(FaultKind::ServerError)], Exit::Failed),
            (vec![unknown()], Exit::Unknown),
            (vec![unrecorded()], Exit::NoJournal),
            // Something was done: nothing that says otherwise.
            (vec![done(), refused(None)], Exit::Failed),
            (vec![done(), moved()], Exit::Failed),
            (vec![done(), unrecorded()], Exit::Failed),
            (vec![done(), failed(FaultKind::NotAuthenticated)], Exit::Failed),
            (vec![refused(None), done()], Exit::Failed),
            (vec![done(), unknown()], Exit::Unknown),
        ] {
            assert_eq!(exit_of(&outcomes), exit, "{outcomes:?}");
        }
    }
}
