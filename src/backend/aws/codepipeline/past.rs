//! What ran: the history, what older executions carried, and the actions of those side by side.

use std::collections::BTreeMap;

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::operation::get_pipeline_state::GetPipelineStateOutput;
use aws_sdk_codepipeline::types::{ActionExecutionDetail, ActionExecutionFilter, StageExecution};

use super::{CodePipeline, executions};
use crate::backend::aws::reader::{Connection, ends_read};
use crate::backend::aws::tags::{Tags, tags};
use crate::backend::context::ReadContext;
use crate::domain::error::Fault;
use crate::domain::ids::ExecutionId;
use crate::domain::pipeline::Execution;
use crate::domain::revision::Revision;
use crate::domain::text::SafeText;

/// Executions asked for: it costs the same call as fewer.
const HISTORY: i32 = 50;
/// The same in `PARALLEL` mode, where any of them may wait for a human.
const PARALLEL_PAGE: i32 = 100;
/// Pages of a history in `PARALLEL` mode.
const PARALLEL_PAGES: usize = 5;
/// Running executions of a `PARALLEL` pipeline whose actions are read.
const MAX_PARALLEL: usize = 50;
/// Pages of the actions of one execution.
const ACTION_PAGES: usize = 10;

/// Pages of the tags of one pipeline, of which there are fifty at most.
const TAG_PAGES: usize = 5;

/// The newest executions.
pub(super) struct History {
    pub(super) executions: Vec<Execution>,
    /// Told where some were left out that may still run.
    pub(super) warning: Option<SafeText>,
}

impl CodePipeline {
    pub(super) async fn history(
        &self,
        connection: &Connection<Client>,
        name: &str,
        is_parallel: bool,
        context: &ReadContext,
    ) -> Result<History, Fault> {
        let (size, pages) =
            if is_parallel { (PARALLEL_PAGE, PARALLEL_PAGES) } else { (HISTORY, 1) };
        let mut executions = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..pages {
            context.spend().await;
            let request = connection.client.list_pipeline_executions().pipeline_name(name);
            let request = request.max_results(size).set_next_token(token.take());
            let page = request.send().await;
            let page =
                page.map_err(|e| connection.fault(&e, "ListPipelineExecutions", context.now()))?;
            let summaries = page.pipeline_execution_summaries();
            executions.extend(summaries.iter().filter_map(executions::execution));
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        let warning = (is_parallel && token.is_some()).then(|| {
            let count = executions.len();
            SafeText::from(format!("{name}: only its newest {count} executions are read"))
        });
        Ok(History { executions, warning })
    }

    /// What the executions carry that stages speak of and the history no longer lists.
    pub(super) async fn older(
        &self,
        connection: &Connection<Client>,
        name: &str,
        state: &GetPipelineStateOutput,
        history: &[Execution],
        known: Option<&BTreeMap<ExecutionId, Option<Revision>>>,
        context: &ReadContext,
    ) -> Result<BTreeMap<ExecutionId, Option<Revision>>, Fault> {
        let mut older = BTreeMap::new();
        let stages = state.stage_states().iter().filter_map(|s| s.latest_execution());
        for raw in stages.map(StageExecution::pipeline_execution_id) {
            let id = ExecutionId::new(raw);
            if older.contains_key(&id) || history.iter().any(|e| e.id == id) {
                continue;
            }
            if let Some(revision) = known.and_then(|known| known.get(&id)) {
                older.insert(id, revision.clone());
                continue;
            }
            context.spend().await;
            let request = connection.client.get_pipeline_execution().pipeline_name(name);
            let revision = match request.pipeline_execution_id(raw).send().await {
                Ok(answer) => answer.pipeline_execution().and_then(|execution| {
                    execution.artifact_revisions().iter().find_map(executions::artifact)
                }),
                Err(error) => {
                    let fault = connection.fault(&error, "GetPipelineExecution", context.now());
                    if ends_read(&fault) {
                        return Err(fault);
                    }
                    None
                }
            };
            older.insert(id, revision);
        }
        Ok(older)
    }

    /// The actions of the executions that run, else of the newest one; and what was left out.
    pub(super) async fn runs(
        &self,
        connection: &Connection<Client>,
        name: &str,
        history: &[Execution],
        context: &ReadContext,
    ) -> Result<(Vec<ActionExecutionDetail>, Option<SafeText>), Fault> {
        let running = history.iter().filter(|e| e.state.is_moving());
        let count = running.clone().count();
        let mut ids: Vec<&ExecutionId> = running.take(MAX_PARALLEL).map(|e| &e.id).collect();
        if ids.is_empty() {
            ids.extend(history.first().map(|e| &e.id));
        }
        let cut = (count > MAX_PARALLEL).then(|| {
            SafeText::from(format!(
                "{name}: {count} executions run; approvals of the newest {MAX_PARALLEL} alone are read"
            ))
        });
        let mut runs = Vec::new();
        for id in ids {
            runs.extend(self.actions(connection, name, id, context).await?);
        }
        Ok((runs, cut))
    }

    /// The tags of the pipeline called `arn`.
    pub(super) async fn ask_tags(
        &self,
        connection: &Connection<Client>,
        arn: &str,
        context: &ReadContext,
    ) -> Result<Tags, Fault> {
        let mut found = Tags::new();
        let mut token: Option<String> = None;
        for _ in 0..TAG_PAGES {
            context.spend().await;
            let request = connection.client.list_tags_for_resource().resource_arn(arn);
            let page = request.set_next_token(token.take()).send().await;
            let page =
                page.map_err(|e| connection.fault(&e, "ListTagsForResource", context.now()))?;
            found.extend(tags(page.tags().iter().map(|tag| (tag.key(), tag.value()))));
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Every action of one execution.
    async fn actions(
        &self,
        connection: &Connection<Client>,
        name: &str,
        id: &ExecutionId,
        context: &ReadContext,
    ) -> Result<Vec<ActionExecutionDetail>, Fault> {
        let mut actions = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..ACTION_PAGES {
            let filter = ActionExecutionFilter::builder().pipeline_execution_id(id.as_str());
            context.spend().await;
            let request = connection.client.list_action_executions().pipeline_name(name);
            let request = request.filter(filter.build()).set_next_token(token.take());
            let page = request.send().await;
            let page =
                page.map_err(|e| connection.fault(&e, "ListActionExecutions", context.now()))?;
            actions.extend(page.action_execution_details.unwrap_or_default());
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        Ok(actions)
    }
}
