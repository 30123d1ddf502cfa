//! What a confirmation does when things move under it, and what becomes of the texts in it.

use std::collections::BTreeMap;

use flightdeck::app::activity::{Phase, WriteReport};
use flightdeck::app::dialog::{Dialog, Focus};
use flightdeck::app::overlay::Overlay;
use flightdeck::app::pane::Pane;
use flightdeck::app::{Effect, Msg, update};
use flightdeck::domain::alarm::AlarmState;
use flightdeck::domain::environment::{Environment, Health, Slot};
use flightdeck::domain::fact::Fact;
use flightdeck::domain::flag::Pace;
use flightdeck::domain::ids::{EnvironmentId, SourceId};
use flightdeck::domain::pattern::Pattern;
use flightdeck::domain::pipeline::{Pipeline, RunState};
use flightdeck::domain::revision::Revision;
use flightdeck::domain::write::{Confirmed, Moved, Outcome, Write};

use crate::world::*;

/// A room with a screen, and a clock for its keys.
struct Desk {
    room: Room,
    ms: u64,
    sent: Vec<Confirmed>,
}

impl Desk {
    fn new() -> Self {
        let mut room = Room::calm();
        room.send(Msg::Resize { width: 120, height: 40 });
        Self { room, ms: 0, sent: Vec::new() }
    }

    fn press(&mut self, text: &str) {
        self.ms += 500;
        for effect in update(&mut self.room.state, key(text, self.ms)) {
            if let Effect::Submit(confirmed) = effect {
                self.sent.push(*confirmed);
            }
        }
    }

    fn write(&mut self, text: &str) {
        text.chars().for_each(|c| self.press(&c.to_string()));
    }

    fn dialog(&self) -> &Dialog {
        match &self.room.state.view.overlay {
            Some(Overlay::Confirm(dialog)) => dialog,
            other => panic!("{other:?}: {:?}", self.room.state.view.notice),
        }
    }

    /// Goes to this field or button.
    fn go(&mut self, focus: Focus) {
        for _ in 0..6 {
            if self.dialog().focus == focus {
                return;
            }
            self.press("tab");
        }
        panic!("there is no {focus:?}: {:?}", self.dialog().stops());
    }

    fn refusal(&self) -> String {
        self.dialog().refusal.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// What the plan on the screen answers.
    fn asked(&self) -> String {
        match &self.dialog().plan.steps[0].write {
            Write::Answer { execution, .. } => execution.as_ref().unwrap().to_string(),
            other => panic!("{other:?}"),
        }
    }
}

/// e4 has overtaken e3 and waits in its place.
fn overtaken() -> Pipeline {
    let mut now = pipeline();
    now.executions.insert(0, run("e4", RunState::Waiting, "r4"));
    now.executions[1].state = RunState::Superseded;
    now.stages[2].execution = Some("e4".into());
    now.stages[2].actions[0].approval.as_mut().unwrap().execution = Some("e4".into());
    now
}

#[test]
fn after_it_moved_n_plans_for_what_waits_now() {
    let mut desk = Desk::new();
    desk.press("a");
    assert_eq!(desk.asked(), "e3");
    desk.room.tell(Fact::Pipeline(overtaken()));
    assert!(desk.dialog().is_dead());
    desk.press("n");
    assert_eq!(desk.asked(), "e4");
    assert!(!desk.dialog().is_dead());
    // Nothing waits at all: that is said, and it is true.
    let mut now = overtaken();
    now.stages[2].actions[0].approval = None;
    desk.room.tell(Fact::Pipeline(now));
    desk.press("n");
    let notice = desk.room.state.view.notice.clone().unwrap();
    assert_eq!(notice.text.as_str(), "nothing in shop-main waits for an answer");
}

#[test]
fn n_works_from_a_field_when_it_can_be_confirmed_no_more() {
    for focus in [Focus::Name, Focus::Comment] {
        let mut desk = Desk::new();
        desk.press("a");
        desk.go(focus);
        desk.write("sh");
        desk.room.tell(Fact::Pipeline(overtaken()));
        assert_eq!(desk.dialog().focus, Focus::Cancel, "{focus:?}");
        assert_eq!(desk.refusal(), "it cannot be done as it was shown: n makes a new plan");
        desk.press("n");
        assert_eq!(desk.asked(), "e4", "{focus:?}");
    }
    // Enter was meant for the field: it neither sends nor closes.
    let mut desk = Desk::new();
    desk.press("a");
    desk.go(Focus::Name);
    desk.write("shop");
    desk.room.tell(Fact::Pipeline(overtaken()));
    desk.press("enter");
    assert!(desk.sent.is_empty());
    assert_eq!(desk.refusal(), "it cannot be done as it was shown: n makes a new plan");
    desk.press("enter");
    assert!(desk.room.state.view.overlay.is_none(), "the second one is for the button");
}

#[test]
fn what_the_gateway_found_moved_is_planned_again_by_one_key() {
    for pane in [Pane::Board, Pane::Activity] {
        let mut desk = Desk::new();
        desk.press("n");
        let nothing = "plan-again: nothing was refused because it had moved";
        assert_eq!(desk.room.state.view.notice.clone().unwrap().text.as_str(), nothing);
        desk.press("a");
        desk.go(Focus::Name);
        desk.write("shop");
        desk.press("enter");
        let plan = desk.sent[0].plan().id.clone();
        desk.room.tell(Fact::Pipeline(overtaken()));
        let moved = Moved { what: "execution".into(), seen: "e3".into(), now: "e4".into() };
        let outcome = Outcome::Moved { moved: vec![moved], said: None };
        let report = WriteReport { plan, step: 0, phase: Phase::Ended { outcome }, at: moment(1) };
        desk.room.send(Msg::Write(Box::new(report)));
        assert_eq!(
            desk.room.state.view.notice.clone().unwrap().text.as_str(),
            "approve prod of shop-main r3: refused, it has moved: execution was e3, is e4; \
             n makes a new plan"
        );
        if pane == Pane::Activity {
            desk.room.state.view.pane = pane;
            desk.press("g");
        }
        desk.press("n");
        assert_eq!(desk.asked(), "e4", "{pane:?}");
    }
}

#[test]
fn a_comment_breaks_no_glass_and_a_reason_only_what_was_shown() {
    let mut desk = Desk::new();
    desk.room.tell(Fact::Alarm(alarm(AlarmState::Firing)));
    desk.press("a");
    desk.go(Focus::Name);
    desk.write("shop");
    desk.go(Focus::Comment);
    desk.write("tested");
    desk.go(Focus::Go);
    desk.press("enter");
    assert!(desk.sent.is_empty());
    assert!(desk.refusal().ends_with("give a reason to go on"), "{}", desk.refusal());
    desk.go(Focus::Reason);
    desk.write("known");
    // Something else stands against it by now.
    let mut red = pipeline();
    red.stages[1].state = RunState::Failed;
    desk.room.tell(Fact::Pipeline(red));
    desk.go(Focus::Go);
    desk.press("enter");
    assert!(desk.sent.is_empty());
    let changed = "since the reason was given, red line says something else: enter goes on";
    assert_eq!(desk.refusal(), changed);
    desk.press("enter");
    let confirmed = &desk.sent[0];
    assert_eq!(confirmed.reason().unwrap(), "known");
    assert_eq!(confirmed.comment().unwrap(), "tested");
    let Write::Answer { comment, .. } = &confirmed.plan().steps[0].write else { panic!() };
    assert_eq!(comment, "tested", "the reason is not sent");
}

/// What a menu takes by hand: another share, a weight, an attribute.
#[test]
fn what_is_typed_for_a_choice_is_planned() {
    for (wish, line, typed, title, wrong) in [
        (
            "t",
            "shop: another share to canary, in per cent:",
            "12%",
            "traffic of shop: canary 12%, stable 88%",
            "101",
        ),
        ("t", "shop: canary to the weight:", "7", "canary of shop to weight 7", "x"),
        (
            "f",
            "new-checkout in production, an attribute as NAME=VALUE:",
            "limit=5",
            "flag new-checkout in production: limit = 5 (all at once)",
            "limit",
        ),
        (
            "f",
            "new-checkout in production, an attribute as NAME=VALUE, linear 20 % over 5m:",
            "limit=5",
            "flag new-checkout in production: limit = 5 (linear 20 % over 5m)",
            "limit",
        ),
    ] {
        let mut desk = Desk::new();
        let mut flag = flag();
        flag.environments[0].attributes = vec![("limit".into(), "3".into())];
        flag.environments[0].paces =
            [("at-once", "all at once"), ("slowly", "linear 20 % over 5m")]
                .map(|(name, words)| Pace { name: name.into(), words: words.into() })
                .to_vec();
        desk.room.tell(Fact::Flag(flag));
        desk.press(wish);
        let Some(Overlay::Choose(menu)) = &desk.room.state.view.overlay else { panic!("a menu") };
        let at = menu.choices.iter().position(|choice| choice.text == *line);
        let at = at.unwrap_or_else(|| panic!("{line} in {menu:?}"));
        desk.press("home");
        (0..at).for_each(|_| desk.press("down"));
        desk.press("enter");
        desk.write(wrong);
        desk.press("enter");
        let notice = desk.room.state.view.notice.clone().unwrap();
        assert!(notice.text.as_str().starts_with("type "), "{notice:?}");
        desk.press("ctrl-u");
        desk.room.send(Msg::Paste(typed.to_owned()));
        desk.press("enter");
        assert_eq!(desk.dialog().plan.title.as_str(), title);
    }
}

#[test]
fn the_reason_of_a_hold_is_shown_as_it_is_written() {
    let mut desk = Desk::new();
    desk.press("H");
    if matches!(desk.room.state.view.overlay, Some(Overlay::Choose(_))) {
        desk.press("enter");
    }
    desk.go(Focus::Comment);
    desk.write("peak");
    assert_eq!(desk.dialog().written_as(), None);
    desk.write(";50%");
    assert_eq!(desk.dialog().written_as().unwrap(), "peak 50 percent");
}

/// The version of a canary is part of what is approved.
#[test]
fn another_version_where_the_canary_runs_has_moved() {
    let environment = |revision: &str| {
        let slot = Slot {
            name: "canary".into(),
            revision: Some(Revision::of(revision)),
            percent: None,
            healthy: None,
            desired: None,
            health: Health::Healthy,
        };
        Fact::Environment(Environment {
            id: EnvironmentId::new(&SourceId::new("lb"), "prod"),
            name: "prod".into(),
            production: None,
            health: Health::Healthy,
            summary: None,
            revision: Some(Revision::of("r1")),
            slots: vec![slot],
            address: None,
            latency: None,
            tls_expires: None,
            since: None,
            link: None,
            tags: BTreeMap::new(),
        })
    };
    let mut desk = Desk::new();
    let spec = &mut desk.room.state.setup.services[0].canaries[0];
    spec.environment = Some(Pattern::parse("lb/prod"));
    desk.room.tell(environment("r8"));
    desk.room.tell(Fact::Traffic(split(&[("stable", 98, true), ("canary", 2, true)])));
    let mut plan = desk.room.plan(&shift("canary", 5)).unwrap();
    assert_eq!(flightdeck::app::plan::again(&desk.room.state, &mut plan), []);
    desk.room.tell(environment("r9"));
    // It is read again by whoever sends it; the way away from a canary waits for no reading of it.
    assert!(plan.steps[0].expects.beside.iter().all(|beside| beside.binding));
    let away = desk.room.plan(&shift("canary", 0)).unwrap();
    assert!(away.steps[0].expects.beside.iter().all(|beside| !beside.binding));
    let moved = flightdeck::app::plan::again(&desk.room.state, &mut plan);
    let said: Vec<String> =
        moved.iter().map(|m| format!("{} {} {}", m.what, m.seen, m.now)).collect();
    assert_eq!(said, ["revision in prod r8 r9"]);
}

#[test]
fn what_was_deleted_is_not_sent() {
    let mut desk = Desk::new();
    desk.press("a");
    desk.go(Focus::Comment);
    desk.write("bad");
    desk.go(Focus::Go);
    // The name is missing: it is refused with the comment in it.
    desk.press("enter");
    assert!(desk.refusal().starts_with("type "));
    desk.go(Focus::Comment);
    desk.press("ctrl-u");
    desk.go(Focus::Name);
    desk.write("shop");
    desk.press("enter");
    let Write::Answer { comment, .. } = &desk.sent[0].plan().steps[0].write else { panic!() };
    assert_eq!(comment, "approved");
}

#[test]
fn a_comment_is_as_long_as_the_backend_takes() {
    for (wish, room) in [("a", 512), ("H", 300), ("s", 200)] {
        for pasted in [false, true] {
            let mut desk = Desk::new();
            desk.press(wish);
            if matches!(desk.room.state.view.overlay, Some(Overlay::Choose(_))) {
                desk.press("enter");
            }
            desk.go(Focus::Comment);
            let text = "x".repeat(room);
            if pasted {
                desk.room.send(Msg::Paste(text.clone()));
            } else {
                desk.write(&text);
            }
            assert_eq!((desk.dialog().comment.as_str(), desk.refusal()), (&*text, String::new()));
            if pasted {
                desk.room.send(Msg::Paste("y".to_owned()));
            } else {
                desk.press("y");
            }
            assert_eq!(desk.dialog().comment, text, "{wish}");
            let full = format!("no more than {room} characters");
            assert!(desk.refusal().starts_with(&full), "{wish}: {}", desk.refusal());
        }
    }
}
