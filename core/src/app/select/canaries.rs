//! Canary rows.

use serde::{Deserialize, Serialize};

use super::Facts;
use crate::app::canary::{Judged, Stand};
use crate::app::row::{Attention, Row, RowId};
use crate::domain::canary::CanarySpec;
use crate::domain::fleet::Fleet;
use crate::domain::ids::{CanaryId, ServiceId, TrafficId};
use crate::domain::traffic::TrafficSplit;

/// The count of canaries that harm or may harm.
pub const AT_RISK: u8 = 0;

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
    /// Its share of the traffic, 0–100; unknown if the split could not be read, or nothing was measured
    /// of a canary without one.
    pub percent: Option<f64>,
    /// A split is configured; otherwise its share is what was measured.
    pub has_split: bool,
    /// What the judgement says, while one is under way.
    pub judged: Option<Judged>,
}

impl CanaryRow {
    /// Whether it harms, or may; what only waits for a human is counted with the rest of that.
    pub fn is_at_risk(&self) -> bool {
        self.percent.is_some() && matches!(self.attention, Attention::Failing | Attention::AtRisk)
    }
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

    fn marks(&self) -> u16 {
        u16::from(self.is_at_risk()) << AT_RISK
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

/// The canary's share of the traffic, 0–100: by its split, or as measured where none is configured.
pub fn share(
    spec: &CanarySpec,
    split: Option<&TrafficSplit>,
    judged: Option<&Judged>,
) -> Option<f64> {
    match &spec.traffic {
        Some(_) => split?.percent(spec.canary.as_str()),
        None => judged?.weight.map(|weight| 100.0 * weight),
    }
}

/// The row of a canary.
pub fn row(spec: &CanarySpec, facts: &Facts<'_>) -> CanaryRow {
    let split = split_of(spec, facts.fleet);
    let judged = facts.watches.get(&spec.id).and_then(|watch| watch.judged.clone());
    let percent = share(spec, split.map(|(_, split)| split), judged.as_ref());
    let has_split = spec.traffic.is_some();
    let called = facts.pilots.get(&spec.id).is_some_and(|pilot| pilot.asks().is_some());
    let attention = match (percent, judged.as_ref().map(|j| j.stand)) {
        (_, Some(Stand::Harm)) => Attention::Failing,
        _ if called => Attention::Waiting,
        (_, Some(Stand::AtRisk | Stand::Silent)) => Attention::AtRisk,
        (None, _) if has_split => Attention::AtRisk,
        (Some(p), _) if p > 0.0 && p < 100.0 => Attention::Moving,
        (Some(_) | None, _) => Attention::Calm,
    };
    CanaryRow {
        canary: spec.id.clone(),
        service: spec.service.clone(),
        attention,
        traffic: split.map(|(id, _)| id.clone()),
        percent,
        has_split,
        judged,
    }
}
