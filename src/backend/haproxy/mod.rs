//! HAProxy: backends as traffic splits, figures of their servers as series, over the Runtime API.
//!
//! Level `user` of the socket is enough to read, level `admin` to write. History begins when flightdeck starts: HAProxy
//! keeps counters, and rates and series are made of successive reads of them.

mod answer;
mod figures;
mod history;
mod reply;
mod series;
mod setting;
mod socket;
mod split;
#[cfg(test)]
mod tests;
mod weights;
mod write;
#[cfg(test)]
mod write_tests;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::Mutex;

use self::answer::{Answer, COMMANDS, Server};
use self::history::{History, Process};
use self::series::Shelf;
use super::context::ReadContext;
use super::port::{Cadence, Source};
use super::reading;
use crate::config::Schedule;
use crate::config::scalar::{Glob, SocketAddress};
use crate::config::sources::HaProxySource;
use crate::domain::error::Fault;
use crate::domain::fact::{Fact, FactKind};
use crate::domain::ids::{ItemId, SourceId};
use crate::domain::observation::{Observation, Scope, Topic};
use crate::domain::series::SeriesSpec;
use crate::domain::source::{Capabilities, SourceMeta, Verb};
use crate::domain::text::SafeText;
use crate::domain::write::{Order, Receipt};

/// One HAProxy.
pub struct HaProxy {
    meta: SourceMeta,
    cadence: Cadence,
    address: SocketAddress,
    backends: Vec<Glob>,
    deadline: Duration,
    /// Held for a whole conversation, so that counts are taken in in the order they were told.
    memory: Mutex<Memory>,
}

/// What is remembered between reads.
struct Memory {
    process: Process,
    history: History,
    shelf: Shelf,
}

impl HaProxy {
    /// The source `id`; `specs` are the series it may be asked for. Does no I/O.
    pub fn new(
        id: SourceId,
        settings: HaProxySource,
        schedule: &Schedule,
        specs: Vec<SeriesSpec>,
    ) -> Self {
        let meta = SourceMeta {
            id,
            kind: "haproxy".into(),
            place: settings.address.to_string().into(),
            capabilities: Capabilities {
                reads: vec![FactKind::Traffic, FactKind::Series, FactKind::Changes],
                topics: vec![Topic::Overview, Topic::Series],
                writes: vec![Verb::Traffic],
            },
            policy: reading::policy(schedule),
        };
        // One conversation tells every figure at once.
        let batch = specs.len().max(1);
        Self {
            meta,
            cadence: Cadence { batch, ..reading::cadence(schedule, &settings.reading) },
            address: settings.address,
            backends: settings.backends,
            deadline: schedule.deadline.get(),
            memory: Mutex::new(Memory {
                process: Process::default(),
                history: History::default(),
                shelf: Shelf::new(specs),
            }),
        }
    }

    /// One conversation; every figure that it told is on the shelf afterwards.
    async fn read(
        &self,
        memory: &mut Memory,
        cx: &ReadContext,
    ) -> Result<(Answer, Timestamp), Fault> {
        cx.spend().await;
        let text = socket::ask(&self.address, COMMANDS, self.deadline).await?;
        let answer = Answer::parse(&text)
            .map_err(|fault| Fault { message: self.at(&fault.message), ..fault })?;
        let now = cx.now();
        let restarted = memory.process.restarted(&answer.info, now);
        if restarted.is_some() {
            memory.history.forget_counts();
        }
        memory.shelf.take(&answer.servers, restarted, now);
        Ok((answer, now))
    }

    fn at(&self, message: &SafeText) -> SafeText {
        format!("{}: {message}", self.address).into()
    }

    async fn overview(&self, scope: &Scope, cx: &ReadContext) -> Result<Observation, Fault> {
        let mut memory = self.memory.lock().await;
        // From the end of the read on nothing awaits: what is remembered is also handed over.
        let (told, now) = self.read(&mut memory, cx).await?;
        let mut answer = self.answer(&told, now, scope, cx);
        let mut backends: BTreeMap<&str, Vec<&Server>> = BTreeMap::new();
        for server in &told.servers {
            if let Some(name) = server.get("pxname").filter(|name| self.wants(name)) {
                backends.entry(name).or_default().push(server);
            }
        }
        for pattern in &self.backends {
            if !backends.keys().any(|name| pattern.matches(name)) {
                answer.warnings.push(format!("no backend with servers matches {pattern}").into());
            }
        }
        let mut splits = Vec::new();
        for (name, servers) in backends {
            let mut split = split::split(&self.meta.id, name, &servers);
            let changes = memory.history.see(&mut split, &servers, now);
            answer.facts.extend(changes.into_iter().map(Fact::Change));
            splits.push(split);
        }
        memory.history.keep(&splits);
        answer.facts.extend(splits.into_iter().map(Fact::Traffic));
        answer.complete.push(FactKind::Traffic);
        Ok(answer)
    }

    async fn series(&self, scope: &Scope, cx: &ReadContext) -> Result<Observation, Fault> {
        let mut memory = self.memory.lock().await;
        let (told, now) = self.read(&mut memory, cx).await?;
        let mut answer = self.answer(&told, now, scope, cx);
        for item in &scope.items {
            if let ItemId::Series(id) = item
                && id.source == self.meta.id
            {
                match memory.shelf.series(id, now) {
                    Ok(series) => answer.facts.push(Fact::Series(series)),
                    Err(fault) => answer.faults.push((item.clone(), fault)),
                }
            }
        }
        Ok(answer)
    }

    fn answer(
        &self,
        told: &Answer,
        now: Timestamp,
        scope: &Scope,
        cx: &ReadContext,
    ) -> Observation {
        let mut answer = cx.answer(&self.meta.id, scope);
        answer.at = now;
        answer.identity = Some(told.info.identity().into());
        answer.warnings.extend(told.remarks.iter().map(SafeText::from));
        answer
    }

    fn wants(&self, backend: &str) -> bool {
        self.backends.is_empty() || self.backends.iter().any(|pattern| pattern.matches(backend))
    }
}

impl Source for HaProxy {
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
                Topic::Series => self.series(scope, context).await,
                Topic::Items | Topic::Changes => Ok(context.answer(&self.meta.id, scope)),
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
