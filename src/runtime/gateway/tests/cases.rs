//! Every kind of write once, in a scenario in which it can be done.

use super::*;
use crate::domain::ids::{FlagId, ItemId};
use crate::domain::write::{ArmWish, Write};

/// One write, and what has to be done before it can be.
pub struct Case {
    pub scenario: &'static str,
    /// Writes, and how long each of them is waited for, in seconds.
    pub before: Vec<(Intent, i64)>,
    pub intent: Intent,
}

/// Every kind of write, with every wish and every change.
pub const KINDS: [&str; 22] = [
    "approve",
    "arm drain",
    "arm maintenance",
    "arm ready",
    "arm weight",
    "flag attribute",
    "flag enabled",
    "flag halt",
    "flag percent",
    "flag revert",
    "flag stale",
    "hold",
    "override",
    "reject",
    "release",
    "retry",
    "retry all",
    "roll back",
    "shares",
    "start",
    "stop",
    "weights",
];

/// Which of them `write` is: no kind is left out.
pub fn kind(write: &Write) -> &'static str {
    match write {
        Write::Answer { approve: true, .. } => "approve",
        Write::Answer { approve: false, .. } => "reject",
        Write::Retry { all: true, .. } => "retry all",
        Write::Retry { all: false, .. } => "retry",
        Write::Stop { .. } => "stop",
        Write::Start { .. } => "start",
        Write::Hold { .. } => "hold",
        Write::Release { .. } => "release",
        Write::RollBack { .. } => "roll back",
        Write::Override { .. } => "override",
        Write::Shares { .. } => "shares",
        Write::Weights { .. } => "weights",
        Write::Arm { wish, .. } => match wish {
            ArmWish::Ready => "arm ready",
            ArmWish::Drain => "arm drain",
            ArmWish::Maintenance => "arm maintenance",
            ArmWish::Weight(_) => "arm weight",
        },
        Write::Flag { change, .. } => match change {
            FlagChange::Enabled { .. } => "flag enabled",
            FlagChange::Percent { .. } => "flag percent",
            FlagChange::Attribute { .. } => "flag attribute",
            FlagChange::Stale { .. } => "flag stale",
            FlagChange::Halt => "flag halt",
            FlagChange::Revert => "flag revert",
        },
    }
}

fn write(write: Write) -> Intent {
    Intent::Writes { title: "a write".into(), writes: vec![write] }
}

fn arm(arm: &str, wish: ArmWish) -> Intent {
    let split = TrafficId::new(&SourceId::new("edge"), "checkout.prod-eu");
    write(Write::Arm { split, arm: arm.into(), wish })
}

fn flag(key: &str, environment: &str, change: FlagChange, strategy: Option<&str>) -> Intent {
    write(Write::Flag {
        flag: FlagId::new(&SourceId::new("flags"), key),
        environment: environment.into(),
        change,
        strategy: strategy.map(Into::into),
    })
}

fn of(source: &str, name: &str) -> PipelineId {
    PipelineId::new(&SourceId::new(source), name)
}

fn answer(approve: bool) -> Intent {
    Intent::Answer { pipeline: payments(), stage: None, action: None, execution: None, approve }
}

fn stop(abandon: bool) -> Intent {
    Intent::Stop { pipeline: payments(), execution: None, abandon }
}

/// What overrides the condition that refuses something in the quiet day, as it is offered.
async fn overriding() -> Intent {
    let world = World::open("quiet-day", |source| source).await;
    let search = ItemId::Pipeline(of("pipelines-eu", "search-main"));
    let offered = crate::app::plan::choices(
        &world.state,
        crate::app::command::Wish::Retry,
        &crate::app::plan::Subject::Item(search),
    );
    let mut offered = offered.unwrap().into_iter().filter_map(|choice| choice.intent.ok());
    offered.find(|intent| matches!(intent, Intent::Writes { .. })).expect("it is offered")
}

pub async fn cases() -> Vec<Case> {
    let edge = TrafficId::new(&SourceId::new("edge"), "checkout.prod-eu");
    let search = of("pipelines-eu", "search-main");
    let on = |on| FlagChange::Enabled { on };
    let production = "production";
    let set = |value: &str| FlagChange::Attribute { name: "limit".into(), value: value.into() };
    let alone = [
        answer(true),
        answer(false),
        Intent::Retry { pipeline: search.clone(), stage: None, all: false },
        Intent::Retry { pipeline: search.clone(), stage: None, all: true },
        Intent::Start { pipeline: search.clone() },
        Intent::Gate { pipeline: search.clone(), stage: None, hold: true },
        Intent::Gate { pipeline: of("pipelines-us", "inventory-main"), stage: None, hold: false },
        Intent::RollBack { pipeline: search, stage: None, to: None },
        stop(false),
        stop(true),
        Intent::Shift { split: edge.clone(), arm: "canary".into(), percent: 25 },
        write(Write::Weights {
            split: edge,
            weights: vec![("stable".into(), 60), ("canary".into(), 20)],
        }),
        arm("canary", ArmWish::Drain),
        arm("stable", ArmWish::Drain),
        arm("canary", ArmWish::Maintenance),
        arm("canary", ArmWish::Weight(40)),
        flag("new-tax", production, on(false), None),
        flag("new-tax", production, on(false), Some("Linear")),
        flag("new-tax", "staging", on(false), None),
        flag("new-tax", production, FlagChange::Percent { percent: 30.0 }, None),
        flag("new-tax", "staging", FlagChange::Percent { percent: 30.0 }, None),
        flag("one-click", production, set("200"), None),
        flag("one-click", "staging", set("200"), Some("Linear")),
        flag("new-tax", production, FlagChange::Stale { stale: true }, None),
        flag("fast-cart", production, FlagChange::Stale { stale: false }, None),
        flag("new-tax", production, FlagChange::Revert, None),
        flag("new-tax", "staging", FlagChange::Revert, None),
        Intent::Promote { service: "checkout".into() },
        Intent::RollBackAndHold { service: "checkout".into(), only: None },
        Intent::RollBackAndHold { service: "web".into(), only: None },
    ];
    let alone = alone.map(|intent| Case { scenario: "bad-canary", before: Vec::new(), intent });
    let after = |before: Intent, seconds: i64, intent: Intent| Case {
        scenario: "bad-canary",
        before: vec![(before, seconds)],
        intent,
    };
    let mut all = Vec::from(alone);
    all.extend([
        Case { scenario: "quiet-day", before: Vec::new(), intent: overriding().await },
        after(arm("canary", ArmWish::Drain), 5, arm("canary", ArmWish::Ready)),
        after(arm("stable", ArmWish::Maintenance), 5, arm("stable", ArmWish::Ready)),
        after(
            flag("new-tax", production, on(false), Some("Linear")),
            90,
            flag("new-tax", production, FlagChange::Halt, None),
        ),
        after(
            flag("one-click", "staging", set("7"), Some("Linear")),
            301,
            flag("one-click", "staging", FlagChange::Revert, None),
        ),
        // What was rejected asks again.
        after(answer(false), 5, Intent::Retry { pipeline: payments(), stage: None, all: false }),
        after(answer(true), 5, stop(false)),
        after(answer(true), 5, stop(true)),
    ]);
    all
}
