//! No sequence of messages submits without a live confirmation: the watcher sees every one.

use std::cell::Cell;

use flightdeck::app::Msg;
use flightdeck::app::dialog::Focus;
use flightdeck::app::msg::{Mouse, MouseKind};
use flightdeck::app::overlay::Overlay;
use flightdeck::domain::alarm::AlarmState;
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::fact::Fact;
use flightdeck::domain::ids::SourceId;
use flightdeck::domain::observation::{ReadFailed, Scope, Topic};
use flightdeck::domain::pipeline::{Pipeline, RunState};
use flightdeck::domain::token::Token;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::scripts::calm;
use crate::watcher::Watcher;
use crate::world::*;

/// Something that happens, or that somebody does.
#[derive(Clone, Debug)]
enum Act {
    /// A key, so long after the last.
    Key(String, u64),
    /// Text, key by key.
    Text(String, u64),
    /// Whatever is on the screen is chosen or confirmed as it should be.
    Rightly,
    Paste(String),
    Click(u16, u16),
    Resize(u16, u16),
    Focus(bool),
    /// Seconds since noon.
    Tick(i64),
    Pipeline(u8),
    Traffic(u32, u32, bool),
    Flag(u8),
    Alarm(u8),
    Fail(u8),
}

fn an_act() -> impl Strategy<Value = Act> {
    let wish =
        proptest::sample::select(vec!["a", "x", "p", "b", "H", "t", "f", "e", "s", "S", "u", "n"]);
    let other = proptest::sample::select(vec![
        "enter",
        "enter",
        "tab",
        "shift-tab",
        "esc",
        "n",
        "down",
        "up",
        "left",
        "right",
        "L",
        "1",
        "2",
        "5",
        "6",
        "9",
        "backspace",
        "ctrl-u",
        "q",
        ":",
        "/",
        "j",
        "?",
    ]);
    let pause = prop_oneof![0_u64..50, 350_u64..450, Just(1_000)];
    prop_oneof![
        6 => (wish, pause.clone()).prop_map(|(key, after)| Act::Key(key.to_owned(), after)),
        6 => (other, pause.clone()).prop_map(|(key, after)| Act::Key(key.to_owned(), after)),
        3 => (proptest::sample::select(vec!["shop", "shop-main", "sho", "shopp", "fire"]), pause)
            .prop_map(|(text, after)| Act::Text(text.to_owned(), after)),
        5 => Just(Act::Rightly),
        2 => proptest::sample::select(vec!["shop", "shop\n", "\n", "a\n\n", ""])
            .prop_map(|text| Act::Paste(text.to_owned())),
        1 => (0_u16..130, 0_u16..45).prop_map(|(x, y)| Act::Click(x, y)),
        1 => prop_oneof![2 => Just((120, 40)), 1 => (0_u16..60, 0_u16..20)]
            .prop_map(|(width, height)| Act::Resize(width, height)),
        1 => any::<bool>().prop_map(Act::Focus),
        1 => (0_i64..300).prop_map(Act::Tick),
        3 => any::<u8>().prop_map(Act::Pipeline),
        2 => (0_u32..=100, 0_u32..=100, any::<bool>()).prop_map(|(a, b, up)| Act::Traffic(a, b, up)),
        2 => any::<u8>().prop_map(Act::Flag),
        1 => any::<u8>().prop_map(Act::Alarm),
        1 => any::<u8>().prop_map(Act::Fail),
    ]
}

/// One of several states that a pipeline may come into.
fn variant(n: u8) -> Pipeline {
    let mut now = pipeline();
    match n % 8 {
        1 => now.executions[0].revisions[0].id = "r3b".into(),
        2 => now.stages[2].actions[0].approval.as_mut().unwrap().token = Some(Token::new("other")),
        3 => {
            now.stages[2].actions[0].approval = None;
            now.stages[2].state = RunState::Succeeded;
            now.executions[0].state = RunState::Succeeded;
        }
        4 => {
            now.stages[2].actions[0].approval = None;
            now.stages[2].state = RunState::Failed;
        }
        5 => now.stages[2].transition.as_mut().unwrap().enabled = false,
        6 => now.executions[0].state = RunState::Superseded,
        7 => now.executions[0].by = Some("kim".into()),
        _ => {}
    }
    now
}

/// Goes on as somebody does who knows how.
fn rightly(watcher: &mut Watcher) {
    match &watcher.state.view.overlay {
        Some(Overlay::Confirm(dialog)) => {
            let plan = dialog.plan.clone();
            watcher.press("tab", 400);
            for _ in 0..5 {
                let Some(dialog) = watcher.dialog() else { return };
                let text = match dialog.focus {
                    Focus::Name if dialog.typed.is_empty() => plan.name.to_string(),
                    Focus::Comment if dialog.comment.is_empty() => "tested".to_owned(),
                    Focus::Reason if dialog.reason.is_empty() => "fire".to_owned(),
                    Focus::Go => break,
                    _ => String::new(),
                };
                for c in text.chars() {
                    watcher.press(&c.to_string(), 30);
                }
                watcher.press("tab", 30);
            }
            watcher.press("enter", 30);
        }
        Some(Overlay::Choose(_)) => watcher.press("enter", 30),
        _ => watcher.press("esc", 30),
    }
}

fn perform(watcher: &mut Watcher, act: &Act) {
    let now = watcher.state.now;
    let msg = match act {
        Act::Key(key, after) => return watcher.press(key, *after),
        Act::Text(text, after) => {
            text.chars().for_each(|c| watcher.press(&c.to_string(), *after));
            return;
        }
        Act::Rightly => return rightly(watcher),
        Act::Paste(text) => Msg::Paste(text.clone()),
        Act::Click(x, y) => Msg::Mouse(Mouse { kind: MouseKind::Click, x: *x, y: *y }),
        Act::Resize(width, height) => Msg::Resize { width: *width, height: *height },
        Act::Focus(on) => Msg::Focus(*on),
        Act::Tick(seconds) => Msg::Tick(moment(*seconds).max(now)),
        Act::Pipeline(n) => observed(Fact::Pipeline(variant(*n)), now),
        Act::Traffic(stable, canary, up) => {
            let arms = [("stable", *stable, true), ("canary", *canary, *up)];
            observed(Fact::Traffic(split(&arms)), now)
        }
        Act::Flag(n) => {
            let mut flag = flag();
            let own = &mut flag.environments[0];
            own.enabled = [Some(true), Some(false), None][usize::from(n % 3)];
            own.version = Some(format!("{}", 7 + n % 4).as_str().into());
            // What is not production asks for no name.
            if n % 5 == 0 {
                own.environment = "development".into();
            }
            observed(Fact::Flag(flag), now)
        }
        Act::Alarm(n) => {
            let states = [AlarmState::Ok, AlarmState::Firing, AlarmState::Unknown];
            observed(Fact::Alarm(alarm(states[usize::from(n % 3)])), now)
        }
        Act::Fail(n) => Msg::ReadFailed(Box::new(ReadFailed {
            source: SourceId::new(["aws", "lb", "flags", "prom"][usize::from(n % 4)]),
            epoch: 0,
            scope: Scope { topic: Topic::Overview, items: Vec::new() },
            at: now,
            fault: Fault::new(FaultKind::Unreachable, "no"),
        })),
    };
    watcher.send(&msg);
}

#[test]
fn no_sequence_of_messages_submits_without_a_live_confirmation() {
    let submitted = Cell::new(0);
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    let acts = proptest::collection::vec(an_act(), 1..60);
    let result = TestRunner::new(config).run(&acts, |acts| {
        let mut watcher = Watcher::new(calm());
        watcher.state.view.mouse = true;
        for act in &acts {
            perform(&mut watcher, act);
        }
        submitted.set(submitted.get() + watcher.submitted);
        Ok(())
    });
    if let Err(why) = result {
        panic!("{why}");
    }
    // The watcher has seen real submissions, not only their absence.
    assert!(submitted.get() > 50, "only {} were submitted", submitted.get());
}
