//! Flags with their state in every environment, from what is deployed there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::deployments::{Deployed, Deployment};
use super::details::Details;
use super::document::{Document, Entry};
use super::versions::Documents;
use crate::domain::error::Fault;
use crate::domain::flag::{Flag, FlagRollout, FlagState, Pace};
use crate::domain::ids::{FlagId, SourceId};
use crate::domain::text::SafeText;

/// One profile: what is known of it in each environment, in the order of the listing.
pub(super) struct Picture<'a> {
    pub(super) source: &'a SourceId,
    /// `application/profile`.
    pub(super) project: &'a str,
    /// The profile's id.
    pub(super) profile: &'a str,
    pub(super) documents: &'a Documents,
    pub(super) environments: Vec<Place<'a>>,
    /// How changes of ours are deployed.
    pub(super) paces: &'a [Pace],
    pub(super) link: Option<SafeText>,
}

/// One environment of a profile.
pub(super) struct Place<'a> {
    pub(super) name: &'a SafeText,
    /// The deployments of this profile, or why they could not be read.
    pub(super) deployed: Result<&'a Deployed, &'a Fault>,
    pub(super) details: &'a Details,
    /// When each flag last changed here.
    pub(super) changed: BTreeMap<SafeText, Timestamp>,
}

/// The flag called `key` in `project`, `*` for all of them.
pub(super) fn flag_id(source: &SourceId, project: &str, key: &str) -> FlagId {
    FlagId::new(source, &format!("{project}:{key}"))
}

impl<'a> Picture<'a> {
    /// A document that is or was deployed.
    pub(super) fn document(
        &self,
        deployment: &Deployment,
    ) -> Option<&'a Result<Arc<Document>, Fault>> {
        self.documents.get(&(self.profile.to_owned(), deployment.version))
    }

    /// Deployed documents that could be read, the newest version first.
    fn readable(&self) -> Vec<(i32, &'a Document)> {
        let deployed = self.environments.iter().filter_map(|place| place.deployed.ok());
        let mut documents: Vec<(i32, &Document)> = deployed
            .flat_map(|deployed| deployed.live.iter().chain(&deployed.running))
            .filter_map(|it| Some((it.version, self.document(it)?.as_ref().ok()?.as_ref())))
            .collect();
        documents.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        documents.dedup_by_key(|(version, _)| *version);
        documents
    }

    /// Why something here could not be read, by environment.
    pub(super) fn faults(&self) -> Vec<(&'a SafeText, Fault)> {
        let mut faults = Vec::new();
        for place in &self.environments {
            match place.deployed {
                Err(fault) => faults.push((place.name, fault.clone())),
                Ok(deployed) => {
                    let documents = deployed.live.iter().chain(&deployed.running);
                    let failed = documents.filter_map(|it| self.document(it)?.as_ref().err());
                    faults.extend(failed.take(1).map(|fault| (place.name, fault.clone())));
                }
            }
        }
        faults
    }

    /// Every flag of every version that is deployed somewhere.
    pub(super) fn flags(&self) -> Vec<Flag> {
        let documents = self.readable();
        let keys: BTreeSet<&SafeText> =
            documents.iter().flat_map(|(_, document)| document.flags.keys()).collect();
        let mut flags = Vec::with_capacity(keys.len());
        for key in keys {
            let newest = documents.iter().find_map(|(_, document)| document.flags.get(key));
            let places = self.environments.iter().filter_map(|place| self.state(place, key));
            flags.push(Flag {
                id: flag_id(self.source, self.project, key.as_str()),
                key: key.clone(),
                project: SafeText::new(self.project),
                description: newest.and_then(|entry| entry.description.clone()),
                kind: newest
                    .and_then(|entry| entry.setting.as_ref())
                    .filter(|setting| setting.has_variants)
                    .map(|_| "multi-variant".into()),
                stale: newest.and_then(|entry| entry.stale.clone()),
                marked: newest.is_some_and(|entry| entry.stale.is_some()),
                environments: places.collect(),
                link: self.link.clone(),
                tags: BTreeMap::new(),
            });
        }
        flags
    }

    /// The flag in one environment; none where its profile was never deployed.
    fn state(&self, place: &Place<'_>, key: &SafeText) -> Option<FlagState> {
        let mut state = FlagState {
            environment: place.name.clone(),
            enabled: None,
            percent: None,
            gradual: None,
            rules: Vec::new(),
            attributes: Vec::new(),
            version: None,
            changed: place.changed.get(key).copied(),
            by: None,
            last_seen: None,
            rollout: None,
            paces: self.paces.to_vec(),
        };
        let deployed = match place.deployed {
            Ok(deployed) => deployed,
            Err(fault) => {
                state.rules.push(SafeText::from(format!("not readable: {fault}")));
                return Some(state);
            }
        };
        if deployed.is_lost {
            state.rules.push("not found among the newest deployments".into());
        } else if deployed.live.is_none() && deployed.running.is_none() {
            return None;
        }
        let mut now = None;
        match &deployed.live {
            Some(live) => {
                state.version = Some(live.version_text());
                match self.document(live) {
                    Some(Ok(document)) => {
                        now = document.flags.get(key);
                        describe(&mut state, now, live);
                    }
                    Some(Err(fault)) => {
                        state.rules.push(SafeText::from(format!("not readable: {fault}")));
                    }
                    None => {}
                }
            }
            None if !deployed.is_lost => {
                state.enabled = Some(false);
                state.rules.push("nothing is deployed yet".into());
            }
            None => {}
        }
        if let Some(running) = &deployed.running {
            let strategy =
                place.details.get(&running.number).and_then(|detail| detail.strategy.as_ref());
            let mut way = rollout(running, strategy);
            let then = self.document(running).and_then(|document| document.as_ref().ok());
            if let Some(then) = then {
                let setting = then.flags.get(key).and_then(|entry| entry.setting.as_ref());
                way.enabled = Some(setting.is_some_and(|setting| setting.enabled));
                way.attributes =
                    setting.map(|setting| setting.attributes.clone()).unwrap_or_default();
            }
            state.rollout = Some(way);
            if !running.is_live()
                && state.enabled.is_some()
                && let Some(then) = then
            {
                let what = Entry::difference(now, then.flags.get(key));
                let what = what.unwrap_or_else(|| "no change".to_owned());
                let rule = format!("version {} under way: {what}", running.version_text());
                state.rules.push(SafeText::from(rule));
            }
        }
        Some(state)
    }
}

fn describe(state: &mut FlagState, entry: Option<&Entry>, live: &Deployment) {
    match entry {
        Some(Entry { setting: Some(setting), edited, .. }) => {
            state.enabled = Some(setting.enabled);
            state.percent = setting.percent;
            state.gradual = setting.percent;
            state.rules.extend(setting.rules.iter().cloned());
            state.attributes.extend(setting.attributes.iter().cloned());
            state.changed = state.changed.or(*edited);
        }
        // Who asks for such a flag gets nothing.
        Some(_) => {
            state.enabled = Some(false);
            state.rules.push("defined without a value".into());
        }
        None => {
            state.enabled = Some(false);
            let rule = format!("not in version {}", live.version_text());
            state.rules.push(SafeText::from(rule));
        }
    }
}

fn rollout(running: &Deployment, strategy: Option<&SafeText>) -> FlagRollout {
    let growth = &running.growth;
    let strategy = match strategy {
        Some(name) => SafeText::from(format!("{name}: {growth}")),
        None => growth.clone(),
    };
    FlagRollout {
        state: SafeText::new(running.state.as_str()),
        strategy,
        percent: running.percent,
        version: running.version_text(),
        started: running.started,
        enabled: None,
        attributes: Vec::new(),
    }
}
