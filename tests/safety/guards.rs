//! What each guard says: states and verdicts, with the sentence that the operator reads.

use flightdeck::app::intent::Intent;
use flightdeck::app::{Msg, Setup};
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::fact::Fact;
use flightdeck::domain::ids::{ItemId, SourceId};
use flightdeck::domain::observation::{Observation, Scope, Topic};
use flightdeck::domain::pipeline::{Pipeline, RunState};
use flightdeck::domain::source::Verb;
use flightdeck::domain::text::SafeText;
use flightdeck::domain::write::{FlagChange, Outcome, PlanId, Write};

use crate::world::*;

/// What is done to the calm world, what is wanted then, and what the guard says.
pub type Row = (&'static str, fn(&mut Room), Intent, &'static str);

pub fn check(guard: &str, rows: Vec<Row>) {
    for (name, change, intent, wanted) in rows {
        let mut room = Room::calm();
        change(&mut room);
        assert_eq!(room.verdict(&intent, guard), wanted, "{guard}: {name}");
    }
}

/// Tells the pipeline as `change` makes it.
pub fn changed(room: &mut Room, change: impl Fn(&mut Pipeline)) {
    let mut now = pipeline();
    change(&mut now);
    room.tell(Fact::Pipeline(now));
}

fn executed(room: &mut Room, id: &str, state: RunState) {
    changed(room, |p| {
        p.executions.iter_mut().find(|e| e.id.as_str() == id).unwrap().state = state;
    });
}

fn flag_off() -> Intent {
    Intent::Flag {
        flag: flag_id(),
        environment: "production".into(),
        change: FlagChange::Enabled { on: false },
    }
}

fn flip(on: bool) -> Write {
    Write::Flag {
        flag: flag_id(),
        environment: "production".into(),
        change: FlagChange::Enabled { on },
        strategy: None,
    }
}

fn retry() -> Intent {
    Intent::Retry { pipeline: pipeline_id(), stage: Some("prod".into()), all: false }
}

pub fn stop(abandon: bool) -> Intent {
    Intent::Stop { pipeline: pipeline_id(), execution: Some("e3".into()), abandon }
}

pub fn writes(writes: Vec<Write>) -> Intent {
    Intent::Writes { title: "writes".into(), writes }
}

#[test]
fn a_calm_world_lets_everything_ordinary_pass() {
    let room = Room::calm();
    for intent in [approve(), reject(), shift("canary", 5), flag_off(), stop(false)] {
        let plan = room.plan(&intent).unwrap();
        assert_eq!(plan.refusals().count() + plan.needs_reason().count(), 0, "{plan:#?}");
        assert_eq!(plan.guards.len(), 11);
    }
}

#[test]
fn read_only() {
    check(
        "read-only",
        vec![
            ("it may write", |_| {}, approve(), "passed"),
            (
                "locked by a key",
                |room| {
                    room.send(key("L", 1));
                },
                approve(),
                "refused: writes were locked here; L allows them again",
            ),
        ],
    );
    for change in
        [(|s| s.policy.read_only = true) as fn(&mut Setup), |s| s.options.read_only = true]
    {
        let mut setup = setup();
        change(&mut setup);
        let room = Room::with(setup);
        let wanted = "refused: it was started read-only; safety.read_only = false allows writes";
        assert_eq!(room.verdict(&approve(), "read-only"), wanted);
    }
}

#[test]
fn ability() {
    let mut setup = setup();
    setup.sources[0].capabilities.writes = vec![Verb::Reject];
    let room = Room::with(setup);
    assert_eq!(room.verdict(&reject(), "ability"), "passed");
    assert_eq!(
        room.verdict(&approve(), "ability"),
        "refused: aws (scripted) cannot approve; do it there by hand"
    );
}

#[test]
fn fresh() {
    check(
        "fresh",
        vec![
            ("just read", |_| {}, approve(), "passed"),
            ("not yet stale", |room| room.wait(150), approve(), "passed"),
            (
                "stale",
                |room| room.wait(151),
                approve(),
                "refused: shop-main is stale; r reads it again",
            ),
            (
                "lost",
                |room| room.wait(901),
                approve(),
                "refused: how shop-main is now is unknown; r reads it again",
            ),
            (
                "the source does not answer",
                |room| room.fail("aws", FaultKind::Unreachable),
                approve(),
                "refused: shop-main is stale: unreachable: it did not work; r reads it again",
            ),
            (
                "the credentials have expired",
                |room| room.fail("aws", FaultKind::NotAuthenticated),
                approve(),
                "refused: shop-main is stale: not authenticated: it did not work; r reads it again",
            ),
            (
                "another source does not answer",
                |room| room.fail("lb", FaultKind::Unreachable),
                approve(),
                "passed",
            ),
            (
                "the item itself could not be read",
                |room| {
                    let scope = Scope { topic: Topic::Items, items: Vec::new() };
                    let source = SourceId::new("aws");
                    let mut answer = Observation::new(&source, 0, &scope, room.now);
                    let fault = flightdeck::domain::error::Fault::new(
                        FaultKind::Forbidden { permission: None },
                        "no",
                    );
                    answer.faults.push((ItemId::Pipeline(pipeline_id()), fault));
                    room.send(Msg::Observed(Box::new(answer)));
                },
                approve(),
                "refused: shop-main is stale; r reads it again",
            ),
        ],
    );
}

/// Another plan for the same intent.
fn earlier(room: &mut Room, intent: &Intent, n: u32, outcome: Option<&Outcome>) {
    let mut plan = room.plan(intent).unwrap();
    plan.id = PlanId(format!("t-{n}"));
    room.did(&plan, outcome);
}

#[test]
fn in_flight() {
    check(
        "in flight",
        vec![
            ("nothing was done", |_| {}, approve(), "passed"),
            (
                "the same is being done",
                |room| earlier(room, &stop(false), 1, None),
                approve(),
                "refused: \"stop e3 of shop-main, after what runs\" is under way; wait until it has ended",
            ),
            (
                "something else is being done",
                |room| earlier(room, &flag_off(), 1, None),
                approve(),
                "passed",
            ),
            (
                "it was done",
                |room| earlier(room, &stop(false), 1, Some(&Outcome::Done { note: None })),
                approve(),
                "passed",
            ),
            (
                "nobody knows whether it was done",
                |room| {
                    earlier(room, &stop(false), 1, Some(&Outcome::Unknown { why: "lost".into() }));
                },
                approve(),
                "reason: what became of \"stop e3 of shop-main, after what runs\" is unknown",
            ),
            (
                "that was before the last one",
                |room| {
                    earlier(room, &stop(false), 1, Some(&Outcome::Unknown { why: "lost".into() }));
                    room.wait(1);
                    earlier(room, &stop(false), 2, Some(&Outcome::Done { note: None }));
                },
                approve(),
                "passed",
            ),
        ],
    );
}

#[test]
fn rate() {
    fn ten(room: &mut Room) {
        for n in 1..=10 {
            earlier(room, &flag_off(), n, Some(&Outcome::Done { note: None }));
        }
    }
    check(
        "rate",
        vec![
            (
                "nine",
                |room| {
                    ten(room);
                    room.state.activity.pop();
                },
                approve(),
                "passed",
            ),
            (
                "ten",
                ten,
                approve(),
                "refused: 10 writes in the last minute and 1 more: 10 are allowed; wait a little",
            ),
            (
                "nine, and this plan has two steps",
                |room| {
                    ten(room);
                    room.state.activity.pop();
                },
                writes(vec![flip(false), flip(true)]),
                "refused: 9 writes in the last minute and 2 more: 10 are allowed; wait a little",
            ),
            (
                "ten, and the clock was set back an hour since",
                |room| {
                    ten(room);
                    room.state.now -= jiff::SignedDuration::from_hours(1);
                },
                approve(),
                "passed",
            ),
            (
                "ten, a minute ago",
                |room| {
                    ten(room);
                    room.wait(60);
                },
                approve(),
                "passed",
            ),
            (
                "ten, and this one is to safety",
                ten,
                flag_off(),
                "reason: 10 writes in the last minute and 1 more: 10 are allowed",
            ),
        ],
    );
}

#[test]
fn superseded() {
    fn in_prod(room: &mut Room, execution: &str) {
        changed(room, |p| {
            p.stages[2].state = RunState::Failed;
            p.stages[2].execution = Some(execution.into());
        });
    }
    check(
        "not superseded",
        vec![
            ("the newest", |_| {}, approve(), "passed"),
            (
                "overtaken",
                |room| executed(room, "e3", RunState::Superseded),
                approve(),
                "refused: a newer execution overtook e3; act on that one",
            ),
            (
                "stopped",
                |room| executed(room, "e3", RunState::Stopped),
                approve(),
                "refused: e3 is stopped: nothing of it goes on",
            ),
            (
                "its state could not be read",
                |room| executed(room, "e3", RunState::Unknown),
                approve(),
                "reason: whether a newer execution overtook e3 is unknown",
            ),
            (
                "it is not among the executions told",
                |room| changed(room, |p| p.executions.retain(|e| e.id.as_str() != "e3")),
                approve(),
                "reason: whether a newer execution overtook e3 is unknown",
            ),
            (
                "the approval tells no execution",
                |room| {
                    changed(room, |p| {
                        p.stages[2].actions[0].approval.as_mut().unwrap().execution = None;
                    });
                },
                approve(),
                "reason: which execution waits for the answer is unknown",
            ),
            (
                "a newer one is live",
                |room| {
                    changed(room, |p| {
                        let mut live = p.stages[2].clone();
                        live.name = "live".into();
                        live.state = RunState::Succeeded;
                        live.execution = Some("e4".into());
                        live.actions.clear();
                        p.stages.push(live);
                        p.executions.insert(0, run("e4", RunState::Succeeded, "r4"));
                    });
                },
                approve(),
                "reason: e4 is newer and live: e3 would take its place",
            ),
            ("what failed is retried", |room| in_prod(room, "e3"), retry(), "passed"),
            (
                "what failed was overtaken",
                |room| {
                    changed(room, |p| {
                        p.stages[2].state = RunState::Failed;
                        p.executions[0].state = RunState::Superseded;
                    });
                },
                retry(),
                "refused: a newer execution overtook e3; act on that one",
            ),
            (
                "another execution is in the stage",
                |room| in_prod(room, "e2"),
                writes(vec![Write::Retry {
                    pipeline: pipeline_id(),
                    stage: "prod".into(),
                    execution: "e3".into(),
                    all: false,
                }]),
                "refused: e2 is in prod now; act on that one",
            ),
        ],
    );
}

#[test]
fn two_persons() {
    fn by(room: &mut Room, who: Option<&str>) {
        changed(room, |p| p.executions[0].by = who.map(SafeText::new));
    }
    fn identity(room: &mut Room, who: &str) {
        let aws = room.state.fleet.sources.get_mut(&SourceId::new("aws")).unwrap();
        aws.identity = Some(who.into());
    }
    let own = "refused: kim started e3, and that is you; ask somebody else";
    check(
        "two persons",
        vec![
            ("somebody else started it", |_| {}, approve(), "passed"),
            ("the source does not tell", |room| by(room, None), approve(), "passed"),
            ("I did, by name", |room| by(room, Some("kim")), approve(), own),
            ("I did, and reject it", |room| by(room, Some("kim")), reject(), "passed"),
            (
                "somebody whose name is part of mine",
                |room| by(room, Some("ki")),
                approve(),
                "passed",
            ),
            (
                "I did, and my name has a comma",
                |room| {
                    by(room, Some("kim,lee"));
                    identity(room, "arn:aws:iam::1:user/team/Kim,Lee");
                },
                approve(),
                "refused: kim,lee started e3, and that is you; ask somebody else",
            ),
            (
                "somebody who is called like my role",
                |room| by(room, Some("release")),
                approve(),
                "passed",
            ),
            (
                "I did, by the whole identity",
                |room| by(room, Some("arn:aws:sts::1:assumed-role/release/kim")),
                approve(),
                "refused: arn:aws:sts::1:assumed-role/release/kim started e3, and that is you; \
                 ask somebody else",
            ),
            (
                "nobody knows who I am",
                |room| {
                    room.state.fleet.sources.get_mut(&SourceId::new("aws")).unwrap().identity =
                        None;
                },
                approve(),
                "reason: whether dana, who started it, is you is unknown",
            ),
        ],
    );
}
