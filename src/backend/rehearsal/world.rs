//! `World`: everything as a function of the scenario, the seed and the time.

use jiff::{SignedDuration, Timestamp};

use super::chance::Chance;
use super::plan::{Plan, plan};
use super::script::{ArmName, Flip, Metric, Release, Script, ServiceScript, Shift};
use super::span::Span;
use crate::domain::ids::{
    AlarmId, EnvironmentId, FlagId, PipelineId, SeriesId, SourceId, TrafficId,
};

/// How far back changes are told.
pub const TOLD: SignedDuration = SignedDuration::from_hours(24);

/// Sources of every world.
pub const SOURCES: [&str; 5] = ["pipelines-eu", "pipelines-us", "edge", "metrics", "flags"];

/// A world that can be asked for its state at any moment.
#[derive(Debug)]
pub struct World {
    /// Who is there and what happens.
    pub script: Script,
    /// When it opened.
    pub start: Timestamp,
    /// Its chance.
    pub chance: Chance,
    /// Its executions.
    pub plan: Plan,
}

impl World {
    /// A world that opens at `start`.
    pub fn new(script: Script, seed: u64, start: Timestamp) -> Self {
        let chance = Chance::new(seed);
        let plan = plan(&script, &chance, start);
        Self { script, start, chance, plan }
    }

    /// Works out the plan again, after something was done by hand.
    pub fn replan(&mut self) {
        self.plan = plan(&self.script, &self.chance, self.start);
    }

    /// The moment `at` as an offset from the start.
    pub fn offset(&self, at: Timestamp) -> Span {
        Span(at.duration_since(self.start))
    }

    /// Shifts of the traffic of a service until `now`, the oldest first.
    pub fn shifts(&self, service: &str, now: Timestamp) -> Vec<&Shift> {
        let mut shifts: Vec<&Shift> = self
            .script
            .shifts
            .iter()
            .filter(|s| s.service == service && s.at.after(self.start) <= now)
            .collect();
        shifts.sort_by_key(|s| s.at);
        shifts
    }

    /// The share of the canary of a service at `now`, 0–100.
    pub fn percent(&self, service: &str, now: Timestamp) -> f64 {
        self.shifts(service, now).last().map_or(0.0, |shift| shift.percent)
    }

    /// Flips of a flag until `now`, the oldest first.
    pub fn flips(&self, flag: &str, now: Timestamp) -> Vec<&Flip> {
        let mut flips: Vec<&Flip> = self
            .script
            .flips
            .iter()
            .filter(|f| f.flag == flag && f.at.after(self.start) <= now)
            .collect();
        flips.sort_by_key(|f| f.at);
        flips
    }

    /// By how much the trends multiply a metric at `now`.
    pub fn factor(&self, service: &str, metric: Metric, arm: ArmName, now: Timestamp) -> f64 {
        self.script
            .trends
            .iter()
            .filter(|t| {
                t.service == service && t.metric == metric && t.arm.is_none_or(|a| a == arm)
            })
            .map(|trend| {
                let passed = now.duration_since(trend.from.after(self.start)).as_secs_f64();
                let share = (passed / trend.over.seconds().max(1.0)).clamp(0.0, 1.0);
                1.0 + (trend.factor - 1.0) * share
            })
            .product()
    }
}

/// The source that has the pipeline of a service.
pub fn pipeline_source(service: &ServiceScript) -> SourceId {
    SourceId::new(&format!("pipelines-{}", service.region))
}

/// The pipeline of a service.
pub fn pipeline_id(service: &ServiceScript) -> PipelineId {
    PipelineId::new(&pipeline_source(service), &format!("{}-main", service.name))
}

/// An environment of a service: `staging` or `prod`.
pub fn environment_id(service: &ServiceScript, environment: &str) -> EnvironmentId {
    EnvironmentId::new(&edge(), &format!("{}.{environment}-{}", service.name, service.region))
}

/// The traffic split of a service.
pub fn traffic_id(service: &ServiceScript) -> TrafficId {
    TrafficId::new(&edge(), &format!("{}.prod-{}", service.name, service.region))
}

/// A flag.
pub fn flag_id(key: &str) -> FlagId {
    FlagId::new(&SourceId::new("flags"), key)
}

/// An alarm.
pub fn alarm_id(name: &str) -> AlarmId {
    AlarmId::new(&metrics(), name)
}

/// A series of one arm of a service.
pub fn series_id(service: &str, metric: Metric, arm: ArmName) -> SeriesId {
    let metric = match metric {
        Metric::Requests => "requests",
        Metric::Errors => "errors",
        Metric::P99 => "p99",
        Metric::Orders => "orders",
    };
    let arm = match arm {
        ArmName::Stable => "stable",
        ArmName::Canary => "canary",
    };
    SeriesId::new(&metrics(), &format!("{service}.{arm}.{metric}"))
}

/// Whether a service has a traffic split.
pub fn splits(service: &ServiceScript) -> bool {
    service.release == Release::Canary
}

fn edge() -> SourceId {
    SourceId::new("edge")
}

fn metrics() -> SourceId {
    SourceId::new("metrics")
}
