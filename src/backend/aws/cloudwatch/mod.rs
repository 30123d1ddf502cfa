//! AWS CloudWatch as a source of series, alarms and their history.

mod alarms;
mod answer;
mod history;
mod plan;
mod series;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::reader::{Reader, cadence, policy};
use super::session::Sessions;
use super::tags::TagBook;
use crate::backend::context::ReadContext;
use crate::backend::port::{Cadence, Source};
use crate::backend::reading;
use crate::config::Schedule;
use crate::config::scalar::Glob;
use crate::config::sources::{CloudWatchSource, Reading};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::FactKind;
use crate::domain::ids::{SeriesId, SourceId};
use crate::domain::observation::{Observation, Scope, Topic};
use crate::domain::series::SeriesSpec;
use crate::domain::source::{Capabilities, SourceMeta};

/// The service, as permissions name it.
const SERVICE: &str = "cloudwatch";

/// The metrics and alarms of one account and region.
pub struct CloudWatch {
    id: SourceId,
    alarms: Vec<Glob>,
    schedule: Schedule,
    reading: Reading,
    reader: Reader<Client>,
    specs: BTreeMap<SeriesId, SeriesSpec>,
    /// The last point of each series that was read.
    known: Mutex<BTreeMap<SeriesId, Timestamp>>,
    /// Series whose query was refused: asked alone, so that they do not spoil the others.
    refused: Mutex<BTreeSet<SeriesId>>,
    history: tokio::sync::Mutex<history::History>,
    tags: TagBook,
}

impl CloudWatch {
    /// A source called `id` that may be asked for the series `specs`. Reads nothing yet.
    pub fn new(
        id: SourceId,
        settings: &CloudWatchSource,
        schedule: Schedule,
        specs: Vec<SeriesSpec>,
        sessions: &Sessions,
    ) -> Self {
        let session = sessions.open(&settings.aws);
        Self {
            id,
            alarms: settings.alarms.clone(),
            schedule,
            reading: settings.reading.clone(),
            reader: Reader::new(session, SERVICE, Client::new, schedule.deadline.get()),
            specs: specs.into_iter().map(|spec| (spec.id.clone(), spec)).collect(),
            known: Mutex::default(),
            refused: Mutex::default(),
            history: tokio::sync::Mutex::default(),
            tags: TagBook::default(),
        }
    }

    /// The same, with the tags of alarms if `wanted`: they cost calls of their own.
    #[must_use]
    pub fn tagged(mut self, wanted: bool) -> Self {
        self.tags.want(wanted);
        self
    }

    /// Whether the settings ask for the alarm called `name`.
    fn wants(&self, name: &str) -> bool {
        self.alarms.is_empty() || self.alarms.iter().any(|glob| glob.matches(name))
    }
}

impl Source for CloudWatch {
    fn meta(&self) -> SourceMeta {
        SourceMeta {
            id: self.id.clone(),
            kind: "cloudwatch".into(),
            place: self.reader.session().place(),
            capabilities: Capabilities {
                reads: vec![FactKind::Alarms, FactKind::Series, FactKind::Changes],
                topics: vec![Topic::Overview, Topic::Series, Topic::Changes],
                writes: Vec::new(),
            },
            policy: policy(&self.schedule),
        }
    }

    /// Metrics are billed by the series asked for: nobody asks oftener than a new point appears,
    /// unless that would make the known ones stale.
    fn cadence(&self) -> Cadence {
        let usual = cadence(&self.schedule, plan::MAX_QUERIES, 3);
        let alarms = reading::cadence(&self.schedule, &self.reading);
        let steps = self.specs.values().filter_map(|spec| Duration::try_from(spec.step).ok());
        let step = steps.min().unwrap_or(usual.slow).min(usual.slow);
        Cadence {
            overview: alarms.overview,
            changes: alarms.changes,
            series: step.max(usual.fast),
            ..usual
        }
    }

    fn observe<'a>(
        &'a self,
        scope: &'a Scope,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Observation, Fault>> {
        Box::pin(async move {
            match scope.topic {
                Topic::Overview => self.overview(scope, context).await,
                Topic::Series => self.read_series(scope, context).await,
                Topic::Changes => self.changes(scope, context).await,
                Topic::Items => {
                    let message = "cloudwatch does not report items";
                    Err(Fault::new(FaultKind::InvalidRequest, message))
                }
            }
        })
    }
}
