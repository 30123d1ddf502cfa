//! The rehearsal: an embedded, seeded world in which nothing is real and everything can be tried.
//!
//! The world is a function of scenario, seed and time, told by several sources as real ones would.

mod chance;
mod changes;
mod clock;
mod deeds;
mod edge;
mod first_flips;
mod flags;
mod hands;
#[cfg(test)]
mod hands_tests;
mod metrics;
mod notice;
mod operator;
mod pipelines;
mod plan;
mod scenario;
mod script;
mod settings;
mod source;
mod span;
mod split;
mod steer;
mod switch;
#[cfg(test)]
mod tests;
mod visit;
mod world;

pub use clock::SimulatedClock;
pub use scenario::{ScenarioError, load, names};

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use jiff::{SignedDuration, Timestamp};

use super::port::Source;
use crate::domain::canary::{
    AtVerdict, CanaryData, CanaryMetric, CanarySpec, CountPair, Direction, Policy, Purpose,
};
use crate::domain::ids::{CanaryId, ServiceId, SourceId};
use crate::domain::pattern::Pattern;
use crate::domain::series::SeriesSpec;
use crate::domain::service::{Claims, MetricSpec, Service};
use crate::domain::text::SafeText;
use script::{ArmName, Metric, Script, ServiceScript};
use source::RehearsalSource;
use world::{SOURCES, World, environment_id, pipeline_id, series_id, splits, traffic_id};

/// An opened world.
pub struct Rehearsal {
    /// Name of the scenario.
    pub name: SafeText,
    /// What it shows, in one sentence.
    pub story: SafeText,
    /// The seed of its chance.
    pub seed: u64,
    /// Its clock.
    pub clock: Arc<SimulatedClock>,
    /// Its services.
    pub services: Vec<Service>,
    /// Its sources, and the series that may be asked of each.
    pub sources: Vec<(Arc<dyn Source>, Vec<SeriesSpec>)>,
}

/// What the names of rehearsed services begin with where real ones stand beside them.
const APART: &str = "sim-";

impl Rehearsal {
    /// Names its services so that nobody takes them for real ones beside them.
    pub fn set_apart(&mut self) {
        let apart = |id: &ServiceId| ServiceId::new(&format!("{APART}{id}"));
        for service in &mut self.services {
            service.id = apart(&service.id);
            service.needs = service.needs.iter().map(apart).collect();
            for canary in &mut service.canaries {
                canary.id = CanaryId::new(&format!("{APART}{}", canary.id));
                canary.service = service.id.clone();
            }
        }
    }
}

/// Opens the scenario `wanted` (a name, or the path of a `.toml` file) at the moment `start`.
pub fn open(
    wanted: &str,
    seed: u64,
    speed: f64,
    start: Timestamp,
) -> Result<Rehearsal, ScenarioError> {
    let (name, script) = scenario::load(wanted)?;
    Ok(of_script(name, script, seed, speed, start))
}

/// A world of `count` services with a pipeline each, for measurements.
pub fn synthetic(count: usize, seed: u64, start: Timestamp) -> Rehearsal {
    let services = (0..count).map(|n| ServiceScript {
        name: format!("service-{n:05}"),
        owner: format!("team-{:02}", n % 40),
        tier: if n % 10 == 0 { 1 } else { 2 },
        description: String::new(),
        needs: Vec::new(),
        region: if n % 2 == 0 { "eu" } else { "us" }.to_owned(),
        stages: ["Source", "Build", "Test", "Staging", "Prod"].map(str::to_owned).to_vec(),
        mode: crate::domain::pipeline::ExecutionMode::default(),
        approval: n % 3 == 0,
        release: script::Release::Rolling,
        rate: 50.0,
        errors: 0.3,
        p99: 200.0,
        runs: format!("{n:040x}"),
    });
    let script = Script { services: services.collect(), ..Script::default() };
    of_script("synthetic".into(), script, seed, 1.0, start)
}

fn of_script(name: SafeText, script: Script, seed: u64, speed: f64, start: Timestamp) -> Rehearsal {
    let services = script.services.iter().map(|s| service(s, &script)).collect();
    let story = script.story.as_str().into();
    let specs: Vec<SeriesSpec> =
        script.services.iter().filter(|s| splits(s)).flat_map(metrics::specs).collect();
    let world = Arc::new(RwLock::new(World::new(script, seed, start)));
    let sources = SOURCES
        .into_iter()
        .map(|id| {
            let source: Arc<dyn Source> =
                Arc::new(RehearsalSource::new(SourceId::new(id), Arc::clone(&world)));
            (source, if id == "metrics" { specs.clone() } else { Vec::new() })
        })
        .collect();
    let clock = Arc::new(SimulatedClock::new(start, speed));
    Rehearsal { name, story, seed, clock, services, sources }
}

/// A service as a configuration would describe it.
fn service(script: &ServiceScript, all: &Script) -> Service {
    let id = ServiceId::new(&script.name);
    let exactly = |source: &SourceId, name: &SafeText| Pattern {
        source: source.text().clone(),
        name: name.clone(),
    };
    let pipeline = pipeline_id(script);
    let environments = ["staging", "prod"].map(|name| environment_id(script, name));
    let traffic = traffic_id(script);
    let flags = all.flags.iter().filter(|f| f.service == script.name);
    let mut alarms: Vec<&str> =
        all.alarms.iter().filter(|a| a.service == script.name).map(|a| a.name.as_str()).collect();
    alarms.sort_unstable();
    alarms.dedup();
    let split = splits(script);
    Service {
        description: (!script.description.is_empty()).then(|| script.description.as_str().into()),
        owners: vec![script.owner.as_str().into()],
        tier: Some(script.tier),
        links: vec![
            ("runbook".into(), format!("https://docs.example.com/{id}/runbook").into()),
            ("dashboard".into(), format!("https://metrics.example.com/{id}").into()),
        ],
        needs: script.needs.iter().map(|name| ServiceId::new(name)).collect(),
        claims: Claims {
            pipelines: vec![exactly(&pipeline.source, &pipeline.name)],
            environments: environments.iter().map(|e| exactly(&e.source, &e.name)).collect(),
            traffic: if split { vec![exactly(&traffic.source, &traffic.name)] } else { Vec::new() },
            flags: flags
                .map(|f| Pattern { source: "flags".into(), name: f.key.as_str().into() })
                .collect(),
            alarms: alarms
                .iter()
                .map(|a| Pattern { source: "metrics".into(), name: (*a).into() })
                .collect(),
            tags: BTreeMap::new(),
        },
        metrics: if split {
            let stable = |metric| series_id(&script.name, metric, ArmName::Stable);
            vec![
                MetricSpec { name: "requests".into(), series: stable(Metric::Requests) },
                MetricSpec { name: "p99".into(), series: stable(Metric::P99) },
            ]
        } else {
            Vec::new()
        },
        canaries: if split { vec![canary(&id, script)] } else { Vec::new() },
        id,
    }
}

fn canary(service: &ServiceId, script: &ServiceScript) -> CanarySpec {
    let traffic = traffic_id(script);
    let at = |metric, arm| series_id(&script.name, metric, arm);
    let pair =
        |events, arm| CountPair { events: at(events, arm), requests: at(Metric::Requests, arm) };
    let counts = |events| CanaryData::Counts {
        baseline: pair(events, ArmName::Stable),
        canary: pair(events, ArmName::Canary),
    };
    // Errors are what counts; the others are looked at too.
    let metric = |name: &str, unit: &str, direction, data, margin, required| CanaryMetric {
        name: name.into(),
        unit: unit.into(),
        direction,
        data,
        margin,
        weight: if required { 5.0 } else { 1.0 },
        required,
        critical: false,
        floor: None,
        muted: false,
        strict: false,
        v_min: None,
        rule: None,
    };
    let levels = |metric| CanaryData::Levels {
        baseline: at(metric, ArmName::Stable),
        canary: at(metric, ArmName::Canary),
    };
    let (more, fewer) = (Direction::Increase, Direction::Decrease);
    CanarySpec {
        id: CanaryId::new(&format!("{service}.prod-{}", script.region)),
        service: service.clone(),
        name: format!("prod-{}", script.region).into(),
        purpose: Purpose::Canary,
        environment: Some(Pattern {
            source: "edge".into(),
            name: environment_id(script, "prod").name,
        }),
        traffic: Some(Pattern { source: traffic.source.text().clone(), name: traffic.name }),
        baseline: "stable".into(),
        canary: "canary".into(),
        metrics: vec![
            metric("errors", "errors", more, counts(Metric::Errors), 0.25, true),
            metric("p99", "ms", more, levels(Metric::P99), 0.2, false),
            metric("orders", "orders", fewer, counts(Metric::Orders), 0.2, false),
        ],
        warm_up: SignedDuration::from_mins(1),
        steps: vec![5.0, 10.0, 25.0, 50.0, 100.0],
        bake: SignedDuration::from_mins(3),
        history: SignedDuration::from_hours(2),
        deadline: SignedDuration::from_hours(2),
        at: AtVerdict::default(),
        alpha: 0.01,
        beta: 0.05,
        policy: Policy::default(),
    }
}
