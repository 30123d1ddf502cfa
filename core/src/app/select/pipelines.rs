//! Pipeline rows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Facts;
use super::stages::{self, StageCell};
use crate::app::row::{Attention, Row, RowId};
use crate::domain::ids::{ItemId, PipelineId, ServiceId};
use crate::domain::pipeline::RunState;
use crate::domain::text::SafeText;

/// One pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineRow {
    /// The pipeline.
    pub pipeline: PipelineId,
    /// Whose it is; nobody's if it is unclaimed.
    pub services: Vec<ServiceId>,
    /// How much it needs a human.
    pub attention: Attention,
    /// Its stages.
    pub stages: Vec<StageCell>,
    /// When it last moved.
    pub moved: Option<Timestamp>,
    /// Approvals that wait.
    pub approvals: usize,
    /// Why its state is not known.
    pub unknown: Option<SafeText>,
}

impl Row for PipelineRow {
    type Order = (Attention, PipelineId);

    fn id(&self) -> RowId {
        RowId::Item(ItemId::Pipeline(self.pipeline.clone()))
    }

    fn order(&self) -> Self::Order {
        (self.attention, self.pipeline.clone())
    }

    fn search_text(&self) -> String {
        let mut text = format!("{} source:{}", self.pipeline.name, self.pipeline.source);
        for service in &self.services {
            text.push_str(&format!(" service:{service}"));
        }
        if self.services.is_empty() {
            text.push_str(" service:unclaimed");
        }
        text
    }
}

/// The row of a pipeline that exists.
pub fn row(id: &PipelineId, facts: &Facts<'_>) -> Option<PipelineRow> {
    let item = ItemId::Pipeline(id.clone());
    let services = facts.membership.owners(&item).to_vec();
    let mut row = PipelineRow {
        pipeline: id.clone(),
        services,
        attention: Attention::AtRisk,
        stages: Vec::new(),
        moved: None,
        approvals: 0,
        unknown: None,
    };
    let Some(observed) = facts.fleet.pipelines.get(id) else {
        row.unknown = Some(facts.fleet.pipelines.unread(id)?.message.clone());
        return Some(row);
    };
    let pipeline = &observed.value;
    row.unknown = observed.fault.as_ref().map(|f| f.message.clone());
    row.stages = pipeline.stages.iter().map(stages::cell).collect();
    row.moved = pipeline.executions.iter().filter_map(|e| e.updated.or(e.started)).max();
    row.approvals = pipeline.approvals().count();
    let has = |state| pipeline.stages.iter().any(|s| s.state == state);
    row.attention = if has(RunState::Failed) {
        Attention::Failing
    } else if row.approvals > 0 {
        Attention::Waiting
    } else if row.unknown.is_some()
        || !pipeline.detail
        || has(RunState::Unknown)
        || pipeline.stages.iter().any(|s| s.is_held() && s.inbound.is_some())
    {
        Attention::AtRisk
    } else if pipeline.is_moving() {
        Attention::Moving
    } else {
        Attention::Calm
    };
    Some(row)
}
