//! `World`: everything as a function of the scenario, the seed and the time.

use jiff::{SignedDuration, Timestamp};

use super::chance::Chance;
use super::first_flips::first_flips;
use super::plan::{Plan, plan};
use super::script::{ArmName, Metric, Release, Script, ServiceScript, Shift};
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
    pub fn new(mut script: Script, seed: u64, start: Timestamp) -> Self {
        let chance = Chance::new(seed);
        script.flips.extend(first_flips(&script));
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

    /// By how much the trends multiply a metric at `now`.
    pub fn factor(&self, service: &str, metric: Metric, arm: ArmName, now: Timestamp) -> f64 {
        // What the canary does, everybody gets once it has taken over.
        let heir = arm == ArmName::Stable && self.has_taken_over(service, now);
        self.script
            .trends
            .iter()
            .filter(|t| t.service == service && t.metric == metric)
            .filter(|t| t.arm.is_none_or(|a| a == arm || heir))
            .map(|trend| {
                let passed = now.duration_since(trend.from.after(self.start)).as_secs_f64();
                let share = (passed / trend.over.seconds().max(1.0)).clamp(0.0, 1.0);
                let felt = trend.flag.as_deref().map_or(1.0, |flag| self.exposure(flag, now));
                1.0 + (trend.factor - 1.0) * share * felt
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
    SeriesId::new(&metrics(), &format!("{service}.{}.{metric}", arm.word()))
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
