//! One read of everything: application by application, each with its own faults.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_sdk_appconfig::Client;
use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use tokio::time::Instant;

use super::deployments::{Deployed, Seen};
use super::details::Details;
use super::flags::{Picture, Place, flag_id};
use super::listing::Structure;
use super::lock::lock;
use super::versions::{Documents, VersionId};
use super::{AppConfig, Named, changes};
use crate::backend::aws::reader::{Connection, ends_read};
use crate::backend::context::ReadContext;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::{Fact, FactKind};
use crate::domain::ids::ItemId;
use crate::domain::observation::{Observation, Scope};
use crate::domain::text::SafeText;

/// How many calls may each use up their deadline before a read is given up.
pub(super) const DEADLINES: u32 = 6;
/// Half of that time is for applications to be begun.
const TURNS: u32 = DEADLINES / 2;
/// Applications read side by side.
const APPLICATIONS: usize = 3;
/// Environments of one application read side by side.
const ENVIRONMENTS: usize = 4;

/// What is remembered of an application.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    structure: Option<Structure>,
    seen: BTreeMap<String, Seen>,
    details: BTreeMap<String, Details>,
    /// What was said of it.
    told: BTreeSet<ItemId>,
    read: Option<Timestamp>,
}

/// What one application brought.
#[derive(Default)]
struct Brought {
    facts: Vec<Fact>,
    faults: Vec<(ItemId, Fault)>,
    warnings: Vec<SafeText>,
    memory: Memory,
}

/// One environment as it was read.
struct Site<'a> {
    environment: &'a Named,
    deployed: Result<BTreeMap<String, Deployed>, Fault>,
    details: Details,
}

impl AppConfig {
    /// Every flag of every application, as far as time allows; those read longest ago come first.
    pub(super) async fn overview(
        &self,
        scope: &Scope,
        context: &ReadContext,
    ) -> Result<Observation, Fault> {
        let late = Instant::now() + self.schedule.deadline.get().saturating_mul(TURNS);
        let connection = self.reader.connect(context.now()).await?;
        // Who reads a flag right before changing it waits for no other application.
        let is_narrow = !scope.items.is_empty();
        let identity =
            async { if is_narrow { (None, None) } else { connection.identity(context).await } };
        let applications = self.applications(&connection, context);
        let (listed, (identity, warning)) = futures::future::join(applications, identity).await;
        let listed = match listed {
            Ok(listed) if !is_narrow => self.paces(&connection, context).await.map(|()| listed),
            listed => listed,
        };
        let mut applications = match listed {
            Ok(listed) => listed,
            Err(fault) => {
                self.reader.learn(&connection.loaded, &fault, context.now()).await;
                return Err(fault);
            }
        };
        let gone = self.forget_others(&applications);
        if is_narrow {
            applications.retain(|it| scope.items.iter().any(|item| is_of(item, it)));
        }
        applications.sort_by_cached_key(|it| lock(&self.known).get(&it.id).and_then(|m| m.read));

        let stop: Mutex<Option<Fault>> = Mutex::new(None);
        let mut reads = Vec::with_capacity(applications.len());
        for application in &applications {
            reads.push(self.turn(&connection, application, is_narrow, (late, &stop), context));
        }
        let reads: Vec<_> = stream::iter(reads).buffered(APPLICATIONS).collect().await;
        let stopped = lock(&stop).take();
        if let Some(fault) = stopped {
            self.reader.learn(&connection.loaded, &fault, context.now()).await;
            let nothing_read = reads.iter().all(|read| !matches!(read, Some(Ok(_))));
            if nothing_read || fault.kind == FaultKind::NotAuthenticated {
                return Err(fault);
            }
        }
        // The same failure everywhere is the source's, not the applications'.
        let failed = |read: &Option<Result<Brought, Fault>>| match read {
            Some(Err(fault)) if fault.is_source_wide() => Some(fault.clone()),
            _ => None,
        };
        if let Some(fault) = reads.first().and_then(failed)
            && reads.iter().all(|read| failed(read).is_some())
        {
            return Err(fault);
        }

        let mut observation = context.answer(&self.id, scope);
        observation.identity = identity;
        observation.warnings.extend(warning);
        let is_whole = !is_narrow && reads.iter().all(Option::is_some);
        if is_narrow {
            if applications.is_empty() {
                observation.faults.extend(scope.items.iter().cloned().map(missing));
            }
        } else if is_whole {
            observation.complete = vec![FactKind::Flags];
        } else {
            let read = reads.iter().filter(|read| read.is_some()).count();
            let all = reads.len();
            let warning = format!("{read} of {all} applications were read; the others are next");
            observation.warnings.push(SafeText::from(warning));
            observation.faults.extend(gone.into_iter().map(missing));
        }
        for (application, read) in applications.iter().zip(reads) {
            match read {
                Some(Ok(brought)) => self.take(application, brought, is_whole, &mut observation),
                Some(Err(fault)) => self.fail(application, &fault, &mut observation),
                None => {}
            }
        }
        Ok(observation)
    }

    /// Drops what is remembered of applications that are gone, and says what that was.
    fn forget_others(&self, applications: &[Named]) -> Vec<ItemId> {
        lock(&self.documents).retain(|id, _| applications.iter().any(|it| it.id == *id));
        let mut known = lock(&self.known);
        let mut gone = Vec::new();
        known.retain(|id, memory| {
            let stays = applications.iter().any(|it| it.id == *id);
            if !stays {
                gone.extend(memory.told.iter().cloned());
            }
            stays
        });
        gone
    }

    /// Reads one application; none if it is too late for that, or the whole read ended.
    async fn turn(
        &self,
        connection: &Connection<Client>,
        application: &Named,
        is_narrow: bool,
        (late, stop): (Instant, &Mutex<Option<Fault>>),
        context: &ReadContext,
    ) -> Option<Result<Brought, Fault>> {
        if Instant::now() >= late || lock(stop).is_some() {
            return None;
        }
        let memory = lock(&self.known).get(&application.id).cloned().unwrap_or_default();
        let read = self.application(connection, application, &memory, is_narrow, context).await;
        match read {
            Err(fault) if ends_read(&fault) => {
                lock(stop).get_or_insert(fault);
                None
            }
            read => Some(read),
        }
    }

    async fn application(
        &self,
        connection: &Connection<Client>,
        application: &Named,
        memory: &Memory,
        is_narrow: bool,
        context: &ReadContext,
    ) -> Result<Brought, Fault> {
        let now = context.now();
        let structure = match memory.structure.clone().filter(|known| known.is_recent(now)) {
            Some(known) => known,
            None => self.structure(connection, &application.id, context).await?,
        };
        let Structure { environments, profiles, .. } = &structure;
        let mut next = Memory { read: Some(now), ..Memory::default() };

        let mut reads = Vec::with_capacity(environments.len());
        for environment in environments {
            let seen = memory.seen.get(&environment.id).cloned().unwrap_or_default();
            reads.push(async move {
                let place = (application.id.as_str(), environment.id.as_str());
                let read = self.deployments(connection, place, profiles, &seen, context).await;
                (environment, read)
            });
        }
        let reads: Vec<_> = stream::iter(reads).buffered(ENVIRONMENTS).collect().await;
        let mut sites = Vec::with_capacity(reads.len());
        let mut is_outdated = false;
        for (environment, read) in reads {
            let mut details = Details::new();
            let deployed = match read {
                Ok((deployed, seen)) => {
                    let place = (application.id.as_str(), environment.id.as_str());
                    let of_interest = deployed.values().flat_map(|of_one| {
                        let told = changes::told(of_one, now).into_iter().map(|(it, _)| it);
                        told.filter(|it| it.was_taken_back()).chain(&of_one.running)
                    });
                    let wanted: Vec<_> = of_interest.collect();
                    let none = Details::new();
                    let known = memory.details.get(&environment.id).unwrap_or(&none);
                    // They are decoration, and nothing to wait for before a write.
                    details = if is_narrow {
                        known.clone()
                    } else {
                        self.details(connection, place, &wanted, known, context).await?
                    };
                    next.seen.insert(environment.id.clone(), seen);
                    next.details.insert(environment.id.clone(), details.clone());
                    Ok(deployed)
                }
                Err(fault) if ends_read(&fault) => return Err(fault),
                Err(fault) => {
                    // Perhaps it was deleted since it was listed.
                    is_outdated |= fault.kind == FaultKind::NotFound;
                    Err(fault)
                }
            };
            sites.push(Site { environment, deployed, details });
        }

        let wanted = wanted(&sites, now);
        let documents = self.documents(connection, &application.id, wanted, context).await?;
        let mut brought = Brought::default();
        for profile in profiles {
            let link = self.page(connection, application);
            self.profile(
                application,
                profile,
                &sites,
                &documents,
                (link, now),
                &mut brought,
                memory,
            );
        }
        next.structure = (!is_outdated).then_some(structure);
        brought.memory = next;
        Ok(brought)
    }

    #[expect(clippy::too_many_arguments, reason = "each is another part of one picture")]
    fn profile(
        &self,
        application: &Named,
        profile: &Named,
        sites: &[Site<'_>],
        documents: &Documents,
        (link, now): (Option<SafeText>, Timestamp),
        brought: &mut Brought,
        memory: &Memory,
    ) {
        let project = format!("{}/{}", application.name, profile.name);
        let paces = lock(&self.paces).clone().map(|(_, paces)| paces).unwrap_or_default();
        let mut picture = Picture {
            source: &self.id,
            project: &project,
            profile: &profile.id,
            documents,
            environments: Vec::new(),
            paces: &paces,
            link,
        };
        let nothing = Deployed::default();
        for site in sites {
            let deployed = site.deployed.as_ref();
            let deployed = deployed.map(|all| all.get(&profile.id).unwrap_or(&nothing));
            let name = &site.environment.name;
            let mut changed = BTreeMap::new();
            if let Ok(deployed) = deployed {
                let (happened, at) = changes::of(&picture, name, deployed, &site.details, now);
                brought.facts.extend(happened.into_iter().map(Fact::Change));
                changed = at;
            }
            let details = &site.details;
            picture.environments.push(Place { name, deployed, details, changed });
        }
        let flags = picture.flags();
        let faults = picture.faults();
        for (environment, fault) in &faults {
            let warning = SafeText::from(format!("{project} in {environment}: {fault}"));
            brought.warnings.push(warning);
        }
        if let Some((_, fault)) = faults.into_iter().next() {
            // What cannot be seen now is unknown, not gone.
            let all = ItemId::Flag(flag_id(&self.id, &project, "*"));
            let of_this = format!("{project}:");
            let known = memory.told.iter().filter(|it| it.name().as_str().starts_with(&of_this));
            let mut unseen: BTreeSet<ItemId> = known.cloned().collect();
            for flag in &flags {
                unseen.remove(&ItemId::Flag(flag.id.clone()));
            }
            unseen.remove(&all);
            if flags.is_empty() && unseen.is_empty() {
                unseen.insert(all);
            }
            brought.faults.extend(unseen.into_iter().map(|item| (item, fault.clone())));
        }
        brought.facts.extend(flags.into_iter().map(Fact::Flag));
    }

    /// Takes in what an application brought.
    fn take(
        &self,
        application: &Named,
        brought: Brought,
        is_whole: bool,
        observation: &mut Observation,
    ) {
        let Brought { facts, faults, warnings, mut memory } = brought;
        let flags = facts.iter().filter(|fact| matches!(fact, Fact::Flag(_)));
        memory.told =
            flags.map(Fact::item).chain(faults.iter().map(|(it, _)| it.clone())).collect();
        observation.facts.extend(facts);
        observation.faults.extend(faults);
        observation.warnings.extend(warnings);
        let before = lock(&self.known).get(&application.id).cloned();
        if let Some(before) = before.filter(|_| !is_whole) {
            let gone = before.told.difference(&memory.told).cloned();
            observation.faults.extend(gone.map(missing));
        }
        lock(&self.known).insert(application.id.clone(), Arc::new(memory));
    }

    /// An application that could not be read: what is known of it is old, what is not, unknown.
    fn fail(&self, application: &Named, fault: &Fault, observation: &mut Observation) {
        let mut known = lock(&self.known);
        let told = known.get(&application.id).map(|memory| memory.told.clone());
        let mut told = told.unwrap_or_default();
        if told.is_empty() {
            let project = format!("{}/*", application.name);
            told.insert(ItemId::Flag(flag_id(&self.id, &project, "*")));
            let memory = Memory { told: told.clone(), ..Memory::default() };
            known.insert(application.id.clone(), Arc::new(memory));
        }
        observation.faults.extend(told.into_iter().map(|item| (item, fault.clone())));
    }

    /// What an application consists of, if that was read lately.
    pub(super) fn known_structure(&self, application: &str, now: Timestamp) -> Option<Structure> {
        let known = lock(&self.known);
        known.get(application)?.structure.clone().filter(|known| known.is_recent(now))
    }

    /// Forgets what was counted on to stay deployed, because that has just been taken back.
    pub(super) fn look_again(&self, application: &str) {
        if let Some(memory) = lock(&self.known).get_mut(application) {
            Arc::make_mut(memory).seen.clear();
        }
    }

    /// The application's page in the console.
    fn page(&self, connection: &Connection<Client>, application: &Named) -> Option<SafeText> {
        let region = connection.loaded.region();
        let id = &application.id;
        let path = format!("systems-manager/appconfig/applications/{id}?region={region}");
        self.reader.console(connection, &path)
    }
}

/// The versions that are deployed, and those to compare them with.
fn wanted(sites: &[Site<'_>], now: Timestamp) -> BTreeSet<VersionId> {
    let mut wanted = BTreeSet::new();
    for (profile, deployed) in sites.iter().filter_map(|site| site.deployed.as_ref().ok()).flatten()
    {
        let told = changes::told(deployed, now);
        let compared = told.into_iter().flat_map(|(it, before)| [Some(it), before]).flatten();
        let present = deployed.live.iter().chain(&deployed.running);
        wanted.extend(compared.chain(present).map(|it| (profile.clone(), it.version)));
    }
    wanted
}

/// Whether `item` is a flag of `application`, as far as its name tells.
fn is_of(item: &ItemId, application: &Named) -> bool {
    item.name().as_str().starts_with(&format!("{}/", application.name))
}

/// Tells that an item is gone.
fn missing(item: ItemId) -> (ItemId, Fault) {
    let fault = Fault::new(FaultKind::NotFound, format!("{item} is gone"));
    (item, fault)
}
