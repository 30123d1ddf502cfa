//! Freezes: what they hold up, what they let pass, and the reason that breaks the glass.

use flightdeck::app::intent::Intent;
use flightdeck::domain::fact::Fact;
use flightdeck::domain::pattern::Pattern;
use flightdeck::domain::pipeline::RunState;
use flightdeck::domain::policy::{Day, Freeze, Window};
use flightdeck::domain::source::Verb;
use flightdeck::domain::write::{Answers, ArmWish, FlagChange, Write, confirm};

use crate::world::*;

const GUARD: &str = "freeze";

/// All of this Monday.
fn freeze() -> Freeze {
    Freeze {
        name: "migration".into(),
        window: Window::Dated { from: moment(-3600), until: moment(3600) },
        services: Vec::new(),
        environments: Vec::new(),
        owners: Vec::new(),
        verbs: Vec::new(),
        even_to_safety: false,
    }
}

fn room(freeze: Freeze) -> Room {
    let mut setup = setup();
    setup.policy.freezes = vec![freeze];
    Room::with(setup)
}

fn flag_on() -> Intent {
    Intent::Flag {
        flag: flag_id(),
        environment: "production".into(),
        change: FlagChange::Percent { percent: 100.0 },
    }
}

/// How the freeze differs, what is wanted, and what the guard says.
type Row = (fn(&mut Freeze), Intent, &'static str);

const FROZEN: &str = "reason: frozen: migration, until 2026-11-23 13:00 UTC";

#[test]
fn a_freeze_holds_up_what_it_names() {
    let rows: Vec<Row> = vec![
        (|_| {}, approve(), FROZEN),
        (|_| {}, flag_on(), FROZEN),
        (|_| {}, shift("canary", 5), FROZEN),
        (|_| {}, reject(), "passed"),
        (|f| f.even_to_safety = true, reject(), FROZEN),
        (|f| f.services = vec!["shop".into()], approve(), FROZEN),
        (|f| f.services = vec!["stock".into()], approve(), "passed"),
        (|f| f.owners = vec!["web".into()], approve(), FROZEN),
        (|f| f.owners = vec!["data".into()], approve(), "passed"),
        (|f| f.environments = vec!["prod*".into()], approve(), FROZEN),
        (|f| f.environments = vec!["prod*".into()], flag_on(), FROZEN),
        (|f| f.environments = vec!["prod*".into()], shift("canary", 5), FROZEN),
        (|f| f.environments = vec!["staging".into()], approve(), "passed"),
        (|f| f.environments = vec!["staging".into()], shift("canary", 5), "passed"),
        (|f| f.verbs = vec![Verb::Flag], approve(), "passed"),
        (|f| f.verbs = vec![Verb::Flag], flag_on(), FROZEN),
        (
            |f| f.window = Window::Dated { from: moment(60), until: moment(120) },
            approve(),
            "passed",
        ),
        (
            |f| {
                f.window = Window::Weekly {
                    days: vec![Day::Monday],
                    from: "12:00".parse().unwrap(),
                    until: "14:30".parse().unwrap(),
                    zone: "Europe/Berlin".to_owned(),
                };
            },
            approve(),
            "reason: frozen: migration, until 14:30 Europe/Berlin",
        ),
    ];
    for (number, (change, intent, wanted)) in rows.into_iter().enumerate() {
        let mut freeze = freeze();
        change(&mut freeze);
        assert_eq!(room(freeze).verdict(&intent, GUARD), wanted, "row {number}");
    }
}

fn arm(arm: &str, wish: ArmWish) -> Intent {
    let write = Write::Arm { split: split_id(), arm: arm.into(), wish };
    Intent::Writes { title: "arm".into(), writes: vec![write] }
}

fn put_back(to: &str) -> Intent {
    Intent::RollBack { pipeline: pipeline_id(), stage: Some("prod".into()), to: Some(to.into()) }
}

fn flag_to(change: FlagChange) -> Intent {
    Intent::Flag { flag: flag_id(), environment: "production".into(), change }
}

fn gate(hold: bool) -> Intent {
    Intent::Gate { pipeline: pipeline_id(), stage: Some("prod".into()), hold }
}

/// e2 is live, between e3 and e1; it has failed before its end, and the canary has a quarter.
fn half_way(room: &mut Room, held: bool) {
    let mut now = pipeline();
    now.executions[0].state = RunState::Succeeded;
    now.stages[2].execution = Some("e2".into());
    now.stages[2].state = RunState::Failed;
    now.stages[2].actions.clear();
    now.stages[2].transition.as_mut().unwrap().enabled = !held;
    room.tell(Fact::Pipeline(now));
    room.tell(Fact::Traffic(split(&[("stable", 75, true), ("canary", 25, true)])));
}

/// Every kind of write, forward and to safety.
#[test]
fn a_freeze_holds_up_what_goes_forward_and_nothing_that_goes_back() {
    let retry = |all| Intent::Retry { pipeline: pipeline_id(), stage: Some("prod".into()), all };
    let stop =
        |abandon| Intent::Stop { pipeline: pipeline_id(), execution: Some("e3".into()), abandon };
    let overriding = Write::Override {
        pipeline: pipeline_id(),
        stage: "prod".into(),
        execution: "e2".into(),
        condition: "on success".into(),
    };
    let overriding = Intent::Writes { title: "override".into(), writes: vec![overriding] };
    for (held, safe, intent) in [
        (false, false, retry(false)),
        (false, false, retry(true)),
        (false, false, Intent::Start { pipeline: pipeline_id() }),
        (false, true, stop(false)),
        (false, true, stop(true)),
        (false, true, gate(true)),
        (true, false, gate(false)),
        (false, false, overriding),
        (false, true, put_back("e1")),
        (false, false, put_back("e3")),
        (false, true, shift("canary", 0)),
        (false, true, shift("canary", 10)),
        (false, false, shift("canary", 26)),
        (false, false, shift("stable", 0)),
        (false, true, shift("stable", 100)),
        (false, true, arm("canary", ArmWish::Drain)),
        (false, true, arm("canary", ArmWish::Maintenance)),
        (false, true, arm("canary", ArmWish::Weight(1))),
        (false, false, arm("canary", ArmWish::Weight(60))),
        (false, false, arm("canary", ArmWish::Ready)),
        (false, false, arm("stable", ArmWish::Drain)),
        (false, false, arm("stable", ArmWish::Maintenance)),
        (false, true, flag_to(FlagChange::Enabled { on: false })),
        (false, false, flag_to(FlagChange::Enabled { on: true })),
        (false, true, flag_to(FlagChange::Halt)),
        (false, true, flag_to(FlagChange::Revert)),
        (false, false, flag_to(FlagChange::Percent { percent: 10.0 })),
        (false, false, flag_to(FlagChange::Stale { stale: true })),
    ] {
        for strict in [false, true] {
            let mut room = room(Freeze { even_to_safety: strict, ..freeze() });
            half_way(&mut room, held);
            let wanted = if safe && !strict { "passed" } else { FROZEN };
            assert_eq!(room.verdict(&intent, GUARD), wanted, "{intent:?}, strict: {strict}");
        }
    }
}

/// Which of its versions is new, nobody says: none of them is taken out without being asked.
#[test]
fn where_no_canary_is_described_no_version_is_the_way_to_safety() {
    let mut setup = setup();
    setup.services[0].canaries.clear();
    setup.policy.freezes = vec![freeze()];
    let room = Room::with(setup);
    for wish in [ArmWish::Drain, ArmWish::Maintenance, ArmWish::Weight(0)] {
        assert_eq!(room.verdict(&arm("canary", wish), GUARD), FROZEN);
    }
}

/// Many pipelines name no environment: where their service is, they are; else they may be anywhere.
#[test]
fn a_stage_that_names_no_environment_is_where_its_service_is() {
    let prod = || Freeze { environments: vec!["prod*".into()], ..freeze() };
    let deploy = || {
        let mut now = pipeline();
        now.stages[2].name = "Deploy".into();
        Fact::Pipeline(now)
    };
    let unknown =
        "reason: whether migration freezes shop-main is unknown: its environment is not told";
    for (around, production, wanted) in [
        (Some("lab/prod"), true, FROZEN),
        (Some("lab/staging"), false, "passed"),
        (None, true, unknown),
    ] {
        let mut setup = setup();
        setup.services[0].canaries[0].environment = around.map(Pattern::parse);
        setup.policy.freezes = vec![prod()];
        let mut room = Room::with(setup);
        room.tell(deploy());
        assert_eq!(room.verdict(&approve(), GUARD), wanted, "{around:?}");
        assert_eq!(room.plan(&approve()).unwrap().production, production, "{around:?}");
        // Where a stage of it does, the others are judged by their own.
        room.tell(Fact::Pipeline(pipeline()));
        assert_eq!(room.verdict(&approve(), GUARD), FROZEN);
    }
}

#[test]
fn where_the_environment_is_not_told_the_freeze_may_hold() {
    let mut setup = setup();
    setup.services[0].canaries[0].environment = None;
    setup.policy.freezes = vec![Freeze { environments: vec!["prod*".into()], ..freeze() }];
    let room = Room::with(setup);
    assert_eq!(
        room.verdict(&shift("canary", 5), GUARD),
        "reason: whether migration freezes shop is unknown: its environment is not told"
    );
}

#[test]
fn a_freeze_ends_by_itself() {
    let mut room = room(freeze());
    assert_eq!(room.verdict(&approve(), GUARD), FROZEN);
    room.wait(3599);
    assert_eq!(room.verdict(&approve(), GUARD), FROZEN);
    room.wait(1);
    assert_eq!(room.verdict(&approve(), GUARD), "passed");
}

#[test]
fn without_a_reason_it_is_refused_and_with_one_it_passes_and_is_kept() {
    let mut room = room(freeze());
    room.tell(Fact::Pipeline(pipeline()));
    let plan = room.plan(&approve()).unwrap();
    let answers = |reason: &str| Answers::to(&plan, "shop", reason);
    for reason in ["", "  ", "ok"] {
        let why = confirm(&plan, &answers(reason), moment(0)).unwrap_err();
        assert_eq!(
            why,
            "freeze: frozen: migration, until 2026-11-23 13:00 UTC; give a reason to go on"
        );
    }
    let confirmed = confirm(&plan, &answers("the shop is down"), moment(0)).unwrap();
    assert_eq!(confirmed.reason().unwrap(), "the shop is down");
    // What the journal keeps tells of the freeze and of the reason.
    let kept = serde_json::to_string(&confirmed).unwrap();
    assert!(kept.contains("frozen: migration") && kept.contains("the shop is down"), "{kept}");
}
