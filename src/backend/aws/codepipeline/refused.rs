//! What the service's refusals of writes mean, and who was faster.

use std::error::Error;

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::types::{ActionExecutionFilter, ActionExecutionStatus};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::Timestamp;

use super::CodePipeline;
use crate::backend::aws::convert::{time, who};
use crate::backend::aws::reader::Connection;
use crate::backend::context::ReadContext;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::write::Write;

/// Why the write `operation` failed.
pub(super) fn fault<E>(
    connection: &Connection<Client>,
    error: &SdkError<E, HttpResponse>,
    operation: &'static str,
    now: Timestamp,
) -> Fault
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let fault = connection.write_fault(error, operation, now);
    match error.code().and_then(meaning) {
        Some((kind, hint)) if fault.kind == FaultKind::InvalidRequest => {
            Fault { kind, ..fault }.hint(hint)
        }
        _ => fault,
    }
}

/// The exceptions of the write operations in the API reference: those that say that something
/// moved are conflicts.
fn meaning(code: &str) -> Option<(FaultKind, &'static str)> {
    Some(match code {
        "ApprovalAlreadyCompletedException" => {
            (FaultKind::Conflict, "somebody was faster; see what they answered")
        }
        "InvalidApprovalTokenException" => (
            FaultKind::Conflict,
            "this request was answered, timed out or was stopped; read again and decide anew",
        ),
        "NotLatestPipelineExecutionException" => (
            FaultKind::Conflict,
            "another execution has entered the stage since; read again and decide anew",
        ),
        "StageNotRetryableException" => (
            FaultKind::Conflict,
            "the stage no longer stands as it failed, or the pipeline was edited; start it instead",
        ),
        "PipelineExecutionNotStoppableException" => {
            (FaultKind::Conflict, "it has ended already; see how")
        }
        "DuplicatedStopRequestException" => {
            (FaultKind::Conflict, "it is being stopped already; to hurry it, abandon it")
        }
        "ConditionNotOverridableException" => {
            (FaultKind::Conflict, "the condition stops nothing any more; read again")
        }
        "PipelineExecutionOutdatedException" => (
            FaultKind::Conflict,
            "the pipeline was edited after that execution; choose a later one",
        ),
        "UnableToRollbackStageException" => (
            FaultKind::InvalidRequest,
            "choose an execution that succeeded in this stage and is no rollback itself",
        ),
        "ConcurrentPipelineExecutionsLimitExceededException" => (
            FaultKind::InvalidRequest,
            "too many executions run side by side; stop one, or wait until one ends",
        ),
        _ => return None,
    })
}

impl CodePipeline {
    /// A lost race for an approval with who won it, if the history tells.
    pub(super) async fn with_who(
        &self,
        connection: &Connection<Client>,
        write: &Write,
        fault: Fault,
        context: &ReadContext,
    ) -> Fault {
        let Write::Answer { pipeline, stage, action, execution: Some(execution), .. } = write
        else {
            return fault;
        };
        if fault.kind != FaultKind::Conflict {
            return fault;
        }
        context.spend().await;
        let filter = ActionExecutionFilter::builder().pipeline_execution_id(execution.as_str());
        let request = connection.client.list_action_executions();
        let request = request.pipeline_name(pipeline.name.as_str()).filter(filter.build());
        // Without this answer the refusal stands as it is.
        let Ok(answer) = request.send().await else { return fault };
        let answered = answer
            .action_execution_details()
            .iter()
            .filter(|d| {
                *stage == *d.stage_name().unwrap_or("") && *action == *d.action_name().unwrap_or("")
            })
            .filter_map(|d| {
                let by = d.updated_by().map(who);
                let verb = match d.status()? {
                    ActionExecutionStatus::Succeeded => "approved",
                    ActionExecutionStatus::Failed if by.is_some() => "rejected",
                    ActionExecutionStatus::Failed => "timed out",
                    ActionExecutionStatus::Abandoned => "abandoned",
                    _ => return None,
                };
                Some((d.last_update_time().and_then(time), verb, by))
            })
            .max_by_key(|(at, ..)| *at);
        let Some((at, verb, by)) = answered else { return fault };
        let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
        let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
        let message = format!("{verb}{by}{at}: {}", fault.message);
        Fault { message: message.into(), ..fault }
    }
}
