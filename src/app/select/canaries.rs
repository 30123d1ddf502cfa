//! Canary rows.

use serde::{Deserialize, Serialize};

use super::Facts;
use crate::app::row::{Attention, Row, RowId};
use crate::domain::canary::CanarySpec;
use crate::domain::ids::{CanaryId, ServiceId, TrafficId};

/// One canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CanaryRow {
    /// The canary.
    pub canary: CanaryId,
    /// Whose it is.
    pub service: ServiceId,
    /// How much it needs a human.
    pub attention: Attention,
    /// The split that gives it traffic, once it was found.
    pub traffic: Option<TrafficId>,
    /// Its share of the traffic, 0–100; unknown if the split could not be read.
    pub percent: Option<f64>,
}

impl Row for CanaryRow {
    type Order = (Attention, CanaryId);

    fn id(&self) -> RowId {
        RowId::Canary(self.canary.clone())
    }

    fn order(&self) -> Self::Order {
        (self.attention, self.canary.clone())
    }

    fn search_text(&self) -> String {
        format!("{} service:{}", self.canary, self.service)
    }
}

/// The row of a canary.
pub fn row(spec: &CanarySpec, facts: &Facts<'_>) -> CanaryRow {
    let split = spec.traffic.as_ref().and_then(|pattern| {
        facts.fleet.traffic.iter().find(|(id, _)| pattern.matches(&id.source, id.name.as_str()))
    });
    let percent = split.and_then(|(_, o)| o.value.percent(spec.canary.as_str()));
    let attention = match percent {
        None => Attention::AtRisk,
        Some(p) if p > 0.0 && p < 100.0 => Attention::Moving,
        Some(_) => Attention::Calm,
    };
    CanaryRow {
        canary: spec.id.clone(),
        service: spec.service.clone(),
        attention,
        traffic: split.map(|(id, _)| id.clone()),
        percent,
    }
}
