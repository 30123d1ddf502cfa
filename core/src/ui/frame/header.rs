//! The header: what needs a human, the rehearsal, the clock.

use ratatui::text::{Line, Span};

use crate::app::layout::Area;
use crate::app::needs::needs;
use crate::app::{State, age};
use crate::domain::observed::Freshness;
use crate::ui::canvas::Canvas;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::when;

/// The first row of the screen: as much of it as there is room for. That it is a rehearsal, and what
/// needs a human, are the last to go.
pub fn header(state: &State, canvas: &mut Canvas<'_>, area: Area) {
    let width = usize::from(area.width);
    let fits = |detail: &Detail| {
        let (left, right) = (left(state, canvas.look, detail), right(state, canvas.look, detail));
        (left.width() + right.width() < width).then_some((left, right))
    };
    let (left, right) = DETAILS
        .iter()
        .find_map(fits)
        .unwrap_or_else(|| (left(state, canvas.look, &LEAST), right(state, canvas.look, &LEAST)));
    let room = area.width.saturating_sub(u16::try_from(right.width()).unwrap_or(0) + 1);
    canvas.line(Area { width: room, ..area }, 0, 0, &left);
    canvas.line_right(area, 0, 0, &right);
}

/// What the header spells out.
struct Detail {
    scenario: bool,
    program: bool,
    words: bool,
    clock: bool,
    /// The worst age, even if all is fresh.
    age: bool,
}

/// Glyphs and counts alone.
const LEAST: Detail =
    Detail { scenario: false, program: false, words: false, clock: false, age: false };
/// From everything to the least.
const DETAILS: [Detail; 9] = [
    Detail { age: true, ..MOST },
    MOST,
    Detail { scenario: false, age: true, ..MOST },
    Detail { scenario: false, ..MOST },
    Detail { words: true, clock: true, age: true, ..LEAST },
    Detail { words: true, clock: true, ..LEAST },
    Detail { clock: true, age: true, ..LEAST },
    Detail { clock: true, ..LEAST },
    LEAST,
];
/// Everything but the age of what is fresh.
const MOST: Detail = Detail { scenario: true, program: true, words: true, clock: true, age: false };

fn left(state: &State, look: &Look, detail: &Detail) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    let mut part = |role, text: String| {
        if spans.len() > 1 {
            spans.push(Span::raw("  "));
        }
        spans.push(look.span(role, text));
    };
    if detail.program || state.setup.rehearsal.is_none() {
        part(Role::Title, "flightdeck".to_owned());
    }
    if let Some(rehearsal) = &state.setup.rehearsal {
        let speed = state.view.speed;
        let pace = match speed {
            _ if rehearsal.partly => String::new(),
            0.0 => " paused".to_owned(),
            _ => format!(" {}{speed}", look.glyphs.times),
        };
        let partly = if rehearsal.partly { "partly " } else { "" };
        let scenario =
            if detail.scenario { format!(" {}", rehearsal.scenario) } else { String::new() };
        let pace = if detail.words { pace } else { String::new() };
        part(Role::Rehearsal, format!("{partly}REHEARSAL{scenario}{pace}"));
    }
    if state.journal.is_some() {
        part(Role::Warning, "READ ONLY, no journal".to_owned());
    } else if state.is_read_only() {
        part(Role::Warning, "READ ONLY".to_owned());
    }
    Line::from(spans)
}

fn right(state: &State, look: &Look, detail: &Detail) -> Line<'static> {
    let glyphs = look.glyphs;
    let needs = needs(state);
    let sources = age::of_sources(state);
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut part = |count: usize, glyph: &str, (one, many): (&str, &str), role| {
        let word = if count == 1 { one } else { many };
        match (count, detail.words) {
            (0, _) => {}
            (_, true) => spans.push(look.span(role, format!("{glyph}{count} {word}  "))),
            (_, false) => spans.push(look.span(role, format!("{glyph}{count} "))),
        }
    };
    part(needs.waiting, glyphs.waiting, ("waiting", "waiting"), Role::Waiting);
    part(needs.failed, glyphs.bad, ("failed", "failed"), Role::Bad);
    part(needs.unhealthy, glyphs.bad, ("unhealthy", "unhealthy"), Role::Bad);
    part(needs.alarms, glyphs.bad, ("alarm", "alarms"), Role::Bad);
    part(needs.canaries, glyphs.warning, ("canary", "canaries"), Role::Warning);
    part(needs.unsure, glyphs.unknown, ("write unsure", "writes unsure"), Role::Unknown);
    part(needs.sign_in, glyphs.waiting, ("sign in", "sign in"), Role::Waiting);
    let failing = sources.silent().saturating_sub(needs.sign_in);
    part(failing, glyphs.unknown, ("source failing", "sources failing"), Role::Unknown);
    // While the first answers are awaited, that they are is said below.
    if sources.pending == 0 {
        part(needs.unknown, glyphs.unknown, ("unknown", "unknown"), Role::Unknown);
    }
    let is_fresh = sources.worst == Freshness::Fresh;
    if spans.is_empty() && sources.pending == 0 && sources.all > 0 && is_fresh {
        spans.push(look.span(Role::Good, format!("{} nothing needs you  ", glyphs.good)));
    }
    if let Some(at) = sources.oldest
        && (detail.age || !is_fresh)
    {
        // The words of fresh facts are the first to go.
        let (glyph, role) = look.glyphs.freshness(sources.worst);
        let text = match (sources.worst, detail.words) {
            (Freshness::Fresh, _) => format!("oldest {}  ", when::ago(state, at)),
            (_, true) => format!("{glyph} oldest {}  ", when::ago(state, at)),
            (_, false) => format!("{glyph}{} ", when::ago(state, at)),
        };
        spans.push(look.span(role, text));
    }
    if detail.clock {
        let zone =
            if detail.words { format!(" {}", when::zone_word(state)) } else { String::new() };
        spans.push(look.span(Role::Text, format!("{}{zone} ", when::clock(state))));
    }
    Line::from(spans)
}
