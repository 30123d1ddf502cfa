//! Each source against its real server in the lab: what it tells, and what it tells after a change.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "support/lab.rs"]
mod lab;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flightdeck::backend::clock::WallClock;
use flightdeck::backend::context::{Meter, ReadContext};
use flightdeck::cli::global::Global;
use flightdeck::cli::start::start;
use flightdeck::domain::alarm::{Alarm, AlarmState};
use flightdeck::domain::environment::{Environment, Health};
use flightdeck::domain::fact::Fact;
use flightdeck::domain::flag::{Flag, FlagState};
use flightdeck::domain::observation::{Scope, Topic};
use flightdeck::domain::series::Series;
use flightdeck::domain::traffic::Arm;
use flightdeck::runtime::pool::Configured;
use jiff::{SignedDuration, Timestamp};
use lab::{address, post};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A source of the example configuration.
fn source(name: &str) -> Configured {
    address("LAB_AWS_URL");
    source_of(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/examples/lab.toml"), name)
}

/// A source of this configuration.
fn source_of(file: PathBuf, name: &str) -> Configured {
    let global = Global { config: Some(file), ..Global::default() };
    match start(&global, Vec::new(), false) {
        Ok(started) => {
            started.sources.into_iter().find(|s| s.source.meta().id.as_str() == name).unwrap()
        }
        Err(failure) => panic!("{failure}"),
    }
}

/// Everything that it tells, in one round of reads; none of them may fail.
async fn facts(of: &Configured) -> Vec<Fact> {
    let context = ReadContext::new(Arc::new(WallClock), 0, Arc::new(Meter::new(1_000_000)));
    let topics = of.source.meta().capabilities.topics;
    let (mut facts, mut items) = (Vec::new(), Vec::new());
    for topic in [Topic::Overview, Topic::Items, Topic::Series, Topic::Changes] {
        let wanted = match topic {
            Topic::Items => items.clone(),
            Topic::Series => of.series.clone(),
            Topic::Overview | Topic::Changes => Vec::new(),
        };
        let nothing = matches!(topic, Topic::Items | Topic::Series) && wanted.is_empty();
        if !topics.contains(&topic) || nothing {
            continue;
        }
        let scope = Scope { topic, items: wanted };
        let seen = of.source.observe(&scope, &context).await.unwrap();
        assert!(seen.faults.is_empty(), "{:?}", seen.faults);
        items.extend(seen.items.unwrap_or_default());
        facts.extend(seen.facts);
    }
    facts
}

/// The last fact that `pick` takes: a later read tells more of an item than the overview.
fn last<T>(facts: &[Fact], pick: impl Fn(&Fact) -> Option<&T>) -> &T {
    let found = facts.iter().filter_map(pick).next_back();
    found.unwrap_or_else(|| {
        panic!("not among {:?}", facts.iter().map(Fact::item).collect::<Vec<_>>())
    })
}

fn environment<'a>(facts: &'a [Fact], name: &str) -> &'a Environment {
    last(facts, |fact| match fact {
        Fact::Environment(it) if it.id.name.as_str() == name => Some(it),
        _ => None,
    })
}

fn alarm<'a>(facts: &'a [Fact], name: &str) -> &'a Alarm {
    last(facts, |fact| match fact {
        Fact::Alarm(it) if it.name.as_str() == name => Some(it),
        _ => None,
    })
}

fn flag<'a>(facts: &'a [Fact], key: &str) -> &'a Flag {
    last(facts, |fact| match fact {
        Fact::Flag(it) if it.key.as_str() == key => Some(it),
        _ => None,
    })
}

fn state<'a>(facts: &'a [Fact], key: &str, environment: &str) -> &'a FlagState {
    flag(facts, key).environment(environment).unwrap()
}

fn series(facts: &[Fact]) -> Vec<&Series> {
    facts.iter().filter_map(|f| if let Fact::Series(it) = f { Some(it) } else { None }).collect()
}

fn arm<'a>(facts: &'a [Fact], split: &str, name: &str) -> &'a Arm {
    last(facts, |fact| match fact {
        Fact::Traffic(it) if it.id.name.as_str() == split => it.arm(name),
        _ => None,
    })
}

/// Reads until it is so.
async fn until(of: &Configured, is_so: impl Fn(&[Fact]) -> bool) -> Vec<Fact> {
    let wait = async {
        let mut pace = tokio::time::interval(Duration::from_millis(200));
        loop {
            pace.tick().await;
            let seen = facts(of).await;
            if is_so(&seen) {
                return seen;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), wait).await.unwrap()
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn prometheus_tells_hours_of_both_arms_and_what_fires() {
    let seen = until(&source("prometheus"), |seen| {
        let firing = |f: &Fact| matches!(f, Fact::Alarm(a) if a.state == AlarmState::Firing);
        seen.iter().filter(|f| firing(f)).count() >= 2
    })
    .await;
    assert_eq!(alarm(&seen, "CanaryErrors").state, AlarmState::Firing);
    assert_eq!(alarm(&seen, "CanaryErrors").severity.as_ref().unwrap().as_str(), "page");
    assert_eq!(alarm(&seen, "TargetGone").state, AlarmState::Firing);
    assert_eq!(environment(&seen, "shop").health, Health::Healthy);
    assert_eq!(environment(&seen, "gone").health, Health::Unhealthy);
    let hour = SignedDuration::from_hours(1);
    // The first read of a source goes back that far, later ones go on from there.
    let seen = facts(&source("prometheus")).await;
    let long = series(&seen);
    let reach = |s: &&&Series| match s.points.as_slice() {
        [first, .., last] => last.at.duration_since(first.at) > hour,
        _ => false,
    };
    assert!(long.iter().filter(reach).count() >= 3, "{} series", long.len());
    for one in &long {
        assert!(one.points.iter().all(|p| p.value.is_finite()));
        assert!(one.points.windows(2).all(|pair| pair[0].at < pair[1].at));
    }
}

/// A query of now alone: a point with each read.
#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn prometheus_tells_what_is_now_where_nothing_else_is_asked() {
    let prometheus = source("prometheus");
    for _ in 0..2 {
        let seen = facts(&prometheus).await;
        let all = series(&seen);
        let own = all.iter().find(|s| s.id.name.as_str().contains("scraped")).unwrap();
        let values: Vec<f64> = own.points.iter().map(|p| p.value).collect();
        assert_eq!(values, [1.0], "{:?}", own.note);
        let age = Timestamp::now().duration_since(own.points[0].at);
        assert!(age < SignedDuration::from_mins(1), "{age:?}");
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn haproxy_tells_weights_and_states_as_they_are_changed() {
    let edge = source("haproxy");
    let before = facts(&edge).await;
    assert_eq!(
        (arm(&before, "be_checkout", "blue").weight, 10),
        (90, arm(&before, "be_checkout", "green").weight)
    );
    assert!(arm(&before, "be_checkout", "blue").requests.unwrap() >= 90);
    for (command, weight, usable) in [
        ("set server be_search/blue weight 40", 40, true),
        ("set server be_search/blue state maint", 40, false),
        ("set server be_search/blue state ready", 40, true),
        ("set server be_search/blue weight 100", 100, true),
    ] {
        let to = address("LAB_HAPROXY_ADDRESS").replace("tcp://", "");
        let mut socket = tokio::net::TcpStream::connect(to).await.unwrap();
        socket.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        let mut said = String::new();
        socket.read_to_string(&mut said).await.unwrap();
        let seen = facts(&edge).await;
        let blue = arm(&seen, "be_search", "blue");
        assert_eq!((blue.weight, blue.usable), (weight, usable), "{command}: {said} {blue:?}");
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn an_address_tells_health_version_and_the_end_of_its_certificate() {
    let web = source("web");
    let switch = format!("{}/lab", address("LAB_WEB_GREEN_URL"));
    let seen = facts(&web).await;
    let ends = environment(&seen, "checkout-green").tls_expires.unwrap();
    let days = ends.duration_since(Timestamp::now()).as_hours() / 24;
    assert!((18..=20).contains(&days), "{days} days");
    let version = |facts: &[Fact], name: &str| {
        environment(facts, name).revision.as_ref().map(|r| r.id.as_str().to_owned())
    };
    assert_eq!(version(&seen, "checkout-blue").unwrap(), "1.4.2");
    assert_eq!(version(&seen, "checkout-green").unwrap(), "1.5.0");

    post(&switch, &[], &json!({ "status": 503, "version": "1.6.0" })).await;
    let seen = facts(&web).await;
    assert_eq!(environment(&seen, "search").health, Health::Unhealthy);
    assert_eq!(environment(&seen, "checkout-blue").health, Health::Healthy);
    post(&switch, &[], &json!({ "status": 200 })).await;
    let seen = facts(&web).await;
    assert_eq!(environment(&seen, "search").health, Health::Healthy);
    assert_eq!(version(&seen, "search").unwrap(), "1.6.0");
}

/// Whoever trusts the authority cannot use it any more, and is told why.
#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_server_whose_certificate_has_ended_is_not_healthy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.toml");
    let text = format!(
        "[sources.old]\nkind = \"http\"\nca_file = \"{}\"\n\
         [[sources.old.targets]]\nname = \"shop\"\nurl = \"{}/health\"\n",
        address("LAB_WEB_CA"),
        address("LAB_WEB_OLD_URL"),
    );
    std::fs::write(&file, text).unwrap();
    let old = source_of(file, "old");
    let seen = facts(&old).await;
    let shop = environment(&seen, "shop");
    assert_eq!(shop.health, Health::Unhealthy);
    let why = shop.summary.as_ref().unwrap().as_str();
    assert!(why.starts_with("its certificate has ended"), "{why}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn unleash_tells_flags_by_environment_and_who_flipped_them() {
    let flags = source("unleash");
    let seen = facts(&flags).await;
    // Nobody can tell how many of all users a constraint lets through.
    let partly = state(&seen, "checkout.one-click", "production");
    assert_eq!((partly.enabled, partly.percent), (Some(true), None));
    assert!(partly.rules.iter().any(|rule| rule.as_str().contains("country")), "{partly:?}");
    assert_eq!(state(&seen, "checkout.gift-cards", "production").percent, Some(40.0));
    assert!(flag(&seen, "search.old-index").stale.is_some());
    assert_eq!(state(&seen, "payments.kill-switch", "production").enabled, Some(false));

    let token = address("LAB_UNLEASH_TOKEN");
    let path = "/api/admin/projects/default/features/payments.kill-switch/environments/production";
    let url = format!("{}{path}", address("LAB_UNLEASH_URL"));
    for (verb, enabled) in [("on", true), ("off", false)] {
        let headers = [("authorization", token.as_str())];
        assert_eq!(post(&format!("{url}/{verb}"), &headers, &json!({})).await.0, 200);
        let seen = until(&flags, |seen| {
            state(seen, "payments.kill-switch", "production").enabled == Some(enabled)
        })
        .await;
        let told = seen.iter().any(|fact| match fact {
            Fact::Change(change) => {
                change.title.as_str().contains("payments.kill-switch") && change.who.is_some()
            }
            _ => false,
        });
        assert!(told, "nobody is told to have turned it {verb}");
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn appconfig_tells_flags_and_how_far_their_deployment_is() {
    let seen = facts(&source("appconfig")).await;
    assert_eq!(state(&seen, "gift-cards", "staging").enabled, Some(true));
    assert_eq!(state(&seen, "gift-cards", "production").enabled, Some(false));
    let rollout = state(&seen, "gift-cards", "production").rollout.as_ref().unwrap();
    assert_eq!((rollout.state.as_str(), rollout.version.as_str()), ("DEPLOYING", "2"));
    assert!(flag(&seen, "old-basket").stale.is_some());
    assert!(flag(&seen, "one-click").stale.is_none());
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn cloudwatch_tells_alarms_of_each_state_and_a_percentile() {
    let seen = facts(&source("cloudwatch")).await;
    for (name, expected) in [
        ("checkout-errors", AlarmState::Ok),
        ("checkout-latency", AlarmState::Firing),
        ("checkout-silent", AlarmState::Unknown),
        ("checkout", AlarmState::Firing),
    ] {
        assert_eq!(alarm(&seen, name).state, expected, "{name}");
    }
    let points: Vec<f64> = series(&seen)[0].points.iter().map(|p| p.value).collect();
    assert!(points.len() >= 60, "{} points", points.len());
    assert!(points.iter().all(|p| (0.05..0.6).contains(p)), "{points:?}");
}
