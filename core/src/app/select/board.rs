//! Board rows: one per service, with the stages of its pipelines and what needs attention.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Facts;
use super::stages::{self, StageCell};
use super::unheard::{self, Unheard};
use crate::app::canary::Stand;
use crate::app::row::{Attention, Row, RowId};
use crate::domain::environment::Health;
use crate::domain::fact::FactKind;
use crate::domain::ids::{ItemId, PipelineId, ServiceId};
use crate::domain::pipeline::RunState;
use crate::domain::service::Service;
use crate::domain::text::SafeText;

/// The count of services that need a human.
pub const NEEDS_YOU: u8 = 0;
/// The count of services of which something is not known.
pub const UNKNOWN: u8 = 1;

/// One service on the board.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoardRow {
    /// The service.
    pub service: ServiceId,
    /// Who owns it.
    pub owners: Vec<SafeText>,
    /// Its owner, while the board is grouped by owner.
    pub group: Option<SafeText>,
    /// How much it needs a human.
    pub attention: Attention,
    /// Its tier; 1 is the most important.
    pub tier: u8,
    /// The pipeline whose stages are shown: the one that needs most attention.
    pub pipeline: Option<PipelineId>,
    /// Stages of that pipeline.
    pub stages: Vec<StageCell>,
    /// Other pipelines of the service.
    pub more_pipelines: usize,
    /// The worst health of its production environments (of all, if none is marked).
    pub health: Option<Health>,
    /// Approvals that wait.
    pub approvals: usize,
    /// Alarms that fire and are not silenced.
    pub firing: usize,
    /// Resources of it that were not read yet, or whose latest read failed.
    pub unread: usize,
    /// Resources that it claims by name and that do not exist.
    pub missing: Vec<ItemId>,
    /// What it claims of sources that have told nothing of it yet.
    pub unheard: Vec<Unheard>,
    /// Flags, and the newest change of one.
    pub flags: usize,
    /// When one of its flags last changed.
    pub flag_changed: Option<Timestamp>,
    /// Share of its canary's traffic, 0–100, while there is one between 0 and 100.
    pub canary_percent: Option<f64>,
    /// How that canary stands, and the odds of harm.
    pub canary_stand: Option<(Stand, SafeText)>,
    /// The pilot that flies it calls a human.
    pub canary_calls: bool,
}

impl BoardRow {
    /// Whether a pipeline that it claims by name does not exist.
    pub fn lacks_a_pipeline(&self) -> bool {
        self.missing.iter().any(|item| matches!(item, ItemId::Pipeline(_)))
    }

    /// Whether there may be more about it than was read.
    pub fn is_unread(&self) -> bool {
        self.unread > 0 || !self.unheard.is_empty()
    }
}

impl Row for BoardRow {
    type Order = (Option<SafeText>, Attention, u8, ServiceId);

    fn id(&self) -> RowId {
        RowId::Service(self.service.clone())
    }

    fn order(&self) -> Self::Order {
        (self.group.clone(), self.attention, self.tier, self.service.clone())
    }

    fn search_text(&self) -> String {
        let mut text = format!("{} service:{}", self.service, self.service);
        for owner in &self.owners {
            text.push_str(&format!(" {owner} owner:{owner}"));
        }
        text
    }

    fn marks(&self) -> u16 {
        let unknown = self.is_unread() || !self.missing.is_empty();
        u16::from(self.attention <= Attention::Waiting) << NEEDS_YOU | u16::from(unknown) << UNKNOWN
    }
}

/// The row of `service`.
pub fn row(service: &Service, facts: &Facts<'_>) -> BoardRow {
    let mut row = BoardRow {
        service: service.id.clone(),
        owners: service.owners.clone(),
        group: facts.group_by_owner.then(|| service.owners.first().cloned().unwrap_or_default()),
        attention: Attention::Calm,
        tier: service.tier.unwrap_or(9),
        pipeline: None,
        stages: Vec::new(),
        more_pipelines: 0,
        health: None,
        approvals: 0,
        firing: 0,
        unread: 0,
        missing: super::missing::of(service, facts.fleet),
        unheard: Vec::new(),
        flags: 0,
        flag_changed: None,
        canary_percent: None,
        canary_stand: None,
        canary_calls: false,
    };
    let Some(members) = facts.membership.members(&service.id) else {
        row.attention = attention(&row);
        return row;
    };
    row.unheard = unheard::of(service, members, facts);
    add_pipelines(&mut row, members.pipelines.iter(), facts);
    for id in &members.environments {
        match facts.fleet.environments.get(id) {
            Some(o) => {
                row.unread += usize::from(o.fault.is_some());
                if o.value.production != Some(false) {
                    row.health = row.health.max(Some(o.value.health));
                }
            }
            None => row.unread += 1,
        }
    }
    if row.unheard.iter().any(|it| it.kind == FactKind::Environments) {
        row.health = row.health.max(Some(Health::Unknown));
    }
    for id in &members.alarms {
        match facts.fleet.alarms.get(id) {
            Some(o) => {
                row.unread += usize::from(o.fault.is_some());
                row.firing += usize::from(o.value.calls());
            }
            None => row.unread += 1,
        }
    }
    for id in &members.flags {
        match facts.fleet.flags.get(id) {
            Some(o) => {
                row.unread += usize::from(o.fault.is_some());
                row.flags += 1;
                row.flag_changed = row.flag_changed.max(o.value.changed());
            }
            None => row.unread += 1,
        }
    }
    for canary in &service.canaries {
        let split = super::canaries::split_of(canary, facts.fleet).map(|(_, split)| split);
        let judged = facts.watches.get(&canary.id).and_then(|watch| watch.judged.as_ref());
        let share = super::canaries::share(canary, split, judged);
        let Some(share) = share.filter(|p| *p > 0.0 && *p < 100.0) else { continue };
        row.canary_percent = row.canary_percent.or(Some(share));
        row.canary_calls |=
            facts.pilots.get(&canary.id).is_some_and(|pilot| pilot.asks().is_some());
        if row.canary_stand.is_none() {
            row.canary_stand = judged.map(|j| (j.stand, j.odds.clone()));
        }
    }
    row.attention = attention(&row);
    row
}

fn attention(row: &BoardRow) -> Attention {
    let states = || row.stages.iter().map(|s| s.state);
    let stand = row.canary_stand.as_ref().map(|(stand, _)| *stand);
    if row.firing > 0
        || stand == Some(Stand::Harm)
        || row.health == Some(Health::Unhealthy)
        || states().any(|s| s == RunState::Failed)
    {
        Attention::Failing
    } else if row.approvals > 0 || row.canary_calls {
        Attention::Waiting
    } else if row.is_unread()
        || !row.missing.is_empty()
        || row.canary_percent.is_some()
        || row.stages.iter().any(|s| s.held)
        || matches!(row.health, Some(Health::Degraded | Health::Unknown))
        || states().any(|s| s == RunState::Unknown)
    {
        Attention::AtRisk
    } else if states().any(RunState::is_moving) {
        Attention::Moving
    } else {
        Attention::Calm
    }
}

fn add_pipelines<'a>(
    row: &mut BoardRow,
    pipelines: impl Iterator<Item = &'a PipelineId>,
    facts: &Facts<'_>,
) {
    let mut shown: Option<(Attention, PipelineId)> = None;
    let mut count = 0;
    for id in pipelines {
        count += 1;
        match facts.fleet.pipelines.get(id) {
            None => row.unread += 1,
            Some(o) => {
                // A listing alone says nothing of its state.
                row.unread += usize::from(o.fault.is_some() || !o.value.detail);
                row.approvals += o.value.approvals().count();
            }
        }
        let Some(candidate) = super::pipelines::row(id, facts).map(|r| r.attention) else {
            continue;
        };
        if shown.as_ref().is_none_or(|(best, _)| candidate < *best) {
            shown = Some((candidate, id.clone()));
        }
    }
    let Some((_, id)) = shown else { return };
    row.more_pipelines = count - 1;
    if let Some(o) = facts.fleet.pipelines.get(&id) {
        row.stages = o.value.stages.iter().map(stages::cell).collect();
    }
    row.pipeline = Some(id);
}
