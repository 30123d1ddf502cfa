//! The lab's configuration, read whole: all kinds of source at once, and one that goes and comes.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "support/lab.rs"]
mod lab;
#[path = "lab_room/servers.rs"]
mod servers;

use std::path::Path;
use std::time::Duration;

use flightdeck::cli::global::Global;
use flightdeck::cli::start::{Started, start};
use flightdeck::domain::ids::SourceId;
use flightdeck::domain::source::SourceHealth;
use flightdeck::runtime::headless::Headless;
use lab::{address, post};
use serde_json::json;

/// Every source of the configuration but the rehearsal, which is several.
const REAL: [&str; 7] =
    ["appconfig", "cloudwatch", "haproxy", "pipes", "prometheus", "unleash", "web"];
const LONG: Duration = Duration::from_mins(1);

/// The lab's configuration with these keys changed.
fn configured(settings: Vec<String>) -> Started {
    address("LAB_AWS_URL");
    started(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/examples/lab.toml"), settings)
}

fn started(file: &Path, settings: Vec<String>) -> Started {
    let global = Global { config: Some(file.to_owned()), set: settings, ..Global::default() };
    match start(&global, Vec::new(), false) {
        Ok(started) => started,
        Err(failure) => panic!("{failure}"),
    }
}

/// A room by this file that reads often.
fn room_of(file: &Path) -> Headless {
    let started = started(file, often());
    Headless::start(started.setup, started.sources, started.clock)
}

fn often() -> Vec<String> {
    let keys = ["fast=1s", "slow=1s", "deadline=2s", "back_off_max=1s"];
    keys.map(|key| format!("polling.{key}")).to_vec()
}

fn health(room: &Headless, source: &str) -> SourceHealth {
    room.state.fleet.sources[&SourceId::new(source)].health()
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn the_example_shows_live_facts_of_every_kind() {
    let started = configured(Vec::new());
    let mut room = Headless::start(started.setup, started.sources, started.clock);
    let settled = room.settle(LONG).await;
    let fleet = &room.state.fleet;
    for source in REAL {
        let state = &fleet.sources[&SourceId::new(source)];
        assert_eq!(state.health(), SourceHealth::Answering, "{source}: {:?}", state.failing);
    }
    assert!(settled);
    let of = |source: &str, found: &SourceId| found.as_str() == source;
    assert_eq!(fleet.pipelines.iter().filter(|(id, _)| of("pipes", &id.source)).count(), 7);
    assert_eq!(fleet.environments.iter().filter(|(id, _)| of("web", &id.source)).count(), 3);
    assert_eq!(fleet.traffic.iter().filter(|(id, _)| of("haproxy", &id.source)).count(), 2);
    assert!(fleet.flags.iter().any(|(id, _)| of("unleash", &id.source)));
    assert!(fleet.flags.iter().any(|(id, _)| of("appconfig", &id.source)));
    assert_eq!(fleet.alarms.iter().filter(|(id, _)| of("cloudwatch", &id.source)).count(), 4);
    assert!(fleet.alarms.iter().any(|(id, _)| of("prometheus", &id.source)));
    assert!(fleet.changes.iter().any(|(id, _)| of("unleash", &id.source)));
    for (source, least) in [("prometheus", 100), ("cloudwatch", 60)] {
        let series = fleet.series.iter().filter(|(id, _)| of(source, &id.source));
        let points = series.map(|(_, s)| s.value.points.len()).max();
        assert!(points.unwrap_or(0) >= least, "{source}: {points:?}");
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_source_that_goes_away_dims_alone_and_comes_back() {
    let faults = address("LAB_FAULTS_URL");
    for (name, variable, key) in [
        ("room-prom", "LAB_PROMETHEUS_URL", "sources.prometheus.url"),
        ("room-edge", "LAB_HAPROXY_ADDRESS", "sources.haproxy.address"),
        ("room-pipes", "LAB_CODEPIPELINE_URL", "sources.pipes.endpoint"),
        ("room-flags", "LAB_UNLEASH_URL", "sources.unleash.url"),
        ("room-config", "LAB_AWS_URL", "sources.appconfig.endpoint"),
        ("room-alarms", "LAB_AWS_URL", "sources.cloudwatch.endpoint"),
    ] {
        let real = address(variable);
        let (scheme, to) = real.split_once("://").unwrap();
        let (_, proxy) =
            post(&format!("{faults}/proxies"), &[], &json!({ "name": name, "to": to })).await;
        let mut settings = often();
        settings.push(format!("{key}={scheme}://127.0.0.1:{}", proxy["port"]));
        let started = configured(settings);
        let source = key.split('.').nth(1).unwrap();
        let mut room = Headless::start(started.setup, started.sources, started.clock);
        until(&mut room, |room| health(room, source) == SourceHealth::Answering).await;
        let fault = |kind: &str| json!({ "name": name, "kind": kind });
        post(&format!("{faults}/fault"), &[], &fault("refuse")).await;
        // Kinds of read fail one after the other, each when its time comes.
        let fails = |room: &Headless| {
            matches!(health(room, source), SourceHealth::Failing | SourceHealth::Partly)
        };
        until(&mut room, fails).await;
        for other in REAL.iter().filter(|other| **other != source) {
            assert_ne!(health(&room, other), SourceHealth::Failing, "{other} beside {source}");
        }
        post(&format!("{faults}/fault"), &[], &fault("none")).await;
        until(&mut room, |room| health(room, source) == SourceHealth::Answering).await;
    }
}

/// Takes in messages until it is so.
async fn until(room: &mut Headless, is_so: impl Fn(&Headless) -> bool) {
    let wait = async {
        while !is_so(room) {
            assert!(room.next().await, "no source is left");
        }
    };
    if tokio::time::timeout(LONG, wait).await.is_err() {
        let health: Vec<_> = REAL.iter().map(|s| format!("{s}: {:?}", health(room, s))).collect();
        panic!("never so: {}", health.join(", "));
    }
}
