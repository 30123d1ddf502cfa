//! Canary rows.

use serde::{Deserialize, Serialize};

use super::Facts;
use crate::app::canary::{Judged, Stand};
use crate::app::row::{Attention, Row, RowId};
use crate::domain::canary::CanarySpec;
use crate::domain::fleet::Fleet;
use crate::domain::ids::{CanaryId, ServiceId, TrafficId};
use crate::domain::traffic::TrafficSplit;

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
    /// What the judgement says, while one is under way.
    pub judged: Option<Judged>,
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

/// The traffic split that a canary is described with.
pub fn split_of<'a>(
    spec: &CanarySpec,
    fleet: &'a Fleet,
) -> Option<(&'a TrafficId, &'a TrafficSplit)> {
    let pattern = spec.traffic.as_ref()?;
    let mut named =
        fleet.traffic.iter().filter(|(id, _)| pattern.matches(&id.source, id.name.as_str()));
    named.next().map(|(id, observed)| (id, &*observed.value))
}

/// The row of a canary.
pub fn row(spec: &CanarySpec, facts: &Facts<'_>) -> CanaryRow {
    let split = split_of(spec, facts.fleet);
    let percent = split.and_then(|(_, s)| s.percent(spec.canary.as_str()));
    let judged = facts.watches.get(&spec.id).and_then(|watch| watch.judged.clone());
    let attention = match (percent, judged.as_ref().map(|j| j.stand)) {
        (_, Some(Stand::Harm)) => Attention::Failing,
        (None, _) | (_, Some(Stand::AtRisk)) => Attention::AtRisk,
        (Some(p), _) if p > 0.0 && p < 100.0 => Attention::Moving,
        (Some(_), _) => Attention::Calm,
    };
    CanaryRow {
        canary: spec.id.clone(),
        service: spec.service.clone(),
        attention,
        traffic: split.map(|(id, _)| id.clone()),
        percent,
        judged,
    }
}
