//! AWS AppConfig as a source of feature flags, of what runs where, and of what changed them.

mod change;
mod changes;
mod deployments;
mod details;
mod document;
mod edit;
mod flags;
mod listing;
mod lock;
mod read;
mod strategy;
mod versions;
mod write;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_appconfig::Client;
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::reader::{Reader, cadence, policy};
use super::session::Sessions;
use crate::backend::context::ReadContext;
use crate::backend::port::{Cadence, Source};
use crate::backend::reading;
use crate::config::Schedule;
use crate::config::scalar::Glob;
use crate::config::sources::{AppConfigSource, Reading};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::FactKind;
use crate::domain::flag::Pace;
use crate::domain::ids::SourceId;
use crate::domain::observation::{Observation, Scope, Topic};
use crate::domain::source::{Capabilities, SourceMeta, Verb};
use crate::domain::text::SafeText;
use crate::domain::write::{Order, Receipt};

/// The service, as permissions name it.
const SERVICE: &str = "appconfig";

/// The feature flags of one account and region.
pub struct AppConfig {
    id: SourceId,
    names: Vec<Glob>,
    schedule: Schedule,
    reading: Reading,
    reader: Reader<Client>,
    /// What is remembered of each application, by its id.
    known: Mutex<BTreeMap<String, Arc<read::Memory>>>,
    /// Versions that were read, by the application's id: they never change.
    documents: Mutex<BTreeMap<String, versions::Known>>,
    /// Names of deployment strategies, by their id.
    strategies: Mutex<BTreeMap<String, SafeText>>,
    /// Names or ids of the strategies of our changes, the usual one first.
    offered: Vec<String>,
    /// How long they take, and when that was read.
    paces: Mutex<Option<(Timestamp, Vec<Pace>)>>,
}

/// An application, environment or profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    id: String,
    /// Unique among its neighbours.
    name: SafeText,
}

impl AppConfig {
    /// A source called `id`. Reads nothing yet.
    pub fn new(
        id: SourceId,
        settings: &AppConfigSource,
        schedule: Schedule,
        sessions: &Sessions,
    ) -> Self {
        let session = sessions.open(&settings.aws);
        Self {
            id,
            names: settings.applications.clone(),
            schedule,
            reading: settings.reading.clone(),
            reader: Reader::new(session, SERVICE, Client::new, schedule.deadline.get()),
            known: Mutex::default(),
            documents: Mutex::default(),
            strategies: Mutex::default(),
            offered: strategy::offered(&settings.strategies),
            paces: Mutex::default(),
        }
    }

    /// Whether the settings ask for the application called `name`.
    fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|glob| glob.matches(name))
    }
}

impl Source for AppConfig {
    fn meta(&self) -> SourceMeta {
        SourceMeta {
            id: self.id.clone(),
            kind: "appconfig".into(),
            place: self.reader.session().place(),
            capabilities: Capabilities {
                reads: vec![FactKind::Flags, FactKind::Changes],
                topics: vec![Topic::Overview],
                writes: vec![Verb::Flag],
            },
            policy: policy(&self.schedule),
        }
    }

    fn cadence(&self) -> Cadence {
        let overview = reading::cadence(&self.schedule, &self.reading).overview;
        let deadline = self.schedule.deadline.get().saturating_mul(read::DEADLINES);
        Cadence { overview, deadline, ..cadence(&self.schedule, 1, 1) }
    }

    fn observe<'a>(
        &'a self,
        scope: &'a Scope,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Observation, Fault>> {
        Box::pin(async move {
            match scope.topic {
                Topic::Overview => self.overview(scope, context).await,
                Topic::Items | Topic::Series | Topic::Changes => {
                    let message = format!("appconfig does not report {}", scope.topic.word());
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
}
