//! Services: what a team owns, and which resources belong to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::canary::CanarySpec;
use super::ids::{SeriesId, ServiceId};
use super::pattern::Pattern;
use super::text::SafeText;

/// What a team owns; ties together the resources that belong to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Who it is.
    pub id: ServiceId,
    /// What it does.
    pub description: Option<SafeText>,
    /// Teams or people.
    pub owners: Vec<SafeText>,
    /// 1 is the most important.
    pub tier: Option<u8>,
    /// Name and address of pages about it.
    pub links: Vec<(SafeText, SafeText)>,
    /// What it cannot work without.
    pub needs: Vec<ServiceId>,
    /// Which resources belong to it.
    pub claims: Claims,
    /// Figures to show besides those of its canaries.
    pub metrics: Vec<MetricSpec>,
    /// Its canaries.
    pub canaries: Vec<CanarySpec>,
}

/// The name of what no service claims.
pub const UNCLAIMED: &str = "unclaimed";

impl Service {
    /// What no other service claims.
    pub fn unclaimed() -> Self {
        let description = Some("what no service claims".into());
        Self { description, ..Self::named(UNCLAIMED) }
    }

    /// Whether it is what no other service claims, and no service that somebody owns.
    pub fn is_unclaimed(&self) -> bool {
        self.id.as_str() == UNCLAIMED
    }

    /// A service of which only the name is known.
    pub fn named(id: &str) -> Self {
        Self {
            id: ServiceId::new(id),
            description: None,
            owners: Vec::new(),
            tier: None,
            links: Vec::new(),
            needs: Vec::new(),
            claims: Claims::default(),
            metrics: Vec::new(),
            canaries: Vec::new(),
        }
    }
}

/// A figure of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricSpec {
    /// What people call it.
    pub name: SafeText,
    /// Its numbers.
    pub series: SeriesId,
}

/// Patterns by which resources belong to a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Pipelines.
    pub pipelines: Vec<Pattern>,
    /// Environments.
    pub environments: Vec<Pattern>,
    /// Traffic splits.
    pub traffic: Vec<Pattern>,
    /// Flags, by `project:key`.
    pub flags: Vec<Pattern>,
    /// Alarms.
    pub alarms: Vec<Pattern>,
    /// A resource with all of these tags belongs to it too.
    pub tags: BTreeMap<SafeText, SafeText>,
}

impl Claims {
    /// Whether the tags alone claim a resource.
    pub fn by_tags(&self, tags: &BTreeMap<SafeText, SafeText>) -> bool {
        !self.tags.is_empty() && self.tags.iter().all(|(k, v)| tags.get(k) == Some(v))
    }
}
