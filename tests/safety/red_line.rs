//! The red line: what is bad asks for a reason, and so does what nobody knows.

use flightdeck::app::Msg;
use flightdeck::app::intent::Intent;
use flightdeck::domain::alarm::AlarmState;
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::fact::Fact;
use flightdeck::domain::ids::{ItemId, SourceId};
use flightdeck::domain::observation::{Observation, Scope, Topic};
use flightdeck::domain::pattern::Pattern;
use flightdeck::domain::pipeline::RunState;
use flightdeck::domain::service::{Claims, Service};

use crate::world::*;

const GUARD: &str = "red line";

fn with_alarm(state: AlarmState, silenced: bool) -> Room {
    let mut room = Room::calm();
    let mut alarm = alarm(state);
    alarm.silenced = silenced;
    room.tell(Fact::Alarm(alarm));
    room
}

#[test]
fn alarms() {
    for (state, silenced, wanted) in [
        (AlarmState::Ok, false, "passed"),
        (AlarmState::Pending, false, "passed"),
        (AlarmState::Firing, false, "reason: 5xx of shop fires"),
        (AlarmState::Firing, true, "passed"),
        (AlarmState::Unknown, false, "reason: the state of 5xx of shop is unknown"),
        (AlarmState::Unknown, true, "passed"),
    ] {
        let room = with_alarm(state, silenced);
        assert_eq!(room.verdict(&approve(), GUARD), wanted, "{state:?} {silenced}");
        // What goes back is not held up.
        assert_eq!(room.verdict(&reject(), GUARD), "passed");
    }
}

#[test]
fn an_old_alarm_is_not_known() {
    let mut room = Room::calm();
    room.wait(200);
    room.tell(Fact::Pipeline(pipeline()));
    room.tell(Fact::Traffic(split(&[("stable", 100, true), ("canary", 0, true)])));
    let wanted = "reason: 5xx of shop is stale: whether it fires is unknown";
    assert_eq!(room.verdict(&approve(), GUARD), wanted);
    room.tell(Fact::Alarm(alarm(AlarmState::Ok)));
    assert_eq!(room.verdict(&approve(), GUARD), "passed");
}

#[test]
fn an_alarm_that_could_not_be_read_is_not_known() {
    let mut room = Room::calm();
    let scope = Scope { topic: Topic::Overview, items: Vec::new() };
    let mut answer = Observation::new(&SourceId::new("aws"), 0, &scope, room.now);
    let id = flightdeck::domain::ids::AlarmId::new(&SourceId::new("aws"), "shop-latency");
    answer.faults.push((ItemId::Alarm(id), Fault::new(FaultKind::ServerError, "no")));
    room.send(Msg::Observed(Box::new(answer)));
    let wanted = "reason: shop-latency could not be read: whether it fires is unknown";
    assert_eq!(room.verdict(&approve(), GUARD), wanted);
}

#[test]
fn alarms_of_a_source_that_is_silent_are_not_known() {
    let mut setup = setup();
    let mut cloud = setup.sources[0].clone();
    cloud.id = SourceId::new("watch");
    setup.sources.push(cloud);
    setup.services[0].claims.alarms.push(Pattern::parse("watch/shop-*"));
    let mut room = Room::with(setup);
    let wanted = "reason: whether an alarm of watch fires is unknown";
    assert_eq!(room.verdict(&approve(), GUARD), wanted);
    room.fail("watch", FaultKind::NotAuthenticated);
    let wanted =
        "reason: whether an alarm of watch fires is unknown: not authenticated: it did not work";
    assert_eq!(room.verdict(&approve(), GUARD), wanted);
    // It answers, and has no alarm for the service.
    let scope = Scope { topic: Topic::Overview, items: Vec::new() };
    let answer = Observation::new(&SourceId::new("watch"), 0, &scope, room.now);
    room.send(Msg::Observed(Box::new(answer)));
    assert_eq!(room.verdict(&approve(), GUARD), "passed");
}

#[test]
fn every_service_that_owns_the_target_counts() {
    let mut setup = setup();
    let mut other = Service::named("stock");
    other.claims = Claims {
        pipelines: vec![Pattern::parse("aws/shop-main")],
        alarms: vec![Pattern::parse("aws/stock-*")],
        ..Claims::default()
    };
    setup.services.push(other);
    let mut room = Room::with(setup);
    let mut fires = alarm(AlarmState::Firing);
    fires.id = flightdeck::domain::ids::AlarmId::new(&SourceId::new("aws"), "stock-errors");
    fires.name = "errors of stock".into();
    room.tell(Fact::Alarm(fires));
    assert_eq!(room.verdict(&approve(), GUARD), "reason: errors of stock fires");
}

#[test]
fn stages_before() {
    for (state, wanted) in [
        (RunState::Succeeded, "passed"),
        (RunState::Running, "passed"),
        (RunState::Failed, "reason: build has failed"),
        (RunState::Unknown, "reason: how build went is unknown"),
    ] {
        let mut room = Room::calm();
        let mut now = pipeline();
        now.stages[1].state = state;
        now.stages[2].transition.as_mut().unwrap().enabled = false;
        room.tell(Fact::Pipeline(now));
        assert_eq!(room.verdict(&approve(), GUARD), wanted, "{state:?}");
        let release = Intent::Gate { pipeline: pipeline_id(), stage: None, hold: false };
        assert_eq!(room.verdict(&release, GUARD), wanted, "release, {state:?}");
    }
}

/// A canary at 5 %, measured for so many minutes with so many errors of 500.
fn under_way(minutes: i64, errors: f64) -> Room {
    let mut room = Room::calm();
    room.tell(Fact::Traffic(split(&[("stable", 95, true), ("canary", 5, true)])));
    if minutes > 0 {
        room.measure(minutes, errors);
    }
    room
}

#[test]
fn verdicts_of_the_canary() {
    for (minutes, errors, on, back) in [
        (0, 0.0, "reason: the verdict of the canary main is unknown", "passed"),
        (2, 5.0, "reason: the verdict of the canary main is unknown: ", "passed"),
        (340, 5.0, "passed", "passed"),
        (340, 15.0, "reason: the canary main does harm: ", "passed"),
    ] {
        let room = under_way(minutes, errors);
        for intent in [shift("canary", 25), approve()] {
            let said = room.verdict(&intent, GUARD);
            assert!(said.starts_with(on), "{minutes} minutes, {errors} errors: {said}");
        }
        assert_eq!(room.verdict(&shift("canary", 0), GUARD), back);
    }
}

#[test]
fn an_old_verdict_is_not_known() {
    let mut room = under_way(340, 5.0);
    assert_eq!(room.verdict(&shift("canary", 25), GUARD), "passed");
    room.wait(200);
    room.tell(Fact::Alarm(alarm(AlarmState::Ok)));
    room.tell(Fact::Traffic(split(&[("stable", 95, true), ("canary", 5, true)])));
    let wanted = "reason: the verdict of the canary main is stale: how it is is unknown";
    assert_eq!(room.verdict(&shift("canary", 25), GUARD), wanted);
    // And whether there is one at all is not known when the split is old.
    room.wait(200);
    room.tell(Fact::Alarm(alarm(AlarmState::Ok)));
    room.tell(Fact::Pipeline(pipeline()));
    let wanted = "reason: whether the canary main is under way is unknown";
    assert_eq!(room.verdict(&approve(), GUARD), wanted);
}

#[test]
fn several_reasons_are_told_together_the_bad_before_the_unknown() {
    let mut room = under_way(340, 15.0);
    room.tell(Fact::Alarm(alarm(AlarmState::Unknown)));
    let mut now = pipeline();
    now.stages[1].state = RunState::Failed;
    room.tell(Fact::Pipeline(now));
    let said = room.verdict(&approve(), GUARD);
    let at = |part: &str| said.find(part).unwrap_or_else(|| panic!("{part} in {said}"));
    assert!(at("does harm") < at("build has failed"));
    assert!(at("build has failed") < at("is unknown"));
}
