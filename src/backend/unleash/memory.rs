//! What is remembered between reads: flags read one by one, and what the event log said of them.
//!
//! A read of one flag tells its strategies; the listing does not. Such a read stays true until the
//! event log names the flag, so that one look at the log confirms all flags at once.

use std::collections::{BTreeMap, BTreeSet};

use super::events::flag_id;
use super::flag::{Touch, contradicts};
use super::rules::Segments;
use super::wire::{Detail, Event, Listed};
use crate::domain::ids::{FlagId, SourceId};
use crate::domain::text::SafeText;

/// Everything that is remembered.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub identity: Option<SafeText>,
    pub version_warning: Option<SafeText>,
    pub segments: Segments,
    /// Whether the segments are as they were read.
    pub segments_read: bool,
    pub projects: BTreeMap<String, Listing>,
    pub flags: BTreeMap<FlagId, Known>,
    /// The entries of the event log at the last look; none before the first.
    seen: Option<BTreeSet<u64>>,
    /// The newest entry of the event log that was told as a change.
    pub logged: Option<u64>,
    /// The last change of each flag in each environment.
    pub touched: BTreeMap<FlagId, BTreeMap<String, Touch>>,
    /// Grows with each look at the listings, so that the oldest listing is read first.
    turn: u64,
}

/// What is known of a project.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The turn of its last listing.
    pub read: Option<u64>,
    /// Something happened in it since.
    pub moved: bool,
}

/// What is known of a flag.
#[derive(Debug)]
pub(super) struct Known {
    pub project: String,
    pub name: String,
    pub listed: Listed,
    /// What a read of it alone told, as long as nothing speaks against it.
    pub detail: Option<Detail>,
    /// A read of it alone was handed over once.
    pub told: bool,
    /// Something happened to it since: it is to be read again.
    pub again: bool,
    /// How often something happened to it: a read that began before is not remembered.
    pub turned: u64,
}

impl Memory {
    /// Takes in a listing of `project`; flags that are in it no longer are forgotten. `odd` are
    /// those that are in it and could not be understood.
    pub(super) fn list(
        &mut self,
        source: &SourceId,
        project: &str,
        listed: Vec<Listed>,
        odd: &BTreeSet<FlagId>,
    ) {
        let turn = self.turn;
        let known = self.projects.entry(project.to_owned()).or_default();
        (known.read, known.moved) = (Some(turn), false);
        let mut ids = odd.clone();
        for listed in listed {
            let id = flag_id(source, project, &listed.name);
            ids.insert(id.clone());
            let known = self.flags.entry(id).or_insert_with(|| Known {
                project: project.to_owned(),
                name: listed.name.clone(),
                listed: listed.clone(),
                detail: None,
                told: false,
                again: false,
                turned: 0,
            });
            if known.detail.as_ref().is_some_and(|detail| contradicts(&listed, detail)) {
                known.turn();
            }
            known.listed = listed;
        }
        self.flags.retain(|id, known| known.project != project || ids.contains(id));
        let within = format!("{project}:");
        self.touched.retain(|id, _| !id.name.as_str().starts_with(&within) || ids.contains(id));
    }

    /// Begins a turn of listings: the projects to list now, those that need it most first.
    pub(super) fn due(&mut self, most: usize) -> Vec<String> {
        self.turn += 1;
        let mut projects: Vec<_> = self.projects.iter().collect();
        projects.sort_by_key(|(_, known)| (known.read.is_some(), !known.moved, known.read));
        projects.into_iter().take(most).map(|(project, _)| project.clone()).collect()
    }

    /// Forgets projects that are not in `existing`, with their flags.
    pub(super) fn keep(&mut self, existing: &[String]) {
        self.projects.retain(|project, _| existing.contains(project));
        self.flags.retain(|_, known| existing.contains(&known.project));
        for project in existing {
            self.projects.entry(project.clone()).or_default();
        }
    }

    /// Takes in the newest page of the event log, and returns what is new in it. Flags that it
    /// names are to be read again.
    pub(super) fn look<'a>(
        &mut self,
        source: &SourceId,
        page: &'a [Event],
        full: bool,
    ) -> Vec<&'a Event> {
        let before = self.seen.replace(page.iter().map(|event| event.id).collect());
        self.touch(source, page);
        let Some(before) = before else { return Vec::new() };
        let fresh: Vec<&Event> = page.iter().filter(|e| !before.contains(&e.id)).collect();
        if full && fresh.len() == page.len() {
            // There may be more than one page of news: nothing is certain any more.
            self.flags.values_mut().for_each(Known::turn);
            self.projects.values_mut().for_each(|project| project.moved = true);
        }
        for event in &fresh {
            if event.kind.starts_with("segment-") {
                self.segments_read = false;
            }
            let Some(project) = &event.project else { continue };
            if let Some(known) = self.projects.get_mut(project) {
                known.moved = true;
            }
            if event.kind == "features-imported" {
                let within = self.flags.values_mut().filter(|known| known.project == *project);
                within.for_each(Known::turn);
            }
            if let Some(known) = event.flag(source).and_then(|id| self.flags.get_mut(&id)) {
                known.turn();
            }
        }
        fresh
    }

    /// Remembers who changed what last.
    pub(super) fn touch(&mut self, source: &SourceId, events: &[Event]) {
        for event in events {
            let (Some(id), Some(environment), Some(at)) =
                (event.flag(source), event.altered(), event.at())
            else {
                continue;
            };
            let environments = self.touched.entry(id).or_default();
            let newer = |known: &Touch| known.0 < at;
            if environments.get(environment).is_none_or(newer) {
                environments.insert(environment.to_owned(), (at, event.who()));
            }
        }
    }

    /// Something was done to a flag: what was read of it before is not believed any more.
    pub(super) fn turn(&mut self, id: &FlagId) {
        if let Some(known) = self.flags.get_mut(id) {
            known.turn();
        }
    }

    /// Remembers a read of one flag, which began when the log had named it `turned` times.
    pub(super) fn keep_detail(&mut self, id: &FlagId, turned: u64, detail: &Detail) {
        if let Some(known) = self.flags.get_mut(id) {
            known.told = true;
            if known.turned == turned {
                known.again = false;
                known.detail = Some(detail.clone());
            }
        }
    }
}

impl Known {
    /// Something happened to it.
    fn turn(&mut self) {
        self.detail = None;
        self.again = self.told;
        self.turned += 1;
    }
}
