//! The overview: which flags there are, and which of those known are still as they were read.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _};

use super::super::context::ReadContext;
use super::super::http_client::Session;
use super::ask::Listing;
use super::memory::Memory;
use super::{AT_ONCE, Shown, Unleash, ask, events, flag};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::{Fact, FactKind};
use crate::domain::ids::{FlagId, ItemId};
use crate::domain::observation::{Observation, Scope};
use crate::domain::text::SafeText;

/// Projects that are listed in one read, at most.
const PROJECTS: usize = 20;
/// Entries of the event log that one look takes in.
const LOOK: usize = 50;
/// Flags that the event log named and that are read again at once, at most.
const AGAIN: usize = 20;

/// What the listings left open.
#[derive(Default)]
struct Open {
    warnings: Vec<SafeText>,
    /// Flags of which the listing could not be had or understood.
    faults: BTreeMap<FlagId, Fault>,
    /// Something exists that is named nowhere.
    incomplete: bool,
}

impl Unleash {
    /// Listings, then the event log: what it does not name is as it was read.
    pub(super) async fn overview(
        &self,
        scope: &Scope,
        cx: &ReadContext,
    ) -> Result<Observation, Fault> {
        let told = self.look_around(scope, cx).await;
        if told.is_err() {
            // Another server or other credentials may answer next.
            self.memory().identity = None;
        }
        told
    }

    async fn look_around(&self, scope: &Scope, cx: &ReadContext) -> Result<Observation, Fault> {
        let session = self.http.session().await?;
        let mut open = Open::default();
        self.introduce(&session, &mut open, cx).await?;
        self.list(&session, &mut open, cx).await?;
        let log = ask::events(&session, LOOK, 0, cx).await;
        // What follows is as of the log, even where later reads take their time.
        let mut answer = cx.answer(&self.meta.id, scope);
        let again = {
            let mut memory = self.memory();
            let confirmed = match &log {
                Ok((page, full)) => {
                    let fresh = memory.look(&self.meta.id, page, *full);
                    answer.facts.extend(self.told(&fresh).map(Fact::Change));
                    true
                }
                Err(fault) => {
                    let told =
                        format!("event log, so that flags are confirmed one by one: {fault}");
                    open.warnings.push(told.into());
                    false
                }
            };
            answer.identity.clone_from(&memory.identity);
            self.confirm(&memory, confirmed, &open, &mut answer);
            let again = memory
                .flags
                .iter()
                .filter(|(id, known)| known.again && !open.faults.contains_key(*id));
            again.map(|(id, _)| id.clone()).take(AGAIN).collect()
        };
        let named = open.faults.into_iter().map(|(id, fault)| (ItemId::Flag(id), fault));
        answer.faults.extend(named);
        answer.warnings = open.warnings;
        if !open.incomplete {
            answer.complete.push(FactKind::Flags);
        }
        let reads = self.details(&session, again, cx).await;
        self.hand_over(reads, &mut answer);
        Ok(answer)
    }

    /// Names every flag, and tells those that are known to be as they were read.
    fn confirm(&self, memory: &Memory, confirmed: bool, open: &Open, answer: &mut Observation) {
        let mut items = Vec::new();
        for (id, known) in &memory.flags {
            items.push(ItemId::Flag(id.clone()));
            if open.faults.contains_key(id) {
                continue;
            }
            let detail = match &known.detail {
                Some(detail) if confirmed => Some(detail),
                None if !known.told => None,
                // It is read again, now or when its turn comes; until then it keeps its age.
                _ => continue,
            };
            let shown = Shown { id, project: &known.project, at: answer.at };
            let flag = self.flag(memory, &shown, Some(&known.listed), detail);
            answer.facts.push(Fact::Flag(flag));
        }
        answer.items = Some(items);
    }

    /// Who we are and what segments are called; both are asked for once.
    async fn introduce(
        &self,
        session: &Session,
        open: &mut Open,
        cx: &ReadContext,
    ) -> Result<(), Fault> {
        let (known, segments) = {
            let memory = self.memory();
            (memory.identity.is_some(), memory.segments_read)
        };
        if !known {
            match ask::identity(session, cx).await {
                Ok((identity, warning)) => {
                    let mut memory = self.memory();
                    (memory.identity, memory.version_warning) = (Some(identity), warning);
                }
                Err(fault) if is_about_one_thing(&fault) => {
                    open.warnings.push(format!("identity: {fault}").into());
                }
                Err(fault) => return Err(fault),
            }
        }
        open.warnings.extend(self.memory().version_warning.clone());
        if !segments {
            match ask::segments(session, cx).await {
                Ok(segments) => {
                    let mut memory = self.memory();
                    (memory.segments, memory.segments_read) = (segments, true);
                }
                Err(fault) => open.warnings.push(format!("segments: {fault}").into()),
            }
        }
        Ok(())
    }

    /// Lists the projects that are due.
    async fn list(
        &self,
        session: &Session,
        open: &mut Open,
        cx: &ReadContext,
    ) -> Result<(), Fault> {
        let mut projects = ask::projects(session, cx).await?;
        for pattern in &self.projects {
            if !projects.iter().any(|project| pattern.matches(project)) {
                open.warnings.push(format!("no project matches {pattern}").into());
            }
        }
        if projects.is_empty() {
            open.warnings.push("no project is visible to these credentials".into());
        }
        projects.retain(|project| flag::wants(&self.projects, project));
        let due = {
            let mut memory = self.memory();
            memory.keep(&projects);
            memory.due(PROJECTS)
        };
        let listings: Vec<_> = stream::iter(due)
            .map(|project| async move {
                let listing = ask::features(session, &project, cx).await;
                (project, listing)
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let failed = listings.iter().filter(|(_, listing)| listing.is_err()).count();
        if failed == listings.len()
            && let Some((_, Err(fault))) = listings.first()
        {
            return Err(fault.clone());
        }
        let mut memory = self.memory();
        for (project, listing) in listings {
            match listing {
                Ok(listing) => self.take_in(&mut memory, &project, listing, open),
                Err(fault) => {
                    open.warnings.push(format!("project {project}: {fault}").into());
                    let known = memory.flags.iter().filter(|(_, known)| known.project == project);
                    open.faults.extend(known.map(|(id, _)| (id.clone(), fault.clone())));
                    open.incomplete = true;
                }
            }
        }
        open.incomplete |= memory.projects.values().any(|project| project.read.is_none());
        Ok(())
    }

    fn take_in(&self, memory: &mut Memory, project: &str, listing: Listing, open: &mut Open) {
        if listing.nameless > 0 {
            let told = format!("project {project}: {} flags without a name", listing.nameless);
            open.warnings.push(told.into());
            open.incomplete = true;
        }
        let mut odd = BTreeSet::new();
        for name in &listing.odd {
            let id = events::flag_id(&self.meta.id, project, name);
            let message = format!("{id}: the listing tells it in a way that is not understood");
            open.faults.insert(id.clone(), Fault::new(FaultKind::InvalidReply, message));
            odd.insert(id);
        }
        memory.list(&self.meta.id, project, listing.listed, &odd);
    }
}

/// Whether the rest can be asked for all the same.
fn is_about_one_thing(fault: &Fault) -> bool {
    matches!(
        fault.kind,
        FaultKind::NotFound | FaultKind::Forbidden { .. } | FaultKind::InvalidReply
    )
}
