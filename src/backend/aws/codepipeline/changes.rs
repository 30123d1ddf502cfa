//! What happened to a pipeline, from facts that were read anyway.

use jiff::{SignedDuration, Timestamp};

use crate::domain::change::{Change, ChangeKind};
use crate::domain::ids::{ChangeId, ItemId};
use crate::domain::pipeline::{Action, Execution, Pipeline, RunState, Stage};
use crate::domain::text::SafeText;

/// Older things are not told: the timeline holds a limited number of changes of the whole fleet.
const HORIZON: SignedDuration = SignedDuration::from_hours(3 * 24);

/// Starts and ends of executions, answers to approvals, deployments, and transitions that people
/// closed or opened. The same thing read twice has the same id.
pub(super) fn of(pipeline: &Pipeline, now: Timestamp) -> Vec<Change> {
    let mut told = Vec::new();
    for execution in &pipeline.executions {
        told.extend(started(pipeline, execution));
        told.extend(ended(pipeline, execution));
    }
    for stage in &pipeline.stages {
        told.extend(transition(pipeline, stage));
        for action in &stage.actions {
            told.extend(acted(pipeline, stage, action));
        }
    }
    told.retain(|change| now.duration_since(change.at) <= HORIZON);
    told
}

fn change(pipeline: &Pipeline, key: &str, at: Timestamp, kind: ChangeKind, title: &str) -> Change {
    Change {
        id: ChangeId::new(&pipeline.id.source, &format!("{}:{key}", pipeline.id.name)),
        at,
        kind,
        title: SafeText::new(title),
        who: None,
        target: Some(ItemId::Pipeline(pipeline.id.clone())),
        environment: None,
        detail: None,
        link: pipeline.link.clone(),
    }
}

fn carried(execution: &Execution) -> String {
    execution.revisions.first().map_or_else(
        || execution.id.as_str().chars().take(8).collect(),
        crate::domain::revision::Revision::short,
    )
}

fn started(pipeline: &Pipeline, execution: &Execution) -> Option<Change> {
    let (kind, verb) = match execution.rollback_to {
        Some(_) => (ChangeKind::Rollback, "rollback started"),
        None => (ChangeKind::Pipeline, "started"),
    };
    let title = format!("{} {verb}: {}", pipeline.id.name, carried(execution));
    let key = format!("{}:start", execution.id);
    Some(Change {
        who: execution.by.clone(),
        detail: execution.trigger.clone(),
        ..change(pipeline, &key, execution.started?, kind, &title)
    })
}

fn ended(pipeline: &Pipeline, execution: &Execution) -> Option<Change> {
    let ended = matches!(
        execution.state,
        RunState::Succeeded | RunState::Failed | RunState::Stopped | RunState::Cancelled
    );
    let at = execution.updated.filter(|_| ended)?;
    let word = execution.state.word();
    let title = format!("{} {word}: {}", pipeline.id.name, carried(execution));
    let key = format!("{}:{word}", execution.id);
    Some(Change {
        detail: execution.summary.clone(),
        ..change(pipeline, &key, at, ChangeKind::Pipeline, &title)
    })
}

fn transition(pipeline: &Pipeline, stage: &Stage) -> Option<Change> {
    let way = stage.transition.as_ref()?;
    let at = way.at?;
    let verb = if way.enabled { "opened" } else { "closed" };
    let title = format!("{}: way into {} {verb}", pipeline.id.name, stage.name);
    let key = format!("{}:{verb}:{}", stage.name, at.as_second());
    Some(Change {
        who: way.by.clone(),
        detail: way.reason.clone(),
        ..change(pipeline, &key, at, ChangeKind::Pipeline, &title)
    })
}

fn acted(pipeline: &Pipeline, stage: &Stage, action: &Action) -> Option<Change> {
    let at = action.at?;
    let (kind, words) = match (action.category.as_str(), action.state) {
        ("Approval", RunState::Succeeded) => (ChangeKind::Approval, "approved"),
        ("Approval", RunState::Failed) => (ChangeKind::Approval, "rejected or timed out"),
        ("Deploy", RunState::Succeeded) => (ChangeKind::Deploy, "deployed"),
        ("Deploy", RunState::Failed) => (ChangeKind::Deploy, "failed to deploy"),
        _ => return None,
    };
    let what = stage.revision.as_ref().map(|r| format!(": {}", r.short())).unwrap_or_default();
    let title = format!("{} {}/{} {words}{what}", pipeline.id.name, stage.name, action.name);
    let key = format!("{}:{}:{}", stage.name, action.name, at.as_millisecond());
    Some(Change {
        who: action.by.clone().filter(|_| kind == ChangeKind::Approval),
        environment: (kind == ChangeKind::Deploy).then(|| stage.name.clone()),
        detail: action.error.clone().or_else(|| action.summary.clone()),
        ..change(pipeline, &key, at, kind, &title)
    })
}
