//! What the service's refusals of writes mean.

use std::error::Error;

use aws_sdk_codepipeline::Client;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::Timestamp;

use crate::backend::aws::reader::Connection;
use crate::domain::error::{Fault, FaultKind};

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
