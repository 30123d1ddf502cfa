//! Reports: the state as data for scripts, with the age and source of everything in it.

mod events;
mod facts;
mod gist;
mod plan;
mod source;
mod watcher;

pub use events::{EVENT_FORMAT, Event, EventKind};
pub use facts::{Known, Unknown};
pub use plan::{ACT_FORMAT, Act, act, no_act};
pub use source::{FailingRead, SourceLine};
pub use watcher::Watcher;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::canary::Judged;
use super::needs::needs;
use super::pane::Pane;
use super::row::Attention;
use super::select::inbox::AskKind;
use super::state::State;
use super::unreadable;
use crate::domain::alarm::Alarm;
use crate::domain::change::Change;
use crate::domain::environment::Environment;
use crate::domain::flag::Flag;
use crate::domain::ids::{CanaryId, ItemId, ServiceId};
use crate::domain::pipeline::Pipeline;
use crate::domain::service::UNCLAIMED;
use crate::domain::source::{SourceHealth, SourceState};
use crate::domain::text::SafeText;
use crate::domain::traffic::TrafficSplit;

/// Name and version of the format; the version grows when a field changes its meaning or goes.
pub const STATUS_FORMAT: &str = "flightdeck/status/1";

/// One settled picture of everything that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Name and version of this format.
    #[schemars(extend("const" = STATUS_FORMAT))]
    pub format: String,
    /// When the picture was taken.
    pub at: Timestamp,
    /// The scenario, if any of this is rehearsed: what its sources of the kind `rehearsal` tell.
    pub rehearsal: Option<SafeText>,
    /// Every source answered or failed everything; otherwise time ran out before.
    pub settled: bool,
    /// Everything in a few numbers.
    pub summary: Summary,
    /// The sources.
    pub sources: Vec<SourceLine>,
    /// The services.
    pub services: Vec<ServiceLine>,
    /// What waits for a human, the most urgent first.
    pub inbox: Vec<Ask>,
    /// The pipelines.
    pub pipelines: Vec<Known<Pipeline>>,
    /// The environments.
    pub environments: Vec<Known<Environment>>,
    /// The traffic splits.
    pub traffic: Vec<Known<TrafficSplit>>,
    /// The canaries.
    pub canaries: Vec<CanaryLine>,
    /// The flags.
    pub flags: Vec<Known<Flag>>,
    /// The alarms.
    pub alarms: Vec<Known<Alarm>>,
    /// The changes, the newest first.
    pub changes: Vec<Known<Change>>,
    /// What is known to exist and could not be read.
    pub unknown: Vec<Unknown>,
}

/// Everything in a few numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Approvals and held executions.
    pub waiting: usize,
    /// Stages that failed.
    pub failed: usize,
    /// Environments with customers on them that do not work.
    pub unhealthy: usize,
    /// Alarms that fire.
    pub alarms: usize,
    /// Canaries that harm or may harm.
    pub canaries: usize,
    /// Services that fail.
    pub failing_services: usize,
    /// Facts older than they should be, or too old to be relied on.
    pub stale: usize,
    /// What is known to exist and could not be read.
    pub unknown: usize,
    /// Sources that do not answer everything.
    pub silent_sources: usize,
    /// Sources that want credentials.
    pub not_authenticated: usize,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceLine {
    /// Its name.
    pub service: ServiceId,
    /// Who owns it.
    pub owners: Vec<SafeText>,
    /// How much it needs a human.
    pub attention: Attention,
    /// Sentences that explain it, the most important first.
    pub explained: Vec<SafeText>,
}

/// Something that waits for a human.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ask {
    /// What is wanted.
    pub kind: AskKind,
    /// What it is about.
    pub title: SafeText,
    /// What to know before acting.
    pub detail: Option<SafeText>,
    /// Whose it is.
    pub services: Vec<ServiceId>,
    /// Since when it waits.
    pub since: Option<Timestamp>,
    /// When it is too late.
    pub deadline: Option<Timestamp>,
}

/// One canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CanaryLine {
    /// Its name.
    pub canary: CanaryId,
    /// Whose it is.
    pub service: ServiceId,
    /// Its share of the traffic, 0–100; null if that is not known.
    pub percent: Option<f64>,
    /// What the judgement says, while one is under way.
    pub judged: Option<Judged>,
}

/// What of the state is asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only this service.
    pub service: Option<ServiceId>,
    /// Only what this pane shows.
    pub pane: Option<Pane>,
}

impl Wanted {
    /// Whether what belongs to these services is asked for; to none of them belongs what is unclaimed.
    pub fn covers(&self, services: &[ServiceId]) -> bool {
        let nobodys = |wanted: &ServiceId| services.is_empty() && wanted.as_str() == UNCLAIMED;
        self.service.as_ref().is_none_or(|wanted| services.contains(wanted) || nobodys(wanted))
    }

    fn shows(&self, pane: Pane) -> bool {
        self.pane.is_none_or(|wanted| wanted == pane || wanted == Pane::Service)
    }
}

/// The picture of `state`.
pub fn status(state: &State, wanted: &Wanted) -> Status {
    let fleet = &state.fleet;
    let facts = facts::Facts { state, wanted };
    let mut failing = unreadable::by_source(fleet);
    let mut line = |source: &SourceState| {
        source::line(state, source, failing.remove(&source.meta.id).unwrap_or_default())
    };
    let mut status = Status {
        format: STATUS_FORMAT.to_owned(),
        at: state.now,
        rehearsal: state.setup.rehearsal.as_ref().map(|r| r.scenario.clone()),
        settled: fleet.sources.values().all(|source| source.report.settled),
        summary: Summary::default(),
        sources: fleet.sources.values().map(&mut line).collect(),
        services: Vec::new(),
        inbox: Vec::new(),
        pipelines: Vec::new(),
        environments: Vec::new(),
        traffic: Vec::new(),
        canaries: Vec::new(),
        flags: Vec::new(),
        alarms: Vec::new(),
        changes: Vec::new(),
        unknown: facts.unknown(),
    };
    if wanted.shows(Pane::Board) {
        status.services = services(state, wanted);
        status.alarms = facts.known(&fleet.alarms, ItemId::Alarm);
    }
    if wanted.shows(Pane::Inbox) {
        status.inbox = asks(state, wanted);
    }
    if wanted.shows(Pane::Pipelines) {
        status.pipelines = facts.known(&fleet.pipelines, ItemId::Pipeline);
    }
    if wanted.shows(Pane::Environments) {
        status.environments = facts.known(&fleet.environments, ItemId::Environment);
        status.traffic = facts.known(&fleet.traffic, ItemId::Traffic);
    }
    if wanted.shows(Pane::Canaries) {
        status.canaries = canaries(state, wanted);
    }
    if wanted.shows(Pane::Flags) {
        status.flags = facts.known(&fleet.flags, ItemId::Flag);
    }
    if wanted.shows(Pane::Timeline) {
        status.changes = facts.changes();
    }
    status.summary = summary(state, wanted, &status, facts.aged());
    status
}

fn services(state: &State, wanted: &Wanted) -> Vec<ServiceLine> {
    let rows = state.rows.board.iter();
    rows.filter(|row| wanted.covers(std::slice::from_ref(&row.service)))
        .map(|row| ServiceLine {
            service: row.service.clone(),
            owners: row.owners.clone(),
            attention: row.attention,
            explained: super::explain::of_service(state, &row.service)
                .into_iter()
                .map(SafeText::from)
                .collect(),
        })
        .collect()
}

fn asks(state: &State, wanted: &Wanted) -> Vec<Ask> {
    let rows = state.rows.inbox.iter().filter(|row| wanted.covers(&row.services));
    rows.map(|row| Ask {
        kind: row.kind,
        title: row.title.clone(),
        detail: row.detail.clone(),
        services: row.services.clone(),
        since: row.since,
        deadline: row.deadline,
    })
    .collect()
}

fn canaries(state: &State, wanted: &Wanted) -> Vec<CanaryLine> {
    let rows = state.rows.canaries.iter();
    rows.filter(|row| wanted.covers(std::slice::from_ref(&row.service)))
        .map(|row| CanaryLine {
            canary: row.canary.clone(),
            service: row.service.clone(),
            percent: row.percent,
            judged: row.judged.clone(),
        })
        .collect()
}

fn summary(state: &State, wanted: &Wanted, status: &Status, aged: usize) -> Summary {
    let health = |wanted: fn(SourceHealth) -> bool| {
        state.fleet.sources.values().filter(|source| wanted(source.health())).count()
    };
    let mut sum = Summary {
        stale: aged,
        unknown: status.unknown.len(),
        silent_sources: health(|h| h != SourceHealth::Answering),
        not_authenticated: health(|h| h == SourceHealth::NotAuthenticated),
        ..Summary::default()
    };
    for row in state.rows.board.iter() {
        let asked = wanted.covers(std::slice::from_ref(&row.service));
        sum.failing_services += usize::from(asked && row.attention == Attention::Failing);
    }
    match &wanted.service {
        None => {
            let needs = needs(state);
            sum.waiting = needs.waiting;
            sum.failed = needs.failed;
            sum.unhealthy = needs.unhealthy;
            sum.alarms = needs.alarms;
            sum.canaries = needs.canaries;
        }
        Some(_) => {
            for ask in asks(state, wanted) {
                match ask.kind {
                    AskKind::Alarm => sum.alarms += 1,
                    AskKind::Unhealthy => sum.unhealthy += 1,
                    AskKind::Failed => sum.failed += 1,
                    AskKind::Approval | AskKind::Held | AskKind::Pilot => sum.waiting += 1,
                    // Canaries are counted by their rows.
                    AskKind::Unsure | AskKind::SignIn | AskKind::Canary => {}
                }
            }
            let rows = state.rows.canaries.iter();
            sum.canaries = rows
                .filter(|row| wanted.covers(std::slice::from_ref(&row.service)))
                .filter(|row| row.is_at_risk())
                .count();
        }
    }
    sum
}
