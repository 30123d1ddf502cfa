//! Which resources belong to which service, kept up to date item by item.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::claimants::Claimants;
use crate::domain::fleet::Fleet;
use crate::domain::ids::{
    AlarmId, EnvironmentId, FlagId, ItemId, PipelineId, ServiceId, TrafficId,
};
use crate::domain::pattern::Pattern;
use crate::domain::service::{Claims, Service, UNCLAIMED};
use crate::domain::text::SafeText;

/// Which resources belong to which service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Membership {
    services: BTreeMap<ServiceId, Members>,
    owners: BTreeMap<ItemId, Vec<ServiceId>>,
    claimants: Claimants,
    /// The tags of items that have some, as of when their owners were found.
    tags: BTreeMap<ItemId, Tags>,
}

type Tags = BTreeMap<SafeText, SafeText>;

/// The resources of one service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members {
    /// Pipelines.
    pub pipelines: BTreeSet<PipelineId>,
    /// Environments.
    pub environments: BTreeSet<EnvironmentId>,
    /// Traffic splits.
    pub traffic: BTreeSet<TrafficId>,
    /// Flags.
    pub flags: BTreeSet<FlagId>,
    /// Alarms.
    pub alarms: BTreeSet<AlarmId>,
}

impl Members {
    /// Every resource, as items.
    pub fn items(&self) -> impl Iterator<Item = ItemId> {
        let pipelines = self.pipelines.iter().cloned().map(ItemId::Pipeline);
        let environments = self.environments.iter().cloned().map(ItemId::Environment);
        let traffic = self.traffic.iter().cloned().map(ItemId::Traffic);
        let flags = self.flags.iter().cloned().map(ItemId::Flag);
        let alarms = self.alarms.iter().cloned().map(ItemId::Alarm);
        pipelines.chain(environments).chain(traffic).chain(flags).chain(alarms)
    }

    fn set(&mut self, item: &ItemId, belongs: bool) {
        fn put<T: Ord + Clone>(set: &mut BTreeSet<T>, id: &T, belongs: bool) {
            if belongs {
                set.insert(id.clone());
            } else {
                set.remove(id);
            }
        }
        match item {
            ItemId::Pipeline(id) => put(&mut self.pipelines, id, belongs),
            ItemId::Environment(id) => put(&mut self.environments, id, belongs),
            ItemId::Traffic(id) => put(&mut self.traffic, id, belongs),
            ItemId::Flag(id) => put(&mut self.flags, id, belongs),
            ItemId::Alarm(id) => put(&mut self.alarms, id, belongs),
            ItemId::Series(_) | ItemId::Change(_) => {}
        }
    }
}

impl Membership {
    /// Nothing belongs to anybody yet.
    pub fn new(services: &[Service]) -> Self {
        let claimants = Claimants::of(services);
        let services = services.iter().map(|s| (s.id.clone(), Members::default())).collect();
        Self { services, claimants, ..Self::default() }
    }

    /// The resources of a service.
    pub fn members(&self, service: &ServiceId) -> Option<&Members> {
        self.services.get(service)
    }

    /// The services that a resource belongs to; none if it is unclaimed.
    pub fn owners(&self, item: &ItemId) -> &[ServiceId] {
        self.owners.get(item).map_or(&[], Vec::as_slice)
    }

    /// Looks at `item` again: it may be new, gone, or have other tags. Returns its services,
    /// former ones included; what is unclaimed is among them where nobody claims it.
    pub fn refresh(
        &mut self,
        item: &ItemId,
        fleet: &Fleet,
        services: &[Service],
    ) -> Vec<ServiceId> {
        let none = Tags::new();
        let Some(tags) = tags_of(item, fleet, &none) else {
            return self.drop_item(item);
        };
        let tags = if self.claimants.by_tags() { tags } else { &none };
        // Patterns and ids never change at run time, so only tags can move a known item.
        if let Some(known) = self.owners.get(item)
            && self.tags.get(item).unwrap_or(&none) == tags
        {
            return holders(known).to_vec();
        }
        let mut touched = self.drop_item(item);
        if !tags.is_empty() {
            self.tags.insert(item.clone(), tags.clone());
        }
        let mut owners = Vec::new();
        let candidates = self.claimants.may_claim(item);
        for service in candidates.into_iter().filter_map(|at| services.get(at)) {
            if claims(&service.claims, item) || service.claims.by_tags(tags) {
                owners.push(service.id.clone());
            }
        }
        for holder in holders(&owners) {
            if let Some(members) = self.services.get_mut(holder) {
                members.set(item, true);
            }
            touched.push(holder.clone());
        }
        touched.sort();
        touched.dedup();
        self.owners.insert(item.clone(), owners);
        touched
    }

    /// The services that claim something of this name, whether or not it is there.
    pub fn claiming(&self, item: &ItemId, services: &[Service]) -> Vec<ServiceId> {
        let candidates = self.claimants.may_claim(item);
        let named = candidates.into_iter().filter_map(|at| services.get(at));
        named.filter(|s| claims(&s.claims, item)).map(|s| s.id.clone()).collect()
    }

    fn drop_item(&mut self, item: &ItemId) -> Vec<ServiceId> {
        self.tags.remove(item);
        let Some(owners) = self.owners.remove(item) else { return Vec::new() };
        let holders = holders(&owners).to_vec();
        for holder in &holders {
            if let Some(members) = self.services.get_mut(holder) {
                members.set(item, false);
            }
        }
        holders
    }
}

/// Among whose resources something is shown: its owners', or what is unclaimed.
fn holders(owners: &[ServiceId]) -> &[ServiceId] {
    static NOBODY: LazyLock<[ServiceId; 1]> = LazyLock::new(|| [ServiceId::new(UNCLAIMED)]);
    if owners.is_empty() { NOBODY.as_slice() } else { owners }
}

fn claims(claims: &Claims, item: &ItemId) -> bool {
    let patterns: &[Pattern] = match item {
        ItemId::Pipeline(_) => &claims.pipelines,
        ItemId::Environment(_) => &claims.environments,
        ItemId::Traffic(_) => &claims.traffic,
        ItemId::Flag(_) => &claims.flags,
        ItemId::Alarm(_) => &claims.alarms,
        ItemId::Series(_) | ItemId::Change(_) => &[],
    };
    patterns.iter().any(|p| p.matches(item.source(), item.name().as_str()))
}

/// The tags of an item that exists; `None` if it does not, or is of a kind that nobody owns.
fn tags_of<'a>(item: &ItemId, fleet: &'a Fleet, none: &'a Tags) -> Option<&'a Tags> {
    match item {
        ItemId::Pipeline(id) => match fleet.pipelines.get(id) {
            Some(o) => Some(&o.value.tags),
            None => fleet.pipelines.unread(id).map(|_| none),
        },
        ItemId::Environment(id) => match fleet.environments.get(id) {
            Some(o) => Some(&o.value.tags),
            None => fleet.environments.unread(id).map(|_| none),
        },
        ItemId::Traffic(id) => {
            (fleet.traffic.get(id).is_some() || fleet.traffic.unread(id).is_some()).then_some(none)
        }
        ItemId::Flag(id) => match fleet.flags.get(id) {
            Some(o) => Some(&o.value.tags),
            None => fleet.flags.unread(id).map(|_| none),
        },
        ItemId::Alarm(id) => match fleet.alarms.get(id) {
            Some(o) => Some(&o.value.tags),
            None => fleet.alarms.unread(id).map(|_| none),
        },
        ItemId::Series(_) | ItemId::Change(_) => None,
    }
}
