//! From `GetPipelineState` to stages, actions, approvals, transitions and conditions.

use std::collections::BTreeMap;

use aws_sdk_codepipeline::operation::get_pipeline_state::GetPipelineStateOutput;
use aws_sdk_codepipeline::types::{
    ActionExecution, ActionExecutionStatus, ActionState, ConditionExecutionStatus, ConditionState,
    ErrorDetails, StageConditionState, StageExecution, StageState, TransitionState,
};
use jiff::Timestamp;

use super::definition::{APPROVAL_TIMEOUT, ActionDefinition, Definition};
use super::executions::stage_state;
use crate::backend::aws::convert::{text, time, who};
use crate::domain::ids::ExecutionId;
use crate::domain::pipeline::{
    Action, Approval, Condition, Execution, RunState, Stage, Transition,
};
use crate::domain::revision::Revision;
use crate::domain::text::SafeText;
use crate::domain::token::Token;

/// What the state alone does not tell.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) definition: Option<&'a Definition>,
    pub(super) executions: &'a [Execution],
    /// What executions older than those carried.
    pub(super) older: &'a BTreeMap<ExecutionId, Option<Revision>>,
}

impl Known<'_> {
    /// What an execution carries.
    pub(super) fn revision(&self, id: &ExecutionId) -> Option<Revision> {
        let listed = self.executions.iter().find(|e| e.id == *id);
        let listed = listed.and_then(|e| e.revisions.first());
        listed.or_else(|| self.older.get(id)?.as_ref()).cloned()
    }
}

/// Ids of all executions that the stages speak of.
pub(super) fn named(state: &GetPipelineStateOutput) -> impl Iterator<Item = &str> {
    state.stage_states().iter().flat_map(|stage| {
        let latest = stage.latest_execution();
        let inbound = stage.inbound_execution();
        let all = latest.into_iter().chain(inbound).chain(stage.inbound_executions());
        all.map(StageExecution::pipeline_execution_id)
    })
}

/// The stages of the state, in order.
pub(super) fn stages(state: &GetPipelineStateOutput, known: &Known<'_>) -> Vec<Stage> {
    let all = state.stage_states().iter().enumerate();
    let mut stages: Vec<Stage> = all.map(|(i, s)| stage(s, i == 0, known)).collect();
    forget_earlier_executions(&mut stages, known);
    stages
}

/// An action shows its last run, whichever execution that was of. What ended before the execution that
/// is in the stage had begun, or had passed the stage before, was another one's.
fn forget_earlier_executions(stages: &mut [Stage], known: &Known<'_>) {
    let mut before: Option<(ExecutionId, Timestamp)> = None;
    for stage in stages {
        let Some(own) = stage.execution.clone() else {
            before = None;
            continue;
        };
        let run = known.executions.iter().find(|run| run.id == own);
        let passed = before.filter(|(id, _)| *id == own).map(|(_, at)| at);
        let earliest = run.and_then(|run| run.started).max(passed);
        let earlier = |action: &&mut Action| {
            let ended = action.approval.is_none() && action.state != RunState::Running;
            ended && action.at.zip(earliest).is_some_and(|(at, earliest)| at < earliest)
        };
        stage.actions.iter_mut().filter(earlier).for_each(forget);
        let since = stage.actions.iter().filter_map(|a| a.at).max();
        stage.since = since.or(earliest);
        before = Some(own).zip(since);
    }
}

fn stage(state: &StageState, first: bool, known: &Known<'_>) -> Stage {
    let name = state.stage_name().unwrap_or_default();
    let latest = state.latest_execution();
    let execution = latest.map(|e| ExecutionId::new(e.pipeline_execution_id()));
    let status = latest.map_or(RunState::NotRun, |e| stage_state(e.status()));
    let mut actions: Vec<(i32, Action)> = state
        .action_states()
        .iter()
        .enumerate()
        .map(|(at, state)| {
            let defined = state.action_name().and_then(|a| known.definition?.action(name, a));
            // Without the structure, the order of the answer is the best there is.
            let order = defined.map_or(i32::try_from(at).unwrap_or(i32::MAX), |d| d.order);
            (order, action(state, defined, execution.as_ref()))
        })
        .collect();
    actions.sort_by_key(|(order, _)| *order);
    if status.is_moving() && known.definition.is_some() {
        forget_earlier_runs(&mut actions);
    }
    let actions: Vec<Action> = actions.into_iter().map(|(_, action)| action).collect();
    let waiting = actions.iter().any(|a| a.approval.is_some());
    let inbound = state.inbound_execution().or_else(|| state.inbound_executions().first());
    Stage {
        name: SafeText::new(name),
        state: if waiting && status == RunState::Running { RunState::Waiting } else { status },
        revision: execution.as_ref().and_then(|id| known.revision(id)),
        execution,
        inbound: inbound.map(|e| ExecutionId::new(e.pipeline_execution_id())),
        transition: state.inbound_transition_state().filter(|_| !first).map(transition),
        since: actions.iter().filter_map(|a| a.at).max(),
        actions,
        conditions: conditions(state),
    }
}

/// `CodePipeline` tells the last run of each action, whichever execution it was of. While a stage
/// runs, the actions behind the running ones still show an earlier execution.
fn forget_earlier_runs(actions: &mut [(i32, Action)]) {
    let running = |a: &Action| matches!(a.state, RunState::Running | RunState::Waiting);
    let Some(now) = actions.iter().filter(|(_, a)| running(a)).map(|(order, _)| *order).min()
    else {
        return;
    };
    for (_, action) in actions.iter_mut().filter(|(order, _)| *order > now) {
        forget(action);
    }
}

fn forget(action: &mut Action) {
    action.state = RunState::NotRun;
    action.summary = None;
    action.error = None;
    action.at = None;
    action.percent = None;
    action.by = None;
}

fn action(
    state: &ActionState,
    defined: Option<&ActionDefinition>,
    execution: Option<&ExecutionId>,
) -> Action {
    let latest = state.latest_execution();
    let status = latest.and_then(|e| e.status());
    let token = latest.and_then(|e| e.token());
    // Only approvals have a token, so one is known even where the structure may not be read.
    let is_approval = defined.map_or(token.is_some(), |d| d.is_approval);
    let at = latest.and_then(|e| e.last_status_change()).and_then(time);
    let asks = is_approval && status == Some(&ActionExecutionStatus::InProgress);
    let approval = asks.then(|| Approval {
        execution: execution.cloned(),
        token: token.map(Token::new),
        requested: at,
        deadline: at
            .and_then(|at| at.checked_add(defined.map_or(APPROVAL_TIMEOUT, |d| d.timeout)).ok()),
        message: defined.and_then(|d| d.message.clone()),
        link: defined.and_then(|d| d.link.clone()).or_else(|| text(state.entity_url())),
    });
    let page = latest.and_then(|e| e.external_execution_url()).or(state.entity_url());
    let revision = state.current_revision().and_then(|r| {
        let created = time(r.created());
        let link = text(state.revision_url());
        Some(Revision {
            id: text(Some(r.revision_id()))?,
            at: created,
            link,
            ..Revision::default()
        })
    });
    Action {
        name: SafeText::new(state.action_name().unwrap_or_default()),
        category: defined.map_or_else(
            || SafeText::new(if is_approval { "Approval" } else { "" }),
            |d| d.category.clone(),
        ),
        provider: defined.map(|d| d.provider.clone()).unwrap_or_default(),
        state: match status {
            Some(_) if asks => RunState::Waiting,
            Some(status) => action_state(status),
            None => RunState::NotRun,
        },
        summary: text(latest.and_then(|e| e.summary())),
        error: latest.and_then(|e| e.error_details()).and_then(error),
        at,
        percent: latest
            .and_then(ActionExecution::percent_complete)
            .and_then(|p| u8::try_from(p.clamp(0, 100)).ok()),
        by: latest.and_then(|e| e.last_updated_by()).map(who),
        revision,
        link: text(page),
        approval,
    }
}

/// Where an action stands.
pub(super) fn action_state(status: &ActionExecutionStatus) -> RunState {
    match status {
        ActionExecutionStatus::InProgress => RunState::Running,
        ActionExecutionStatus::Succeeded => RunState::Succeeded,
        ActionExecutionStatus::Failed => RunState::Failed,
        ActionExecutionStatus::Abandoned => RunState::Stopped,
        _ => RunState::Unknown,
    }
}

/// `code: message`.
pub(super) fn error(details: &ErrorDetails) -> Option<SafeText> {
    match (text(details.code()), text(details.message())) {
        (Some(code), Some(message)) => Some(SafeText::new(&format!("{code}: {message}"))),
        (code, message) => message.or(code),
    }
}

fn transition(state: &TransitionState) -> Transition {
    Transition {
        enabled: state.enabled(),
        reason: text(state.disabled_reason()),
        by: state.last_changed_by().map(who),
        at: state.last_changed_at().and_then(time),
    }
}

fn conditions(state: &StageState) -> Vec<Condition> {
    [
        ("before entry", state.before_entry_condition_state()),
        ("on success", state.on_success_condition_state()),
        ("on failure", state.on_failure_condition_state()),
    ]
    .into_iter()
    .filter_map(|(when, condition)| Some(self::condition(when, condition?)))
    .collect()
}

fn condition(when: &str, state: &StageConditionState) -> Condition {
    let latest = state.latest_execution();
    let each = state.condition_states();
    let rules = each.iter().flat_map(ConditionState::rule_states).filter_map(|rule| {
        let run = rule.latest_execution()?;
        let name = rule.rule_name().unwrap_or("rule");
        let said = run.error_details().and_then(error).or_else(|| text(run.summary()));
        let status = run.status().map_or("", |s| s.as_str());
        Some(said.map_or_else(|| format!("{name} {status}"), |s| format!("{name} {status}: {s}")))
    });
    let rules: Vec<String> = rules.collect();
    let changes = each.iter().filter_map(|c| c.latest_execution()?.last_status_change());
    let own = text(latest.and_then(|e| e.summary()));
    Condition {
        when: SafeText::new(when),
        state: latest.and_then(|e| e.status()).map_or(RunState::NotRun, condition_state),
        summary: if rules.is_empty() { own } else { Some(SafeText::new(&rules.join("; "))) },
        at: changes.filter_map(time).max(),
    }
}

fn condition_state(status: &ConditionExecutionStatus) -> RunState {
    match status {
        ConditionExecutionStatus::InProgress => RunState::Running,
        ConditionExecutionStatus::Succeeded => RunState::Succeeded,
        ConditionExecutionStatus::Failed | ConditionExecutionStatus::Errored => RunState::Failed,
        ConditionExecutionStatus::Cancelled => RunState::Cancelled,
        ConditionExecutionStatus::Abandoned => RunState::Stopped,
        ConditionExecutionStatus::Overridden => RunState::Skipped,
        _ => RunState::Unknown,
    }
}
