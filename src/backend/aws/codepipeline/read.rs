//! The calls: the listing, and the state of each pipeline with as few others as it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::operation::get_pipeline_state::GetPipelineStateOutput;
use aws_sdk_codepipeline::types::PipelineSummary;
use futures::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Duration, Instant};

use super::definition::{Definition, mode};
use super::{CodePipeline, changes, parallel, state};
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
/// Executions kept, unless stages speak of older ones.
const KEPT: usize = 10;
/// The history is read again after this time even if the state did not move.
const HISTORY_AGE: SignedDuration = SignedDuration::from_mins(10);
/// A structure that may not be read is asked for again after this time.
const REFUSAL_AGE: Duration = Duration::from_mins(10);
/// What the refused structure leaves open.
const GUESSES: &str = "without codepipeline:GetPipeline the categories of actions and deadlines of \
                       approvals are guesses";

/// What of a pipeline need not be read again.
#[derive(Debug)]
pub(super) struct Known {
    version: Option<i32>,
    definition: Structure,
    /// Sum of the state at which the history was read.
    trace: u64,
    listed: Option<Timestamp>,
    executions: Vec<Execution>,
    /// What executions beyond the history carried; none where nobody knows any more.
    older: BTreeMap<ExecutionId, Option<Revision>>,
}

/// The structure of a pipeline, as far as it may be read.
#[derive(Clone, Debug)]
enum Structure {
    Told {
        definition: Arc<Definition>,
        /// What the pipeline is called where tags are asked for.
        arn: Option<Arc<str>>,
    },
    /// The answer had none.
    Untold,
    /// It may not be read; when that was said.
    Refused(Instant),
}

impl Structure {
    fn told(&self) -> Option<&Definition> {
        match self {
            Self::Told { definition, .. } => Some(definition),
            Self::Untold | Self::Refused(_) => None,
        }
    }

    fn arn(&self) -> Option<&str> {
        match self {
            Self::Told { arn, .. } => arn.as_deref(),
            Self::Untold | Self::Refused(_) => None,
        }
    }
}

struct Read {
    pipeline: Pipeline,
    warnings: Vec<SafeText>,
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
        let modes: BTreeMap<String, ExecutionMode> = listed
            .iter()
            .filter_map(|p| Some((p.name()?.to_owned(), mode(p.execution_mode()))))
            .collect();
        self.known().retain(|name, _| modes.contains_key(name));
        *self.modes() = modes;
        let mut observation = context.answer(&self.id, scope);
        let mut items = Vec::with_capacity(listed.len());
        for summary in &listed {
            let Some(name) = summary.name().filter(|name| self.wants(name)) else { continue };
            let id = PipelineId::new(&self.id, name);
            items.push(ItemId::Pipeline(id.clone()));
            let known = self.known().get(name).cloned();
            let arn = known.as_ref().and_then(|known| known.definition.arn());
            let tags = arn.map(|arn| self.tags.of(arn)).unwrap_or_default();
            observation.facts.push(Fact::Pipeline(Pipeline {
                flavour: summary.pipeline_type().map(|t| SafeText::new(t.as_str())),
                mode: mode(summary.execution_mode()),
                version: summary.version().and_then(|v| u64::try_from(v).ok()),
                updated: summary.updated().and_then(time),
                link: self.page(&connection, name),
                tags,
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
                Ok(Read { pipeline, warnings }) => {
                    let happened = changes::of(&pipeline, context.now());
                    observation.facts.push(Fact::Pipeline(pipeline));
                    observation.facts.extend(happened.into_iter().map(Fact::Change));
                    for warning in warnings {
                        if !observation.warnings.contains(&warning) {
                            observation.warnings.push(warning);
                        }
                    }
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
        let kept = before.as_ref().filter(|known| match known.definition {
            Structure::Told { .. } => known.version == version,
            Structure::Refused(since) => since.elapsed() < REFUSAL_AGE,
            Structure::Untold => false,
        });
        let structure = match kept {
            Some(known) => known.definition.clone(),
            None => self.structure(connection, name, context).await?,
        };
        let mut warnings = Vec::new();
        if matches!(structure, Structure::Refused(_)) {
            warnings.push(SafeText::new(GUESSES));
        }
        let definition = structure.told();
        // The listing tells the mode to those who may not read the structure.
        let mode = definition.map(|d| d.mode).or_else(|| self.modes().get(name).copied());
        let mode = mode.unwrap_or_default();
        let is_parallel = mode == ExecutionMode::Parallel;

        let trace = trace(&state);
        let now = context.now();
        let unmoved = before.as_ref().filter(|known| {
            let recent = known.listed.is_some_and(|at| now.duration_since(at) < HISTORY_AGE);
            recent && known.trace == trace && !is_parallel
        });
        let (history, listed) = match unmoved {
            Some(known) => (known.executions.clone(), known.listed),
            None => {
                let history = self.history(connection, name, is_parallel, context).await?;
                warnings.extend(history.warning);
                (history.executions, Some(now))
            }
        };
        let known_older = before.as_ref().map(|known| &known.older);
        let older = self.older(connection, name, &state, &history, known_older, context).await?;
        let known = state::Known { definition, executions: &history, older: &older };
        let mut stages = state::stages(&state, &known);
        if is_parallel {
            let (runs, cut) = self.runs(connection, name, &history, context).await?;
            parallel::fill(&mut stages, &runs, definition);
            warnings.extend(cut);
        }
        let mut executions = history;
        executions.truncate(reach(&executions, &state));
        let round = self.tags.round(structure.arn().into_iter(), 1);
        warnings.extend(round.open);
        for arn in round.due {
            let answer = self.ask_tags(connection, &arn, context).await;
            warnings.extend(self.tags.learn(arn, answer)?);
        }
        let tags = structure.arn().map(|arn| self.tags.of(arn)).unwrap_or_default();
        let flavour = definition.and_then(|d| d.flavour.clone());
        let memory = Known {
            version,
            definition: structure,
            trace,
            listed,
            executions: executions.clone(),
            older,
        };
        self.known().insert(name.to_owned(), Arc::new(memory));
        let mut pipeline = Pipeline {
            flavour,
            mode,
            version: version.and_then(|v| u64::try_from(v).ok()),
            stages,
            executions,
            detail: true,
            tags,
            link: self.page(connection, name),
            updated: state.updated().and_then(time),
            ..Pipeline::listed(id.clone())
        };
        mark_waiting(&mut pipeline);
        Ok(Read { pipeline, warnings })
    }

    /// The structure, or that it may not be read.
    async fn structure(
        &self,
        connection: &Connection<Client>,
        name: &str,
        context: &ReadContext,
    ) -> Result<Structure, Fault> {
        context.spend().await;
        match connection.client.get_pipeline().name(name).send().await {
            Ok(answer) => Ok(answer.pipeline().map_or(Structure::Untold, |pipeline| {
                let arn = answer.metadata().and_then(|about| about.pipeline_arn());
                Structure::Told {
                    definition: Arc::new(Definition::new(pipeline)),
                    arn: arn.map(Arc::from),
                }
            })),
            Err(error) => {
                let fault = connection.fault(&error, "GetPipeline", context.now());
                match fault.kind {
                    FaultKind::Forbidden { .. } if !ends_read(&fault) => {
                        Ok(Structure::Refused(Instant::now()))
                    }
                    _ => Err(fault),
                }
            }
        }
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

    fn modes(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, ExecutionMode>> {
        self.modes.lock().unwrap_or_else(PoisonError::into_inner)
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
