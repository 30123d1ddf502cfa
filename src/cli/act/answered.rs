//! What a script wants to answer may have been answered before: then it is told by whom and how.

use super::args::{Act, Staged};
use super::intent::items;
use crate::app::State;
use crate::backend::port::Asked;
use crate::cli::exit::{Exit, Failure};
use crate::domain::error::FaultKind;
use crate::domain::ids::{ExecutionId, ItemId};
use crate::domain::pipeline::{Pipeline, RunState};
use crate::domain::write::{Decision, Verdict};
use crate::runtime::gateway::Gateway;

/// Executions of one revision that are asked about.
const MOST: usize = 3;

/// The answer that was given before to exactly what `act` expects to answer, as a failure of its own.
pub async fn answered(gateway: &Gateway, state: &State, act: &Act) -> Option<Failure> {
    let (Act::Approve(args) | Act::Reject(args)) = act else { return None };
    for item in items(state, act) {
        let ItemId::Pipeline(id) = item else { continue };
        let Some(known) = state.fleet.pipelines.get(&id) else { continue };
        for execution in expected(&known.value, args).into_iter().take(MOST) {
            let asked = Asked {
                pipeline: id.clone(),
                stage: args.stage.as_deref().map(Into::into),
                action: args.action.as_deref().map(Into::into),
                execution: execution.clone(),
            };
            let told = match gateway.decision(&asked).await {
                Ok(told) => told,
                Err(fault) if fault.kind == FaultKind::InvalidRequest => {
                    shown(&known.value, &asked)
                }
                // Who it was is a courtesy.
                Err(_) => None,
            };
            if let Some(decision) = told.filter(|told| told.verdict.answer().is_some()) {
                let place = args.stage.as_ref().map(|s| format!("{s} of ")).unwrap_or_default();
                let message = format!(
                    "{place}{} was {}, for execution {execution}: answered before, nothing was sent",
                    id.name,
                    decision.words()
                );
                return Some(Failure { exit: Exit::Answered, message });
            }
        }
    }
    None
}

/// The executions that are expected, the newest first.
fn expected(pipeline: &Pipeline, args: &Staged) -> Vec<ExecutionId> {
    let execution = args.go.expect_execution.as_deref();
    let revision = args.go.expect_revision.as_deref().filter(|wanted| wanted.len() >= 6);
    if execution.is_none() && revision.is_none() {
        return Vec::new();
    }
    let runs = pipeline.executions.iter().filter(|run| {
        let carries = |wanted: &str| {
            run.revisions.iter().any(|revision| revision.id.as_str().starts_with(wanted))
        };
        execution.is_none_or(|wanted| run.id.as_str() == wanted) && revision.is_none_or(carries)
    });
    runs.map(|run| run.id.clone()).collect()
}

/// The same of a source that tells no more than what its stages show.
fn shown(pipeline: &Pipeline, asked: &Asked) -> Option<Decision> {
    let stages = pipeline.stages.iter().filter(|stage| {
        asked.stage.as_ref().is_none_or(|wanted| stage.name == *wanted)
            && stage.execution.as_ref() == Some(&asked.execution)
    });
    let mut actions = stages.flat_map(|stage| &stage.actions).filter(|action| {
        let wanted = asked.action.as_ref().is_none_or(|wanted| action.name == *wanted);
        wanted && action.category == "Approval"
    });
    actions.find_map(|action| {
        let verdict = match action.state {
            RunState::Succeeded => Verdict::Approved,
            RunState::Failed => Verdict::Rejected,
            _ => return None,
        };
        let (by, at, comment) = (action.by.clone(), action.at, action.summary.clone());
        Some(Decision { verdict, by, at, comment })
    })
}
