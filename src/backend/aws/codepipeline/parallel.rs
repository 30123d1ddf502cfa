//! Stages of a pipeline in `PARALLEL` mode, from the actions of the executions that run.

use aws_sdk_codepipeline::types::{ActionCategory, ActionExecutionDetail, ActionExecutionStatus};
use jiff::Timestamp;

use super::definition::{APPROVAL_TIMEOUT, Definition};
use super::state::{action_state, error};
use crate::backend::aws::convert::{text, time, who};
use crate::domain::ids::ExecutionId;
use crate::domain::pipeline::{Action, Approval, RunState, Stage};
use crate::domain::token::Token;

/// Puts the actions of the running executions into `stages`: for each action every run that waits
/// for a human (one action stands there once for each), else the run that says most.
pub(super) fn fill(
    stages: &mut [Stage],
    details: &[ActionExecutionDetail],
    definition: Option<&Definition>,
) {
    for stage in stages {
        let of_stage = |d: &&ActionExecutionDetail| stage.name == *d.stage_name().unwrap_or("");
        let runs: Vec<&ActionExecutionDetail> = details.iter().filter(of_stage).collect();
        stage.execution = None;
        stage.revision = None;
        let mut filled: Vec<Action> = Vec::with_capacity(stage.actions.len());
        for action in &stage.actions {
            let mut own: Vec<Action> = runs
                .iter()
                .filter(|d| action.name == *d.action_name().unwrap_or(""))
                .map(|d| run(action, d, definition))
                .collect();
            own.sort_by_key(|a| (!a.state.is_moving(), std::cmp::Reverse(a.at)));
            let waiting = own.iter().any(|a| a.approval.is_some());
            if waiting {
                own.retain(|a| a.approval.is_some());
                own.sort_by_key(|a| a.at);
            } else {
                own.truncate(1);
            }
            if own.is_empty() {
                own.push(action.clone());
            }
            filled.extend(own);
        }
        stage.actions = filled;
        stage.state = together(&stage.actions);
        stage.since = stage.actions.iter().filter_map(|a| a.at).max();
    }
}

/// The state of a stage that many executions are in: what needs a human first, then what moves.
fn together(actions: &[Action]) -> RunState {
    let any = |state: RunState| actions.iter().any(|a| a.state == state);
    let order = [
        RunState::Waiting,
        RunState::Running,
        RunState::Stopping,
        RunState::Failed,
        RunState::Unknown,
        RunState::Stopped,
    ];
    match order.into_iter().find(|state| any(*state)) {
        Some(state) => state,
        None if any(RunState::Succeeded) => RunState::Succeeded,
        None => RunState::NotRun,
    }
}

fn run(known: &Action, detail: &ActionExecutionDetail, definition: Option<&Definition>) -> Action {
    let stage = detail.stage_name().unwrap_or_default();
    let defined = definition.and_then(|d| d.action(stage, known.name.as_str()));
    let kind = detail.input().and_then(|i| i.action_type_id());
    let is_approval = kind
        .map_or(defined.is_some_and(|d| d.is_approval), |k| k.category == ActionCategory::Approval);
    let result = detail.output().and_then(|o| o.execution_result());
    let status = detail.status();
    let asks = is_approval && status == Some(&ActionExecutionStatus::InProgress);
    let started: Option<Timestamp> = detail.start_time().and_then(time);
    let configured = |key: &str| {
        let input = detail.input()?;
        let all = input.resolved_configuration().or(input.configuration())?;
        text(all.get(key).map(String::as_str))
    };
    let approval = asks.then(|| Approval {
        execution: detail.pipeline_execution_id().map(ExecutionId::new),
        // In this mode the answer takes this id as its token (PutApprovalResult, `token`).
        token: result.and_then(|r| r.external_execution_id()).map(Token::new),
        requested: started,
        deadline: started
            .and_then(|at| at.checked_add(defined.map_or(APPROVAL_TIMEOUT, |d| d.timeout)).ok()),
        message: configured("CustomData").or_else(|| defined.and_then(|d| d.message.clone())),
        link: configured("ExternalEntityLink").or_else(|| defined.and_then(|d| d.link.clone())),
    });
    Action {
        name: known.name.clone(),
        category: kind.map_or_else(|| known.category.clone(), |k| k.category.as_str().into()),
        provider: kind.map_or_else(|| known.provider.clone(), |k| k.provider.as_str().into()),
        state: match status {
            _ if asks => RunState::Waiting,
            Some(status) => action_state(status),
            None => RunState::Unknown,
        },
        summary: text(result.and_then(|r| r.external_execution_summary())),
        error: result.and_then(|r| r.error_details()).and_then(error),
        at: detail.last_update_time().or(detail.start_time()).and_then(time),
        percent: None,
        by: detail.updated_by().map(who),
        revision: known.revision.clone(),
        link: text(result.and_then(|r| r.external_execution_url())).or_else(|| known.link.clone()),
        approval,
    }
}
