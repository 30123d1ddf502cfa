//! Environments: where a service runs, what runs there and how it is.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::EnvironmentId;
use super::revision::Revision;
use super::text::SafeText;

/// An environment as its source last described it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// Who it is.
    pub id: EnvironmentId,
    /// What people call it, for example `prod-eu`.
    pub name: SafeText,
    /// Whether customers are on it; `None` if nobody said.
    pub production: Option<bool>,
    /// Its health as a whole.
    pub health: Health,
    /// Why it is not healthy, or what the check said.
    pub summary: Option<SafeText>,
    /// The revision that takes most of the traffic.
    pub revision: Option<Revision>,
    /// The fleets in it: blue and green, or one.
    pub slots: Vec<Slot>,
    /// Where it answers.
    pub address: Option<SafeText>,
    /// Time to answer of the last check.
    pub latency: Option<SignedDuration>,
    /// When its TLS certificate ends.
    pub tls_expires: Option<Timestamp>,
    /// When its revision or health last changed, as far as the source tells.
    pub since: Option<Timestamp>,
    /// Page in the backend's console.
    pub link: Option<SafeText>,
    /// Tags of the backend, for services that claim by tag.
    pub tags: BTreeMap<SafeText, SafeText>,
}

impl Environment {
    /// Whether it does not work, and customers are on it as far as anybody said.
    pub fn harms_customers(&self) -> bool {
        self.production != Some(false) && self.health == Health::Unhealthy
    }
}

/// One fleet of an environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Slot {
    /// `blue`, `green`, `canary`, or the deployment's name.
    pub name: SafeText,
    /// What runs in it.
    pub revision: Option<Revision>,
    /// Share of the traffic, 0–100, where known.
    pub percent: Option<f64>,
    /// Instances that answer.
    pub healthy: Option<u32>,
    /// Instances that there should be.
    pub desired: Option<u32>,
    /// How it is.
    pub health: Health,
}

/// How something is. `Unknown` is never shown as healthy.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Healthy,
    /// Cannot be told.
    #[default]
    Unknown,
    /// On its way up or down (`initial`, `draining`).
    Changing,
    /// Works, but not as it should.
    Degraded,
    /// Does not work.
    Unhealthy,
}

impl Health {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unknown => "unknown",
            Self::Changing => "changing",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}
