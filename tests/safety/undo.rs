//! The way back from what was done: how, and for how long.

use flightdeck::app::command::Wish;
use flightdeck::app::intent::Intent;
use flightdeck::app::plan::{Subject, choices};
use flightdeck::domain::change::{Change, ChangeKind};
use flightdeck::domain::fact::Fact;
use flightdeck::domain::ids::{ChangeId, ItemId, SourceId};
use flightdeck::domain::pipeline::{Pipeline, RunState};
use flightdeck::domain::text::SafeText;
use flightdeck::domain::write::{Outcome, PlanId, Write};
use proptest::prelude::*;

use crate::compose::{at, back_to, roll_back, settled, title, writes};
use crate::world::*;

fn weights(weights: &[(&str, u32)]) -> Write {
    let weights = weights.iter().map(|(arm, weight)| (SafeText::new(arm), *weight)).collect();
    Write::Weights { split: split_id(), weights }
}

#[test]
fn what_was_done_is_undone_in_the_other_order() {
    let mut room = Room::calm();
    at(&mut room, 75, 25);
    let mut plan = room.plan(&roll_back()).unwrap();
    plan.id = PlanId("t-9".to_owned());
    let undo = Intent::Undo { plan: plan.id.clone() };
    assert_eq!(room.plan(&undo).unwrap_err(), "that write is not known here");
    room.did(&plan, Some(&Outcome::Unknown { why: "lost".into() }));
    let unknown = "whether hold prod of shop-main was done is unknown: lost; read the target, and \
                   act on what is there";
    assert_eq!(room.plan(&undo).unwrap_err(), unknown);
    room.state.activity.clear();
    room.did(&plan, Some(&Outcome::refused("no")));
    let nothing = "roll back shop, and hold was not done: there is nothing to undo";
    assert_eq!(room.plan(&undo).unwrap_err(), nothing);
    room.state.activity.clear();
    room.did(&plan, Some(&Outcome::Done { note: None }));
    at(&mut room, 100, 0);
    let mut now = pipeline();
    now.stages[2].transition.as_mut().unwrap().enabled = false;
    room.tell(Fact::Pipeline(now));
    assert_eq!(
        writes(&room, &undo),
        [
            Write::Release { pipeline: pipeline_id(), stage: "prod".into() },
            weights(&[("canary", 25), ("stable", 75)])
        ]
    );
    assert_eq!(title(&room, &undo), "undo: roll back shop, and hold");
}

/// Undo is offered for as long as it leads back to where it was.
#[test]
fn what_changed_since_is_not_undone() {
    let mut room = Room::calm();
    at(&mut room, 75, 25);
    let mut plan = room.plan(&shift("canary", 50)).unwrap();
    plan.id = PlanId("t-9".to_owned());
    let undo = Intent::Undo { plan: plan.id.clone() };
    room.did(&plan, Some(&Outcome::Done { note: None }));
    let offered = |room: &Room| {
        let found = choices(&room.state, Wish::Undo, &Subject::Last).unwrap();
        found[0].intent.clone().map(|_| ()).map_err(|why| why.to_string())
    };
    at(&mut room, 50, 50);
    assert_eq!(offered(&room), Ok(()));
    at(&mut room, 40, 60);
    let changed = "traffic of shop: changed since; act on what is there now";
    assert_eq!(room.plan(&undo).unwrap_err(), changed);
    assert_eq!(offered(&room), Err(changed.to_owned()));
    // Who it was is told, where it is known.
    room.wait(5);
    room.tell(Fact::Change(Change {
        id: ChangeId::new(&SourceId::new("lb"), "c1"),
        at: room.now,
        kind: ChangeKind::Traffic,
        title: "shares of shop".into(),
        who: Some("dana".into()),
        target: Some(ItemId::Traffic(split_id())),
        environment: None,
        detail: None,
        link: None,
    }));
    let by_dana = "traffic of shop: changed since, by dana at 12:00:05; act on what is there now";
    assert_eq!(room.plan(&undo).unwrap_err(), by_dana);
    // Undone once, and set again by somebody: it is not undone a second time.
    at(&mut room, 50, 50);
    let mut back = room.plan(&undo).unwrap();
    back.id = PlanId("t-10".to_owned());
    room.did(&back, Some(&Outcome::Done { note: None }));
    assert_eq!(room.plan(&undo).unwrap_err(), "traffic of shop was undone before, at 12:00:05");
}

/// What a roll back took out can be put in again, if the rules of the backend let it be.
#[test]
fn a_roll_back_is_undone_where_that_is_possible() {
    let to = |id: &str| Intent::RollBack {
        pipeline: pipeline_id(),
        stage: Some("prod".into()),
        to: Some(id.into()),
    };
    for (change, undo) in [
        ((|_| {}) as fn(&mut Pipeline), Ok("e3")),
        // A roll back cannot be put back; what it put back can.
        (|p| p.executions[0].rollback_to = Some("e2".into()), Ok("e2")),
        (
            |p| {
                p.executions[0].state = RunState::Failed;
                p.stages[2].state = RunState::Failed;
            },
            Err("e3, which was there before, cannot be put back: it did not succeed"),
        ),
    ] {
        let mut room = Room::calm();
        let mut now = settled();
        change(&mut now);
        room.tell(Fact::Pipeline(now));
        let plan = room.plan(&to("e1")).unwrap();
        let step = &plan.steps[0];
        assert_eq!(step.undo, undo.ok().map(back_to));
        assert_eq!(step.no_undo.as_ref().map(SafeText::as_str), undo.err());
    }
}

#[test]
fn what_cannot_be_undone_says_why() {
    let mut room = Room::calm();
    let mut plan = room.plan(&approve()).unwrap();
    plan.id = PlanId("t-9".to_owned());
    let undo = Intent::Undo { plan: plan.id.clone() };
    room.did(&plan, Some(&Outcome::Done { note: None }));
    assert_eq!(
        room.plan(&undo).unwrap_err(),
        "approve prod of shop-main r3 cannot be undone: an approval cannot be taken back; the \
         stage can be rolled back"
    );
}

proptest! {
    /// Whatever the weights are, the way back is known, and leads exactly back.
    #[test]
    fn the_way_back_of_shares_is_exact(
        weights in proptest::collection::vec(0_u32..=256, 2..6),
        percent in 0_u32..=100,
    ) {
        const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let arms: Vec<(&str, u32, bool)> =
            weights.iter().zip(NAMES).map(|(weight, name)| (name, *weight, true)).collect();
        let mut room = Room::calm();
        let before = split(&arms);
        room.tell(Fact::Traffic(before.clone()));
        let mut plan = room.plan(&shift("a", percent)).unwrap();
        plan.id = PlanId("t-9".to_owned());
        room.did(&plan, Some(&Outcome::Done { note: None }));
        let Write::Shares { shares, .. } = &plan.steps[0].write else { panic!("{plan:?}") };
        let mut then = before.clone();
        for (name, share) in shares {
            then.arms.iter_mut().find(|arm| arm.name == *name).unwrap().weight = *share;
        }
        room.tell(Fact::Traffic(then.clone()));
        let back = room.plan(&Intent::Undo { plan: plan.id }).unwrap();
        prop_assert_eq!(back.refusals().count(), 0, "{:?}", back.guards);
        let Write::Weights { weights, .. } = &back.steps[0].write else { panic!("{back:?}") };
        for (name, weight) in weights {
            then.arms.iter_mut().find(|arm| arm.name == *name).unwrap().weight = *weight;
        }
        prop_assert_eq!(then, before);
    }
}
