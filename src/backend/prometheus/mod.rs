//! Prometheus: metrics by range queries, alerting rules as alarms, scrape jobs as environments.

mod alarms;
mod edges;
mod series;
mod targets;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use self::edges::{Asking, Edges};
use self::series::Known;
use self::wire::{AlertsData, Envelope, RulesData, Status, TargetsData};
use super::context::ReadContext;
use super::http_client::{Credentials, HttpClient, HttpSettings, Session, USUAL_LIMIT};
use super::port::{Cadence, Source};
use super::reading;
use crate::config::Schedule;
use crate::config::sources::PrometheusSource;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::{Fact, FactKind};
use crate::domain::ids::{EnvironmentId, ItemId, SeriesId, SourceId};
use crate::domain::observation::{Observation, Scope, Topic};
use crate::domain::series::SeriesSpec;
use crate::domain::source::{Capabilities, SourceMeta};
use crate::domain::text::SafeText;

/// Requests under way at once within one read.
const AT_ONCE: usize = 4;

/// One Prometheus, or what speaks its HTTP API.
pub struct Prometheus {
    meta: SourceMeta,
    cadence: Cadence,
    http: HttpClient,
    address: String,
    identity: SafeText,
    /// How long the server may work on one query, in its own words.
    patience: String,
    specs: BTreeMap<SeriesId, SeriesSpec>,
    known: Mutex<BTreeMap<SeriesId, Known>>,
    edges: Edges,
    jobs: Mutex<Vec<EnvironmentId>>,
}

impl Prometheus {
    /// The source `id`; `specs` are the series it may be asked for. Does no I/O.
    ///
    /// # Errors
    /// None today; settings that cannot work are told by the first read.
    pub fn new(
        id: SourceId,
        settings: PrometheusSource,
        schedule: &Schedule,
        specs: Vec<SeriesSpec>,
    ) -> Result<Self, Fault> {
        let credentials = Credentials::of(settings.auth.as_ref());
        let identity = match &credentials {
            Credentials::None => "anonymous".to_owned(),
            Credentials::Basic { user, .. } => format!("user {user}"),
            Credentials::Bearer(secret) | Credentials::Token(secret) => {
                format!("bearer of the token in {secret}")
            }
        };
        let address = settings.url.as_str().to_owned();
        let deadline = schedule.deadline.get();
        let http = HttpClient::new(HttpSettings {
            url: settings.url,
            credentials,
            headers: settings.headers,
            ca_file: settings.ca_file,
            deadline,
            limit: USUAL_LIMIT,
            keep_alive: true,
        });
        let meta = SourceMeta {
            id,
            kind: "prometheus".into(),
            place: http.place(),
            capabilities: Capabilities {
                reads: vec![FactKind::Alarms, FactKind::Environments, FactKind::Series],
                topics: vec![Topic::Overview, Topic::Series],
                writes: Vec::new(),
            },
            policy: reading::policy(schedule),
        };
        Ok(Self {
            meta,
            cadence: reading::cadence(schedule, &settings.reading),
            http,
            address,
            identity: SafeText::from(identity),
            patience: format!("{}ms", deadline.as_millis().max(1)),
            specs: specs.into_iter().map(|spec| (spec.id.clone(), spec)).collect(),
            known: Mutex::default(),
            edges: Edges::default(),
            jobs: Mutex::default(),
        })
    }

    /// Alarms and scrape jobs. What the one call cannot tell, the other still does.
    async fn overview(&self, scope: &Scope, cx: &ReadContext) -> Result<Observation, Fault> {
        let session = self.http.session().await?;
        let (alarms, targets) = futures::future::join(
            self.alarms(&session, cx),
            ask::<TargetsData>(&session, "/api/v1/targets", &[("state", "active")], cx),
        )
        .await;
        if let (Err(fault), Err(_)) = (&alarms, &targets) {
            return Err(fault.clone());
        }
        let mut answer = cx.answer(&self.meta.id, scope);
        answer.identity = Some(self.identity.clone());
        match alarms {
            Ok((alarms, warnings)) => {
                answer.facts.extend(alarms.into_iter().map(Fact::Alarm));
                answer.warnings.extend(warnings);
                answer.complete.push(FactKind::Alarms);
            }
            // Alarms come and go with the rules: the ones known stay, and say why they are old.
            Err(fault) => answer.warnings.push(format!("alarms: {fault}").into()),
        }
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        match targets {
            Ok(reply) => {
                let environments = targets::environments(&self.meta.id, &self.address, &reply.data);
                *jobs = environments.iter().map(|e| e.id.clone()).collect();
                answer.facts.extend(environments.into_iter().map(Fact::Environment));
                answer.warnings.extend(reply.remarks);
                answer.complete.push(FactKind::Environments);
            }
            Err(fault) => {
                answer.warnings.push(format!("targets: {fault}").into());
                let known = jobs.iter().map(|id| ItemId::Environment(id.clone()));
                answer.faults.extend(known.map(|item| (item, fault.clone())));
            }
        }
        Ok(answer)
    }

    /// The alarms, by the rules; by the active alerts alone where the rules are not shown.
    async fn alarms(
        &self,
        session: &Session,
        cx: &ReadContext,
    ) -> Result<(Vec<crate::domain::alarm::Alarm>, Vec<SafeText>), Fault> {
        let (source, address) = (&self.meta.id, &self.address);
        let query = [("type", "alert")];
        match ask::<RulesData>(session, "/api/v1/rules", &query, cx).await {
            Ok(reply) => Ok((alarms::of_rules(source, address, reply.data), reply.remarks)),
            Err(fault)
                if matches!(fault.kind, FaultKind::NotFound | FaultKind::Forbidden { .. }) =>
            {
                let reply = ask::<AlertsData>(session, "/api/v1/alerts", &[], cx).await?;
                let mut remarks = reply.remarks;
                remarks.push(format!("only active alerts are known: {fault}").into());
                Ok((alarms::of_alerts(source, address, &reply.data), remarks))
            }
            Err(fault) => Err(fault),
        }
    }

    async fn read_one(
        &self,
        session: &Session,
        id: SeriesId,
        now: Timestamp,
        cx: &ReadContext,
    ) -> (SeriesId, Result<series::Read, Fault>) {
        let known = {
            let all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            all.get(&id).cloned()
        };
        let read = match self.specs.get(&id) {
            Some(spec) => match self.edges.question(session, spec, now, cx).await {
                Ok(Asking::By(query)) => {
                    series::read(session, spec, &query, known.as_ref(), now, &self.patience, cx)
                        .await
                        .map(|read| self.edges.told(spec, read))
                }
                Ok(Asking::Nothing(read)) => Ok(read),
                Err(fault) => Err(fault),
            },
            None => Err(Fault::new(
                FaultKind::InvalidRequest,
                format!("{id}: no query is configured for it"),
            )),
        };
        (id, read)
    }

    async fn read_series(&self, scope: &Scope, cx: &ReadContext) -> Result<Observation, Fault> {
        let session = self.http.session().await?;
        let (session, now) = (&session, cx.now());
        let wanted: Vec<SeriesId> = scope
            .items
            .iter()
            .filter_map(|item| match item {
                ItemId::Series(id) if id.source == self.meta.id => Some(id.clone()),
                _ => None,
            })
            .collect();
        let reads: Vec<_> = stream::iter(wanted)
            .map(|id| self.read_one(session, id, now, cx))
            .buffered(AT_ONCE)
            .collect()
            .await;
        if let Some(fault) = reading::all_failed(reads.iter().map(|(_, read)| read.as_ref().err()))
        {
            return Err(fault.clone());
        }
        let mut answer = cx.answer(&self.meta.id, scope);
        answer.identity = Some(self.identity.clone());
        // From here on nothing awaits: what is remembered as read is also handed over.
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, read) in reads {
            match read {
                Ok(read) => {
                    for warning in read.warnings {
                        if !answer.warnings.contains(&warning) {
                            answer.warnings.push(warning);
                        }
                    }
                    all.insert(id, read.known);
                    answer.facts.push(Fact::Series(read.series));
                }
                Err(fault) => answer.faults.push((ItemId::Series(id), fault)),
            }
        }
        Ok(answer)
    }
}

/// A successful reply and what the server remarked.
struct Told<T> {
    data: T,
    remarks: Vec<SafeText>,
}

async fn ask<T: DeserializeOwned>(
    session: &Session,
    path: &str,
    query: &[(&str, &str)],
    cx: &ReadContext,
) -> Result<Told<T>, Fault> {
    let reply: Envelope<T> = session.get_json(path, query, cx).await?;
    let (data, warnings, infos) = open(session, path, reply)?;
    Ok(Told { data, remarks: warnings.iter().chain(&infos).map(SafeText::from).collect() })
}

/// The data of a reply, its warnings and its infos.
fn open<T>(
    session: &Session,
    path: &str,
    reply: Envelope<T>,
) -> Result<(T, Vec<String>, Vec<String>), Fault> {
    let place = session.place();
    match (reply.status, reply.data) {
        (Status::Success, Some(data)) => Ok((data, reply.warnings, reply.infos)),
        (Status::Success, None) => {
            let message = format!("{place}{path}: a success without data");
            Err(Fault::new(FaultKind::InvalidReply, message))
        }
        (Status::Error, _) => {
            let why = reply.error.unwrap_or_else(|| "an error without words".to_owned());
            Err(Fault::new(FaultKind::ServerError, format!("{place}{path}: {why}")))
        }
    }
}

impl Source for Prometheus {
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
                Topic::Series => self.read_series(scope, context).await,
                Topic::Items | Topic::Changes => Ok(context.answer(&self.meta.id, scope)),
            }
        })
    }
}
