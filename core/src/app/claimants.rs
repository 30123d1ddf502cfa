//! Which services may claim a resource: found by how its name begins, so that a resource costs the same
//! among ten services and among ten thousand.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::ids::ItemId;
use crate::domain::pattern::Pattern;
use crate::domain::service::Service;

/// Services, as places in their list, by the literal start of their patterns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claimants {
    pipelines: Starts,
    environments: Starts,
    traffic: Starts,
    flags: Starts,
    alarms: Starts,
    /// Those that claim by tags may claim anything.
    by_tags: BTreeSet<usize>,
}

/// Services by the length of a start and the start itself.
type Starts = BTreeMap<usize, HashMap<String, Vec<usize>>>;

impl Claimants {
    /// Those of `services`.
    pub fn of(services: &[Service]) -> Self {
        let mut all = Self::default();
        for (at, service) in services.iter().enumerate() {
            let claims = &service.claims;
            add(&mut all.pipelines, &claims.pipelines, at);
            add(&mut all.environments, &claims.environments, at);
            add(&mut all.traffic, &claims.traffic, at);
            add(&mut all.flags, &claims.flags, at);
            add(&mut all.alarms, &claims.alarms, at);
            if !claims.tags.is_empty() {
                all.by_tags.insert(at);
            }
        }
        all
    }

    /// Whether some service claims by tags.
    pub fn by_tags(&self) -> bool {
        !self.by_tags.is_empty()
    }

    /// The services that may claim `item`, in their order; all others do not.
    pub fn may_claim(&self, item: &ItemId) -> BTreeSet<usize> {
        let starts = match item {
            ItemId::Pipeline(_) => &self.pipelines,
            ItemId::Environment(_) => &self.environments,
            ItemId::Traffic(_) => &self.traffic,
            ItemId::Flag(_) => &self.flags,
            ItemId::Alarm(_) => &self.alarms,
            ItemId::Series(_) | ItemId::Change(_) => return BTreeSet::new(),
        };
        let name = item.name().as_str();
        let named =
            starts.iter().filter_map(|(length, by_start)| by_start.get(name.get(..*length)?));
        named.flatten().chain(&self.by_tags).copied().collect()
    }
}

fn add(starts: &mut Starts, patterns: &[Pattern], service: usize) {
    for pattern in patterns {
        let start = pattern.start();
        starts.entry(start.len()).or_default().entry(start.into()).or_default().push(service);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{PipelineId, SourceId};

    const PATTERNS: [&str; 8] =
        ["*", "checkout*", "checkout-main", "aws/check?ut*", "*-main", "cä*", "other", "?"];

    #[test]
    fn nobody_who_claims_is_left_out() {
        let service = |pattern: &&str| {
            let mut service = Service::named(pattern);
            service.claims.pipelines = vec![Pattern::parse(pattern)];
            service
        };
        let mut services: Vec<_> = PATTERNS.iter().map(service).collect();
        let mut tagged = Service::named("tagged");
        tagged.claims.tags.insert("team".into(), "pay".into());
        services.push(tagged);
        let claimants = Claimants::of(&services);
        for name in ["checkout", "checkout-main", "cäche", "c", "", "câche", "main"] {
            let item = ItemId::Pipeline(PipelineId::new(&SourceId::new("aws"), name));
            let found = claimants.may_claim(&item);
            for (at, service) in services.iter().enumerate() {
                let claims =
                    service.claims.pipelines.iter().any(|p| p.matches(item.source(), name));
                assert!(found.contains(&at) || !claims, "{name}: {}", service.id);
            }
            assert!(found.contains(&8), "tags may claim anything");
            assert!(!found.contains(&6), "{name} begins otherwise");
        }
    }
}
