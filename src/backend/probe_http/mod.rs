//! Addresses as environments: whether they answer as expected, how fast, and which version runs.
//!
//! # Unhealthy or unknown
//! What the target itself does is its health: an unexpected status, a refused connection, silence
//! after a connection, a broken or garbled answer, an ended certificate are *unhealthy*, with the
//! reason. What lies between us and the target, or is of our own making, says nothing about it:
//! a name that does not resolve, no route, no connection, TLS we do not trust, credentials that
//! are refused, a limit on our calls make it *unknown*, with the fault on that environment alone.

mod changes;
#[cfg(test)]
mod tests;
mod verdict;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _};
use reqwest::Url;

use self::changes::History;
use self::verdict::judge;
use super::context::ReadContext;
use super::http_client::{Credentials, HttpClient, HttpSettings, Session};
use super::port::{Cadence, Source};
use super::reading;
use crate::config::Schedule;
use crate::config::sources::{HttpSource, HttpTarget};
use crate::domain::environment::Environment;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::{Fact, FactKind};
use crate::domain::ids::{EnvironmentId, ItemId, SourceId};
use crate::domain::observation::{Observation, Scope, Topic};
use crate::domain::source::{Capabilities, SourceMeta};
use crate::domain::text::SafeText;

/// What is read of an answer: enough for any health document.
const LIMIT: usize = 1024 * 1024;
/// Targets asked at once, at least.
const AT_ONCE: usize = 8;

/// Addresses whose answers tell the health of environments.
pub struct ProbeHttp {
    meta: SourceMeta,
    cadence: Cadence,
    http: HttpClient,
    targets: Vec<HttpTarget>,
    history: Mutex<History>,
}

impl ProbeHttp {
    /// The source `id`. Does no I/O.
    ///
    /// # Errors
    /// Settings without any target.
    pub fn new(id: SourceId, settings: HttpSource, schedule: &Schedule) -> Result<Self, Fault> {
        let Some(first) = settings.targets.first() else {
            let message = format!("{id}: no target is configured");
            return Err(Fault::new(FaultKind::InvalidRequest, message));
        };
        let http = HttpClient::new(HttpSettings {
            url: first.url.clone(),
            credentials: Credentials::None,
            headers: settings.headers,
            ca_file: settings.ca_file,
            deadline: schedule.deadline.get(),
            limit: LIMIT,
            keep_alive: false,
        });
        let count = settings.targets.len();
        let place = match settings.targets.as_slice() {
            [_] => http.place(),
            _ => format!("{count} addresses").into(),
        };
        let meta = SourceMeta {
            id,
            kind: "http".into(),
            place,
            capabilities: Capabilities {
                reads: vec![FactKind::Environments, FactKind::Changes],
                topics: vec![Topic::Overview],
                writes: Vec::new(),
            },
            policy: reading::policy(schedule),
        };
        let mut cadence = reading::cadence(schedule, &settings.reading);
        // Every target costs a call: what the budget makes us wait is not the targets' fault.
        let tokens = u32::try_from(count).unwrap_or(u32::MAX).saturating_mul(60);
        let budget = Duration::from_secs(u64::from(tokens / schedule.budget_per_minute.max(1)));
        cadence.overview = cadence.overview.max(budget);
        cadence.deadline += budget;
        Ok(Self { meta, cadence, http, targets: settings.targets, history: Mutex::default() })
    }

    async fn overview(&self, scope: &Scope, cx: &ReadContext) -> Result<Observation, Fault> {
        let session = self.http.session().await?;
        let session = &session;
        let whole = scope.items.is_empty();
        let wanted = |target: &&HttpTarget| {
            let id = EnvironmentId::new(&self.meta.id, &target.name);
            whole || scope.items.contains(&ItemId::Environment(id))
        };
        let targets: Vec<HttpTarget> = self.targets.iter().filter(wanted).cloned().collect();
        // Half of them at once, so that even targets that all hang fit into the read's deadline.
        let at_once = AT_ONCE.max(self.targets.len().div_ceil(2));
        let reads: Vec<_> = stream::iter(targets)
            .map(|target| self.probe(session, target, cx))
            .buffered(at_once)
            .collect()
            .await;
        let mut answer = cx.answer(&self.meta.id, scope);
        if whole {
            answer.complete.push(FactKind::Environments);
        }
        if !reads.is_empty() && reads.iter().all(|(_, read)| read.is_err()) {
            answer.warnings.push("no target could be asked: all are unknown".into());
        }
        // From here on nothing awaits: what is remembered as seen is also handed over.
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, read) in reads {
            match read {
                // Whoever asks for some alone may pass on no change: it is told by the next reading.
                Ok(environment) if !whole => answer.facts.push(Fact::Environment(environment)),
                Ok(mut environment) => {
                    let change = history.see(&mut environment, answer.at);
                    answer.facts.push(Fact::Environment(environment));
                    answer.facts.extend(change.map(Fact::Change));
                }
                Err(fault) => answer.faults.push((ItemId::Environment(id), fault)),
            }
        }
        Ok(answer)
    }

    async fn probe(
        &self,
        session: &Session,
        target: HttpTarget,
        cx: &ReadContext,
    ) -> (EnvironmentId, Result<Environment, Fault>) {
        let id = EnvironmentId::new(&self.meta.id, &target.name);
        let Ok(url) = Url::parse(target.url.as_str()) else {
            let message = format!("{id}: {} is not an address", target.url);
            return (id, Err(Fault::new(FaultKind::InvalidRequest, message)));
        };
        cx.spend().await;
        let asked = session.fetch(url).await;
        let read = judge(id.clone(), &target, session, asked, cx.now());
        (id, read)
    }
}

impl Source for ProbeHttp {
    fn meta(&self) -> SourceMeta {
        self.meta.clone()
    }

    fn cadence(&self) -> Cadence {
        self.cadence
    }

    fn observe<'a>(
        &'a self,
        scope: &'a Scope,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Observation, Fault>> {
        Box::pin(async move {
            match scope.topic {
                Topic::Overview => self.overview(scope, context).await,
                _ => Ok(context.answer(&self.meta.id, scope)),
            }
        })
    }
}

/// The name of a target's environment, as it is shown.
fn shown_name(target: &HttpTarget) -> SafeText {
    SafeText::new(target.environment.as_deref().unwrap_or(&target.name))
}
