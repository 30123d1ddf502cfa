//! Hostile text from the other side: pasted, typed, in notices and in the names of a configuration.

use flightdeck::app::key::Key;
use flightdeck::app::msg::Notice;
use flightdeck::app::pane::Pane;
use flightdeck::app::setup::Setup;
use flightdeck::app::{Msg, State, update};
use flightdeck::backend::rehearsal;
use flightdeck::domain::ids::ServiceId;
use flightdeck::ui::theme::Theme;
use flightdeck::ui::{Look, draw};
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::drawn::{assert_clean, assert_shown_clean};
use crate::poison::EVIL;

fn setup() -> Setup {
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let world = rehearsal::open("bad-canary", 1, 1.0, now).unwrap();
    let mut setup = Setup::empty(now);
    setup.services = world.services;
    setup.sources = world.sources.iter().map(|(source, _)| source.meta()).collect();
    setup
}

fn drawn(state: &State, what: &str) {
    let (width, height) = state.view.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    draw(state, &Look::new(Theme::fallback(), false), &mut buffer);
    assert_clean(&buffer, what);
}

#[test]
fn what_is_typed_and_pasted() {
    for open in ["/", ":", "?"] {
        let mut state = State::new(setup());
        let press = |state: &mut State, key: Key| {
            update(state, Msg::Key { key, ms: 0 });
        };
        press(&mut state, Key::parse(open).unwrap());
        update(&mut state, Msg::Paste(EVIL.to_owned()));
        drawn(&state, "pasted");
        update(&mut state, Msg::Paste(EVIL.repeat(9_000)));
        drawn(&state, "a megabyte pasted");
        for c in EVIL.chars() {
            press(&mut state, Key::char(c));
            drawn(&state, "typed");
        }
    }
}

#[test]
fn notices() {
    let mut state = State::new(setup());
    for text in [EVIL.to_owned(), EVIL.repeat(9_000)] {
        update(&mut state, Msg::Notice(Notice::warning(text)));
        drawn(&state, "notice");
    }
}

#[test]
fn names_of_a_configuration() {
    let mut setup = setup();
    for service in &mut setup.services {
        service.id = ServiceId::new(&format!("{}{EVIL}", service.id));
        service.description = Some(EVIL.into());
        service.owners = vec![EVIL.into()];
        service.links = vec![(EVIL.into(), EVIL.into())];
    }
    for source in &mut setup.sources {
        source.place = EVIL.into();
    }
    let mut state = State::new(setup);
    assert_shown_clean(&mut state, "configuration");
    for pane in Pane::ALL {
        state.view.pane = pane;
        drawn(&state, pane.name());
    }
}
