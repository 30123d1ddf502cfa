//! What deployments did to flags, from documents that are compared.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::deployments::{Deployed, Deployment};
use super::details::Details;
use super::document::{Document, Entry};
use super::flags::{Picture, flag_id};
use crate::domain::change::{Change, ChangeKind};
use crate::domain::ids::{ChangeId, ItemId};
use crate::domain::text::SafeText;

/// Older things are not told: the timeline holds a limited number of changes of the whole fleet.
const HORIZON: SignedDuration = SignedDuration::from_hours(3 * 24);
/// Deployments told of one profile in one environment.
const MOST: usize = 10;
/// Flags told one by one; a deployment that changes more is told as one.
const MOST_FLAGS: usize = 10;

/// The deployments to tell of, each with what was live before it.
pub(super) fn told(deployed: &Deployed, now: Timestamp) -> Vec<(&Deployment, Option<&Deployment>)> {
    let recent = deployed
        .recent
        .iter()
        .enumerate()
        .filter(|(_, it)| it.started.is_some_and(|at| now.duration_since(at) <= HORIZON));
    recent
        .take(MOST)
        .map(|(place, it)| {
            let older = deployed.recent.iter().skip(place + 1);
            (it, older.into_iter().find(|older| older.is_live()))
        })
        .collect()
}

/// What happened to one profile in one environment, and when each flag last changed there.
pub(super) fn of(
    picture: &Picture<'_>,
    environment: &SafeText,
    deployed: &Deployed,
    details: &Details,
    now: Timestamp,
) -> (Vec<Change>, BTreeMap<SafeText, Timestamp>) {
    let mut changes = Vec::new();
    let mut changed: BTreeMap<SafeText, Timestamp> = BTreeMap::new();
    for (deployment, before) in told(deployed, now) {
        let Some(at) = deployment.started else { continue };
        let tell = Tell { picture, environment, deployment };
        let detail = details.get(&deployment.number);
        let back = detail.and_then(|detail| detail.taken_back.clone());
        match differences(picture, deployed, deployment, before) {
            Some(differences) => {
                for key in differences.keys() {
                    let last = back.as_ref().map_or(at, |(back, _)| *back);
                    let known = changed.entry(key.clone()).or_insert(last);
                    *known = last.max(*known);
                }
                changes.extend(tell.flags(&differences, at));
            }
            None => changes.push(tell.whole("deployed", "", at)),
        }
        if let Some((at, why)) = back {
            let change = tell.whole("taken back", "", at);
            let id = format!("{}:{environment}:{}:back", picture.project, deployment.number);
            changes.push(Change {
                id: ChangeId::new(picture.source, &id),
                kind: ChangeKind::Rollback,
                detail: why.or(change.detail.clone()),
                ..change
            });
        }
    }
    changes.retain(|change| now.duration_since(change.at) <= HORIZON);
    (changes, changed)
}

/// What the deployment changes, by flag; none where that cannot be told.
fn differences(
    picture: &Picture<'_>,
    deployed: &Deployed,
    deployment: &Deployment,
    before: Option<&Deployment>,
) -> Option<BTreeMap<SafeText, String>> {
    let nothing = Document::default();
    let new = picture.document(deployment)?.as_ref().ok()?.as_ref();
    let old = match before {
        Some(before) => picture.document(before)?.as_ref().ok()?.as_ref(),
        None if deployed.is_whole => &nothing,
        None => return None,
    };
    let keys: BTreeSet<&SafeText> = old.flags.keys().chain(new.flags.keys()).collect();
    let differences = keys.into_iter().filter_map(|key| {
        let difference = Entry::difference(old.flags.get(key), new.flags.get(key))?;
        Some((key.clone(), difference))
    });
    Some(differences.collect())
}

struct Tell<'a> {
    picture: &'a Picture<'a>,
    environment: &'a SafeText,
    deployment: &'a Deployment,
}

impl Tell<'_> {
    fn flags(&self, differences: &BTreeMap<SafeText, String>, at: Timestamp) -> Vec<Change> {
        let environment = self.environment;
        match differences.len() {
            0 => vec![Change {
                kind: ChangeKind::Config,
                ..self.whole("deployed", ": no flag changes", at)
            }],
            1..=MOST_FLAGS => differences
                .iter()
                .map(|(key, what)| {
                    let title = format!("{key} {what} in {environment}{}", self.so_far());
                    self.change(key.as_str(), &title, at)
                })
                .collect(),
            many => vec![self.whole("deployed", &format!(": {many} flags change"), at)],
        }
    }

    fn whole(&self, what: &str, effect: &str, at: Timestamp) -> Change {
        let (project, environment) = (self.picture.project, self.environment);
        let version = self.deployment.version_text();
        let so_far = if what == "deployed" { self.so_far() } else { "" };
        let title = format!("{project} version {version} {what} in {environment}{so_far}{effect}");
        self.change("*", &title, at)
    }

    fn so_far(&self) -> &'static str {
        if self.deployment.is_running() {
            " (under way)"
        } else if self.deployment.was_taken_back() {
            " (taken back)"
        } else {
            ""
        }
    }

    fn change(&self, key: &str, title: &str, at: Timestamp) -> Change {
        let Picture { source, project, link, .. } = self.picture;
        let deployment = self.deployment;
        let id = format!("{project}:{key}:{}:{}", self.environment, deployment.number);
        let detail = format!(
            "deployment {} of version {}, {}",
            deployment.number,
            deployment.version_text(),
            deployment.growth
        );
        Change {
            id: ChangeId::new(source, &id),
            at,
            kind: ChangeKind::Flag,
            title: SafeText::new(title),
            who: None,
            target: Some(ItemId::Flag(flag_id(source, project, key))),
            environment: Some(self.environment.clone()),
            detail: Some(SafeText::from(detail)),
            link: link.clone(),
        }
    }
}
