//! Whole screens as they are drawn: every pane in three sizes, and the screens of odd days.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "screens/flights.rs"]
mod flights;
#[path = "screens/keys.rs"]
mod keys;
#[path = "screens/print.rs"]
mod print;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "screens/room.rs"]
mod room;

use flightdeck::app::activity::{Phase, WriteReport};
use flightdeck::app::dialog::{Dialog, Focus};
use flightdeck::app::intent::Intent;
use flightdeck::app::overlay::Overlay;
use flightdeck::app::pane::Pane;
use flightdeck::app::plan::plan;
use flightdeck::app::{Msg, Setup, State, update};
use flightdeck::backend::rehearsal;
use flightdeck::domain::ids::{ServiceId, SourceId, TrafficId};
use flightdeck::domain::text::SafeText;
use flightdeck::domain::write::{Outcome, PlanId};
use flightdeck::ui::Look;
use flightdeck::ui::theme::Theme;
use ratatui::buffer::Cell;
use ratatui::style::Color;
use room::{Room, default_look, moment, unfolded};
use unicode_width::UnicodeWidthStr;

/// The sizes that everything is shown in.
pub const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// Compares `frames` with the snapshot `name`.
fn compare(name: &str, about: &str, frames: &[(String, String)]) {
    let mut whole = String::new();
    for (title, frame) in frames {
        whole.push_str(&format!("~ {title}\n{frame}\n"));
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("screens/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(about);
    settings.bind(|| insta::assert_snapshot!(name, whole));
}

/// What `room` shows in every size.
fn sizes(room: &mut Room, look: &Look) -> Vec<(String, String)> {
    SIZES
        .into_iter()
        .map(|size| {
            room.resize(size);
            let frame = print::styled(&room.frame(look), look);
            (format!("{}x{}", size.0, size.1), frame)
        })
        .collect()
}

macro_rules! panes {
    ($($name:ident $pane:ident)*) => {$(
        #[test]
        fn $name() {
            let mut room = unfolded("bad-canary", SIZES[0]);
            room.show(Pane::$pane);
            let frames = sizes(&mut room, &default_look());
            compare(stringify!($name), "bad-canary, after 12 minutes", &frames);
        }
    )*};
}

panes! {
    board Board
    inbox Inbox
    pipelines Pipelines
    environments Environments
    canaries Canaries
    flags Flags
    timeline Timeline
    service Service
    activity Activity
    sources Sources
}

/// What `room` shows at `size`.
fn at(room: &mut Room, size: (u16, u16), look: &Look, title: &str) -> (String, String) {
    room.resize(size);
    (format!("{title}, {}x{}", size.0, size.1), print::styled(&room.frame(look), look))
}

/// The same as text alone, where styles tell nothing new.
fn text_at(room: &mut Room, size: (u16, u16), look: &Look, title: &str) -> (String, String) {
    room.resize(size);
    (format!("{title}, {}x{}", size.0, size.1), print::text(&room.frame(look)))
}

#[test]
fn overlays() {
    let look = default_look();
    let mut room = unfolded("bad-canary", SIZES[0]);
    room.keys(&["?"]);
    let mut frames =
        vec![at(&mut room, SIZES[0], &look, "help"), text_at(&mut room, SIZES[1], &look, "help")];
    room.keys(&["pagedown"]);
    frames.push(text_at(&mut room, SIZES[0], &look, "help, a page further"));
    room.keys(&["esc", ":"]);
    frames.push(at(&mut room, SIZES[0], &look, "palette"));
    room.typed("theme");
    frames.push(text_at(&mut room, SIZES[1], &look, "palette with a word"));
    room.keys(&["esc", "3", "/"]);
    room.typed("search");
    frames.push(text_at(&mut room, SIZES[0], &look, "filter while it is typed"));
    room.keys(&["enter"]);
    frames.push(text_at(&mut room, SIZES[0], &look, "filter that is kept"));
    compare("overlays", "bad-canary, after 12 minutes", &frames);
}

#[test]
fn a_rehearsal_beside_real_sources_says_that_it_is_a_part() {
    let mut world = rehearsal::open("bad-canary", 1, 1.0, room::moment(0)).unwrap();
    world.set_apart();
    // With less room the scenario's name gives way, never the word.
    let mut room = Room::of(world, SIZES[1], |setup| {
        setup.rehearsal.as_mut().unwrap().partly = true;
    });
    room.read(0);
    // Real time runs at one speed.
    room.keys(&["+"]);
    let text = print::text(&room.frame(&default_look()));
    assert!(text.contains("partly REHEARSAL bad-canary  "), "{text}");
    assert!(text.contains("sim-checkout"), "{text}");
    room.resize(SIZES[0]);
    let small = print::text(&room.frame(&default_look()));
    assert!(small.contains("partly REHEARSAL"), "{small}");
    assert!((room.state.view.speed - 1.0).abs() < f64::EPSILON);
    let canaries: Vec<_> = room.state.rows.canaries.iter().map(|row| row.canary.clone()).collect();
    assert!(!canaries.is_empty() && canaries.iter().all(|id| id.as_str().starts_with("sim-")));
}

#[test]
fn small_and_smaller() {
    let look = default_look();
    let mut room = unfolded("bad-canary", SIZES[0]);
    let mut frames = Vec::new();
    for size in [(40, 10), (60, 16), (39, 10), (40, 9), (12, 3), (1, 1)] {
        frames.push(text_at(&mut room, size, &look, "board"));
    }
    room.resize((0, 0));
    assert_eq!(room.frame(&look).content.len(), 0);
    room.resize((40, 10));
    for pane in Pane::ALL {
        room.show(pane);
        frames.push(text_at(&mut room, (40, 10), &look, pane.name()));
    }
    compare("small", "bad-canary, after 12 minutes", &frames);
}

#[test]
fn nothing_configured() {
    let look = default_look();
    let mut setup = Setup::empty(moment(0));
    let mut frames = Vec::new();
    for pane in Pane::ALL {
        setup.options.pane = pane;
        let mut state = State::new(setup.clone());
        update(&mut state, Msg::Tick(moment(1)));
        let text = print::text(&room::frame(&state, &look));
        frames.push((pane.name().to_owned(), text));
    }
    compare("nothing", "no source and no service", &frames);
}

#[test]
fn nothing_there_after_a_read() {
    let look = default_look();
    let mut world = rehearsal::open("quiet-day", 1, 1.0, moment(0)).unwrap();
    // Sources that answer, and have nothing of a kind.
    world.services.clear();
    let mut room = Room::of(world, SIZES[0], |_| {});
    room.read(0);
    room.tick(90);
    let mut frames = Vec::new();
    for pane in [Pane::Board, Pane::Inbox, Pane::Canaries, Pane::Activity] {
        room.show(pane);
        frames.push(text_at(&mut room, SIZES[0], &look, pane.name()));
    }
    compare("empty", "quiet-day without services, a minute after it was read", &frames);
}

#[test]
fn a_service_where_there_is_little_room() {
    let look = default_look();
    let mut room = unfolded("bad-canary", (120, 24));
    room.show(Pane::Service);
    let mut frames = vec![text_at(&mut room, (120, 24), &look, "from the top")];
    // Every line of it can be reached.
    let whole = {
        room.resize((120, 120));
        room.keys(&["z"]);
        let whole = print::text(&room.frame(&look));
        room.keys(&["z"]);
        whole
    };
    room.resize((120, 24));
    let mut seen = String::new();
    for _ in 0..20 {
        seen.push_str(&print::text(&room.frame(&look)));
        room.keys(&["J"]);
    }
    frames.push(text_at(&mut room, (120, 24), &look, "scrolled to the end"));
    for heading in ["canary", "environments and traffic", "flags", "alarms", "links"] {
        assert!(whole.contains(heading), "{heading}: {whole}");
        assert!(seen.contains(heading), "{heading} cannot be reached");
    }
    for _ in 0..30 {
        room.keys(&["K"]);
    }
    assert_eq!(room.state.view.detail_top, 0);
    // Where there are boxes, zoom shows what they leave out.
    room.resize((120, 40));
    frames.push(text_at(&mut room, (120, 40), &look, "boxes"));
    room.keys(&["z"]);
    frames.push(text_at(&mut room, (120, 40), &look, "zoomed"));
    assert_ne!(frames[2].1, frames[3].1, "zoom does something");
    compare("service_short", "bad-canary, after 12 minutes", &frames);
}

#[test]
fn before_the_first_answer() {
    let look = default_look();
    let mut room = Room::open("bad-canary", SIZES[0]);
    let mut frames = Vec::new();
    for pane in [Pane::Board, Pane::Inbox, Pane::Canaries, Pane::Service, Pane::Sources] {
        room.show(pane);
        frames.push(text_at(&mut room, SIZES[0], &look, pane.name()));
    }
    compare("start", "nothing was read yet", &frames);
}

#[test]
fn lost_sources() {
    let look = default_look();
    let mut room = Room::open("dead-backends", SIZES[0]);
    room.read(0);
    room.read(4 * 60);
    let mut frames = Vec::new();
    for pane in [Pane::Board, Pane::Sources] {
        room.show(pane);
        frames.push(at(&mut room, SIZES[0], &look, pane.name()));
    }
    // Two hours later nothing was heard any more.
    room.tick(2 * 3_600);
    for pane in Pane::ALL {
        room.show(pane);
        frames.push(text_at(&mut room, SIZES[0], &look, &format!("{}, lost", pane.name())));
    }
    room.show(Pane::Board);
    let mono = Look::new(Theme::load("mono", &|_| None).unwrap(), false);
    frames.push(at(&mut room, SIZES[0], &mono, "board, lost, without colours"));
    compare("lost", "dead-backends, after 4 minutes and after two hours", &frames);
}

#[test]
fn other_looks() {
    let mut room = unfolded("bad-canary", SIZES[0]);
    let mut frames = Vec::new();
    let ascii = Look::new(Theme::fallback(), true);
    for pane in Pane::ALL {
        room.show(pane);
        let size = if pane == Pane::Service { SIZES[2] } else { SIZES[0] };
        room.resize(size);
        let text = print::text(&room.frame(&ascii));
        // What the facts themselves say may hold more than ASCII; the rehearsal's do not.
        let odd: Vec<char> = text.chars().filter(|c| !c.is_ascii()).collect();
        assert!(odd.is_empty(), "{}: {odd:?}\n{text}", pane.name());
        frames.push(text_at(&mut room, size, &ascii, &format!("{}, ascii", pane.name())));
    }
    room.show(Pane::Board);
    for (name, _) in flightdeck::ui::theme::BUILT_IN {
        let theme = Theme::load(name, &|_| None).unwrap();
        let plain = theme.clone().with_colors(|_| None);
        for (theme, title) in [(theme, name.to_string()), (plain, format!("{name}, colours off"))] {
            let look = Look::new(theme, false);
            let frame = room.frame(&look);
            if title.ends_with("off") {
                let reset = |cell: &Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
                assert!(frame.content.iter().all(reset), "{title}");
            }
            let styles = print::styled(&frame, &look);
            let (_, styles) = styles.split_once("~ styles\n").unwrap();
            frames.push((format!("styles of the board, {title}"), styles.to_owned()));
        }
    }
    compare("looks", "bad-canary, after 12 minutes", &frames);
}

#[test]
fn wide_and_right_to_left_text() {
    let look = default_look();
    let names = [
        "支払いサービス",
        "שירות-תשלום",
        "e\u{301}te\u{301}-caf\u{e9}",
        "👩\u{200d}🚀-lancement",
        "दुकान",
    ];
    let mut world = rehearsal::open("bad-canary", 1, 1.0, moment(0)).unwrap();
    for (service, name) in world.services.iter_mut().zip(names) {
        service.id = ServiceId::new(name);
        service.description = Some(SafeText::new(&format!("{name} · {name}")));
        service.owners = vec![name.into()];
        service.canaries.clear();
    }
    let mut room = Room::of(world, SIZES[0], |_| {});
    room.read(0);
    room.read(12 * 60);
    let mut frames = Vec::new();
    for pane in [Pane::Board, Pane::Inbox, Pane::Pipelines, Pane::Service] {
        room.show(pane);
        frames.push(text_at(&mut room, SIZES[0], &look, pane.name()));
        let frame = room.frame(&look);
        // Every row is as wide as the screen: nothing wide hangs over an edge.
        for row in print::text(&frame).lines() {
            assert!(UnicodeWidthStr::width(row) <= usize::from(SIZES[0].0), "{row}");
        }
    }
    compare("scripts", "names in other scripts", &frames);
}

/// What an operator reads before a write, and what is left of it afterwards.
#[test]
fn confirmation_and_what_came_of_it() {
    let look = default_look();
    let mut room = unfolded("bad-canary", SIZES[0]);
    room.show(Pane::Inbox);
    // Not everything that waits for a human is an approval.
    for _ in 0..5 {
        room.keys(&["a"]);
        if room.state.view.overlay.is_some() {
            break;
        }
        room.keys(&["down"]);
    }
    assert!(room.state.view.overlay.is_some(), "{:?}", room.state.view.notice);
    let mut frames = sizes(&mut room, &look);
    room.resize(SIZES[0]);
    let name = room.state.activity.len();
    // To the field, the name of the service, and on to the button.
    room.keys(&["tab"]);
    room.typed("sessions");
    frames.push(text_at(&mut room, SIZES[0], &look, "the name is typed"));
    room.keys(&["enter"]);
    room.effects.clear();
    room.keys(&["esc"]);
    assert_eq!(room.state.activity.len(), name + 1, "it was confirmed");
    room.show(Pane::Activity);
    let plan = room.state.activity[0].plan.clone();
    let at = room.state.now;
    let report =
        |phase| Msg::Write(Box::new(WriteReport { plan: plan.clone(), step: 0, phase, at }));
    room.take(report(Phase::Sending));
    frames.push(at_all(&mut room, &look, "under way"));
    let why = "no answer came within 30s, and its effect was not seen".into();
    room.take(report(Phase::Ended { outcome: Outcome::Unknown { why } }));
    frames.push(at_all(&mut room, &look, "nobody knows"));
    compare("writing", "bad-canary, after 12 minutes: an approval", &frames);
}

/// The confirmations that ask for more than a name, or that cannot be given.
#[test]
fn confirmations_that_stand_against_something() {
    let look = default_look();
    let mut room = unfolded("bad-canary", SIZES[0]);
    let split = TrafficId::new(&SourceId::new("edge"), "checkout.prod-eu");
    let intent = Intent::Shift { split, arm: "canary".into(), percent: 50 };
    let plan = plan(&room.state, &intent, "", PlanId("t-1".to_owned())).unwrap();
    let open = |room: &mut Room, change: &dyn Fn(&mut Dialog)| {
        let mut dialog = Dialog::new(intent.clone(), plan.clone(), 0);
        change(&mut dialog);
        room.state.view.overlay = Some(Overlay::Confirm(Box::new(dialog)));
        room.take(Msg::Tick(room.state.now));
    };
    open(&mut room, &|_| {});
    let mut frames = vec![at_all(&mut room, &look, "a reason is wanted")];
    open(&mut room, &|dialog| {
        dialog.plan.steps[0].expects.facts[0].1 = "weight 99".into();
        dialog.focus = Focus::Name;
        dialog.typed = "checkout".to_owned();
    });
    frames.push(at_all(&mut room, &look, "it has moved while the name was typed"));
    room.state.view.locked = true;
    open(&mut room, &|_| {});
    frames.push(at_all(&mut room, &look, "it is refused"));
    room.state.view.locked = false;
    let back = Intent::RollBackAndHold { service: ServiceId::new("checkout"), only: None };
    let plan = flightdeck::app::plan::plan(&room.state, &back, "", PlanId("t-2".to_owned()));
    let mut dialog = Dialog::new(back, plan.unwrap(), 0);
    dialog.focus = Focus::Comment;
    dialog.comment = "errors > 5%".to_owned();
    room.state.view.overlay = Some(Overlay::Confirm(Box::new(dialog)));
    frames.push(at_all(&mut room, &look, "a roll back with a comment"));
    compare("standing", "bad-canary, after 12 minutes: confirmations", &frames);
}

fn at_all(room: &mut Room, look: &Look, title: &str) -> (String, String) {
    at(room, SIZES[1], look, title)
}
