//! Roll backs: which way is back, what is taken back and held, and what is said where it is not.

use flightdeck::app::State;
use flightdeck::app::intent::Intent;
use flightdeck::domain::alarm::AlarmState;
use flightdeck::domain::canary::CanarySpec;
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::fact::Fact;
use flightdeck::domain::ids::{CanaryId, PipelineId, ServiceId, SourceId};
use flightdeck::domain::pipeline::{Pipeline, RunState};
use flightdeck::domain::policy::{Freeze, Window};
use flightdeck::domain::source::Verb;
use flightdeck::domain::write::{GuardVerdict, Plan, Write};

use crate::world::*;

fn shop() -> ServiceId {
    ServiceId::new("shop")
}

fn roll_back() -> Intent {
    Intent::RollBackAndHold { service: shop(), only: None }
}

fn put_back(to: Option<&str>) -> Intent {
    Intent::RollBack { pipeline: pipeline_id(), stage: Some("prod".into()), to: to.map(Into::into) }
}

/// e3 is live; e2 and e1 were before it.
fn settled() -> Pipeline {
    let mut now = pipeline();
    now.stages[2].state = RunState::Succeeded;
    now.stages[2].actions.clear();
    now.executions[0].state = RunState::Succeeded;
    now
}

/// e2 was bad, and e3 put e1 back.
fn taken_back() -> Pipeline {
    let mut now = settled();
    now.executions[0].rollback_to = Some("e1".into());
    now
}

/// Frozen, with an alarm that fires.
fn room(pipeline: Pipeline) -> Room {
    let mut setup = setup();
    setup.policy.freezes = vec![Freeze {
        name: "migration".into(),
        window: Window::Dated { from: moment(-3600), until: moment(3600) },
        services: Vec::new(),
        environments: Vec::new(),
        owners: Vec::new(),
        verbs: Vec::new(),
        even_to_safety: false,
    }];
    let mut room = Room::with(setup);
    room.tell(Fact::Pipeline(pipeline));
    room.tell(Fact::Alarm(alarm(AlarmState::Firing)));
    room
}

fn against(plan: &Plan) -> Vec<String> {
    let all = plan.guards.iter().filter(|guard| guard.verdict != GuardVerdict::Passed);
    all.map(|guard| guard.name.to_string()).collect()
}

fn target(plan: &Plan) -> String {
    let found = plan.steps.iter().find_map(|step| match &step.write {
        Write::RollBack { to, .. } => Some(to.to_string()),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn a_roll_back_that_goes_forward_is_no_way_to_safety() {
    // What is live is e3: back is e2 or e1.
    let room = room(settled());
    for to in [None, Some("e2"), Some("e1")] {
        assert_eq!(against(&room.plan(&put_back(to)).unwrap()), [""; 0], "{to:?}");
    }
    // What is live is e1, put back by e3: e2 is forward.
    let mut room = self::room(taken_back());
    let plan = room.plan(&put_back(Some("e2"))).unwrap();
    assert_eq!(against(&plan), ["freeze", "red line"]);
    for intent in [put_back(None), roll_back()] {
        let nothing = "no execution of shop-main can be put back";
        assert_eq!(room.plan(&intent).unwrap_err(), nothing, "nothing is older than e1");
    }
    let there = "e1 cannot be put back: it is there now";
    assert_eq!(room.plan(&put_back(Some("e1"))).unwrap_err(), there);
    let mut older = taken_back();
    older.executions.push(run("e0", RunState::Succeeded, "r0"));
    room.tell(Fact::Pipeline(older));
    let plan = room.plan(&put_back(None)).unwrap();
    assert_eq!((target(&plan).as_str(), against(&plan).len()), ("e0", 0));
    // It was to be put back, and was not: that is still the way.
    let mut failed = taken_back();
    failed.stages[2].state = RunState::Failed;
    room.tell(Fact::Pipeline(failed));
    let plan = room.plan(&put_back(None)).unwrap();
    assert_eq!((target(&plan).as_str(), against(&plan).len()), ("e1", 0));
}

#[test]
fn what_a_roll_back_undid_ships_again_with_the_next() {
    let mut now = taken_back();
    now.executions.insert(0, run("e4", RunState::Waiting, "r4"));
    now.stages[1].execution = Some("e4".into());
    let ships = now.would_ship("build").unwrap();
    let ships: Vec<&str> = ships.iter().map(|revision| revision.id.as_str()).collect();
    assert_eq!(ships, ["r4", "r3", "r2"]);
}

#[test]
fn what_is_live_and_not_told_is_chosen_by_a_human() {
    let mut now = settled();
    now.stages[2].execution = Some("e9".into());
    let room = room(now);
    assert_eq!(
        room.plan(&put_back(None)).unwrap_err(),
        "what prod of shop-main carries is not among the executions told: say which to put back"
    );
    // Whether it is older is not known, so it is not the way to safety.
    assert_eq!(against(&room.plan(&put_back(Some("e1"))).unwrap()), ["freeze", "red line"]);
}

/// A write in few words.
fn brief(write: &Write) -> String {
    match write {
        Write::Shares { shares, .. } => {
            let all: Vec<String> = shares.iter().map(|(arm, s)| format!("{arm} {s}")).collect();
            all.join(" ")
        }
        Write::Hold { pipeline, .. } => format!("hold {}", pipeline.name),
        Write::RollBack { pipeline, to, .. } => format!("{} to {to}", pipeline.name),
        other => format!("{other:?}"),
    }
}

fn briefly(room: &Room, intent: &Intent) -> (String, Vec<String>, Vec<String>) {
    let plan = room.plan(intent).unwrap();
    let steps = plan.steps.iter().map(|step| brief(&step.write)).collect();
    (plan.title.to_string(), steps, plan.notes.iter().map(ToString::to_string).collect())
}

fn at(room: &mut Room, stable: u32, canary: u32) {
    room.tell(Fact::Traffic(split(&[("stable", stable, true), ("canary", canary, true)])));
}

const HELD: &str = "nothing new enters prod of shop-main until the hold is released";

/// What is different, and what the roll back comes down to: title, steps, notes.
type Row =
    (&'static str, fn(&mut Room), &'static str, &'static [&'static str], &'static [&'static str]);

#[test]
fn traffic_goes_back_even_where_nothing_can_be_held() {
    let rows: Vec<Row> = vec![
        (
            "all is well",
            |_| {},
            "roll back shop, and hold",
            &["canary 0 stable 100", "hold shop-main"],
            &[HELD],
        ),
        (
            "the credentials for pipelines have expired",
            |room| room.fail("aws", FaultKind::NotAuthenticated),
            "roll back shop",
            &["canary 0 stable 100"],
            &["not held: shop-main is stale: not authenticated: it did not work; r reads it again"],
        ),
        (
            "the source cannot hold",
            |room| {
                let aws = room.state.fleet.sources.get_mut(&SourceId::new("aws")).unwrap();
                aws.meta.capabilities.writes.retain(|verb| *verb != Verb::Transition);
            },
            "roll back shop",
            &["canary 0 stable 100"],
            &["not held: aws (scripted) cannot hold or release a transition; do it there by hand"],
        ),
        (
            "something is under way there",
            |room| {
                let plan = room.plan(&reject()).unwrap();
                room.did(&plan, None);
            },
            "roll back shop",
            &["canary 0 stable 100"],
            &["not held: \"reject prod of shop-main r3\" is under way; wait until it has ended"],
        ),
        (
            "there is no way in to close",
            |room| {
                let mut now = pipeline();
                now.stages[2].transition = None;
                room.tell(Fact::Pipeline(now));
            },
            "roll back shop",
            &["canary 0 stable 100"],
            &["not held: prod of shop-main has no way in that could be closed"],
        ),
        (
            "of another pipeline only the listing was read",
            |room| {
                let other = PipelineId::new(&SourceId::new("aws"), "shop-other");
                room.tell(Fact::Pipeline(Pipeline::listed(other)));
            },
            "roll back shop, and hold",
            &["canary 0 stable 100", "hold shop-main"],
            &[HELD, "not held: the stages of shop-other could not be read"],
        ),
        (
            "right after a full promotion",
            |room| at(room, 0, 100),
            "roll back shop, and hold",
            &["canary 0 stable 100", "hold shop-main"],
            &[HELD],
        ),
        (
            "the old version is gone, and e3 is live",
            |room| {
                room.tell(Fact::Traffic(split(&[("stable", 0, false), ("canary", 100, true)])));
                room.tell(Fact::Pipeline(settled()));
            },
            "roll back shop, and hold",
            &["shop-main to e2", "hold shop-main"],
            &[HELD, "no other version of shop takes traffic: its shares stay"],
        ),
        (
            "everything goes where it came from, not where nothing was",
            |room| {
                let arms = [("old", 0, true), ("stable", 0, true), ("canary", 7, true)];
                room.tell(Fact::Traffic(split(&arms)));
            },
            "roll back shop, and hold",
            &["canary 0 old 0 stable 100", "hold shop-main"],
            &[HELD],
        ),
    ];
    for (name, change, title, steps, notes) in rows {
        let mut room = Room::calm();
        at(&mut room, 75, 25);
        change(&mut room);
        let (found, writes, said) = briefly(&room, &roll_back());
        assert_eq!(found, title, "{name}");
        assert_eq!(writes, steps, "{name}");
        assert_eq!(said, notes, "{name}");
        let plan = room.plan(&roll_back()).unwrap();
        assert_eq!(plan.refusals().count(), 0, "{name}: {:?}", plan.guards);
    }
}

#[test]
fn what_is_unknown_of_the_traffic_is_not_passed_over() {
    for change in
        [(|room: &mut Room| room.fail("lb", FaultKind::Unreachable)) as fn(&mut Room), |room| {
            room.state = State::new(room.state.setup.clone());
        }]
    {
        let mut room = Room::calm();
        change(&mut room);
        room.tell(Fact::Pipeline(settled()));
        let why = room.plan(&roll_back()).unwrap_err();
        assert!(why.starts_with("whether canary has traffic is unknown: "), "{why}");
        assert!(why.ends_with("; or choose what is put back into a stage"), "{why}");
        assert!(room.plan(&put_back(None)).is_ok());
    }
}

/// A second canary of the service, on the same split.
fn second() -> CanarySpec {
    let mut spec = setup().services[0].canaries[0].clone();
    spec.id = CanaryId::new("shop/other");
    spec.name = "other".into();
    spec.canary = "other".into();
    spec
}

fn two_canaries(stable: u32, canary: u32, other: u32) -> Room {
    let mut setup = setup();
    setup.services[0].canaries.push(second());
    let mut room = Room::with(setup);
    let arms = [("stable", stable, true), ("canary", canary, true), ("other", other, true)];
    room.tell(Fact::Traffic(split(&arms)));
    room
}

#[test]
fn two_canaries_of_one_split_go_back_in_one_step() {
    let room = two_canaries(60, 10, 30);
    let (_, steps, _) = briefly(&room, &roll_back());
    assert_eq!(steps, ["canary 0 other 0 stable 100", "hold shop-main"]);
    // A pilot answers for its own alone: the other one gets nothing of it.
    let only = Some(CanaryId::new("shop/main"));
    let (_, steps, _) = briefly(&room, &Intent::RollBackAndHold { service: shop(), only });
    assert_eq!(steps[0], "canary 0 other 30 stable 70");
    let room = two_canaries(60, 10, 0);
    let (_, steps, _) = briefly(&room, &roll_back());
    assert_eq!(steps[0], "canary 0 other 0 stable 100");
}

/// What the red line says of a shift, while an alarm fires.
fn red(room: &mut Room, intent: &Intent) -> bool {
    room.tell(Fact::Alarm(alarm(AlarmState::Firing)));
    room.verdict(intent, "red line") != "passed"
}

#[test]
fn a_promotion_is_not_safe_because_another_canary_gets_less() {
    let mut room = two_canaries(60, 10, 30);
    for (arm, percent, is_red) in [
        ("canary", 50, true),
        ("canary", 5, false),
        ("other", 100, true),
        ("other", 0, false),
        ("stable", 70, false),
        ("stable", 50, true),
    ] {
        assert_eq!(red(&mut room, &shift(arm, percent)), is_red, "{arm} {percent}");
    }
}

/// A second pipeline of the service.
fn other_pipeline() -> Pipeline {
    let mut now = settled();
    now.id = PipelineId::new(&SourceId::new("aws"), "shop-worker");
    now
}

#[test]
fn every_pipeline_is_held_and_the_one_that_did_it_goes_back() {
    type Change = fn(&mut Pipeline, &mut Pipeline);
    let rows: Vec<(&str, Change, Result<&str, &str>)> = vec![
        (
            "the worker failed",
            |_, worker| worker.stages[2].state = RunState::Failed,
            Ok("shop-worker to e2"),
        ),
        (
            "the worker changed last",
            |main, worker| {
                main.stages[2].since = Some(moment(-600));
                worker.stages[2].since = Some(moment(-60));
            },
            Ok("shop-worker to e2"),
        ),
        (
            "the main one changed last",
            |main, worker| {
                main.stages[2].since = Some(moment(-60));
                worker.stages[2].since = Some(moment(-600));
            },
            Ok("shop-main to e2"),
        ),
        (
            "both failed",
            |main, worker| {
                main.stages[2].state = RunState::Failed;
                worker.stages[2].state = RunState::Failed;
            },
            Err("which pipeline of shop goes back is not known: no one of them failed or changed \
                 last; choose what is put back"),
        ),
    ];
    for (name, change, wanted) in rows {
        let mut room = Room::calm();
        let (mut main, mut worker) = (settled(), other_pipeline());
        change(&mut main, &mut worker);
        room.tell(Fact::Pipeline(main));
        room.tell(Fact::Pipeline(worker));
        match wanted {
            Ok(back) => {
                let (_, steps, notes) = briefly(&room, &roll_back());
                assert_eq!(steps, [back, "hold shop-main", "hold shop-worker"], "{name}");
                let all = "nothing new enters prod of shop-main, prod of shop-worker until the \
                           hold is released";
                assert_eq!(notes, [all], "{name}");
            }
            Err(why) => assert_eq!(room.plan(&roll_back()).unwrap_err(), why, "{name}"),
        }
    }
    // Traffic goes back, and both are held.
    let mut room = Room::calm();
    room.tell(Fact::Pipeline(other_pipeline()));
    at(&mut room, 75, 25);
    let (_, steps, _) = briefly(&room, &roll_back());
    assert_eq!(steps, ["canary 0 stable 100", "hold shop-main", "hold shop-worker"]);
}

#[test]
fn nothing_to_take_back_is_said() {
    let mut room = Room::calm();
    let mut now = pipeline();
    now.stages[2].transition.as_mut().unwrap().enabled = false;
    room.tell(Fact::Pipeline(now));
    let only = Some(CanaryId::new("shop/main"));
    let intent = Intent::RollBackAndHold { service: shop(), only };
    assert_eq!(
        room.plan(&intent).unwrap_err(),
        "shop/main has no traffic to take back; prod of shop-main is held already"
    );
}
