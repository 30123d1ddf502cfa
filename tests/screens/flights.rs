//! Pilots on the screen: before one flies, in flight, when it calls, and when it has ended.

use flightdeck::app::effect::Effect;
use flightdeck::app::pane::Pane;
use flightdeck::app::pilot::End;
use flightdeck::app::{Msg, pilot::Pilot};
use flightdeck::backend::rehearsal;
use flightdeck::domain::canary::Policy;
use flightdeck::domain::rule::{Limits, Rule};
use flightdeck::ui::Look;
use flightdeck::ui::theme::Theme;
use jiff::SignedDuration;

use super::room::{Room, default_look, moment};
use super::{SIZES, at, compare, text_at, unfolded};

fn pilot(room: &Room) -> &Pilot {
    room.state.pilots.values().next().unwrap()
}

/// A pilot that was engaged by keys.
fn engaged() -> (Room, (String, String)) {
    let mut room = Room::open("good-canary", SIZES[0]);
    room.read(0);
    room.read(60);
    room.show(Pane::Canaries);
    room.keys(&["P"]);
    let asked = text_at(&mut room, SIZES[0], &default_look(), "before it flies");
    room.keys(&["tab"]);
    room.typed("checkout");
    room.keys(&["enter"]);
    let lease = room.effects.iter().find_map(|effect| match effect {
        Effect::Lease { canary, take: true, .. } => Some(canary.clone()),
        _ => None,
    });
    room.take(Msg::Lease { canary: lease.unwrap(), other: None });
    (room, asked)
}

#[test]
fn pilots() {
    let look = default_look();
    let (mut room, asked) = engaged();
    let mut frames = vec![asked];
    for minute in [3, 5, 7] {
        room.read(minute * 60);
    }
    assert_eq!(pilot(&room).word(), "flying", "{:?}", pilot(&room).log);
    frames.push(at(&mut room, SIZES[0], &look, "flying"));
    room.keys(&["z"]);
    frames.push(text_at(&mut room, SIZES[0], &look, "flying, in detail"));
    room.keys(&["z", "q"]);
    frames.push(text_at(&mut room, SIZES[0], &look, "leaving while it flies"));
    room.show(Pane::Canaries);
    // Its time ends, and that promotes nothing.
    let canary = pilot(&room).canary.clone();
    let now = room.state.now;
    room.state.pilots.get_mut(&canary).unwrap().deadline = now;
    for minute in (8..60).step_by(4) {
        room.read(minute * 60);
    }
    assert_eq!(pilot(&room).word(), "grounded", "{:?}", pilot(&room).log);
    frames.push(at(&mut room, SIZES[0], &look, "grounded"));
    for pane in [Pane::Inbox, Pane::Board, Pane::Activity] {
        room.show(pane);
        frames.push(text_at(&mut room, SIZES[0], &look, &format!("grounded, {}", pane.name())));
    }
    room.show(Pane::Canaries);
    room.keys(&["P"]);
    assert_eq!(pilot(&room).ended(), Some(End::HandedOver));
    frames.push(text_at(&mut room, SIZES[0], &look, "ended"));
    compare("pilots", "good-canary: a flight from its confirmation to its end", &frames);
}

#[test]
fn verdicts_in_detail() {
    let look = default_look();
    let ascii = Look::new(Theme::fallback(), true);
    let mono = Look::new(Theme::load("mono", &|_| None).unwrap(), false);
    let mut room = unfolded("bad-canary", SIZES[0]);
    room.show(Pane::Canaries);
    room.keys(&["z"]);
    let mut frames = vec![
        at(&mut room, SIZES[0], &look, "harm"),
        text_at(&mut room, SIZES[0], &ascii, "harm, ascii"),
        at(&mut room, SIZES[0], &mono, "harm, without colours"),
    ];
    room.keys(&["z"]);
    room.tick(3 * 3_600);
    frames.push(at(&mut room, SIZES[0], &look, "stale"));
    compare("verdicts", "bad-canary, after 12 minutes and hours later", &frames);
}

/// What is not good and not bad: each says which it is, and since when, in its own words.
#[test]
fn what_is_not_known_in_detail() {
    let look = default_look();
    let mono = Look::new(Theme::load("mono", &|_| None).unwrap(), false);
    let mut frames = Vec::new();
    let mut silent = unfolded("silent-canary", SIZES[0]);
    for minute in (14..24).step_by(2) {
        silent.read(minute * 60);
    }
    let mut unread = Room::open("flapping-metrics", SIZES[0]);
    for minute in 0..18 {
        unread.read(minute * 60);
    }
    let mut stale = unfolded("bad-canary", SIZES[0]);
    stale.tick(3 * 3_600);
    for (room, title) in
        [(&mut silent, "silent"), (&mut unread, "figures come and go"), (&mut stale, "stale")]
    {
        room.show(Pane::Canaries);
        frames.push(at(room, SIZES[0], &look, &format!("{title}, in the list")));
        room.keys(&["z"]);
        frames.push(at(room, SIZES[0], &mono, title));
    }
    compare("unknowns", "silent-canary, flapping-metrics, bad-canary hours later", &frames);
}

/// The first canary of a scenario, under a policy that counts.
fn ruled(scenario: &str, policy: Policy, rule: &Rule) -> Room {
    let world = rehearsal::open(scenario, 1, 1.0, moment(0)).unwrap();
    let mut room = Room::of(world, SIZES[0], |setup| {
        let mut canaries = setup.services.iter_mut().flat_map(|service| &mut service.canaries);
        let canary = canaries.next().unwrap();
        canary.policy = policy;
        canary.bake = SignedDuration::from_mins(2);
        for metric in &mut canary.metrics {
            metric.muted = metric.name.as_str() != "errors";
            metric.rule = (!metric.muted).then(|| rule.clone());
        }
    });
    for minute in 0..=12 {
        room.read(minute * 60);
    }
    room.show(Pane::Canaries);
    room
}

#[test]
fn counting_rules_in_detail() {
    let look = default_look();
    let mono = Look::new(Theme::load("mono", &|_| None).unwrap(), false);
    let range = Rule::Range { min: None, max: Some(0.006) };
    let measured = Rule::Measured {
        success: Some("result[0] <= 0.02".to_owned().try_into().unwrap()),
        failure: None,
        limits: Limits { interval: true, failure_limit: 2, ..Limits::default() },
    };
    let mut frames = Vec::new();
    for (scenario, policy, rule, title) in [
        ("bad-canary", Policy::Flagger { threshold: 5 }, &range, "Flagger"),
        ("good-canary", Policy::ArgoRollouts, &measured, "Argo Rollouts"),
    ] {
        let mut room = ruled(scenario, policy, rule);
        frames.push(at(&mut room, SIZES[0], &look, &format!("{title}, in the list")));
        room.keys(&["z"]);
        frames.push(at(&mut room, SIZES[0], &mono, title));
    }
    compare("rules", "bad-canary and good-canary by counting rules", &frames);
}
