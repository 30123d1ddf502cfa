//! What is around every pane: header, tabs, status, the explaining strip, hints.

mod header;
mod hints;

pub use header::header;
pub use hints::hints;

use ratatui::text::{Line, Span};

use super::canvas::Canvas;
use super::look::Look;
use super::theme::Role;
use super::when;
use super::wrap::wrap;
use crate::app::age::{Ages, SourcesNow};
use crate::app::layout::Area;
use crate::app::pane::Pane;
use crate::app::select::board;
use crate::app::update::tab_label;
use crate::app::{State, age, explain};
use crate::domain::observed::Freshness;

/// The row of panes.
pub fn tabs(state: &State, canvas: &mut Canvas<'_>, area: Area) {
    let look = canvas.look;
    let mut spans = vec![Span::raw(" ")];
    for pane in Pane::ALL {
        let role = if pane == state.view.pane { Role::Tab } else { Role::Dim };
        spans.push(look.span(role, tab_label(state, pane)));
        spans.push(Span::raw(" "));
    }
    canvas.line(area, 0, 0, &Line::from(spans));
}

/// The rule under the body: counts on the left, ages on the right.
pub fn status(state: &State, canvas: &mut Canvas<'_>, area: Area) {
    canvas.rule(area);
    let look = canvas.look;
    let mut left = vec![look.span(Role::Dim, format!(" {} ", counts(state)))];
    if let Some(list) = state.view.lists.get(&state.view.pane)
        && !list.filter.is_empty()
    {
        left.push(look.span(Role::Warning, format!("filter: {} ", list.filter)));
    }
    let left = Line::from(left);
    let inner = Area { width: area.width.saturating_sub(2), ..area };
    let room = usize::from(inner.width).saturating_sub(2);
    let fits = |ages: &Line<'_>| left.width() + ages.width() <= room;
    let (view, sources) = (age::of_view(state), age::of_sources(state));
    let forms = [false, true].map(|short| ages(state, look, (&view, &sources), short));
    // That something is stale is said even where it covers a count.
    let troubled = view.worst() != Freshness::Fresh || sources.silent() > 0;
    let ages = forms.iter().find(|ages| fits(ages)).or(forms.last().filter(|_| troubled));
    let right = ages.map_or(0, Line::width);
    let rest = u16::try_from(room.saturating_sub(right) + 2).unwrap_or(area.width);
    canvas.line(Area { width: rest, ..area }, 0, 2, &left);
    if let Some(ages) = ages {
        canvas.line_right(inner, 0, 0, ages);
    }
}

fn counts(state: &State) -> String {
    let pane = state.view.pane;
    let count =
        |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let (one, many) = match pane {
        Pane::Board => ("service", "services"),
        Pane::Inbox => ("thing waits for a human", "things wait for a human"),
        Pane::Pipelines => ("pipeline", "pipelines"),
        Pane::Environments => ("environment", "environments"),
        Pane::Canaries => ("canary", "canaries"),
        Pane::Flags => ("flag", "flags"),
        Pane::Timeline => ("change", "changes"),
        Pane::Activity => ("thing done", "things done"),
        Pane::Sources => ("source", "sources"),
        Pane::Service => return String::from("one service"),
    };
    let all = state.rows.order(pane).len();
    let listed = state.listed(pane);
    let mut text = if listed.len() == all {
        count(all, one, many)
    } else {
        format!("{} of {}", listed.len(), count(all, one, many))
    };
    if pane == Pane::Board {
        let need = state.rows.board.count(board::NEEDS_YOU);
        if need > 0 {
            text.push_str(&format!(" {} {need} need you", "·"));
        }
    }
    let hidden = below_the_fold(state, pane);
    if hidden > 0 {
        text.push_str(&format!(" · {hidden} more below"));
    }
    text
}

fn below_the_fold(state: &State, pane: Pane) -> usize {
    let shown = state.visible_rows(pane).len();
    let top = state.view.lists.get(&pane).map_or(0, |l| l.top);
    if shown == 0 { 0 } else { state.listed(pane).len().saturating_sub(top + shown) }
}

fn ages(
    state: &State,
    look: &Look,
    (ages, sources): (&Ages, &SourcesNow),
    short: bool,
) -> Line<'static> {
    let mut parts: Vec<Span<'static>> = Vec::new();
    if let Some(trouble) = sources.trouble(short) {
        parts.push(look.span(Role::Warning, format!("{} {trouble} ", look.glyphs.warning)));
    } else if sources.pending > 0 {
        parts.push(look.span(
            Role::Moving,
            format!("reading {} sources {} ", sources.pending, look.glyphs.more),
        ));
    }
    match ages.worst() {
        Freshness::Fresh => parts.extend(calm(state, ages, sources).map(|text| {
            let text = format!("{text} ");
            look.span(Role::Dim, text)
        })),
        Freshness::Stale | Freshness::Lost => {
            let (glyph, role) = look.glyphs.freshness(ages.worst());
            let mut text = glyph.to_owned();
            if ages.stale > 0 {
                text.push_str(&format!(" {} stale", ages.stale));
            }
            if ages.lost > 0 {
                text.push_str(&format!(" {} lost", ages.lost));
            }
            let word = if short { "" } else { ", oldest" };
            let oldest = ages
                .oldest
                .map(|at| format!("{word} {} ", when::ago(state, at)))
                .unwrap_or_default();
            parts.push(look.span(role, text + &oldest));
        }
    }
    if !parts.is_empty() {
        parts.insert(0, Span::raw(" "));
    }
    Line::from(parts)
}

/// How old what is shown is, where nothing of it is too old.
fn calm(state: &State, ages: &Ages, sources: &SourcesNow) -> Option<String> {
    // What was done from here is known without being read.
    if state.view.pane == Pane::Activity {
        let newest = state.activity.first()?;
        return Some(format!("last {}", when::ago(state, newest.at)));
    }
    let is_empty = state.view.pane.is_list() && state.rows.order(state.view.pane).is_empty();
    match (ages.oldest, sources.oldest) {
        (Some(at), _) => Some(format!("all fresh {}", when::ago(state, at))),
        (None, _) if sources.all == 0 => None,
        // That there is nothing was read too.
        (None, Some(at)) if sources.pending == 0 && is_empty => {
            Some(format!("read {} ago", when::ago(state, at)))
        }
        (None, _) if is_empty || sources.pending > 0 => Some("nothing read yet".to_owned()),
        (None, _) => None,
    }
}

/// The sentences about the selected row.
pub fn strip(state: &State, canvas: &mut Canvas<'_>, area: Area) {
    if area.height == 0 {
        return;
    }
    let sentences = explain::selected(state);
    let inner = Area { x: area.x + 3, width: area.width.saturating_sub(4), ..area };
    let width = usize::from(inner.width).max(1);
    let mut rows: Vec<Line<'_>> = Vec::new();
    for (i, sentence) in sentences.iter().enumerate() {
        let role = if i == 0 { Role::Text } else { Role::Dim };
        // The first sentence may take more than one row if others leave room.
        let spare = usize::from(area.height).saturating_sub(rows.len());
        let later = sentences.len() - i - 1;
        let room = if i == 0 { spare.saturating_sub(later.min(1)).max(1) } else { 1 };
        for piece in wrap(sentence, width, room.min(spare)) {
            rows.push(canvas.look.line(role, piece));
        }
    }
    canvas.lines(inner, &rows, 0);
}
