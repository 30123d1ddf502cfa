//! Unleash: flags with their strategies in every environment, and who changed them when, over the
//! Admin API of versions 7 and 8.
//!
//! A personal access token of a viewer is enough to read; what is written is that person's doing.

mod ask;
mod events;
mod flag;
mod memory;
mod overview;
mod refusal;
mod rules;
#[cfg(test)]
mod tests;
mod wire;
mod write;
#[cfg(test)]
mod write_tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};

use self::flag::Around;
use self::memory::Memory;
use self::wire::{Detail, Event, Listed};
use super::context::ReadContext;
use super::http_client::{Credentials, HttpClient, HttpSettings, Session, USUAL_LIMIT};
use super::port::{Cadence, Source};
use super::reading;
use crate::config::Schedule;
use crate::config::scalar::Glob;
use crate::config::sources::UnleashSource;
use crate::domain::change::Change;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::{Fact, FactKind};
use crate::domain::flag::Flag;
use crate::domain::ids::{FlagId, ItemId, SourceId};
use crate::domain::observation::{Observation, Scope, Topic};
use crate::domain::source::{Capabilities, SourceMeta, Verb};
use crate::domain::write::{Order, Receipt};

/// Requests under way at once within one read.
const AT_ONCE: usize = 4;
/// Entries of the event log in one page; the API takes up to 1,000.
const PAGE: usize = 200;
/// Pages of the event log in one read, at most.
const PAGES: usize = 5;
/// How far back the event log is read.
const HISTORY: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Entries get their number before they can be seen, so that one can appear behind this many.
const LATE: u64 = 50;
/// How much seldomer than usual a flag is read that the event log confirms anyway.
const SELDOM: u32 = 5;

/// One Unleash.
pub struct Unleash {
    meta: SourceMeta,
    cadence: Cadence,
    http: HttpClient,
    address: String,
    projects: Vec<Glob>,
    environments: Vec<Glob>,
    memory: Mutex<Memory>,
}

impl Unleash {
    /// The source `id`. Does no I/O.
    pub fn new(id: SourceId, settings: UnleashSource, schedule: &Schedule) -> Self {
        let address = settings.url.as_str().trim_end_matches('/').to_owned();
        let http = HttpClient::new(HttpSettings {
            url: settings.url,
            credentials: Credentials::Token(settings.token),
            headers: BTreeMap::new(),
            ca_file: settings.ca_file,
            deadline: schedule.deadline.get(),
            limit: USUAL_LIMIT,
            keep_alive: true,
        });
        let meta = SourceMeta {
            id,
            kind: "unleash".into(),
            place: http.place(),
            capabilities: Capabilities {
                reads: vec![FactKind::Flags, FactKind::Changes],
                topics: vec![Topic::Overview, Topic::Items, Topic::Changes],
                writes: vec![Verb::Flag],
            },
            policy: reading::policy(schedule),
        };
        let cadence = reading::cadence(schedule, &settings.reading);
        Self {
            meta,
            cadence: Cadence { slow: cadence.slow.saturating_mul(SELDOM), ..cadence },
            http,
            address,
            projects: settings.projects,
            environments: settings.environments,
            memory: Mutex::default(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Named flags, one by one.
    async fn items(&self, scope: &Scope, cx: &ReadContext) -> Result<Observation, Fault> {
        let session = self.http.session().await?;
        let wanted: Vec<FlagId> = scope
            .items
            .iter()
            .filter_map(|item| match item {
                ItemId::Flag(id) if id.source == self.meta.id => Some(id.clone()),
                _ => None,
            })
            .collect();
        let reads = self.details(&session, wanted, cx).await;
        if let Some(fault) = reading::all_failed(reads.iter().map(|read| read.told.as_ref().err()))
        {
            return Err(fault.clone());
        }
        let mut answer = cx.answer(&self.meta.id, scope);
        self.hand_over(reads, &mut answer);
        Ok(answer)
    }

    /// Reads flags one by one.
    async fn details(&self, session: &Session, wanted: Vec<FlagId>, cx: &ReadContext) -> Vec<Read> {
        stream::iter(wanted)
            .map(|id| self.detail(session, id, cx))
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    async fn detail(&self, session: &Session, id: FlagId, cx: &ReadContext) -> Read {
        match self.place_of(&id) {
            Ok((project, name, turned)) => {
                let told = ask::feature(session, &project, &name, cx).await;
                Read { id, project, turned, told }
            }
            Err(fault) => Read { id, project: String::new(), turned: 0, told: Err(fault) },
        }
    }

    /// The project and name of a flag, and how often the event log named it.
    fn place_of(&self, id: &FlagId) -> Result<(String, String, u64), Fault> {
        let known = {
            let memory = self.memory();
            memory.flags.get(id).map(|k| (k.project.clone(), k.name.clone(), k.turned))
        };
        let split = || {
            let (project, name) = id.name.as_str().split_once(':')?;
            (!id.name.is_altered()).then(|| (project.to_owned(), name.to_owned(), 0))
        };
        known
            .or_else(split)
            .ok_or_else(|| Fault::new(FaultKind::NotFound, format!("{id}: there is no such flag")))
    }

    /// Puts what was read of single flags into the answer, and remembers it.
    fn hand_over(&self, reads: Vec<Read>, answer: &mut Observation) {
        let mut memory = self.memory();
        for read in reads {
            match read.told {
                Ok(detail) => {
                    memory.keep_detail(&read.id, read.turned, &detail);
                    let listed = memory.flags.get(&read.id).map(|known| &known.listed);
                    let shown = Shown { id: &read.id, project: &read.project, at: answer.at };
                    let flag = self.flag(&memory, &shown, listed, Some(&detail));
                    answer.facts.push(Fact::Flag(flag));
                }
                Err(fault) => answer.faults.push((ItemId::Flag(read.id), fault)),
            }
        }
    }

    fn flag(
        &self,
        memory: &Memory,
        shown: &Shown<'_>,
        listed: Option<&Listed>,
        detail: Option<&Detail>,
    ) -> Flag {
        let no_touches = BTreeMap::new();
        let around = Around {
            id: shown.id,
            project: shown.project,
            address: &self.address,
            environments: &self.environments,
            segments: &memory.segments,
            touched: memory.touched.get(shown.id).unwrap_or(&no_touches),
            now: shown.at,
        };
        flag::flag(&around, listed, detail)
    }

    /// The event log, back to what was read before or to the end of the history.
    async fn changes(&self, scope: &Scope, cx: &ReadContext) -> Result<Observation, Fault> {
        let session = self.http.session().await?;
        let known = self.memory().logged;
        let oldest = cx.now().saturating_sub(HISTORY).unwrap_or(Timestamp::MIN);
        let mut events: Vec<Event> = Vec::new();
        let mut cut = false;
        for page in 0..PAGES {
            let (found, full) = ask::events(&session, PAGE, page * PAGE, cx).await?;
            let reached = |e: &Event| Some(e.id) <= known || e.at().is_some_and(|at| at < oldest);
            cut = full && !found.iter().any(reached);
            events.extend(found);
            if !cut {
                break;
            }
        }
        let newest = events.iter().map(|event| event.id).max();
        // A log that ends before it did was begun anew.
        let known = known.filter(|known| newest >= Some(*known)).unwrap_or(0);
        events.retain(|event| {
            event.id.saturating_add(LATE) > known && event.at().is_some_and(|at| at >= oldest)
        });
        let mut answer = cx.answer(&self.meta.id, scope);
        if cut {
            let count = events.len();
            answer
                .warnings
                .push(format!("of the event log the last {count} entries are read").into());
        }
        answer.facts.extend(self.told(&events.iter().collect::<Vec<_>>()).map(Fact::Change));
        let mut memory = self.memory();
        memory.touch(&self.meta.id, &events);
        memory.logged = newest;
        Ok(answer)
    }

    /// Events of wanted projects and environments, as changes.
    fn told<'a>(&'a self, events: &'a [&'a Event]) -> impl Iterator<Item = Change> + 'a {
        let wanted = |event: &&&Event| {
            let project = event.project.as_deref().filter(|project| *project != "*");
            let environment = event.environment.as_deref().filter(|name| *name != "*");
            project.is_none_or(|project| flag::wants(&self.projects, project))
                && environment.is_none_or(|name| flag::wants(&self.environments, name))
        };
        events.iter().filter(wanted).filter_map(|e| e.change(&self.meta.id, &self.address))
    }
}

/// What a read of one flag brought.
struct Read {
    id: FlagId,
    project: String,
    turned: u64,
    told: Result<Detail, Fault>,
}

/// Which flag is shown, as of when.
struct Shown<'a> {
    id: &'a FlagId,
    project: &'a str,
    at: Timestamp,
}

impl Source for Unleash {
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
                Topic::Items => self.items(scope, context).await,
                Topic::Changes => self.changes(scope, context).await,
                Topic::Series => Ok(context.answer(&self.meta.id, scope)),
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
