//! Tests of the world: the same seed tells the same day, and every story tells what it says.

use std::collections::BTreeSet;

use super::*;
use crate::domain::alarm::AlarmState;
use crate::domain::change::Change;
use crate::domain::pipeline::{Pipeline, RunState};
use crate::domain::series::Series;

const START: i64 = 1_790_000_000;

pub fn world(name: &str, seed: u64) -> World {
    let (_, script) = scenario::load(name).unwrap();
    World::new(script, seed, Timestamp::from_second(START).unwrap())
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).unwrap()
}

pub fn pipeline(world: &World, service: &str, seconds: i64) -> Pipeline {
    pipelines::pipeline(world, world.script.service(service).unwrap(), at(seconds))
}

pub fn series(world: &World, metric: Metric, arm: ArmName, seconds: i64) -> Series {
    let service = world.script.service("checkout").unwrap();
    metrics::series(world, service, metric, arm, at(seconds))
}

pub fn all_changes(world: &World, seconds: i64) -> Vec<Change> {
    SOURCES.iter().flat_map(|s| changes::changes(world, &SourceId::new(s), at(seconds))).collect()
}

#[test]
fn every_scenario_opens_with_a_dozen_services_that_claim_what_is_there() {
    for name in names() {
        let world = open(name, 1, 1.0, at(0)).unwrap();
        assert!(world.services.len() >= 12, "{name}");
        assert!(!world.story.is_empty(), "{name}");
        let ids: BTreeSet<_> = world.services.iter().map(|s| &s.id).collect();
        for service in &world.services {
            assert!(service.needs.iter().all(|need| ids.contains(need)), "{name} {}", service.id);
        }
    }
}

#[test]
fn the_same_seed_tells_the_same_and_another_does_not() {
    let (a, b, c) = (world("bad-canary", 7), world("bad-canary", 7), world("bad-canary", 8));
    for seconds in [-600, 0, 90, 5_000] {
        assert_eq!(pipeline(&a, "web", seconds), pipeline(&b, "web", seconds));
        assert_eq!(all_changes(&a, seconds), all_changes(&b, seconds));
        let errors = |w| series(w, Metric::Errors, ArmName::Stable, seconds);
        assert_eq!(errors(&a), errors(&b));
        assert_ne!(errors(&a).points, errors(&c).points);
    }
}

#[test]
fn overlapping_windows_agree() {
    let world = world("bad-canary", 1);
    let early = series(&world, Metric::Requests, ArmName::Stable, 0);
    let late = series(&world, Metric::Requests, ArmName::Stable, 300);
    let shared: Vec<_> = late.points.iter().filter(|p| p.at <= at(0)).collect();
    assert!(shared.len() > 100);
    assert!(shared.into_iter().all(|p| early.points.contains(p)));
}

#[test]
fn every_state_of_a_stage_occurs() {
    let mut seen = BTreeSet::new();
    for name in names() {
        let world = world(name, 1);
        for seconds in [0, 60, 240, 600] {
            for service in &world.script.services {
                let pipeline = pipelines::pipeline(&world, service, at(seconds));
                seen.extend(pipeline.stages.iter().map(|s| s.state));
                seen.extend(pipeline.executions.iter().map(|e| e.state));
                if pipeline.stages.iter().any(|s| s.is_held() && s.inbound.is_some()) {
                    seen.insert(RunState::Cancelled); // Stands for "held" here.
                }
            }
        }
    }
    for state in [
        RunState::Running,
        RunState::Waiting,
        RunState::Failed,
        RunState::Superseded,
        RunState::Stopped,
        RunState::Succeeded,
        RunState::Cancelled,
    ] {
        assert!(seen.contains(&state), "{state:?} never occurs");
    }
}

#[test]
fn the_bad_canary_fails_two_and_a_half_times_as_often() {
    let world = world("bad-canary", 3);
    let total = |metric, arm| -> f64 {
        let series = series(&world, metric, arm, 600);
        series.points.iter().filter(|p| p.at > at(0)).map(|p| p.value).sum()
    };
    let rate = |arm| total(Metric::Errors, arm) / total(Metric::Requests, arm);
    let ratio = rate(ArmName::Canary) / rate(ArmName::Stable);
    assert!((2.0..2.9).contains(&ratio), "{ratio}");
    let share = total(Metric::Requests, ArmName::Canary)
        / (total(Metric::Requests, ArmName::Canary) + total(Metric::Requests, ArmName::Stable));
    assert!((0.09..0.11).contains(&share), "{share}");
    let titles: Vec<String> = all_changes(&world, 0).iter().map(|c| c.title.to_string()).collect();
    for wanted in ["new-tax on", "traffic 5% to 10%", "traffic 0% to 5%"] {
        assert!(titles.iter().any(|t| t == wanted), "{wanted}: {titles:?}");
    }
    assert!(titles.len() >= 20, "{titles:?}");
}

#[test]
fn the_approval_is_overtaken_while_it_is_read() {
    let world = world("superseded-approval", 1);
    let waiting = |seconds: i64| {
        let pipeline = pipeline(&world, "payments", seconds);
        let asks: Vec<_> = pipeline.approvals().map(|(_, _, ask)| ask.clone()).collect();
        asks
    };
    let before = waiting(0);
    assert_eq!(before.len(), 1);
    let overtaken = (0..900).find(|s| waiting(*s) != before).expect("a newer one comes");
    assert!((20..600).contains(&overtaken), "{overtaken}");
    let after = waiting(overtaken + 1);
    assert_eq!(after.len(), 1);
    assert_ne!(after[0].token, before[0].token);
    let old = before[0].execution.clone().unwrap();
    let pipeline = pipeline(&world, "payments", overtaken + 1);
    assert_eq!(pipeline.execution(&old).unwrap().state, RunState::Superseded);
}

#[test]
fn the_flag_flip_breaks_checkout() {
    let world = world("flag-flip", 1);
    let flag = world.script.flags.iter().find(|f| f.key == "new-tax").unwrap();
    let on = |s| flags::flag(&world, flag, at(s)).environment("production").unwrap().enabled;
    assert_eq!((on(110), on(130)), (Some(false), Some(true)));
    let firing = |s| metrics::alarms(&world, at(s)).iter().any(|a| a.state == AlarmState::Firing);
    assert!(!firing(0) && firing(200));
}

#[test]
fn faults_of_scenario_files_say_where_and_what() {
    for (text, line, words) in [
        ("[[run]]\nat = \"soon\"", 2, "soon"),
        (
            "story = \"x\"\n[[shift]]\nat = \"1m\"\nservice = \"chekout\"\npercent = 5.0\nby = \"x\"",
            4,
            "checkout",
        ),
        ("[[outage]]\nsource = \"flagz\"\nfrom = \"1m\"\nkind = \"dead\"", 2, "flags"),
        ("[[alram]]", 1, "alram"),
    ] {
        let error = scenario::read("mine.toml", text).unwrap_err();
        assert_eq!(error.line, Some(line), "{error}");
        assert!(
            error.to_string().contains("mine.toml") && error.to_string().contains(words),
            "{error}"
        );
    }
    let error = open("bad-canery", 1, 1.0, at(0)).err().unwrap();
    assert!(error.to_string().contains("did you mean bad-canary?"), "{error}");
    assert!(open("/nowhere/mine.toml", 1, 1.0, at(0)).is_err());
}

#[test]
fn a_synthetic_world_has_as_many_pipelines_as_asked() {
    let world = synthetic(25, 1, at(0));
    assert_eq!(world.services.len(), 25);
}
