//! The header: what needs a human, the rehearsal, the clock.

use ratatui::text::{Line, Span};

use crate::app::layout::Area;
use crate::app::needs::needs;
use crate::app::{State, age};
use crate::ui::canvas::Canvas;
use crate::ui::theme::Role;
use crate::ui::when;

/// The first row of the screen.
pub fn header(state: &State, canvas: &mut Canvas<'_>, area: Area) {
    let look = canvas.look;
    let glyphs = look.glyphs;
    let mut left = vec![Span::raw(" "), look.span(Role::Title, "flightdeck")];
    if let Some(rehearsal) = &state.setup.rehearsal {
        let speed = state.view.speed;
        let pace =
            if speed == 0.0 { "paused".to_owned() } else { format!("{}{speed}", glyphs.times) };
        left.push(look.span(Role::Rehearsal, format!("  REHEARSAL {} {pace}", rehearsal.scenario)));
    }
    if state.is_read_only() {
        left.push(look.span(Role::Warning, "  READ ONLY"));
    }
    let needs = needs(state);
    let sources = age::of_sources(state);
    let mut right: Vec<Span<'static>> = Vec::new();
    let mut part = |count: usize, glyph: &str, word: &str, role| {
        if count > 0 {
            right.push(look.span(role, format!("{glyph}{count} {word}  ")));
        }
    };
    part(needs.waiting, glyphs.waiting, "waiting", Role::Waiting);
    part(needs.failed, glyphs.bad, "failed", Role::Bad);
    part(needs.alarms, glyphs.bad, if needs.alarms == 1 { "alarm" } else { "alarms" }, Role::Bad);
    part(
        needs.canaries,
        glyphs.warning,
        if needs.canaries == 1 { "canary" } else { "canaries" },
        Role::Warning,
    );
    part(needs.sign_in, glyphs.waiting, "sign in", Role::Waiting);
    let silent = sources.all - sources.answering - sources.pending;
    let failing = silent.saturating_sub(needs.sign_in);
    let word = if failing == 1 { "source failing" } else { "sources failing" };
    part(failing, glyphs.unknown, word, Role::Unknown);
    if right.is_empty() && sources.pending == 0 && sources.all > 0 {
        right.push(look.span(Role::Good, format!("{} nothing needs you  ", glyphs.good)));
    }
    right
        .push(look.span(Role::Text, format!("{} {} ", when::clock(state), when::zone_word(state))));
    let right = Line::from(right);
    let left = Line::from(left);
    let room = area.width.saturating_sub(u16::try_from(right.width()).unwrap_or(0) + 1);
    canvas.line(Area { width: room, ..area }, 0, 0, &left);
    canvas.line_right(area, 0, 0, &right);
}
