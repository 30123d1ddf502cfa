//! Who answered an approval, and how: what the history of one execution tells.

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::types::{
    ActionCategory, ActionExecutionDetail, ActionExecutionFilter, ActionExecutionStatus,
};

use super::CodePipeline;
use crate::backend::aws::convert::{text, time, who};
use crate::backend::aws::reader::Connection;
use crate::backend::context::ReadContext;
use crate::backend::port::Asked;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::write::{Decision, Verdict, Write};

impl CodePipeline {
    /// What became of one approval of one execution.
    pub(super) async fn decided(
        &self,
        asked: &Asked,
        context: &ReadContext,
    ) -> Result<Option<Decision>, Fault> {
        let connection = self.reader.connect(context.now()).await?;
        let told = self.history_of(&connection, asked, context).await;
        if let Err(fault) = &told {
            self.reader.learn(&connection.loaded, fault, context.now()).await;
        }
        told
    }

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
        let asked = Asked {
            pipeline: pipeline.clone(),
            stage: Some(stage.clone()),
            action: Some(action.clone()),
            execution: execution.clone(),
        };
        // Without this answer the refusal stands as it is.
        let Ok(Some(told)) = self.history_of(connection, &asked, context).await else {
            return fault;
        };
        let message = format!("{}: {}", told.words(), fault.message);
        Fault { message: message.into(), ..fault }
    }

    async fn history_of(
        &self,
        connection: &Connection<Client>,
        asked: &Asked,
        context: &ReadContext,
    ) -> Result<Option<Decision>, Fault> {
        const OPERATION: &str = "ListActionExecutions";
        let execution = asked.execution.as_str();
        let filter = ActionExecutionFilter::builder().pipeline_execution_id(execution);
        context.spend().await;
        let request = connection.client.list_action_executions();
        let request = request.pipeline_name(asked.pipeline.name.as_str()).filter(filter.build());
        let answer = request.send().await;
        let answer = answer.map_err(|e| connection.fault(&e, OPERATION, context.now()))?;
        let own = answer.action_execution_details().iter().filter(|run| is_asked(run, asked));
        // A stage that was run again has asked again: the newest counts, answered or not.
        let newest = own.max_by_key(|run| run.start_time().and_then(time));
        Ok(newest.and_then(decision))
    }
}

fn is_asked(run: &ActionExecutionDetail, asked: &Asked) -> bool {
    let stage = asked.stage.as_ref().is_none_or(|own| *own == *run.stage_name().unwrap_or(""));
    let action = asked.action.as_ref();
    let action = action.is_none_or(|own| *own == *run.action_name().unwrap_or(""));
    let kind = run.input().and_then(|input| input.action_type_id());
    let approves = kind.map_or(asked.action.is_some(), |k| k.category == ActionCategory::Approval);
    stage && action && approves
}

fn decision(run: &ActionExecutionDetail) -> Option<Decision> {
    let by = run.updated_by().map(who);
    let verdict = match run.status()? {
        ActionExecutionStatus::Succeeded => Verdict::Approved,
        ActionExecutionStatus::Failed if by.is_some() => Verdict::Rejected,
        ActionExecutionStatus::Failed => Verdict::TimedOut,
        ActionExecutionStatus::Abandoned => Verdict::Abandoned,
        _ => return None,
    };
    let result = run.output().and_then(|output| output.execution_result());
    Some(Decision {
        verdict,
        by,
        at: run.last_update_time().and_then(time),
        comment: text(result.and_then(|result| result.external_execution_summary())),
    })
}
