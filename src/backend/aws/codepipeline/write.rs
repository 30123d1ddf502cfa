//! Writes: each is one call, with what the service itself checks before it does it.
//!
//! Not every one has such a check (opening a transition lets in whatever waits), so the state is read
//! once more before. Nothing is sent twice: sessions are loaded without retries.

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::error::BuildError;
use aws_sdk_codepipeline::types::{
    ApprovalResult, ApprovalStatus, ConditionType, StageRetryMode, StageTransitionType,
};

use sha2::{Digest, Sha256};

use super::{CodePipeline, refused};
use crate::backend::aws::convert::time;
use crate::backend::aws::moved;
use crate::backend::aws::reader::Connection;
use crate::backend::context::ReadContext;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::PipelineId;
use crate::domain::observation::Topic;
use crate::domain::source::Verb;
use crate::domain::text::SafeText;
use crate::domain::write::{Order, Receipt, Write, hold_reason};

/// What can be done to a pipeline.
pub(super) const VERBS: [Verb; 8] = [
    Verb::Approve,
    Verb::Reject,
    Verb::Retry,
    Verb::Stop,
    Verb::Start,
    Verb::Transition,
    Verb::Rollback,
    Verb::Override,
];

/// The token of a start (`clientRequestToken`): the same from every host that saw the same newest
/// execution, so that two starts from one picture are one execution.
fn start_token(pipeline: &str, newest: &str) -> String {
    let seen = Sha256::digest(format!("{pipeline}\n{newest}").as_bytes());
    let hex = seen.iter().take(16).map(|byte| format!("{byte:02x}"));
    hex.fold("flightdeck-".to_owned(), |token, byte| token + &byte)
}

impl CodePipeline {
    /// Sends `order` once.
    pub(super) async fn write(
        &self,
        order: &Order,
        context: &ReadContext,
    ) -> Result<Receipt, Fault> {
        let pipeline = self.pipeline_of(order.write())?;
        if let Some(too_long) = too_long(order.write()) {
            return Err(too_long);
        }
        let connection = self.reader.connect(context.now()).await?;
        let sent = match moved::check(self, Topic::Items, order, context).await {
            Ok(()) => self.send(&connection, order, pipeline, context).await,
            Err(fault) => Err(fault),
        };
        self.look_again(pipeline.name.as_str());
        match sent {
            Ok(receipt) => Ok(receipt),
            Err(fault) => {
                self.reader.learn(&connection.loaded, &fault, context.now()).await;
                Err(self.with_who(&connection, order.write(), fault, context).await)
            }
        }
    }

    fn pipeline_of<'a>(&self, write: &'a Write) -> Result<&'a PipelineId, Fault> {
        let (Write::Answer { pipeline, .. }
        | Write::Retry { pipeline, .. }
        | Write::Stop { pipeline, .. }
        | Write::Start { pipeline }
        | Write::Hold { pipeline, .. }
        | Write::Release { pipeline, .. }
        | Write::RollBack { pipeline, .. }
        | Write::Override { pipeline, .. }) = write
        else {
            return Err(impossible(format!("codepipeline cannot {}", write.verb().word())));
        };
        if pipeline.source != self.id || !self.wants(pipeline.name.as_str()) {
            let message = format!("{} is no pipeline of the source {}", pipeline.name, self.id);
            return Err(impossible(message));
        }
        Ok(pipeline)
    }

    async fn send(
        &self,
        connection: &Connection<Client>,
        order: &Order,
        pipeline: &PipelineId,
        context: &ReadContext,
    ) -> Result<Receipt, Fault> {
        let (client, name) = (&connection.client, pipeline.name.as_str());
        match order.write() {
            Write::Answer { stage, action, approve, comment, .. } => {
                let token = order.expects().token.as_ref().and_then(|token| token.reveal());
                let token = token.ok_or_else(|| {
                    impossible("the token of the approval is not known: read it again")
                })?;
                let status =
                    if *approve { ApprovalStatus::Approved } else { ApprovalStatus::Rejected };
                let result = ApprovalResult::builder().summary(comment.as_str()).status(status);
                let result = result.build().map_err(|error| unbuilt(&error))?;
                context.spend().await;
                let request = client.put_approval_result().pipeline_name(name);
                let request = request.stage_name(stage.as_str()).action_name(action.as_str());
                let answer = request.token(token).result(result).send().await;
                let now = context.now();
                let answer =
                    answer.map_err(|e| refused::fault(connection, &e, "PutApprovalResult", now))?;
                let at = answer.approved_at().and_then(time);
                Ok(note(at.map_or("answered".to_owned(), |at| format!("answered at {at}"))))
            }
            Write::Retry { stage, execution, all, .. } => {
                let mode =
                    if *all { StageRetryMode::AllActions } else { StageRetryMode::FailedActions };
                context.spend().await;
                let request = client.retry_stage_execution().pipeline_name(name);
                let request = request.stage_name(stage.as_str()).retry_mode(mode);
                let answer = request.pipeline_execution_id(execution.as_str()).send().await;
                let now = context.now();
                let answer = answer
                    .map_err(|e| refused::fault(connection, &e, "RetryStageExecution", now))?;
                Ok(began(answer.pipeline_execution_id(), "runs again"))
            }
            Write::Stop { execution, abandon, reason, .. } => {
                context.spend().await;
                let request = client.stop_pipeline_execution().pipeline_name(name);
                let reason = Some(reason.to_string()).filter(|reason| !reason.is_empty());
                let request = request.abandon(*abandon).set_reason(reason);
                let answer = request.pipeline_execution_id(execution.as_str()).send().await;
                let now = context.now();
                let answer = answer
                    .map_err(|e| refused::fault(connection, &e, "StopPipelineExecution", now))?;
                Ok(began(answer.pipeline_execution_id(), "is being stopped"))
            }
            Write::Start { .. } => {
                let newest = order.expects().get("newest execution");
                let token = start_token(name, newest.map_or("", SafeText::as_str));
                context.spend().await;
                let request = client.start_pipeline_execution().name(name);
                let answer = request.client_request_token(token).send().await;
                let now = context.now();
                let answer = answer
                    .map_err(|e| refused::fault(connection, &e, "StartPipelineExecution", now))?;
                Ok(began(answer.pipeline_execution_id(), "has started"))
            }
            Write::Hold { stage, reason, .. } => {
                let said = hold_reason(reason.as_str());
                context.spend().await;
                let request = client.disable_stage_transition().pipeline_name(name);
                let request = request.stage_name(stage.as_str()).reason(&said);
                let request = request.transition_type(StageTransitionType::Inbound);
                let now = context.now();
                request
                    .send()
                    .await
                    .map_err(|e| refused::fault(connection, &e, "DisableStageTransition", now))?;
                let other = *reason != *said.as_str();
                let written = format!("the way is closed, because: {said}");
                Ok(note(if other { written } else { "the way is closed".to_owned() }))
            }
            Write::Release { stage, .. } => {
                context.spend().await;
                let request = client.enable_stage_transition().pipeline_name(name);
                let request = request.stage_name(stage.as_str());
                let request = request.transition_type(StageTransitionType::Inbound);
                let now = context.now();
                request
                    .send()
                    .await
                    .map_err(|e| refused::fault(connection, &e, "EnableStageTransition", now))?;
                Ok(note("the way is open"))
            }
            Write::RollBack { stage, to, .. } => {
                context.spend().await;
                let request = client.rollback_stage().pipeline_name(name);
                let request = request.stage_name(stage.as_str());
                let answer = request.target_pipeline_execution_id(to.as_str()).send().await;
                let now = context.now();
                let answer =
                    answer.map_err(|e| refused::fault(connection, &e, "RollbackStage", now))?;
                Ok(began(Some(answer.pipeline_execution_id()), "goes back"))
            }
            Write::Override { stage, execution, condition, .. } => {
                let kind = condition_type(condition)?;
                context.spend().await;
                let request = client.override_stage_condition().pipeline_name(name);
                let request = request.stage_name(stage.as_str()).condition_type(kind);
                let request = request.pipeline_execution_id(execution.as_str());
                let now = context.now();
                request
                    .send()
                    .await
                    .map_err(|e| refused::fault(connection, &e, "OverrideStageCondition", now))?;
                Ok(note("the condition is overridden"))
            }
            other => Err(impossible(format!("codepipeline cannot {}", other.verb().word()))),
        }
    }
}

/// Only these two kinds of condition can be overridden.
fn condition_type(condition: &SafeText) -> Result<ConditionType, Fault> {
    match condition.as_str() {
        "before entry" => Ok(ConditionType::BeforeEntry),
        "on success" => Ok(ConditionType::OnSuccess),
        other => Err(impossible(format!("a condition {other} cannot be overridden"))),
    }
}

/// A comment is never cut: what was confirmed is what is written. The reason of a transition is
/// mapped, and told as it was written.
fn too_long(write: &Write) -> Option<Fault> {
    let (Write::Answer { comment: text, .. } | Write::Stop { reason: text, .. }) = write else {
        return None;
    };
    let (most, long) = (write.comment_room()?, text.as_str().chars().count());
    (long > most).then(|| {
        let message = format!("the comment has {long} characters, and {most} are taken");
        Fault::new(FaultKind::InvalidRequest, message).hint("write a shorter one")
    })
}

fn began(execution: Option<&str>, what: &str) -> Receipt {
    let note = execution.map(|id| format!("execution {id} {what}").into());
    Receipt { id: execution.map(SafeText::new), note }
}

fn note(what: impl Into<SafeText>) -> Receipt {
    Receipt { id: None, note: Some(what.into()) }
}

fn impossible(message: impl Into<SafeText>) -> Fault {
    Fault::new(FaultKind::InvalidRequest, message).hint("nothing was sent; read the pipeline again")
}

fn unbuilt(error: &BuildError) -> Fault {
    impossible(error.to_string())
}
