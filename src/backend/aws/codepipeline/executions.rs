//! Executions with what they carry and what started them.

use aws_sdk_codepipeline::types::{
    ArtifactRevision, ExecutionTrigger, PipelineExecutionStatus, PipelineExecutionSummary,
    SourceRevision, StageExecutionStatus, TriggerType,
};

use crate::backend::aws::convert::{first_line, text, time, who};
use crate::domain::ids::ExecutionId;
use crate::domain::pipeline::{Execution, RunState};
use crate::domain::revision::Revision;
use crate::domain::text::SafeText;

/// One execution of the history; `None` if it has no id.
pub(super) fn execution(summary: &PipelineExecutionSummary) -> Option<Execution> {
    let id = ExecutionId::new(summary.pipeline_execution_id()?);
    let trigger = summary.trigger();
    let stop = summary.stop_trigger().and_then(|stop| text(stop.reason()));
    let rollback = summary.rollback_metadata();
    Some(Execution {
        id,
        state: summary.status().map_or(RunState::Unknown, run_state),
        summary: stop.or_else(|| text(summary.status_summary())),
        started: summary.start_time().and_then(time),
        updated: summary.last_update_time().and_then(time),
        trigger: trigger.and_then(trigger_words),
        by: trigger.and_then(starter),
        revisions: summary.source_revisions().iter().filter_map(revision).collect(),
        rollback_to: rollback
            .and_then(|r| r.rollback_target_pipeline_execution_id())
            .map(ExecutionId::new),
    })
}

/// Where an execution stands.
pub(super) fn run_state(status: &PipelineExecutionStatus) -> RunState {
    match status {
        PipelineExecutionStatus::InProgress => RunState::Running,
        PipelineExecutionStatus::Succeeded => RunState::Succeeded,
        PipelineExecutionStatus::Failed => RunState::Failed,
        PipelineExecutionStatus::Stopping => RunState::Stopping,
        PipelineExecutionStatus::Stopped => RunState::Stopped,
        PipelineExecutionStatus::Superseded => RunState::Superseded,
        PipelineExecutionStatus::Cancelled => RunState::Cancelled,
        _ => RunState::Unknown,
    }
}

/// Where a stage stands.
pub(super) fn stage_state(status: &StageExecutionStatus) -> RunState {
    match status {
        StageExecutionStatus::InProgress => RunState::Running,
        StageExecutionStatus::Succeeded => RunState::Succeeded,
        StageExecutionStatus::Failed => RunState::Failed,
        StageExecutionStatus::Stopping => RunState::Stopping,
        StageExecutionStatus::Stopped => RunState::Stopped,
        StageExecutionStatus::Cancelled => RunState::Cancelled,
        StageExecutionStatus::Skipped => RunState::Skipped,
        _ => RunState::Unknown,
    }
}

fn revision(source: &SourceRevision) -> Option<Revision> {
    Some(Revision {
        id: text(source.revision_id())?,
        message: source.revision_summary().and_then(message),
        link: text(source.revision_url()),
        origin: text(Some(&source.action_name)),
        ..Revision::default()
    })
}

/// What an execution carried, as its own description says.
pub(super) fn artifact(artifact: &ArtifactRevision) -> Option<Revision> {
    Some(Revision {
        id: text(artifact.revision_id())?,
        message: artifact.revision_summary().and_then(message),
        at: artifact.created().and_then(time),
        link: text(artifact.revision_url()),
        origin: text(artifact.name()),
        ..Revision::default()
    })
}

/// Connections to GitHub, GitLab and Bitbucket put JSON where others put the commit message:
/// `{"ProviderType":"GitHub","CommitMessage":"…"}`.
fn message(summary: &str) -> Option<SafeText> {
    if summary.trim_start().starts_with('{')
        && let Ok(json) = serde_json::from_str::<serde_json::Value>(summary)
        && let Some(message) = json.get("CommitMessage").and_then(serde_json::Value::as_str)
    {
        return first_line(message);
    }
    first_line(summary)
}

fn trigger_words(trigger: &ExecutionTrigger) -> Option<SafeText> {
    let words = match trigger.trigger_type()? {
        TriggerType::CreatePipeline => "pipeline created",
        TriggerType::StartPipelineExecution => "manual start",
        TriggerType::PollForSourceChanges => "source change",
        TriggerType::Webhook => "webhook",
        TriggerType::WebhookV2 => "push or pull request",
        TriggerType::CloudWatchEvent => {
            let rule = trigger.trigger_detail().map(who);
            let words =
                rule.map_or_else(|| "event".to_owned(), |rule| format!("event rule {rule}"));
            return Some(SafeText::new(&words));
        }
        TriggerType::PutActionRevision => "revision announced",
        TriggerType::ManualRollback => "rollback by hand",
        TriggerType::AutomatedRollback => "automatic rollback",
        other => other.as_str(),
    };
    Some(SafeText::new(words))
}

/// The person, where a person started it.
fn starter(trigger: &ExecutionTrigger) -> Option<SafeText> {
    match trigger.trigger_type()? {
        TriggerType::StartPipelineExecution
        | TriggerType::ManualRollback
        | TriggerType::CreatePipeline => trigger.trigger_detail().map(who),
        _ => None,
    }
}
