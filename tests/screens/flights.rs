//! Pilots on the screen: before one flies, in flight, when it calls, and when it has ended.

use flightdeck::app::effect::Effect;
use flightdeck::app::pane::Pane;
use flightdeck::app::pilot::End;
use flightdeck::app::{Msg, pilot::Pilot};
use flightdeck::ui::Look;
use flightdeck::ui::theme::Theme;

use super::room::{Room, default_look};
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
