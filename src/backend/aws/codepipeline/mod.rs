//! AWS `CodePipeline` as a source of pipelines, executions, approvals and what people did to them.

mod changes;
mod decided;
mod definition;
mod executions;
mod parallel;
mod past;
mod read;
mod refused;
mod state;
mod write;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_codepipeline::Client;
use futures::future::BoxFuture;

use super::reader::{Reader, cadence, policy};
use super::session::Sessions;
use super::tags::TagBook;
use crate::backend::context::ReadContext;
use crate::backend::port::{Asked, Cadence, Source};
use crate::config::Schedule;
use crate::config::scalar::Glob;
use crate::config::sources::CodePipelineSource;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::FactKind;
use crate::domain::ids::SourceId;
use crate::domain::observation::{Observation, Scope, Topic};
use crate::domain::pipeline::ExecutionMode;
use crate::domain::source::{Capabilities, SourceMeta};
use crate::domain::write::{Decision, Order, Receipt};

/// Pipelines in one read.
const BATCH: usize = 16;

/// The pipelines of one account and region.
pub struct CodePipeline {
    id: SourceId,
    names: Vec<Glob>,
    schedule: Schedule,
    reader: Reader<Client>,
    /// What of each pipeline need not be read again, by its name.
    known: Mutex<BTreeMap<String, Arc<read::Known>>>,
    /// The mode of each pipeline, as the listing tells it.
    modes: Mutex<BTreeMap<String, ExecutionMode>>,
    tags: TagBook,
}

impl CodePipeline {
    /// A source called `id`. Reads nothing yet.
    pub fn new(
        id: SourceId,
        settings: &CodePipelineSource,
        schedule: Schedule,
        sessions: &Sessions,
    ) -> Self {
        let session = sessions.open(&settings.aws);
        let reader = Reader::new(session, "codepipeline", Client::new, schedule.deadline.get());
        let names = settings.pipelines.clone();
        let (known, modes) = (Mutex::default(), Mutex::default());
        Self { id, names, schedule, reader, known, modes, tags: TagBook::default() }
    }

    /// The same, with the tags of pipelines if `wanted`: they cost calls of their own.
    #[must_use]
    pub fn tagged(mut self, wanted: bool) -> Self {
        self.tags.want(wanted);
        self
    }

    /// Whether the settings ask for the pipeline called `name`.
    fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|glob| glob.matches(name))
    }
}

impl Source for CodePipeline {
    fn meta(&self) -> SourceMeta {
        SourceMeta {
            id: self.id.clone(),
            kind: "codepipeline".into(),
            place: self.reader.session().place(),
            capabilities: Capabilities {
                reads: vec![FactKind::Pipelines, FactKind::Changes],
                topics: vec![Topic::Overview, Topic::Items],
                writes: write::VERBS.to_vec(),
            },
            policy: policy(&self.schedule),
        }
    }

    fn cadence(&self) -> Cadence {
        cadence(&self.schedule, BATCH, 2)
    }

    fn observe<'a>(
        &'a self,
        scope: &'a Scope,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Observation, Fault>> {
        Box::pin(async move {
            match scope.topic {
                Topic::Overview => self.overview(scope, context).await,
                Topic::Items => self.items(scope, context).await,
                Topic::Series | Topic::Changes => {
                    let message = format!("codepipeline does not report {}", scope.topic.word());
                    Err(Fault::new(FaultKind::InvalidRequest, message))
                }
            }
        })
    }

    fn submit<'a>(
        &'a self,
        order: &'a Order,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Receipt, Fault>> {
        Box::pin(self.write(order, context))
    }

    fn decision<'a>(
        &'a self,
        asked: &'a Asked,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Option<Decision>, Fault>> {
        Box::pin(self.decided(asked, context))
    }
}
