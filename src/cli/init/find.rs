//! Asks each candidate source once what it has.

use std::sync::Arc;
use std::time::Duration;

use super::group::Resource;
use crate::backend::clock::SharedClock;
use crate::backend::context::Meter;
use crate::backend::{ReadContext, Source};
use crate::config::sources::SourceConfig;
use crate::domain::fact::{Fact, FactKind};
use crate::domain::ids::ItemId;
use crate::domain::observation::{Observation, Scope, Topic};

/// How long one source may take to tell what it has.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A source that may be there.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The name it would have in the configuration.
    pub name: String,
    /// Its settings.
    pub config: SourceConfig,
}

/// What a candidate answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The name it has in the configuration.
    pub name: String,
    /// Its settings.
    pub config: SourceConfig,
    /// What came of asking.
    pub outcome: Outcome,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It told what it has.
    Reached {
        /// All that services can claim.
        resources: Vec<Resource>,
        /// As whom it sees us.
        identity: Option<String>,
    },
    /// It did not, and why.
    Failed(String),
}

/// Makes the adapter of a candidate.
pub type Build<'b> =
    &'b (dyn Fn(&str, &SourceConfig) -> Result<Arc<dyn Source>, String> + Send + Sync);

/// Asks all candidates at once; answers in their order.
pub async fn ask(
    candidates: Vec<Candidate>,
    build: Build<'_>,
    clock: SharedClock,
    deadline: Duration,
) -> Vec<Answer> {
    let asked = candidates.into_iter().map(|candidate| {
        let clock = clock.clone();
        async move {
            let asked = one(&candidate, build, clock);
            let outcome = match tokio::time::timeout(deadline, asked).await {
                Ok(outcome) => outcome,
                Err(_) => Outcome::Failed(format!("no answer within {}s", deadline.as_secs())),
            };
            Answer { name: candidate.name, config: candidate.config, outcome }
        }
    });
    futures::future::join_all(asked).await
}

async fn one(candidate: &Candidate, build: Build<'_>, clock: SharedClock) -> Outcome {
    let source = match build(&candidate.name, &candidate.config) {
        Ok(source) => source,
        Err(why) => return Outcome::Failed(why),
    };
    let budget = source.cadence().budget_per_minute;
    let context = ReadContext::new(clock, 0, Arc::new(Meter::new(budget)));
    let scope = Scope { topic: Topic::Overview, items: Vec::new() };
    match source.observe(&scope, &context).await {
        Ok(seen) => Outcome::Reached {
            resources: resources(&candidate.name, &seen),
            identity: seen.identity.as_ref().map(ToString::to_string),
        },
        Err(fault) => Outcome::Failed(format!("{} ({})", fault.message, fault.hint)),
    }
}

/// Everything that is named: as a fact, as an item to read, or as one that could not be read.
fn resources(source: &str, seen: &Observation) -> Vec<Resource> {
    let facts = seen.facts.iter().map(Fact::item);
    let items = seen.items.iter().flatten().cloned();
    let faults = seen.faults.iter().map(|(item, _)| item.clone());
    let mut found: Vec<Resource> = facts
        .chain(items)
        .chain(faults)
        .filter_map(|item| {
            let name = item.name().to_string();
            Some(Resource { source: source.to_owned(), kind: kind(&item)?, name })
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The kinds that a service can claim.
fn kind(item: &ItemId) -> Option<FactKind> {
    match item {
        ItemId::Pipeline(_) => Some(FactKind::Pipelines),
        ItemId::Environment(_) => Some(FactKind::Environments),
        ItemId::Traffic(_) => Some(FactKind::Traffic),
        ItemId::Flag(_) => Some(FactKind::Flags),
        ItemId::Alarm(_) => Some(FactKind::Alarms),
        ItemId::Series(_) | ItemId::Change(_) => None,
    }
}
