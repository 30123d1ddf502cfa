//! `Places`: where a service or a canary stands in the setup, and which canaries a series or a split is
//! of. Fixed at the start, so that nothing is searched for while the room is open.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::setup::Setup;
use crate::domain::canary::CanarySpec;
use crate::domain::ids::{CanaryId, ItemId, SeriesId, ServiceId};
use crate::domain::pattern::Pattern;
use crate::domain::service::Service;

/// A canary: the place of its service, and its own within it.
type Place = (usize, usize);

/// Where everything stands in the setup.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    services: BTreeMap<ServiceId, usize>,
    canaries: BTreeMap<CanaryId, Place>,
    by_series: HashMap<SeriesId, Vec<Place>>,
    by_traffic: Vec<(Pattern, Place)>,
    /// The series of every canary.
    pub series: BTreeSet<ItemId>,
}

impl Places {
    /// Those of `setup`.
    pub fn of(setup: &Setup) -> Self {
        let mut all = Self::default();
        for (at, service) in setup.services.iter().enumerate() {
            all.services.insert(service.id.clone(), at);
            for (own, spec) in service.canaries.iter().enumerate() {
                all.canaries.insert(spec.id.clone(), (at, own));
                all.by_traffic.extend(spec.traffic.clone().map(|pattern| (pattern, (at, own))));
                for id in spec.metrics.iter().flat_map(|metric| metric.data.series()) {
                    all.by_series.entry(id.clone()).or_default().push((at, own));
                    all.series.insert(ItemId::Series(id.clone()));
                }
            }
        }
        all
    }

    /// The service of this name.
    pub fn service<'a>(&self, setup: &'a Setup, id: &ServiceId) -> Option<&'a Service> {
        setup.services.get(*self.services.get(id)?)
    }

    /// The canary of this name.
    pub fn canary<'a>(&self, setup: &'a Setup, id: &CanaryId) -> Option<&'a CanarySpec> {
        let (service, own) = self.canaries.get(id)?;
        setup.services.get(*service)?.canaries.get(*own)
    }

    /// The canaries that are judged by one of `items`, in their order.
    pub fn judged_by<'a>(&self, setup: &'a Setup, items: &[ItemId]) -> Vec<&'a CanarySpec> {
        let mut places = BTreeSet::new();
        for item in items {
            match item {
                ItemId::Series(id) => places.extend(self.by_series.get(id).into_iter().flatten()),
                ItemId::Traffic(id) => {
                    let named = |(pattern, _): &&(Pattern, Place)| {
                        pattern.matches(&id.source, id.name.as_str())
                    };
                    places.extend(self.by_traffic.iter().filter(named).map(|(_, place)| place));
                }
                _ => {}
            }
        }
        let spec = |(service, own): &Place| setup.services.get(*service)?.canaries.get(*own);
        places.iter().filter_map(spec).collect()
    }
}
