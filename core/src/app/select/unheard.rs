//! What a service claims and nobody has told anything of yet: that is unknown, and never calm.

use serde::{Deserialize, Serialize};

use super::Facts;
use crate::app::membership::Members;
use crate::domain::fact::FactKind;
use crate::domain::fleet::Fleet;
use crate::domain::ids::SourceId;
use crate::domain::pattern::Pattern;
use crate::domain::service::Service;
use crate::domain::source::SourceState;

/// A kind of thing that is claimed of a source which has never listed it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unheard {
    /// The source.
    pub source: SourceId,
    /// What it was to tell.
    pub kind: FactKind,
}

/// What `service` claims of sources that have not told what they have, and of which nothing is known.
pub fn of(service: &Service, members: &Members, facts: &Facts<'_>) -> Vec<Unheard> {
    let claims = &service.claims;
    let mut unheard = Vec::new();
    let mut look = |kind, patterns: &[Pattern], known: &dyn Fn(&Pattern) -> bool| {
        for pattern in patterns {
            let silent: Vec<_> =
                silent(facts.fleet, kind).filter(|id| pattern.means_source(id)).collect();
            if !silent.is_empty() && !known(pattern) {
                unheard.extend(silent.into_iter().map(|id| Unheard { source: id.clone(), kind }));
            }
        }
    };
    look(FactKind::Pipelines, &claims.pipelines, &|p| {
        members.pipelines.iter().any(|id| p.matches(&id.source, id.name.as_str()))
    });
    look(FactKind::Environments, &claims.environments, &|p| {
        members.environments.iter().any(|id| p.matches(&id.source, id.name.as_str()))
    });
    look(FactKind::Traffic, &claims.traffic, &|p| {
        members.traffic.iter().any(|id| p.matches(&id.source, id.name.as_str()))
    });
    look(FactKind::Flags, &claims.flags, &|p| {
        members.flags.iter().any(|id| p.matches(&id.source, id.name.as_str()))
    });
    look(FactKind::Alarms, &claims.alarms, &|p| {
        members.alarms.iter().any(|id| p.matches(&id.source, id.name.as_str()))
    });
    // Tags may be of anything: they tell nothing about a source while something has them.
    if !claims.tags.is_empty() && members.items().next().is_none() {
        for kind in CLAIMED {
            let silent = silent(facts.fleet, kind);
            unheard.extend(silent.map(|id| Unheard { source: id.clone(), kind }));
        }
    }
    unheard.sort();
    unheard.dedup();
    unheard
}

/// Kinds of thing that can belong to a service.
const CLAIMED: [FactKind; 5] = [
    FactKind::Pipelines,
    FactKind::Environments,
    FactKind::Traffic,
    FactKind::Flags,
    FactKind::Alarms,
];

/// The sources that can tell things of `kind` and have not told which there are.
fn silent(fleet: &Fleet, kind: FactKind) -> impl Iterator<Item = &SourceId> {
    let tells = move |s: &&SourceState| s.meta.capabilities.reads.contains(&kind);
    let sources = fleet.sources.values().filter(tells);
    sources.filter(move |s| !s.listed.contains(&kind)).map(|s| &s.meta.id)
}

/// Whether something that `service` claims may be of `source`.
pub fn may_be_of(service: &Service, source: &SourceId) -> bool {
    let claims = &service.claims;
    let patterns =
        [&claims.pipelines, &claims.environments, &claims.traffic, &claims.flags, &claims.alarms];
    !claims.tags.is_empty() || patterns.into_iter().flatten().any(|p| p.means_source(source))
}
