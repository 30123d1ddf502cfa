//! Tests of what the operator does in the world, and what follows.

use super::tests::{all_changes, at, pipeline, series, world};
use super::*;
use crate::domain::alarm::AlarmState;
use crate::domain::error::FaultKind;
use crate::domain::flag::FlagState;
use crate::domain::ids::ExecutionId;
use crate::domain::pipeline::RunState;
use crate::domain::traffic::Arm;
use crate::domain::write::{ArmWish, FlagChange, Write};

/// The alarms of checkout that fire at `seconds`.
fn firing(world: &World, seconds: i64) -> usize {
    let all = metrics::alarms(world, at(seconds));
    all.iter()
        .filter(|a| a.name.as_str().starts_with("checkout") && a.state == AlarmState::Firing)
        .count()
}

/// Errors per request of an arm of checkout in the ten minutes before `seconds`.
fn error_rate(world: &World, arm: ArmName, seconds: i64) -> f64 {
    let sum = |metric| -> f64 {
        let series = series(world, metric, arm, seconds);
        let from = at(seconds - 600);
        series.points.iter().filter(|p| p.at > from).map(|p| p.value).sum()
    };
    sum(Metric::Errors) / sum(Metric::Requests)
}

#[test]
fn a_bad_canary_that_is_promoted_harms_everybody_and_alarms_fire() {
    let (mut world, calm) = (world("bad-canary", 1), world("bad-canary", 1));
    // Its own share alone is noticed after two minutes.
    assert_eq!(firing(&world, 119), 0);
    let split = world::traffic_id(world.script.service("checkout").unwrap());
    let shares = |canary| Write::Shares {
        split: split.clone(),
        shares: vec![("stable".into(), 100 - canary), ("canary".into(), canary)],
    };
    hands::act(&mut world, &shares(100), at(60)).unwrap();
    assert!(firing(&world, 119) > 0, "everybody's errors are noticed before");
    let (after, before) =
        (error_rate(&world, ArmName::Canary, 1_000), error_rate(&calm, ArmName::Stable, 1_000));
    assert!(after > 1.8 * before, "{after} {before}");
    hands::act(&mut world, &shares(0), at(1_200)).unwrap();
    assert_eq!(firing(&world, 1_300), 0, "taken back, it heals");
}

fn flag_change(environment: &str, change: FlagChange, strategy: Option<&str>) -> Write {
    Write::Flag {
        flag: world::flag_id("new-tax"),
        environment: environment.into(),
        change,
        strategy: strategy.map(Into::into),
    }
}

fn enabled(on: bool) -> FlagChange {
    FlagChange::Enabled { on }
}

fn flag_in(world: &World, key: &str, environment: &str, seconds: i64) -> FlagState {
    let script = world.script.flags.iter().find(|f| f.key == key).unwrap();
    flags::flag(world, script, at(seconds)).environment(environment).unwrap().clone()
}

#[test]
fn a_flag_that_is_turned_off_heals_what_it_broke_and_turned_on_again_breaks_it() {
    let mut world = world("flag-flip", 1);
    assert!(firing(&world, 300) > 0);
    let sick = error_rate(&world, ArmName::Stable, 900);
    hands::act(&mut world, &flag_change("production", enabled(false), None), at(300)).unwrap();
    assert_eq!(firing(&world, 420), 0);
    let healed = error_rate(&world, ArmName::Stable, 1_200);
    assert!(healed < sick / 2.0, "{healed} {sick}");
    let titles: Vec<String> =
        all_changes(&world, 420).iter().map(|c| c.title.to_string()).collect();
    assert!(titles.iter().any(|t| t == "new-tax off"), "{titles:?}");
    let on = flag_change("production", enabled(true), None);
    hands::act(&mut world, &on, at(1_300)).unwrap();
    assert!(firing(&world, 1_400) > 0);
    let again = error_rate(&world, ArmName::Stable, 2_200);
    assert!(again > healed * 2.0, "{healed} {again}");
}

#[test]
fn a_flag_in_staging_is_not_the_one_in_production() {
    let mut world = world("flag-flip", 1);
    let (before, sick) = (flag_in(&world, "new-tax", "production", 300), firing(&world, 300));
    let off = flag_change("staging", enabled(false), None);
    assert_eq!(flag_in(&world, "new-tax", "staging", 300).enabled, Some(true));
    hands::act(&mut world, &off, at(300)).unwrap();
    assert_eq!(flag_in(&world, "new-tax", "staging", 301).enabled, Some(false));
    let after = flag_in(&world, "new-tax", "production", 300);
    assert_eq!(after, before);
    assert_eq!(firing(&world, 420), sick, "what it breaks in production goes on");
    let places: Vec<_> = all_changes(&world, 301)
        .into_iter()
        .filter(|c| c.title == *"new-tax off")
        .map(|c| c.environment.unwrap())
        .collect();
    assert_eq!(places, ["staging"]);
    hands::act(&mut world, &flag_change("production", enabled(false), None), at(310)).unwrap();
    let on = flag_change("staging", enabled(true), None);
    hands::act(&mut world, &on, at(320)).unwrap();
    let now = |environment| flag_in(&world, "new-tax", environment, 330).enabled;
    assert_eq!((now("staging"), now("production")), (Some(true), Some(false)));
}

#[test]
fn a_roll_out_takes_its_time_and_can_be_stopped_or_taken_back() {
    let mut world = world("bad-canary", 1);
    let now = |world: &World, seconds| flag_in(world, "new-tax", "production", seconds);
    let first = now(&world, 0);
    assert_eq!((first.enabled, first.rollout), (Some(true), None));
    let off = flag_change("production", enabled(false), Some("Linear"));
    hands::act(&mut world, &off, at(10)).unwrap();
    let half = now(&world, 10 + 150);
    assert_eq!(half.enabled, Some(true), "until it is complete, the rest has what it had");
    let way = half.rollout.unwrap();
    assert_eq!((way.percent, way.enabled), (40.0, Some(false)));
    assert!(way.strategy.as_str().contains("over 5m"), "{}", way.strategy);
    // Nothing else meanwhile.
    let other = hands::act(&mut world, &flag_change("production", enabled(false), None), at(170));
    assert_eq!(other.unwrap_err().kind, FaultKind::Conflict);
    let early =
        hands::act(&mut world, &flag_change("production", FlagChange::Revert, None), at(171));
    assert_eq!(early.unwrap_err().kind, FaultKind::Conflict);
    hands::act(&mut world, &flag_change("production", FlagChange::Halt, None), at(180)).unwrap();
    let stopped = now(&world, 900);
    assert_eq!((stopped.enabled, &stopped.rollout), (Some(true), &None));
    assert_eq!(stopped.version, first.version, "what was there before is back");
    // A whole one, and back.
    hands::act(&mut world, &off, at(1_000)).unwrap();
    let done = now(&world, 1_300);
    assert_eq!((done.enabled, &done.rollout), (Some(false), &None));
    let late =
        hands::act(&mut world, &flag_change("production", FlagChange::Halt, None), at(1_301));
    assert_eq!(late.unwrap_err().kind, FaultKind::Conflict);
    hands::act(&mut world, &flag_change("production", FlagChange::Revert, None), at(1_310))
        .unwrap();
    let back = now(&world, 1_311);
    assert_eq!((back.enabled, &back.version), (Some(true), &first.version));
    let unknown = flag_change("production", enabled(false), Some("Sudden"));
    let fault = hands::act(&mut world, &unknown, at(1_320)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidRequest);
}

#[test]
fn only_what_a_flag_has_can_be_set() {
    let mut world = world("bad-canary", 1);
    let set = |key: &str, name: &str| Write::Flag {
        flag: world::flag_id(key),
        environment: "production".into(),
        change: FlagChange::Attribute { name: name.into(), value: "99".into() },
        strategy: None,
    };
    hands::act(&mut world, &set("one-click", "limit"), at(10)).unwrap();
    let attributes = |environment| flag_in(&world, "one-click", environment, 11).attributes;
    assert_eq!(attributes("production"), [("limit".into(), "99".into())]);
    assert_eq!(attributes("staging"), [("limit".into(), "150".into())]);
    let fault = hands::act(&mut world, &set("one-click", "limits"), at(10)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidRequest);
}

#[test]
fn a_version_that_is_drained_gets_nothing_and_alarms_fire_when_nobody_takes_traffic() {
    let mut world = world("bad-canary", 1);
    let service = world.script.service("checkout").unwrap().clone();
    let split = world::traffic_id(&service);
    let set = |arm: &str, wish| Write::Arm { split: split.clone(), arm: arm.into(), wish };
    let arm = |world: &World, name: &str, seconds: i64| -> Arm {
        edge::traffic(world, &service, at(seconds)).arm(name).unwrap().clone()
    };
    let last = |world: &World, arm, seconds| {
        series(world, Metric::Requests, arm, seconds).points.last().map(|p| p.at)
    };
    hands::act(&mut world, &set("canary", ArmWish::Drain), at(10)).unwrap();
    let drained = arm(&world, "canary", 20);
    assert_eq!((drained.usable, ArmWish::of(&drained)), (false, Some(ArmWish::Drain)));
    assert_eq!(drained.weight, 10, "it keeps what it would get");
    assert!(last(&world, ArmName::Canary, 300).unwrap() < at(11));
    assert!(last(&world, ArmName::Stable, 300).unwrap() > at(280));
    let shares = Write::Shares { split: split.clone(), shares: vec![("canary".into(), 25)] };
    let fault = hands::act(&mut world, &shares, at(20)).unwrap_err();
    assert!(fault.message.as_str().contains("takes no traffic"), "{fault}");
    hands::act(&mut world, &set("canary", ArmWish::Ready), at(30)).unwrap();
    hands::act(&mut world, &set("canary", ArmWish::Weight(30)), at(31)).unwrap();
    assert_eq!(arm(&world, "canary", 32).weight, 30);
    assert!((world.percent("checkout", at(32)) - 25.0).abs() < 1e-9);
    assert!(hands::act(&mut world, &set("canary", ArmWish::Weight(300)), at(33)).is_err());
    // Nobody is left.
    hands::act(&mut world, &set("canary", ArmWish::Maintenance), at(40)).unwrap();
    hands::act(&mut world, &set("stable", ArmWish::Maintenance), at(41)).unwrap();
    assert!(firing(&world, 100) > 0);
    hands::act(&mut world, &set("stable", ArmWish::Ready), at(110)).unwrap();
    assert_eq!(firing(&world, 200), 0);
}

/// The execution that waits for an answer in payments.
fn asked(world: &World, seconds: i64) -> Option<ExecutionId> {
    let pipeline = pipeline(world, "payments", seconds);
    pipeline.approvals().next().and_then(|(_, _, ask)| ask.execution.clone())
}

fn answer(world: &World, seconds: i64, approve: bool) -> Write {
    let service = world.script.service("payments").unwrap();
    Write::Answer {
        pipeline: world::pipeline_id(service),
        stage: "Prod".into(),
        action: "approve".into(),
        execution: asked(world, seconds),
        approve,
        comment: "a word".into(),
    }
}

#[test]
fn what_was_rejected_asks_again_when_it_is_retried() {
    let mut world = world("bad-canary", 1);
    let first = pipeline(&world, "payments", 0);
    let token = first.approvals().next().unwrap().2.token.clone();
    let execution = asked(&world, 0).unwrap();
    let reject = answer(&world, 0, false);
    hands::act(&mut world, &reject, at(10)).unwrap();
    let state = |world: &World, seconds| pipeline(world, "payments", seconds).stages[4].state;
    assert_eq!(state(&world, 20), RunState::Failed);
    let work = &pipeline(&world, "payments", 20).stages[4].actions[1];
    assert_eq!(work.state, RunState::NotRun, "what was rejected was never begun");
    let retry = Write::Retry {
        pipeline: first.id.clone(),
        stage: "Prod".into(),
        execution: execution.clone(),
        all: false,
    };
    hands::act(&mut world, &retry, at(30)).unwrap();
    assert_eq!(state(&world, 40), RunState::Waiting);
    assert_eq!(asked(&world, 40), Some(execution));
    let again = pipeline(&world, "payments", 40);
    assert_ne!(again.approvals().next().unwrap().2.token, token, "another answer is asked for");
    // A second no, and a second try, and a yes.
    let reject = answer(&world, 40, false);
    hands::act(&mut world, &reject, at(50)).unwrap();
    assert_eq!(state(&world, 55), RunState::Failed);
    hands::act(&mut world, &retry, at(60)).unwrap();
    let approve = answer(&world, 65, true);
    hands::act(&mut world, &approve, at(70)).unwrap();
    assert_eq!(state(&world, 80), RunState::Running);
    assert_eq!(state(&world, 700), RunState::Succeeded);
}

#[test]
fn what_is_stopped_ends_after_its_work_or_at_once() {
    for (abandon, then) in [(false, RunState::Stopping), (true, RunState::Stopped)] {
        let mut world = world("bad-canary", 1);
        let approve = answer(&world, 0, true);
        let execution = asked(&world, 0).unwrap();
        hands::act(&mut world, &approve, at(10)).unwrap();
        let id = world::pipeline_id(world.script.service("payments").unwrap());
        let stop = Write::Stop {
            pipeline: id,
            execution: execution.clone(),
            abandon,
            reason: "a word".into(),
        };
        hands::act(&mut world, &stop, at(20)).unwrap();
        let state = |seconds| {
            let told = pipeline(&world, "payments", seconds);
            (told.execution(&execution).unwrap().state, told.stages[4].state)
        };
        assert_eq!(state(30), (then, then), "abandon {abandon}");
        assert_eq!(state(700), (RunState::Stopped, RunState::Stopped));
    }
}

#[test]
fn what_stands_before_a_stage_can_be_stopped_too() {
    let mut world = world("bad-canary", 1);
    let before = pipeline(&world, "inventory", 0);
    let execution = before.stages[4].inbound.clone().expect("one is held");
    let stop = Write::Stop {
        pipeline: before.id,
        execution: execution.clone(),
        abandon: false,
        reason: "a word".into(),
    };
    hands::act(&mut world, &stop, at(10)).unwrap();
    let after = pipeline(&world, "inventory", 20);
    assert_eq!(after.execution(&execution).unwrap().state, RunState::Stopped);
    assert_eq!(after.stages[4].inbound, None);
}

#[test]
fn a_condition_that_refuses_lets_in_what_is_overridden() {
    let mut world = world("quiet-day", 1);
    let before = pipeline(&world, "search", 0);
    let stage = &before.stages[4];
    let [condition] = stage.conditions.as_slice() else { panic!("{:?}", stage.conditions) };
    assert_eq!(condition.state, RunState::Failed);
    let execution = stage.inbound.clone().expect("one stands before it");
    let write = |condition: &str| Write::Override {
        pipeline: before.id.clone(),
        stage: "Prod".into(),
        execution: execution.clone(),
        condition: condition.into(),
    };
    assert!(hands::act(&mut world, &write("on success"), at(5)).is_err());
    hands::act(&mut world, &write("before entry"), at(10)).unwrap();
    let after = pipeline(&world, "search", 20);
    assert_eq!(after.stages[4].execution.as_ref(), Some(&execution));
    assert_eq!(after.stages[4].state, RunState::Running);
    assert_eq!(after.stages[4].conditions[0].state, RunState::Skipped);
    let again = hands::act(&mut world, &write("before entry"), at(30)).unwrap_err();
    assert_eq!(again.kind, FaultKind::Conflict);
}

#[test]
fn of_what_failed_only_that_runs_again_or_everything() {
    // Tests are two actions: the first was through.
    for (all, first) in [(false, RunState::Succeeded), (true, RunState::Running)] {
        let story = "story = \"x\"\n[[run]]\nat = \"-30m\"\nservice = \"search\"\n\
            revision = \"19bd\"\nauthor = \"ines\"\nmessage = \"m\"\n\
            fails = { stage = \"Test\", error = \"no\" }";
        let script = scenario::read("mine.toml", story).unwrap();
        let mut world = World::new(script, 1, at(0));
        let failed = pipeline(&world, "search", 0);
        let retry = Write::Retry {
            pipeline: failed.id.clone(),
            stage: "Test".into(),
            execution: failed.stages[2].execution.clone().unwrap(),
            all,
        };
        hands::act(&mut world, &retry, at(10)).unwrap();
        let states: Vec<RunState> =
            pipeline(&world, "search", 20).stages[2].actions.iter().map(|a| a.state).collect();
        assert_eq!(states, [first, RunState::Running], "all: {all}");
        assert_eq!(pipeline(&world, "search", 600).stages[2].state, RunState::Succeeded);
    }
}
