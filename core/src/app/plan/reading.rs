//! Which sources a write needs: those that may hold what it is about, and those its guards look at.

use std::collections::BTreeSet;

use super::guards::{concerned, is_to_safety};
use super::{Plan, place};
use crate::app::state::State;
use crate::domain::fact::FactKind;
use crate::domain::ids::{ItemId, SourceId};
use crate::domain::pattern::{Pattern, glob};
use crate::domain::service::Service;

/// The sources that may hold what `name` means, as far as it is of these kinds: a service's own; of
/// anything else, those it may be in.
pub fn holders(state: &State, name: &str, kinds: &[FactKind]) -> BTreeSet<SourceId> {
    if let Some(service) = state.setup.services.iter().find(|s| s.id.as_str() == name) {
        return kinds.iter().flat_map(|kind| claimed(state, service, *kind)).collect();
    }
    let all: BTreeSet<SourceId> =
        kinds.iter().flat_map(|kind| telling(state, *kind, |_| true)).collect();
    let named = name.split_once('/').and_then(|(source, _)| {
        let own = all.iter().find(|id| id.as_str() == source);
        own.cloned()
    });
    named.map_or(all, |own| BTreeSet::from([own]))
}

/// The sources that `plan` writes to, and those its guards look at.
pub fn looked_at(state: &State, plan: &Plan) -> BTreeSet<SourceId> {
    let mut found: BTreeSet<SourceId> = plan.steps.iter().map(|step| step.write.source()).collect();
    for step in &plan.steps {
        let ItemId::Traffic(split) = step.write.target() else {
            if !state.setup.policy.freezes.is_empty() && !place::place(state, &step.write).told {
                found.extend(telling(state, FactKind::Environments, |_| true));
            }
            continue;
        };
        // What the way to safety is, the canaries of the split say.
        let canaries = state.setup.services.iter().flat_map(|s| &s.canaries);
        let patterns = canaries.filter_map(|spec| spec.traffic.as_ref());
        let own = patterns.filter(|p| p.matches(&split.source, split.name.as_str()));
        found.extend(own.flat_map(|pattern| of_pattern(state, FactKind::Traffic, pattern)));
        // Which freeze holds for a split depends on the environments around it.
        let safe = is_to_safety(state, &step.write);
        if state.setup.policy.freezes.iter().any(|freeze| freeze.even_to_safety || !safe) {
            found.extend(telling(state, FactKind::Environments, |_| true));
        }
    }
    if plan.steps.iter().all(|step| is_to_safety(state, &step.write)) {
        return found;
    }
    for service in concerned(state, plan) {
        found.extend(claimed(state, service, FactKind::Alarms));
        for spec in &service.canaries {
            let traffic = spec.traffic.iter();
            found.extend(traffic.flat_map(|p| of_pattern(state, FactKind::Traffic, p)));
            let series = spec.metrics.iter().flat_map(|metric| metric.data.series());
            found.extend(series.map(|id| id.source.clone()));
        }
    }
    found
}

/// The sources in which a service may own things of this kind.
fn claimed(state: &State, service: &Service, kind: FactKind) -> BTreeSet<SourceId> {
    let claims = &service.claims;
    let patterns: &[Pattern] = match kind {
        FactKind::Pipelines => &claims.pipelines,
        FactKind::Environments => &claims.environments,
        FactKind::Traffic => &claims.traffic,
        FactKind::Flags => &claims.flags,
        FactKind::Alarms => &claims.alarms,
        FactKind::Series | FactKind::Changes => &[],
    };
    let mut found: BTreeSet<SourceId> =
        patterns.iter().flat_map(|pattern| of_pattern(state, kind, pattern)).collect();
    // Tags are known only once the thing was read.
    if !claims.tags.is_empty() {
        found.extend(telling(state, kind, |_| true));
    }
    if kind == FactKind::Traffic {
        let canaries = service.canaries.iter().filter_map(|spec| spec.traffic.as_ref());
        found.extend(canaries.flat_map(|pattern| of_pattern(state, kind, pattern)));
    }
    found
}

fn of_pattern(state: &State, kind: FactKind, pattern: &Pattern) -> Vec<SourceId> {
    telling(state, kind, |id| glob(pattern.source.as_str(), id.as_str())).collect()
}

/// The sources that tell things of this kind.
fn telling(
    state: &State,
    kind: FactKind,
    fits: impl Fn(&SourceId) -> bool,
) -> impl Iterator<Item = SourceId> {
    let sources = state.fleet.sources.values().map(|source| &source.meta);
    sources
        .filter(move |meta| meta.capabilities.reads.contains(&kind) && fits(&meta.id))
        .map(|meta| meta.id.clone())
}
