//! Series and alarms of the world: noise around a rate, drifting with the trends.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use rand_distr::{Binomial, Poisson, StandardNormal};

use super::chance::stream;
use super::script::{ArmName, Metric, ServiceScript};
use super::world::{World, alarm_id, series_id, splits};
use crate::domain::alarm::{Alarm, AlarmEvent, AlarmState};
use crate::domain::series::{Point, Series, SeriesKind, SeriesQuery, SeriesSpec};

/// Seconds between two points.
const STEP: i64 = 10;
/// The time that a read covers.
const WINDOW: SignedDuration = SignedDuration::from_mins(40);
/// Requests that lead to an order, per cent.
const ORDERS: f64 = 4.0;

/// Metrics of every service that is split.
pub const METRICS: [Metric; 4] = [Metric::Requests, Metric::Errors, Metric::P99, Metric::Orders];

/// The series of a service, as they are asked for.
pub fn specs(service: &ServiceScript) -> Vec<SeriesSpec> {
    let mut specs = Vec::new();
    for arm in [ArmName::Stable, ArmName::Canary] {
        for metric in METRICS {
            let id = series_id(&service.name, metric, arm);
            specs.push(SeriesSpec {
                query: SeriesQuery::Expression(id.name.to_string()),
                id,
                kind: kind(metric),
                unit: unit(metric).into(),
                step: SignedDuration::from_secs(STEP),
                window: WINDOW,
            });
        }
    }
    specs
}

fn kind(metric: Metric) -> SeriesKind {
    if metric == Metric::P99 { SeriesKind::Gauge } else { SeriesKind::Delta }
}

fn unit(metric: Metric) -> &'static str {
    match metric {
        Metric::Requests | Metric::Orders => "requests",
        Metric::Errors => "errors",
        Metric::P99 => "ms",
    }
}

/// A series of `service` as of `now`.
pub fn series(
    world: &World,
    service: &ServiceScript,
    metric: Metric,
    arm: ArmName,
    now: Timestamp,
) -> Series {
    let last = now.as_second().div_euclid(STEP);
    let count = WINDOW.as_secs() / STEP;
    let points = (last - count + 1..=last)
        .filter_map(|step| {
            let at = Timestamp::from_second(step * STEP).ok()?;
            Some(Point { at, value: value(world, service, metric, arm, step, at)? })
        })
        .collect();
    Series {
        id: series_id(&service.name, metric, arm),
        kind: kind(metric),
        unit: unit(metric).into(),
        step: SignedDuration::from_secs(STEP),
        points,
        note: None,
    }
}

/// What is measured in one step; `None` where nothing is.
fn value(
    world: &World,
    service: &ServiceScript,
    metric: Metric,
    arm: ArmName,
    step: i64,
    at: Timestamp,
) -> Option<f64> {
    // Steps before 1970 do not occur.
    let n = u64::try_from(step).ok()?;
    let percent = match arm {
        _ if splits(service) => world.split(&service.name, at).percent(arm),
        ArmName::Stable => 100.0,
        ArmName::Canary => 0.0,
    };
    let factor = |metric| world.factor(&service.name, metric, arm, at);
    // Nothing comes, or nothing is counted.
    if percent <= 0.0 || factor(Metric::Requests) <= 0.0 {
        return None;
    }
    let of_arm = format!("{}.{}", service.name, arm.word());
    let draw = |what: &str| world.chance.at(stream(&format!("{of_arm}.{what}")), n);
    // Busy and calm minutes are the same for both arms: they share their visitors.
    let tide = world.chance.smooth(stream(&format!("{}.tide", service.name)), n as f64 / 30.0);
    let rate = service.rate * (1.0 + 0.08 * tide) * percent / 100.0 * factor(Metric::Requests);
    let requests = || -> f64 {
        let mean = (rate * STEP as f64).max(0.01);
        Poisson::new(mean).map_or(mean, |poisson| draw("requests").sample(poisson))
    };
    let among = |what: &str, share: f64| -> f64 {
        // Counts are far below 2⁵³.
        let all = requests() as u64;
        let binomial = Binomial::new(all, share.clamp(0.0, 1.0));
        binomial.map_or(0.0, |binomial| draw(what).sample(binomial) as f64)
    };
    Some(match metric {
        Metric::Requests => requests(),
        Metric::Errors => among("errors", service.errors / 100.0 * factor(Metric::Errors)),
        Metric::Orders => among("orders", ORDERS / 100.0 * factor(Metric::Orders)),
        Metric::P99 => {
            let noise: f64 = draw("p99").sample(StandardNormal);
            let wide = if arm == ArmName::Canary { 0.08 } else { 0.04 };
            service.p99 * factor(Metric::P99) * (1.0 + 0.05 * tide + wide * noise).max(0.2)
        }
    })
}

/// The alarms at `now`: those that the script speaks of, each in its newest state.
pub fn alarms(world: &World, now: Timestamp) -> Vec<Alarm> {
    let names: BTreeSet<&str> = world.script.alarms.iter().map(|a| a.name.as_str()).collect();
    names.into_iter().map(|name| alarm(world, name, now)).collect()
}

fn alarm(world: &World, name: &str, now: Timestamp) -> Alarm {
    let all = world.script.alarms.iter().filter(|a| a.name == name);
    let service = all.clone().next().map(|a| a.service.clone()).unwrap_or_default();
    let mut past: Vec<_> = all.filter(|a| a.at.after(world.start) <= now).collect();
    past.sort_by_key(|a| std::cmp::Reverse(a.at));
    let newest = past.first();
    Alarm {
        id: alarm_id(name),
        name: name.into(),
        state: newest.map_or(AlarmState::Ok, |a| a.state),
        since: newest.map(|a| a.at.after(world.start)),
        reason: newest.map(|a| a.reason.as_str().into()),
        severity: Some("page".into()),
        kind: "metric".into(),
        rule: None,
        silenced: false,
        history: past
            .iter()
            .map(|a| AlarmEvent {
                at: a.at.after(world.start),
                state: a.state,
                reason: Some(a.reason.as_str().into()),
            })
            .collect(),
        link: Some(format!("https://metrics.example.com/alarms/{name}").into()),
        tags: BTreeMap::from([("service".into(), service.as_str().into())]),
    }
}
