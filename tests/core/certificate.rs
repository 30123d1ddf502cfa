//! When the certificate of an environment ends.

use flightdeck::app::row::RowId;
use flightdeck::app::{Msg, State, update};
use flightdeck::domain::fact::Fact;
use flightdeck::domain::ids::SourceId;
use flightdeck::domain::observation::{Observation, Scope, Topic};
use flightdeck::ui::theme::Theme;
use flightdeck::ui::{Look, draw};
use jiff::SignedDuration;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

use crate::world::{fact, key, moment, setup};

/// The line of it on the screen, for a certificate that ends in so many hours.
fn line(hours: i64) -> String {
    let Fact::Environment(mut environment) = fact(1, 1, 0, 0) else { panic!() };
    let now = moment(1_000_000);
    environment.tls_expires = Some(now + SignedDuration::from_hours(hours));
    let scope = Scope { topic: Topic::Overview, items: Vec::new() };
    let mut seen = Observation::new(&SourceId::new("lab"), 0, &scope, now);
    seen.facts = vec![Fact::Environment(environment)];
    let mut state = State::new(setup());
    update(&mut state, Msg::Tick(now));
    update(&mut state, Msg::Observed(Box::new(seen)));
    update(&mut state, Msg::Resize { width: 160, height: 50 });
    update(&mut state, key("4"));
    assert!(matches!(state.selected(state.view.pane), Some(RowId::Item(_))));
    let mut buffer = Buffer::empty(Rect::new(0, 0, 160, 50));
    draw(&state, &Look::new(Theme::fallback(), false), &mut buffer);
    let rows = buffer.content.chunks(160);
    let mut lines = rows.map(|row| row.iter().map(Cell::symbol).collect::<String>());
    lines.find(|line| line.contains(" tls ")).expect("it is told").trim_end().to_owned()
}

#[test]
fn a_certificate_that_ends_soon_is_warned_of_and_one_that_has_ended_is_bad() {
    assert!(line(30 * 24).contains("tls         expires "), "{}", line(30 * 24));
    assert!(line(15 * 24).contains("tls         expires "));
    assert!(line(13 * 24).contains("tls         ! expires "), "{}", line(13 * 24));
    assert!(line(13 * 24).contains("(in 13d)"));
    assert!(line(-1).contains("tls         ✗ expires "), "{}", line(-1));
    assert!(line(-1).contains("(over)"));
}
