//! The last row: what is being typed, a notice, or the keys of the command table.

use ratatui::text::{Line, Span};

use crate::app::State;
use crate::app::availability::{disabled, is_here};
use crate::app::command::{Command, TABLE};
use crate::app::layout::Area;
use crate::app::msg::Level;
use crate::app::overlay::Overlay;
use crate::ui::canvas::Canvas;
use crate::ui::theme::Role;

/// The last row of the screen.
pub fn hints(state: &State, canvas: &mut Canvas<'_>, area: Area) {
    let look = canvas.look;
    if let Some(Overlay::Filter { .. }) = &state.view.overlay {
        let typed = state.view.lists.get(&state.view.pane).map_or("", |l| l.filter.as_str());
        let line = Line::from(vec![
            look.span(Role::Key, " /"),
            look.span(Role::Input, typed.to_owned()),
            look.span(Role::Key, look.glyphs.cursor),
            look.span(Role::Dim, "  enter keeps it, esc drops it"),
        ]);
        canvas.line(area, 0, 0, &line);
        return;
    }
    if let Some(notice) = &state.view.notice {
        let (glyph, role) = match notice.level {
            Level::Info => (look.glyphs.dot, Role::Text),
            Level::Warning => (look.glyphs.warning, Role::Warning),
            Level::Error => (look.glyphs.bad, Role::Bad),
        };
        canvas.line(area, 0, 0, &look.line(role, format!(" {glyph} {}", notice.text)));
        return;
    }
    let mut hints: Vec<(u8, Command, Vec<Span<'static>>)> = TABLE
        .iter()
        .filter(|row| is_here(row.place, state) && disabled(row.command, state).is_none())
        .filter_map(|row| {
            let (order, label) = row.hint?;
            let key = state.keymap.keys(row.command).into_iter().next()?;
            let key = look.span(Role::Key, format!("{key} "));
            let label = look.span(Role::Dim, format!("{label}  "));
            Some((order, row.command, vec![key, label]))
        })
        .collect();
    hints.sort_by_key(|(order, ..)| *order);
    let width = |hint: &[Span<'_>]| hint.iter().map(Span::width).sum::<usize>();
    // The way to all others is never left out.
    let last = hints.iter().position(|(_, command, _)| *command == Command::Help);
    let last = last.map(|at| hints.remove(at).2).unwrap_or_default();
    let room = usize::from(area.width).saturating_sub(1);
    let mut spans = vec![Span::raw(" ")];
    let mut used = width(&last);
    for (_, _, hint) in hints {
        // Whole hints only.
        if used + width(&hint) > room {
            break;
        }
        used += width(&hint);
        spans.extend(hint);
    }
    spans.extend(last);
    canvas.line(area, 0, 0, &Line::from(spans));
}
