//! What the guards of capacity and of the way back say.

use flightdeck::app::intent::Intent;
use flightdeck::domain::environment::Health;
use flightdeck::domain::fact::Fact;
use flightdeck::domain::pipeline::{Condition, RunState};
use flightdeck::domain::text::SafeText;
use flightdeck::domain::write::{ArmWish, FlagChange, Write};

use crate::guards::{changed, check, stop, writes};
use crate::world::*;

fn arm(name: &str, wish: ArmWish) -> Write {
    Write::Arm { split: split_id(), arm: name.into(), wish }
}

fn shares(shares: &[(&str, u32)]) -> Write {
    let shares = shares.iter().map(|(arm, percent)| (SafeText::new(arm), *percent)).collect();
    Write::Shares { split: split_id(), shares }
}

#[test]
fn capacity() {
    fn arms(room: &mut Room, arms: &[(&str, u32, bool)]) {
        room.tell(Fact::Traffic(split(arms)));
    }
    fn half(room: &mut Room) {
        arms(room, &[("stable", 50, true), ("canary", 50, true)]);
    }
    fn canary_out(room: &mut Room) {
        arms(room, &[("stable", 100, true), ("canary", 0, false)]);
    }
    let nobody = "refused: no version of shop would take traffic; make another one take it first";
    let out = "refused: canary takes no traffic, it is MAINT; make it ready first";
    check(
        "capacity",
        vec![
            ("both take traffic", half, shift("canary", 100), "passed"),
            ("not about traffic", half, approve(), "passed"),
            ("to one that takes none", canary_out, shift("canary", 5), out),
            ("away from one that takes none", canary_out, shift("canary", 0), "passed"),
            (
                "to one that takes none, which is made ready first",
                canary_out,
                writes(vec![
                    arm("canary", ArmWish::Ready),
                    shares(&[("stable", 95), ("canary", 5)]),
                ]),
                "passed",
            ),
            (
                "to one that is unhealthy",
                |room| {
                    let mut now = split(&[("stable", 100, true), ("canary", 0, true)]);
                    now.arms[1].health = Health::Unhealthy;
                    room.tell(Fact::Traffic(now));
                },
                shift("canary", 5),
                "reason: canary is unhealthy",
            ),
            (
                "to nobody",
                half,
                writes(vec![shares(&[("stable", 0), ("canary", 0)])]),
                "refused: the shares make 0%, not 100%",
            ),
            (
                "more than there is",
                half,
                writes(vec![shares(&[("stable", 100), ("canary", 5)])]),
                "refused: the shares make 105%, not 100%",
            ),
            (
                "to one that is not there",
                half,
                writes(vec![shares(&[("green", 100)])]),
                "refused: shop has no version green",
            ),
            ("one of two out", half, writes(vec![arm("canary", ArmWish::Drain)]), "passed"),
            ("the last one drained", |_| {}, writes(vec![arm("stable", ArmWish::Drain)]), nobody),
            (
                "the last one to maintenance",
                canary_out,
                writes(vec![arm("stable", ArmWish::Maintenance)]),
                nobody,
            ),
            (
                "the last one to zero",
                |_| {},
                writes(vec![arm("stable", ArmWish::Weight(0))]),
                nobody,
            ),
            (
                "one that is out already",
                canary_out,
                writes(vec![arm("canary", ArmWish::Maintenance)]),
                "passed",
            ),
            (
                "one after the other",
                half,
                writes(vec![arm("canary", ArmWish::Drain), arm("stable", ArmWish::Drain)]),
                nobody,
            ),
            (
                "a weight for one that takes none",
                canary_out,
                writes(vec![arm("canary", ArmWish::Weight(5))]),
                out,
            ),
        ],
    );
}

#[test]
fn way_back() {
    let over = |when: &str| Write::Override {
        pipeline: pipeline_id(),
        stage: "prod".into(),
        execution: "e3".into(),
        condition: when.into(),
    };
    let flag = |change| Intent::Flag { flag: flag_id(), environment: "production".into(), change };
    check(
        "no dead end",
        vec![
            ("stop after what runs", |_| {}, stop(false), "passed"),
            (
                "stop at once",
                |_| {},
                stop(true),
                "reason: actions are left where they are, half done; nothing takes them back",
            ),
            (
                "override a condition",
                |room| {
                    changed(room, |p| {
                        p.stages[2].conditions = vec![Condition {
                            when: "before entry".into(),
                            state: RunState::Failed,
                            summary: None,
                            at: None,
                        }];
                    });
                },
                writes(vec![over("before entry")]),
                "reason: the condition before entry said no; what has passed it cannot be called back",
            ),
            ("a shift that can be undone", |_| {}, shift("canary", 5), "passed"),
            (
                "the old version out while the new one is on its way",
                |_| {},
                writes(vec![arm("stable", ArmWish::Drain)]),
                "passed",
            ),
            (
                "the old version out while the new one has everything",
                |room| {
                    room.tell(Fact::Traffic(split(&[("stable", 0, true), ("canary", 9, true)])));
                },
                writes(vec![arm("stable", ArmWish::Maintenance)]),
                "reason: stable is what canary would be taken back to, at once",
            ),
            (
                "an attribute that was not there",
                |_| {},
                Intent::Flag {
                    flag: flag_id(),
                    environment: "production".into(),
                    change: FlagChange::Attribute { name: "limit".into(), value: "5".into() },
                },
                "reason: the way back is unknown: the attribute was not there before",
            ),
            ("what is deployed is stopped", |_| {}, flag(FlagChange::Halt), "passed"),
            ("what was deployed is taken back", |_| {}, flag(FlagChange::Revert), "passed"),
            (
                "a shift from shares nobody knows",
                |room| {
                    room.tell(Fact::Traffic(split(&[("stable", 0, true), ("canary", 0, true)])));
                },
                shift("canary", 5),
                "reason: the way back is unknown: the shares before are not known",
            ),
        ],
    );
}
