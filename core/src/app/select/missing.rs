//! Resources that a service claims by name and that do not exist: a claim that finds nothing is
//! never told as calm.

use crate::domain::fact::FactKind;
use crate::domain::fleet::Fleet;
use crate::domain::ids::{AlarmId, EnvironmentId, FlagId, ItemId, PipelineId, SourceId, TrafficId};
use crate::domain::pattern::Pattern;
use crate::domain::service::Service;

type Named = fn(&SourceId, &str) -> ItemId;

/// What `service` claims by name of a source that has listed all it has, without it. Patterns with
/// `*` or `?` may mean nothing yet, so they are not meant.
pub fn of(service: &Service, fleet: &Fleet) -> Vec<ItemId> {
    let claims = &service.claims;
    let kinds: [(FactKind, &[Pattern], Named); 5] = [
        (FactKind::Pipelines, &claims.pipelines, |s, n| ItemId::Pipeline(PipelineId::new(s, n))),
        (FactKind::Environments, &claims.environments, |s, n| {
            ItemId::Environment(EnvironmentId::new(s, n))
        }),
        (FactKind::Traffic, &claims.traffic, |s, n| ItemId::Traffic(TrafficId::new(s, n))),
        (FactKind::Flags, &claims.flags, |s, n| ItemId::Flag(FlagId::new(s, n))),
        (FactKind::Alarms, &claims.alarms, |s, n| ItemId::Alarm(AlarmId::new(s, n))),
    ];
    let mut missing = Vec::new();
    for (kind, patterns, named) in kinds {
        for pattern in patterns.iter().filter(|p| p.is_exact()) {
            let source = SourceId::new(pattern.source.as_str());
            let listed = fleet.sources.get(&source).is_some_and(|s| s.listed.contains(&kind));
            let item = named(&source, pattern.name.as_str());
            if listed && !fleet.exists(&item) {
                missing.push(item);
            }
        }
    }
    missing
}

/// Whether `service` claims something by name of `source`.
pub fn claims_by_name(service: &Service, source: &SourceId) -> bool {
    let claims = &service.claims;
    [&claims.pipelines, &claims.environments, &claims.traffic, &claims.flags, &claims.alarms]
        .into_iter()
        .flatten()
        .any(|pattern| pattern.is_exact() && pattern.source.as_str() == source.as_str())
}
