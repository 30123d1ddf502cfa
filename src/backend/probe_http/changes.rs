//! Changes of the running version, noticed between two reads.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::change::{Change, ChangeKind};
use crate::domain::environment::{Environment, Health};
use crate::domain::ids::{ChangeId, EnvironmentId, ItemId};
use crate::domain::text::SafeText;

/// A version that comes up again within this time was told already: while a roll-out is under
/// way, the old and the new version answer in turns.
const TOLD: SignedDuration = SignedDuration::from_mins(10);

/// What was seen of each environment.
#[derive(Debug, Default)]
pub(super) struct History {
    seen: BTreeMap<EnvironmentId, Seen>,
}

#[derive(Debug)]
struct Seen {
    health: Health,
    /// Since when health and version are as they are; not known before the first change.
    since: Option<Timestamp>,
    /// When it last told its version.
    at: Option<Timestamp>,
    version: Option<SafeText>,
    before: Option<SafeText>,
    told: BTreeMap<SafeText, Timestamp>,
}

impl History {
    /// Takes in what was read at `now`: says since when, and the change if there was one.
    pub(super) fn see(&mut self, environment: &mut Environment, now: Timestamp) -> Option<Change> {
        let version = environment.revision.as_ref().map(|revision| revision.id.clone());
        let seen = self.seen.entry(environment.id.clone()).or_insert_with(|| Seen {
            health: environment.health,
            since: None,
            at: None,
            version: None,
            before: None,
            told: BTreeMap::new(),
        });
        if seen.health != environment.health {
            seen.health = environment.health;
            seen.since = Some(now);
        }
        let change = version.and_then(|version| seen.take(environment, &version, now));
        environment.since = seen.since;
        change
    }
}

impl Seen {
    fn take(
        &mut self,
        environment: &Environment,
        version: &SafeText,
        now: Timestamp,
    ) -> Option<Change> {
        let last_told = self.at.replace(now);
        let old = match self.version.replace(version.clone()) {
            Some(old) if old != *version => old,
            // The first version seen is no change.
            _ => return None,
        };
        let back = self.before.as_ref() == Some(version);
        self.before = Some(old.clone());
        self.since = Some(now);
        self.told.retain(|_, at| now.duration_since(*at) < TOLD);
        if self.told.contains_key(version) {
            return None;
        }
        self.told.insert(version.clone(), now);
        let name = &environment.id.name;
        Some(Change {
            id: ChangeId::new(&environment.id.source, &format!("{name} {version} {now}")),
            at: now,
            kind: if back { ChangeKind::Rollback } else { ChangeKind::Deploy },
            title: format!("{} runs {version}, before {old}", environment.name).into(),
            who: None,
            target: Some(ItemId::Environment(environment.id.clone())),
            environment: Some(environment.name.clone()),
            detail: last_told.map(|at| format!("{old} was last seen at {at}").into()),
            link: environment.link.clone(),
        })
    }
}
