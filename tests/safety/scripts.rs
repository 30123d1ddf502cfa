//! Confirmations by the book, and everything that may come between: none of it is submitted.

use flightdeck::app::dialog::Focus;
use flightdeck::app::intent::Intent;
use flightdeck::app::msg::{Mouse, MouseKind};
use flightdeck::app::overlay::Overlay;
use flightdeck::app::{Effect, Msg, State, update};
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::fact::Fact;
use flightdeck::domain::ids::SourceId;
use flightdeck::domain::observation::{ReadFailed, Scope, Topic};
use flightdeck::domain::pipeline::{Condition, Pipeline, RunState};
use flightdeck::domain::token::Token;
use flightdeck::domain::write::Outcome;

use crate::watcher::Watcher;
use crate::world::*;

/// One write of every sort: the key that offers it, the line of the menu if there is one.
const WISHES: [(&str, Option<&str>); 13] = [
    ("a", None),
    ("x", None),
    ("b", Some("roll back shop, and hold")),
    ("t", Some("shop: 5% to canary")),
    ("f", Some("new-checkout off in production")),
    ("p", Some("canary main from 25% to 100%")),
    ("e", Some("run the failed actions of prod of shop-main again")),
    ("e", Some("override the condition on success of prod of shop-main")),
    ("s", Some("stop e3 of shop-main after the actions that run")),
    ("S", None),
    ("H", Some("hold prod of shop-main")),
    ("H", Some("release prod of shop-main")),
    ("u", None),
];

/// The world in which `wish` can be had.
fn world_of(wish: &(&str, Option<&str>)) -> State {
    let mut room = Room { state: calm(), now: moment(0) };
    let mut now = pipeline();
    match *wish {
        ("p", _) => {
            now.stages[2].actions.clear();
            now.stages[2].state = RunState::Succeeded;
            now.executions[0].state = RunState::Succeeded;
            room.tell(Fact::Traffic(split(&[("stable", 75, true), ("canary", 25, true)])));
        }
        ("e", _) => {
            now.stages[2].actions.clear();
            now.stages[2].state = RunState::Failed;
            now.executions[0].state = RunState::Failed;
            now.stages[2].conditions = vec![Condition {
                when: "on success".into(),
                state: RunState::Failed,
                summary: None,
                at: None,
            }];
        }
        ("H", Some("release prod of shop-main")) => {
            now.stages[2].transition.as_mut().unwrap().enabled = false;
        }
        ("u", _) => {
            let hold = Intent::Gate { pipeline: pipeline_id(), stage: None, hold: true };
            let plan = room.plan(&hold).unwrap();
            room.did(&plan, Some(&Outcome::Done { note: None }));
            now.stages[2].transition.as_mut().unwrap().enabled = false;
        }
        _ => return room.state,
    }
    room.tell(Fact::Pipeline(now));
    room.state
}

pub fn calm() -> State {
    let mut room = Room::calm();
    room.send(Msg::Resize { width: 120, height: 40 });
    room.state
}

/// The source tells this now.
pub fn tells(fact: Fact) -> Msg {
    observed(fact, moment(1))
}

/// Opens the confirmation of one write from the board.
fn open(wish: &(&str, Option<&str>)) -> Watcher {
    let mut watcher = Watcher::new(world_of(wish));
    watcher.press(wish.0, 1_000);
    if let (Some(Overlay::Choose(menu)), Some(text)) = (&watcher.state.view.overlay, wish.1) {
        let wanted = menu.choices.iter().position(|c| c.text == *text);
        let wanted = wanted.unwrap_or_else(|| panic!("{text} in {menu:?}"));
        let from = menu.selected;
        for _ in from..wanted {
            watcher.press("down", 50);
        }
        for _ in wanted..from {
            watcher.press("up", 50);
        }
        watcher.press("enter", 50);
    }
    assert!(watcher.dialog().is_some(), "{wish:?}: {:?}", watcher.state.view.notice);
    watcher
}

/// The keys that confirm it, each with the time after the one before.
fn keys(watcher: &Watcher) -> Vec<(String, u64)> {
    let dialog = watcher.dialog().unwrap();
    let mut keys = vec![("tab".to_owned(), 400)];
    let mut type_in = |text: &str| keys.extend(text.chars().map(|c| (c.to_string(), 30)));
    if dialog.plan.production {
        type_in(dialog.plan.name.as_str());
        keys.push(("tab".to_owned(), 30));
    }
    if dialog.needs_reason() {
        let mut type_in = |text: &str| keys.extend(text.chars().map(|c| (c.to_string(), 30)));
        type_in("flood");
        keys.push(("tab".to_owned(), 30));
    }
    if dialog.takes_comment() {
        let mut type_in = |text: &str| keys.extend(text.chars().map(|c| (c.to_string(), 30)));
        type_in("fire");
        keys.push(("tab".to_owned(), 30));
    }
    keys.push(("enter".to_owned(), 30));
    keys
}

/// Confirms by the book with `between` after so many keys; how often it was submitted.
fn confirm(wish: &(&str, Option<&str>), after: usize, between: &dyn Fn(&mut Watcher)) -> usize {
    let mut watcher = open(wish);
    for (number, (key, pause)) in keys(&watcher).into_iter().enumerate() {
        if number == after {
            between(&mut watcher);
        }
        watcher.press(&key, pause);
    }
    watcher.submitted
}

fn count(wish: &(&str, Option<&str>)) -> usize {
    keys(&open(wish)).len()
}

/// `between` at any point: nothing is submitted.
fn never(name: &str, wishes: &[(&str, Option<&str>)], between: &dyn Fn(&mut Watcher)) {
    for wish in wishes {
        for after in 0..count(wish) {
            assert_eq!(confirm(wish, after, between), 0, "{name} before key {after} of {wish:?}");
        }
    }
}

/// `between` at any point: it does not hold up what was confirmed by keys.
fn still(name: &str, between: &dyn Fn(&mut Watcher)) {
    for wish in &WISHES {
        for after in 0..count(wish) {
            assert_eq!(confirm(wish, after, between), 1, "{name} before key {after} of {wish:?}");
        }
    }
}

#[test]
fn by_the_book_it_is_submitted_once() {
    still("nothing", &|_| {});
    // The same facts once more are no news.
    still("the same facts", &|w| {
        let known = w.state.fleet.pipelines.get(&pipeline_id()).unwrap().value.clone();
        w.send(&tells(Fact::Pipeline((*known).clone())));
        w.send(&tells(Fact::Flag(flag())));
        w.send(&Msg::Tick(moment(2)));
    });
}

#[test]
fn a_changed_execution_revision_or_token_never_submits() {
    let answers = &WISHES[..2];
    never("another execution", answers, &|w| {
        let mut now = pipeline();
        now.executions.insert(0, run("e4", RunState::Waiting, "r4"));
        now.executions[1].state = RunState::Superseded;
        now.stages[2].execution = Some("e4".into());
        now.stages[2].actions[0].approval.as_mut().unwrap().execution = Some("e4".into());
        w.send(&tells(Fact::Pipeline(now)));
    });
    never("another revision", answers, &|w| {
        let mut now = pipeline();
        now.executions[0].revisions[0].id = "r3b".into();
        w.send(&tells(Fact::Pipeline(now)));
    });
    never("another token", answers, &|w| {
        let mut now = pipeline();
        now.stages[2].actions[0].approval.as_mut().unwrap().token = Some(Token::new("token-4"));
        w.send(&tells(Fact::Pipeline(now)));
    });
    never("answered by somebody else", answers, &|w| {
        let mut now = pipeline();
        now.stages[2].actions[0].approval = None;
        now.stages[2].state = RunState::Running;
        w.send(&tells(Fact::Pipeline(now)));
    });
}

#[test]
fn a_changed_stage_weight_or_flag_never_submits() {
    never("another execution in production", &WISHES[2..3], &|w| {
        let mut now = pipeline();
        now.stages[2].execution = Some("e1".into());
        w.send(&tells(Fact::Pipeline(now)));
    });
    never("another weight", &WISHES[3..4], &|w| {
        w.send(&tells(Fact::Traffic(split(&[("stable", 90, true), ("canary", 10, true)]))));
    });
    never("out of traffic", &WISHES[3..4], &|w| {
        w.send(&tells(Fact::Traffic(split(&[("stable", 100, true), ("canary", 0, false)]))));
    });
    never("another version of the flag", &WISHES[4..5], &|w| {
        let mut now = flag();
        now.environments[0].version = Some("8".into());
        w.send(&tells(Fact::Flag(now)));
    });
    never("switched off by somebody else", &WISHES[4..5], &|w| {
        let mut now = flag();
        now.environments[0].enabled = Some(false);
        w.send(&tells(Fact::Flag(now)));
    });
}

#[test]
fn what_else_changes_under_a_write_never_submits() {
    let of = |key: &str| -> Vec<_> { WISHES.iter().filter(|own| own.0 == key).copied().collect() };
    let changed = |change: fn(&mut Pipeline)| {
        move |w: &mut Watcher| {
            let known = w.state.fleet.pipelines.get(&pipeline_id()).unwrap().value.clone();
            let mut now = (*known).clone();
            change(&mut now);
            w.send(&tells(Fact::Pipeline(now)));
        }
    };
    let another = changed(|now| now.stages[2].execution = Some("e2".into()));
    never("another execution has failed", &of("e"), &another);
    let over = changed(|now| now.executions[0].state = RunState::Succeeded);
    never("it has ended", &of("s"), &over);
    let newer = changed(|now| now.executions.insert(0, run("e4", RunState::Running, "r4")));
    never("another was started", &of("S"), &newer);
    let toggled = changed(|now| {
        let way = now.stages[2].transition.as_mut().unwrap();
        way.enabled = !way.enabled;
    });
    never("somebody held or released", &of("H"), &toggled);
    never("somebody released", &of("u"), &toggled);
    let entered = changed(|now| now.stages[2].inbound = Some("e9".into()));
    never("something else would enter", &WISHES[11..12], &entered);
    never("another share", &of("p"), &|w| {
        w.send(&tells(Fact::Traffic(split(&[("stable", 70, true), ("canary", 30, true)]))));
    });
}

#[test]
fn what_grows_old_or_fails_never_submits() {
    never("time goes on", &WISHES, &|w| w.send(&Msg::Tick(moment(200))));
    for source in ["aws", "lb", "flags"] {
        let wishes: Vec<_> = WISHES
            .iter()
            .filter(|(key, _)| {
                let of = match *key {
                    "t" | "p" => "lb",
                    "f" => "flags",
                    _ => "aws",
                };
                of == source
            })
            .copied()
            .collect();
        never("the source does not answer", &wishes, &|w| {
            let failed = ReadFailed {
                source: SourceId::new(source),
                epoch: 0,
                scope: Scope { topic: Topic::Overview, items: Vec::new() },
                at: moment(1),
                fault: Fault::new(FaultKind::NotAuthenticated, "expired"),
            };
            w.send(&Msg::ReadFailed(Box::new(failed)));
        });
    }
}

#[test]
fn on_a_screen_too_small_nothing_is_confirmed() {
    for (width, height) in [(0, 0), (1, 1), (20, 5), (39, 40)] {
        never("a small screen", &WISHES, &|w| w.send(&Msg::Resize { width, height }));
    }
}

#[test]
fn a_paste_neither_submits_nor_fills_in_the_name() {
    for text in ["shop", "shop\n", "\n", "\r\n", "\u{1b}[200~shop\r\u{1b}[201~", "shop-main\n"] {
        // Instead of the name: the field stays as it is, and Enter says so.
        for wish in &WISHES {
            let mut watcher = open(wish);
            let keys = keys(&watcher);
            for (key, pause) in &keys {
                let in_name = watcher.dialog().is_some_and(|d| d.focus == Focus::Name);
                if in_name && key.chars().count() == 1 {
                    watcher.send(&Msg::Paste(text.to_owned()));
                } else {
                    watcher.press(key, *pause);
                }
            }
            assert_eq!(watcher.submitted, 0, "{text:?} for {wish:?}");
            assert_eq!(watcher.dialog().unwrap().typed, "");
        }
    }
    // Whatever is pasted on the way changes nothing of what keys have said.
    still("a paste", &|w| w.send(&Msg::Paste("x\n".to_owned())));
}

#[test]
fn keys_within_400_ms_of_opening_never_act() {
    for wish in &WISHES {
        let mut watcher = open(wish);
        // All of it typed ahead, within the time.
        for (key, _) in keys(&watcher) {
            watcher.press(&key, 10);
        }
        assert_eq!(watcher.submitted, 0);
        let dialog = watcher.dialog().expect("it is still open");
        assert_eq!((dialog.focus, dialog.typed.as_str()), (Focus::Cancel, ""), "{wish:?}");
    }
    // A clock that goes back opens nothing.
    let mut watcher = open(&WISHES[0]);
    for (key, _) in keys(&watcher) {
        watcher.send(&crate::world::key(&key, 0));
    }
    assert_eq!(watcher.submitted, 0);
}

#[test]
fn the_first_key_after_the_window_came_back_never_acts() {
    for wish in &WISHES {
        let last = count(wish) - 1;
        let back = |w: &mut Watcher| {
            w.send(&Msg::Focus(false));
            w.send(&Msg::Focus(true));
        };
        assert_eq!(confirm(wish, last, &back), 0, "{wish:?}");
    }
}

#[test]
fn enter_alone_never_confirms_production() {
    for wish in &WISHES {
        let mut watcher = open(wish);
        for pause in [400, 1, 400, 1_000, 10_000] {
            watcher.press("enter", pause);
        }
        assert_eq!(watcher.submitted, 0, "{wish:?}");
        // Nor on the button itself, without the name.
        let mut watcher = open(wish);
        watcher.press("tab", 400);
        while watcher.dialog().unwrap().focus != Focus::Go {
            watcher.press("tab", 30);
        }
        watcher.press("enter", 30);
        assert_eq!(watcher.submitted, 0, "{wish:?}");
        let refusal = watcher.dialog().unwrap().refusal.clone().unwrap();
        assert!(refusal.as_str().starts_with("type "), "{refusal}");
    }
}

#[test]
fn the_mouse_never_confirms() {
    for wish in &WISHES {
        let mut watcher = open(wish);
        watcher.state.view.mouse = true;
        for (key, pause) in keys(&watcher) {
            if key == "enter" {
                break;
            }
            watcher.press(&key, pause);
        }
        for x in (0..120).step_by(3) {
            for y in 0..40 {
                watcher.send(&Msg::Mouse(Mouse { kind: MouseKind::Click, x, y }));
            }
        }
        assert_eq!(watcher.submitted, 0, "{wish:?}");
    }
}

#[test]
fn read_only_never_submits() {
    for locked in [true, false] {
        let mut setup = setup();
        setup.options.read_only = !locked;
        let mut room = Room::with(setup);
        room.send(Msg::Resize { width: 120, height: 40 });
        let mut watcher = Watcher::new(room.state);
        if locked {
            watcher.press("L", 10);
        }
        for (key, _) in &WISHES {
            watcher.press(key, 1_000);
            assert!(watcher.state.view.overlay.is_none());
            let notice = watcher.state.view.notice.clone().unwrap();
            assert!(notice.text.as_str().contains("read-only"), "{notice:?}");
        }
    }
    // It becomes read-only while the dialog is open.
    never("a lock", &WISHES, &|w| w.state.view.locked = true);
}

#[test]
fn leaving_while_a_write_is_under_way_is_asked_once() {
    let mut room = Room::calm();
    let quits = |room: &mut Room, pressed: &str, ms: u64| -> bool {
        update(&mut room.state, key(pressed, ms)).contains(&Effect::Quit)
    };
    assert!(quits(&mut room, "q", 1_000), "nothing is under way");
    let plan = room.plan(&approve()).unwrap();
    room.did(&plan, None);
    assert!(!quits(&mut room, "q", 2_000));
    let notice = room.state.view.notice.clone().unwrap();
    assert!(
        notice.text.as_str().starts_with("under way: approve prod of shop-main r3"),
        "{notice:?}"
    );
    // Another key in between stays.
    assert!(!quits(&mut room, "1", 3_000));
    assert!(!quits(&mut room, "q", 4_000));
    assert!(quits(&mut room, "q", 5_000));
    // A signal does not ask.
    assert!(update(&mut room.state, Msg::Leave).contains(&Effect::Quit));
}
