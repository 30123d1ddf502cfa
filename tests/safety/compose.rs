//! What intents come down to, for this service and at this moment.

use flightdeck::app::command::Wish;
use flightdeck::app::intent::Intent;
use flightdeck::app::plan::{Subject, choices};
use flightdeck::domain::fact::Fact;
use flightdeck::domain::ids::{PipelineId, ServiceId, SourceId};
use flightdeck::domain::pipeline::{ExecutionMode, Pipeline, RunState};
use flightdeck::domain::text::SafeText;
use flightdeck::domain::write::{ArmWish, FlagChange, Write};
use proptest::prelude::*;

use crate::world::*;

pub fn shop() -> ServiceId {
    ServiceId::new("shop")
}

fn promote() -> Intent {
    Intent::Promote { service: shop() }
}

pub fn roll_back() -> Intent {
    Intent::RollBackAndHold { service: shop(), only: None }
}

/// Nothing waits: e3 is live.
pub fn settled() -> Pipeline {
    let mut now = pipeline();
    now.stages[2].state = RunState::Succeeded;
    now.stages[2].actions.clear();
    now.executions[0].state = RunState::Succeeded;
    now
}

pub fn writes(room: &Room, intent: &Intent) -> Vec<Write> {
    room.plan(intent).unwrap().steps.into_iter().map(|step| step.write).collect()
}

pub fn title(room: &Room, intent: &Intent) -> String {
    room.plan(intent).unwrap().title.to_string()
}

fn shares(shares: &[(&str, u32)]) -> Write {
    let shares = shares.iter().map(|(arm, percent)| (SafeText::new(arm), *percent)).collect();
    Write::Shares { split: split_id(), shares }
}

fn hold() -> Write {
    Write::Hold {
        pipeline: pipeline_id(),
        stage: "prod".into(),
        reason: "rolled back and held by an operator".into(),
    }
}

pub fn back_to(execution: &str) -> Write {
    Write::RollBack { pipeline: pipeline_id(), stage: "prod".into(), to: execution.into() }
}

pub fn at(room: &mut Room, stable: u32, canary: u32) {
    room.tell(Fact::Traffic(split(&[("stable", stable, true), ("canary", canary, true)])));
}

#[test]
fn promoting_answers_what_waits() {
    let room = Room::calm();
    let plan = room.plan(&promote()).unwrap();
    assert_eq!(plan.title, "promote shop: approve prod of shop-main r3");
    assert_eq!(plan.name, "shop");
    assert!(plan.production);
    assert_eq!(plan.notes, ["ships r3"]);
    let step = &plan.steps[0];
    let Write::Answer { execution, approve: true, .. } = &step.write else {
        panic!("{:?}", step.write)
    };
    assert_eq!(execution.as_ref().unwrap().as_str(), "e3");
    assert_eq!(step.expects.get("execution").unwrap(), "e3");
    assert_eq!(step.expects.get("revision").unwrap(), "r3");
    assert!(step.expects.token.is_some());
    assert_eq!(step.place, "account 1, eu-west-1");
    assert!(step.no_undo.as_ref().unwrap().as_str().contains("cannot be taken back"));
}

/// Two executions wait in one stage: each answer is about its own.
#[test]
fn what_ships_is_that_of_the_execution_that_is_answered() {
    let mut room = Room::calm();
    let mut now = pipeline();
    now.executions.insert(0, run("e4", RunState::Waiting, "r4"));
    let mut second = now.stages[2].actions[0].clone();
    second.name = "approve the next".into();
    second.approval.as_mut().unwrap().execution = Some("e4".into());
    now.stages[2].actions.push(second);
    room.tell(Fact::Pipeline(now));
    for (execution, revision, ships) in
        [("e3", "r3", vec!["ships r3"]), ("e4", "r4", vec!["ships r4", "ships r3"])]
    {
        let intent = Intent::Answer {
            pipeline: pipeline_id(),
            stage: None,
            action: None,
            execution: Some(execution.into()),
            approve: true,
        };
        let plan = room.plan(&intent).unwrap();
        assert_eq!(plan.title.as_str(), format!("approve prod of shop-main {revision}"));
        assert_eq!(plan.steps[0].expects.get("revision").unwrap(), revision);
        assert_eq!(plan.notes, ships);
    }
}

/// Two people are asked in one stage: each choice names its action, and answers it alone.
#[test]
fn where_a_stage_asks_several_each_is_answered_by_itself() {
    let mut room = Room::calm();
    let mut now = pipeline();
    let mut second = now.stages[2].actions[0].clone();
    second.name = "legal".into();
    now.stages[2].actions.push(second);
    room.tell(Fact::Pipeline(now));
    for wish in [Wish::Approve, Wish::Promote] {
        let offered = choices(&room.state, wish, &Subject::Service(shop())).unwrap();
        assert_eq!(offered.len(), 2, "{offered:?}");
        assert!(offered[1].text.as_str().ends_with("(legal)"), "{}", offered[1].text);
        let intent = offered[1].intent.clone().unwrap();
        let written = writes(&room, &intent);
        assert!(matches!(&written[..], [Write::Answer { action, .. }] if *action == *"legal"));
    }
}

#[test]
fn where_an_answer_and_a_canary_wait_promoting_is_a_choice() {
    let mut room = Room::calm();
    at(&mut room, 95, 5);
    let offered = choices(&room.state, Wish::Promote, &Subject::Service(shop())).unwrap();
    let texts: Vec<&str> = offered.iter().map(|choice| choice.text.as_str()).collect();
    assert_eq!(texts, ["approve prod of shop-main r3", "canary main from 5% to 25%"]);
    let step = offered[1].intent.clone().unwrap();
    assert_eq!(writes(&room, &step), [shares(&[("canary", 25), ("stable", 75)])]);
}

#[test]
fn a_pipeline_named_after_production_is_production_in_every_stage() {
    let mut room = Room::calm();
    let mut now = pipeline();
    now.stages[0].state = RunState::Failed;
    let intent = Intent::Retry {
        pipeline: pipeline_id(),
        stage: Some(now.stages[0].name.clone()),
        all: false,
    };
    room.tell(Fact::Pipeline(now));
    assert!(!room.plan(&intent).unwrap().production);
    room.state.setup.policy.production.push("shop-*".into());
    assert!(room.plan(&intent).unwrap().production);
}

#[test]
fn promoting_goes_one_step_on_where_nothing_waits() {
    let mut room = Room::calm();
    room.tell(Fact::Pipeline(settled()));
    let nothing =
        "shop has nothing to promote: nothing waits for approval, and no canary is under way";
    assert_eq!(room.plan(&promote()).unwrap_err(), nothing);
    for (canary, to, said) in [
        (3, 5, "promote shop: canary from 3% to 5%"),
        (5, 25, "promote shop: canary from 5% to 25%"),
        (25, 100, "promote shop: finish the canary, all traffic to it"),
        (60, 100, "promote shop: finish the canary, all traffic to it"),
    ] {
        at(&mut room, 100 - canary, canary);
        assert_eq!(title(&room, &promote()), said);
        assert_eq!(writes(&room, &promote()), [shares(&[("canary", to), ("stable", 100 - to)])]);
    }
    at(&mut room, 0, 100);
    assert_eq!(room.plan(&promote()).unwrap_err(), nothing);
    // What waits comes before the canary.
    at(&mut room, 95, 5);
    room.tell(Fact::Pipeline(pipeline()));
    assert!(matches!(writes(&room, &promote())[..], [Write::Answer { approve: true, .. }]));
}

#[test]
fn rolling_back_takes_the_traffic_away_or_puts_back_what_was_there_and_holds() {
    let mut room = Room::calm();
    at(&mut room, 75, 25);
    assert_eq!(
        writes(&room, &roll_back()),
        [shares(&[("canary", 0), ("stable", 100)]), hold()],
        "a canary is under way"
    );
    at(&mut room, 100, 0);
    room.tell(Fact::Pipeline(settled()));
    assert_eq!(writes(&room, &roll_back()), [back_to("e2"), hold()], "none is");
    // What is held already is not held again.
    let mut now = settled();
    now.stages[2].transition.as_mut().unwrap().enabled = false;
    room.tell(Fact::Pipeline(now));
    assert_eq!(writes(&room, &roll_back()), [back_to("e2")]);
    let plan = room.plan(&roll_back()).unwrap();
    assert_eq!(plan.title, "roll back shop");
    assert_eq!(plan.notes, ["prod of shop-main is held already"]);
    assert!(plan.production);
}

#[test]
fn only_what_may_be_put_back_is_put_back() {
    for (change, wanted) in [
        ((|_| {}) as fn(&mut Pipeline), Ok("e2")),
        (|p| p.executions[1].state = RunState::Failed, Ok("e1")),
        (|p| p.executions[1].rollback_to = Some("e0".into()), Ok("e1")),
        (|p| p.executions.truncate(1), Err("no execution of shop-main can be put back")),
        (|p| p.mode = ExecutionMode::Parallel, Err("no execution of shop-main can be put back")),
    ] {
        let mut room = Room::calm();
        let mut now = settled();
        change(&mut now);
        room.tell(Fact::Pipeline(now));
        let intent = Intent::RollBack { pipeline: pipeline_id(), stage: None, to: None };
        let found = room.plan(&intent).map(|plan| plan.steps[0].write.clone());
        assert_eq!(found, wanted.map(back_to).map_err(str::to_owned));
    }
    let mut room = Room::calm();
    let mut now = settled();
    now.executions[1].state = RunState::Failed;
    room.tell(Fact::Pipeline(now));
    let to = |id: &str| Intent::RollBack {
        pipeline: pipeline_id(),
        stage: Some("prod".into()),
        to: Some(id.into()),
    };
    assert_eq!(writes(&room, &to("e1")), [back_to("e1")]);
    for (id, why) in [
        ("e2", "e2 cannot be put back: it did not succeed"),
        ("e3", "e3 cannot be put back: it is there now"),
        ("e9", "e9 is no execution of shop-main"),
    ] {
        assert_eq!(room.plan(&to(id)).unwrap_err(), why);
    }
}

#[test]
fn only_what_failed_in_it_is_let_past_by_the_execution_it_is_about() {
    let mut room = Room::calm();
    let condition = |when: &str| flightdeck::domain::pipeline::Condition {
        when: when.into(),
        state: RunState::Failed,
        summary: None,
        at: None,
    };
    let mut now = pipeline();
    now.stages[2].inbound = Some("e4".into());
    now.stages[2].conditions = ["on success", "on failure", "before entry"].map(condition).to_vec();
    room.tell(Fact::Pipeline(now));
    let offered = choices(&room.state, Wish::Retry, &Subject::Service(shop())).unwrap();
    let found: Vec<(String, String)> = offered
        .iter()
        .filter_map(|choice| match choice.intent.as_ref().unwrap() {
            Intent::Writes { writes, .. } => Some(writes[0].clone()),
            _ => None,
        })
        .map(|write| match write {
            Write::Override { condition, execution, .. } => {
                (condition.to_string(), execution.to_string())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let wanted = [("on success", "e3"), ("before entry", "e4")];
    assert_eq!(found, wanted.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[test]
fn flags() {
    let room = Room::calm();
    for (change, said, undo) in [
        (
            FlagChange::Enabled { on: false },
            "flag new-checkout in production: off",
            FlagChange::Enabled { on: true },
        ),
        (
            FlagChange::Percent { percent: 10.0 },
            "flag new-checkout in production: 10%",
            FlagChange::Percent { percent: 50.0 },
        ),
        (
            FlagChange::Stale { stale: true },
            "flag new-checkout in production: stale",
            FlagChange::Stale { stale: false },
        ),
    ] {
        let environment: SafeText = "production".into();
        let intent = Intent::Flag { flag: flag_id(), environment: environment.clone(), change };
        let plan = room.plan(&intent).unwrap();
        assert_eq!(plan.title, said);
        assert!(plan.production);
        assert_eq!(plan.steps[0].expects.get("version").unwrap(), "7");
        let back = Write::Flag { flag: flag_id(), environment, change: undo, strategy: None };
        assert_eq!(plan.steps[0].undo, Some(back));
    }
    let elsewhere = Intent::Flag {
        flag: flag_id(),
        environment: "staging".into(),
        change: FlagChange::Enabled { on: false },
    };
    assert_eq!(room.plan(&elsewhere).unwrap_err(), "web:new-checkout is not told of in staging");
}

#[test]
fn what_was_not_read_has_no_plan() {
    let mut room = Room::calm();
    let unknown = PipelineId::new(&SourceId::new("aws"), "shop-other");
    let start = Intent::Start { pipeline: unknown.clone() };
    assert_eq!(room.plan(&start).unwrap_err(), "shop-other could not be read");
    room.tell(Fact::Pipeline(Pipeline::listed(unknown)));
    assert_eq!(room.plan(&start).unwrap_err(), "shop-other could not be read");
    let mut now = flag();
    now.environments[0].enabled = None;
    room.tell(Fact::Flag(now));
    let on = FlagChange::Enabled { on: true };
    let intent = Intent::Flag { flag: flag_id(), environment: "production".into(), change: on };
    assert_eq!(
        room.plan(&intent).unwrap_err(),
        "whether web:new-checkout is on in production is unknown"
    );
}

#[test]
fn nobody_else_takes_the_rest() {
    let mut room = Room::calm();
    room.tell(Fact::Traffic(split(&[("stable", 100, false), ("canary", 50, true)])));
    let alone = "no other version of shop takes the rest of the traffic";
    assert_eq!(room.plan(&shift("canary", 10)).unwrap_err(), alone);
    assert_eq!(writes(&room, &shift("canary", 100)), [shares(&[("canary", 100)])]);
    assert_eq!(room.plan(&shift("green", 10)).unwrap_err(), "shop has no version green");
}

#[test]
fn a_version_is_taken_out_and_back_in() {
    let room = Room::calm();
    let write = Write::Arm { split: split_id(), arm: "canary".into(), wish: ArmWish::Drain };
    let plan = room.plan(&Intent::Writes { title: "x".into(), writes: vec![write] }).unwrap();
    let back = Write::Arm { split: split_id(), arm: "canary".into(), wish: ArmWish::Ready };
    assert_eq!(plan.steps[0].undo, Some(back));
    assert_eq!(plan.service, Some(shop()));
}

proptest! {
    /// Whatever the weights are, the shares make 100, and the others keep their proportions.
    #[test]
    fn shares_make_a_hundred_and_keep_proportions(
        weights in proptest::collection::vec((0_u32..300, any::<bool>()), 1..6),
        chosen in 0_usize..6,
        percent in 0_u32..=120,
    ) {
        const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
        let arms: Vec<(&str, u32, bool)> =
            weights.iter().zip(NAMES).map(|((weight, usable), name)| (name, *weight, *usable)).collect();
        let chosen = NAMES[chosen % arms.len()];
        let mut room = Room::calm();
        let now = split(&arms);
        room.tell(Fact::Traffic(now.clone()));
        let others: Vec<&str> =
            arms.iter().filter(|(n, _, usable)| *n != chosen && *usable).map(|(n, ..)| *n).collect();
        let planned = room.plan(&shift(chosen, percent));
        let percent = percent.min(100);
        if others.is_empty() && percent < 100 {
            prop_assert!(planned.is_err());
            return Ok(());
        }
        let plan = planned.unwrap();
        let Write::Shares { shares, .. } = &plan.steps[0].write else { panic!("{plan:?}") };
        prop_assert_eq!(shares.iter().map(|(_, share)| share).sum::<u32>(), 100);
        prop_assert_eq!(&shares[0], &(SafeText::new(chosen), percent));
        let sum: f64 = others.iter().map(|name| now.percent(name).unwrap_or(0.0)).sum();
        for (name, share) in shares.iter().skip(1) {
            prop_assert!(others.contains(&name.as_str()));
            if sum > 0.0 {
                let fair = f64::from(100 - percent) * now.percent(name.as_str()).unwrap() / sum;
                let off = (f64::from(*share) - fair).abs();
                // Each is rounded by up to a half; the last takes what the others leave.
                prop_assert!(off <= 0.5 * shares.len() as f64, "{name}: {share} of {fair}");
            }
        }
    }
}
