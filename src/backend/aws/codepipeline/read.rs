//! The calls: the listing, and the state of each pipeline with as few others as it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::operation::get_pipeline_state::GetPipelineStateOutput;
use aws_sdk_codepipeline::types::{
    ActionExecutionDetail, ActionExecutionFilter, PipelineExecutionSummary, PipelineSummary,
    StageExecution,
};
use futures::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};

use super::definition::{Definition, mode};
use super::{CodePipeline, changes, executions, parallel, state};
use crate::backend::aws::convert::time;
use crate::backend::aws::reader::{Connection, ends_read};
use crate::backend::context::ReadContext;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::{Fact, FactKind};
use crate::domain::ids::{ExecutionId, ItemId, PipelineId};
use crate::domain::observation::{Observation, Scope};
use crate::domain::pipeline::{Execution, ExecutionMode, Pipeline, RunState};
use crate::domain::revision::Revision;
use crate::domain::text::SafeText;

/// Pipelines asked for in one page of the listing: the most that the API takes.
const LISTING_PAGE: i32 = 1_000;
/// Pages of the listing, so that an endless one ends.
const MAX_PAGES: usize = 1_000;
/// Pipelines read side by side in one batch.
const SIDE_BY_SIDE: usize = 4;
/// Executions asked for: it costs the same call as fewer.
const HISTORY: i32 = 50;
/// Executions kept, unless stages speak of older ones.
const KEPT: usize = 10;
/// Running executions of a `PARALLEL` pipeline whose actions are read.
const MAX_PARALLEL: usize = 50;
/// The history is read again after this time even if the state did not move.
const HISTORY_AGE: SignedDuration = SignedDuration::from_mins(10);

/// What of a pipeline need not be read again.
#[derive(Debug, Default)]
pub(super) struct Known {
    version: Option<i32>,
    /// None where it may not be read.
    definition: Option<Arc<Definition>>,
    /// Sum of the state at which the history was read.
    trace: u64,
    listed: Option<Timestamp>,
    executions: Vec<Execution>,
    /// What executions beyond the history carried; none where nobody knows any more.
    older: BTreeMap<ExecutionId, Option<Revision>>,
}

struct Read {
    pipeline: Pipeline,
    warning: Option<SafeText>,
}

impl CodePipeline {
    /// Every pipeline by name, in as few pages as the API gives.
    pub(super) async fn overview(
        &self,
        scope: &Scope,
        context: &ReadContext,
    ) -> Result<Observation, Fault> {
        let connection = self.reader.connect(context.now()).await?;
        let listing = self.listing(&connection, context);
        let (listed, (identity, warning)) =
            futures::future::join(listing, connection.identity(context)).await;
        let listed = match listed {
            Ok(listed) => listed,
            Err(fault) => {
                self.reader.learn(&connection.loaded, &fault, context.now()).await;
                return Err(fault);
            }
        };
        let names: BTreeSet<&str> = listed.iter().filter_map(|p| p.name()).collect();
        self.known().retain(|name, _| names.contains(name.as_str()));
        let mut observation = context.answer(&self.id, scope);
        let mut items = Vec::with_capacity(listed.len());
        for summary in &listed {
            let Some(name) = summary.name().filter(|name| self.wants(name)) else { continue };
            let id = PipelineId::new(&self.id, name);
            items.push(ItemId::Pipeline(id.clone()));
            observation.facts.push(Fact::Pipeline(Pipeline {
                flavour: summary.pipeline_type().map(|t| SafeText::new(t.as_str())),
                mode: mode(summary.execution_mode()),
                version: summary.version().and_then(|v| u64::try_from(v).ok()),
                updated: summary.updated().and_then(time),
                link: self.page(&connection, name),
                ..Pipeline::listed(id)
            }));
        }
        observation.items = Some(items);
        observation.complete = vec![FactKind::Pipelines];
        observation.identity = identity;
        observation.warnings.extend(warning);
        Ok(observation)
    }

    async fn listing(
        &self,
        connection: &Connection<Client>,
        context: &ReadContext,
    ) -> Result<Vec<PipelineSummary>, Fault> {
        let mut listed = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MAX_PAGES {
            context.spend().await;
            let request = connection.client.list_pipelines().max_results(LISTING_PAGE);
            let page = request.set_next_token(token.take()).send().await;
            let page = page.map_err(|e| connection.fault(&e, "ListPipelines", context.now()))?;
            // Even an account without pipelines has a list of them: an answer without one is none.
            let found = page.pipelines;
            listed.extend(found.ok_or_else(|| odd("ListPipelines", "an answer without a list"))?);
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(listed);
            }
        }
        let message = format!("the listing of pipelines does not end after {MAX_PAGES} pages");
        Err(Fault::new(FaultKind::InvalidReply, message))
    }

    /// The named pipelines, each with its own fault if it cannot be read.
    pub(super) async fn items(
        &self,
        scope: &Scope,
        context: &ReadContext,
    ) -> Result<Observation, Fault> {
        let connection = self.reader.connect(context.now()).await?;
        let stop: Mutex<Option<Fault>> = Mutex::new(None);
        let stopped = || stop.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reads = scope.items.iter().cloned().map(|item| {
            let (connection, stopped, stop) = (&connection, &stopped, &stop);
            async move {
                let read = match (&item, stopped()) {
                    (_, Some(fault)) => Err(fault),
                    (ItemId::Pipeline(id), None) => self.pipeline(connection, id, context).await,
                    (other, None) => {
                        let message = format!("{other} is no pipeline");
                        Err(Fault::new(FaultKind::InvalidRequest, message))
                    }
                };
                if let Err(fault) = &read
                    && ends_read(fault)
                {
                    let mut stop = stop.lock().unwrap_or_else(PoisonError::into_inner);
                    stop.get_or_insert_with(|| fault.clone());
                }
                (item, read)
            }
        });
        let reads: Vec<_> = stream::iter(reads).buffered(SIDE_BY_SIDE).collect().await;
        if let Some(fault) = stopped() {
            self.reader.learn(&connection.loaded, &fault, context.now()).await;
            let nothing_read = reads.iter().all(|(_, read)| read.is_err());
            if nothing_read || fault.kind == FaultKind::NotAuthenticated {
                return Err(fault);
            }
        }
        // The same failure everywhere is the source's, not the pipelines'.
        let all_failed = !reads.is_empty()
            && reads.iter().all(|(_, r)| r.as_ref().is_err_and(Fault::is_source_wide));
        let mut observation = context.answer(&self.id, scope);
        for (item, read) in reads {
            match read {
                Ok(Read { pipeline, warning }) => {
                    let happened = changes::of(&pipeline, context.now());
                    observation.facts.push(Fact::Pipeline(pipeline));
                    observation.facts.extend(happened.into_iter().map(Fact::Change));
                    let new = warning.filter(|w| !observation.warnings.contains(w));
                    observation.warnings.extend(new);
                }
                Err(fault) if all_failed => return Err(fault),
                Err(fault) => observation.faults.push((item, fault)),
            }
        }
        Ok(observation)
    }

    async fn pipeline(
        &self,
        connection: &Connection<Client>,
        id: &PipelineId,
        context: &ReadContext,
    ) -> Result<Read, Fault> {
        let name = id.name.as_str();
        context.spend().await;
        let state = connection.client.get_pipeline_state().name(name).send().await;
        let state = state.map_err(|e| connection.fault(&e, "GetPipelineState", context.now()))?;
        if state.stage_states.is_none() {
            // Every pipeline has stages: without them the answer is none.
            return Err(odd("GetPipelineState", "an answer without stages"));
        }
        let before = self.known().get(name).cloned();
        let version = state.pipeline_version();
        let (definition, warning) = match &before {
            Some(known) if known.definition.is_some() && known.version == version => {
                (known.definition.clone(), None)
            }
            _ => self.definition(connection, name, context).await?,
        };
        let mode = definition.as_ref().map_or_else(ExecutionMode::default, |d| d.mode);
        let is_parallel = mode == ExecutionMode::Parallel;

        let trace = trace(&state);
        let now = context.now();
        let unmoved = before.as_ref().filter(|known| {
            let recent = known.listed.is_some_and(|at| now.duration_since(at) < HISTORY_AGE);
            recent && known.trace == trace && !is_parallel
        });
        let (history, listed) = match unmoved {
            Some(known) => (known.executions.clone(), known.listed),
            None => (self.history(connection, name, is_parallel, context).await?, Some(now)),
        };
        let known_older = before.as_ref().map(|known| &known.older);
        let older = self.older(connection, name, &state, &history, known_older, context).await?;
        let known =
            state::Known { definition: definition.as_deref(), executions: &history, older: &older };
        let mut stages = state::stages(&state, &known);
        if is_parallel {
            let runs = self.runs(connection, name, &history, context).await?;
            parallel::fill(&mut stages, &runs, definition.as_deref());
        }
        let mut executions = history;
        executions.truncate(reach(&executions, &state));
        let memory = Known {
            version,
            definition: definition.clone(),
            trace,
            listed,
            executions: executions.clone(),
            older,
        };
        self.known().insert(name.to_owned(), Arc::new(memory));
        let mut pipeline = Pipeline {
            flavour: definition.as_ref().and_then(|d| d.flavour.clone()),
            mode,
            version: version.and_then(|v| u64::try_from(v).ok()),
            stages,
            executions,
            detail: true,
            link: self.page(connection, name),
            updated: state.updated().and_then(time),
            ..Pipeline::listed(id.clone())
        };
        mark_waiting(&mut pipeline);
        Ok(Read { pipeline, warning })
    }

    /// The structure; where it may not be read, a warning instead.
    async fn definition(
        &self,
        connection: &Connection<Client>,
        name: &str,
        context: &ReadContext,
    ) -> Result<(Option<Arc<Definition>>, Option<SafeText>), Fault> {
        context.spend().await;
        match connection.client.get_pipeline().name(name).send().await {
            Ok(answer) => {
                let definition = answer.pipeline().map(|p| Arc::new(Definition::new(p)));
                Ok((definition, None))
            }
            Err(error) => {
                let fault = connection.fault(&error, "GetPipeline", context.now());
                match fault.kind {
                    FaultKind::Forbidden { .. } => {
                        let warning = "without codepipeline:GetPipeline the categories of actions, \
                                       modes and deadlines of approvals are guesses";
                        Ok((None, Some(SafeText::new(warning))))
                    }
                    _ => Err(fault),
                }
            }
        }
    }

    async fn history(
        &self,
        connection: &Connection<Client>,
        name: &str,
        is_parallel: bool,
        context: &ReadContext,
    ) -> Result<Vec<Execution>, Fault> {
        context.spend().await;
        let most = if is_parallel { HISTORY * 2 } else { HISTORY };
        let request = connection.client.list_pipeline_executions().pipeline_name(name);
        let answer = request.max_results(most).send().await;
        let answer =
            answer.map_err(|e| connection.fault(&e, "ListPipelineExecutions", context.now()))?;
        let summaries: &[PipelineExecutionSummary] = answer.pipeline_execution_summaries();
        Ok(summaries.iter().filter_map(executions::execution).collect())
    }

    /// What the executions carry that stages speak of and the history no longer lists.
    async fn older(
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

    /// The actions of the executions that run, else of the newest one.
    async fn runs(
        &self,
        connection: &Connection<Client>,
        name: &str,
        history: &[Execution],
        context: &ReadContext,
    ) -> Result<Vec<ActionExecutionDetail>, Fault> {
        let running = history.iter().filter(|e| e.state.is_moving()).take(MAX_PARALLEL);
        let mut ids: Vec<&ExecutionId> = running.map(|e| &e.id).collect();
        if ids.is_empty() {
            ids.extend(history.first().map(|e| &e.id));
        }
        let mut runs = Vec::new();
        for id in ids {
            let filter = ActionExecutionFilter::builder().pipeline_execution_id(id.as_str());
            context.spend().await;
            let request = connection.client.list_action_executions().pipeline_name(name);
            let answer = request.filter(filter.build()).send().await;
            let answer =
                answer.map_err(|e| connection.fault(&e, "ListActionExecutions", context.now()))?;
            runs.extend(answer.action_execution_details.unwrap_or_default());
        }
        Ok(runs)
    }

    /// The pipeline's page in the console.
    fn page(&self, connection: &Connection<Client>, name: &str) -> Option<SafeText> {
        let region = connection.loaded.region();
        let path = format!("codesuite/codepipeline/pipelines/{name}/view?region={region}");
        self.reader.console(connection, &path)
    }

    /// Forgets what need not be read again of a pipeline, because it has just been written to.
    pub(super) fn look_again(&self, name: &str) {
        self.known().remove(name);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sum of everything in the state that moves when an execution does.
fn trace(state: &GetPipelineStateOutput) -> u64 {
    let mut sum = DefaultHasher::new();
    for id in state::named(state) {
        id.hash(&mut sum);
    }
    for stage in state.stage_states() {
        stage.latest_execution().map(|e| e.status().as_str()).hash(&mut sum);
        for action in stage.action_states() {
            let changed = action.latest_execution().and_then(|e| e.last_status_change());
            changed.map(|at| (at.secs(), at.subsec_nanos())).hash(&mut sum);
        }
    }
    sum.finish()
}

/// How many executions to keep: those that stages speak of, and the last that went through.
fn reach(executions: &[Execution], state: &GetPipelineStateOutput) -> usize {
    let last = state::named(state)
        .filter_map(|id| executions.iter().position(|e| e.id.as_str() == id))
        .chain(executions.iter().position(|e| e.state == RunState::Succeeded))
        .chain(executions.iter().rposition(|e| e.state.is_moving()))
        .max();
    last.map_or(0, |last| last + 1).max(KEPT)
}

/// An execution that stands before an approval waits for a human.
fn mark_waiting(pipeline: &mut Pipeline) {
    let asked: BTreeSet<ExecutionId> =
        pipeline.approvals().filter_map(|(_, _, ask)| ask.execution.clone()).collect();
    for execution in &mut pipeline.executions {
        if execution.state == RunState::Running && asked.contains(&execution.id) {
            execution.state = RunState::Waiting;
        }
    }
}

fn odd(operation: &str, what: &str) -> Fault {
    Fault::new(FaultKind::InvalidReply, format!("codepipeline:{operation}: {what}"))
}
