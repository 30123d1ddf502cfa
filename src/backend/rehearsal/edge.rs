//! Environments and traffic splits of the world at a moment.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::pipelines::revision;
use super::plan::Planned;
use super::script::{ArmName, HealthScript, Metric, Release, ServiceScript};
use super::world::{World, environment_id, traffic_id};
use crate::domain::environment::{Environment, Health, Slot};
use crate::domain::pipeline::RunState;
use crate::domain::revision::Revision;
use crate::domain::traffic::{Arm, TrafficSplit};

/// Instances of a production environment.
const INSTANCES: u32 = 12;

/// What was deployed by a stage, newest first: the revision that runs and the one before it.
struct Deployed {
    now: Revision,
    before: Revision,
    moving: Option<Revision>,
    moving_since: Option<Timestamp>,
    since: Option<Timestamp>,
}

fn deployed(world: &World, service: &ServiceScript, stage: usize, now: Timestamp) -> Deployed {
    let none = Vec::new();
    let runs = world.plan.get(&service.name).unwrap_or(&none);
    let mut done: Vec<(&Planned, Timestamp)> = runs
        .iter()
        .filter_map(|run| Some((run, run.through(stage)?)))
        .filter(|(_, at)| *at <= now)
        .collect();
    done.sort_by_key(|(_, at)| *at);
    let moving = runs.iter().rev().find_map(|run| {
        let (state, since) = run.visit(stage)?.state(now)?;
        (state == RunState::Running).then(|| (revision(run), since))
    });
    let (moving, moving_since) = moving.unzip();
    let first = || Revision::of(&service.runs);
    let mut newest = done.iter().rev();
    let (run, since) = match newest.next() {
        Some((run, at)) => (revision(run), Some(*at)),
        None => (first(), None),
    };
    Deployed {
        now: run,
        before: newest.next().map_or_else(first, |(run, _)| revision(run)),
        moving,
        moving_since,
        since,
    }
}

fn told<'a>(
    world: &'a World,
    service: &ServiceScript,
    environment: &str,
    now: Timestamp,
) -> Option<&'a HealthScript> {
    world
        .script
        .healths
        .iter()
        .filter(|h| h.service == service.name && h.environment == environment)
        .filter(|h| h.at.after(world.start) <= now)
        .max_by_key(|h| h.at)
}

/// The environments of `service` at `now`.
pub fn environments(world: &World, service: &ServiceScript, now: Timestamp) -> Vec<Environment> {
    let last = service.stages.len().saturating_sub(1);
    [("staging", last.saturating_sub(1)), ("prod", last)]
        .into_iter()
        .map(|(name, stage)| environment(world, service, name, stage, now))
        .collect()
}

fn environment(
    world: &World,
    service: &ServiceScript,
    name: &str,
    stage: usize,
    now: Timestamp,
) -> Environment {
    let deployed = deployed(world, service, stage, now);
    let told = told(world, service, name, now);
    let changing = deployed.moving.is_some();
    let health = match told {
        Some(told) => told.health,
        None if changing && service.release != Release::Canary => Health::Changing,
        None => Health::Healthy,
    };
    let production = name == "prod";
    let count = if production { INSTANCES } else { 2 };
    let slot = |name: &str, revision: &Revision, percent: f64, count: u32| Slot {
        name: name.into(),
        revision: Some(revision.clone()),
        percent: Some(percent),
        healthy: Some(if health == Health::Unhealthy { count / 2 } else { count }),
        desired: Some(count),
        health: if health == Health::Changing { Health::Healthy } else { health },
    };
    let split = world.split(&service.name, now);
    let canary = split.percent(ArmName::Canary);
    let slots = match (service.release, &deployed.moving) {
        _ if !production => vec![slot("all", &deployed.now, 100.0, count)],
        (Release::Canary, Some(new)) if canary > 0.0 => {
            vec![
                slot("stable", &deployed.now, split.percent(ArmName::Stable), count),
                slot("canary", new, canary, 2),
            ]
        }
        (Release::BlueGreen, moving) => {
            let idle = moving.as_ref().unwrap_or(&deployed.before);
            vec![slot("blue", &deployed.now, 100.0, count), slot("green", idle, 0.0, count)]
        }
        _ => vec![slot("all", &deployed.now, 100.0, count)],
    };
    Environment {
        id: environment_id(service, name),
        name: format!("{name}-{}", service.region).into(),
        production: Some(production),
        health,
        summary: told.map(|told| told.summary.as_str().into()),
        revision: Some(deployed.now.clone()),
        slots,
        address: Some(
            format!("https://{}.{name}-{}.example.com", service.name, service.region).into(),
        ),
        latency: None,
        tls_expires: None,
        since: match told {
            Some(told) => Some(told.at.after(world.start)),
            None if health == Health::Changing => deployed.moving_since,
            None => deployed.since,
        },
        link: None,
        tags: BTreeMap::from([("service".into(), service.name.as_str().into())]),
    }
}

/// The traffic split of a service that is released by canary.
pub fn traffic(world: &World, service: &ServiceScript, now: Timestamp) -> TrafficSplit {
    let last = service.stages.len().saturating_sub(1);
    let deployed = deployed(world, service, last, now);
    let split = world.split(&service.name, now);
    let since = world.shifts(&service.name, now).last().map(|s| s.at.after(world.start));
    let canary =
        deployed.moving.or_else(|| (split.canary.weight > 0).then(|| deployed.now.clone()));
    let arm = |name: ArmName, revision: Option<Revision>| {
        let standing = split.of(name);
        let requests = service.rate * split.percent(name) / 100.0
            * world.factor(&service.name, Metric::Requests, name, now);
        let errors =
            service.errors / 100.0 * world.factor(&service.name, Metric::Errors, name, now);
        Arm {
            name: name.word().into(),
            weight: standing.weight,
            usable: standing.is_usable(),
            state: standing.word().into(),
            health: Health::Healthy,
            revision,
            request_rate: Some(requests),
            error_rate: Some(errors.min(1.0)),
            requests: None,
            errors: None,
        }
    };
    TrafficSplit {
        id: traffic_id(service),
        arms: vec![arm(ArmName::Stable, Some(deployed.now)), arm(ArmName::Canary, canary)],
        since,
        automation: None,
    }
}
