//! What lies over a pane: the help, the palette, the menu of choices and the confirmation.

mod confirm;
mod menu;

pub use confirm::confirm;
pub use menu::menu;

use ratatui::text::Line;

use super::canvas::Canvas;
use super::theme::Role;
use crate::app::State;
use crate::app::availability::disabled;
use crate::app::command::{Spec, TABLE};
use crate::app::layout::Area;
use crate::app::overlay::Palette;
use crate::app::update::palette_entries;

/// Every command, its keys and what it does.
pub fn help(state: &State, canvas: &mut Canvas<'_>, screen: Area, top: usize) {
    let area = inset(screen, 96, u16::MAX);
    canvas.clear(area);
    let title = canvas.look.line(Role::Title, "Help");
    let inner = canvas.boxed(area, &title);
    let look = canvas.look;
    let keys_of = |row: &Spec| {
        let keys: Vec<String> =
            state.keymap.keys(row.command).iter().map(ToString::to_string).collect();
        keys.join(" ")
    };
    let wide = TABLE.iter().map(|row| keys_of(row).chars().count()).max().unwrap_or(0).min(30);
    let lines: Vec<Line<'_>> = TABLE
        .iter()
        .map(|row| {
            let why = disabled(row.command, state);
            let role = if why.is_some() { Role::Dim } else { Role::Text };
            let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
            Line::from(vec![
                look.span(Role::Key, format!("{:<wide$} ", keys_of(row))),
                look.span(Role::Dim, format!("{:<15} ", row.name)),
                look.span(role, format!("{}{why}", row.help)),
            ])
        })
        .collect();
    let last = lines.len().saturating_sub(usize::from(inner.height));
    canvas.lines(inner, &lines, top.min(last));
    let foot = Area { y: area.y + area.height - 1, height: 1, ..area };
    let more = if top < last { "j k scroll, " } else { "" };
    let foot_line = look.line(Role::Dim, format!(" {more}esc closes "));
    canvas.line_right(Area { width: foot.width - 2, ..foot }, 0, 0, &foot_line);
}

/// Commands by name.
pub fn palette(state: &State, canvas: &mut Canvas<'_>, screen: Area, palette: &Palette) {
    let matches = palette.matches(palette_entries(state));
    let height = u16::try_from(matches.len().max(1)).unwrap_or(u16::MAX).saturating_add(3);
    let area = inset(screen, 84, height.min(18));
    canvas.clear(area);
    let look = canvas.look;
    let inner = canvas.boxed(area, &look.line(Role::Title, "Command"));
    let input = Line::from(vec![
        look.span(Role::Key, ":"),
        look.span(Role::Input, palette.input.clone()),
        look.span(Role::Key, look.glyphs.cursor),
    ]);
    canvas.line(inner, 0, 0, &input);
    let list = Area { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    if matches.is_empty() {
        canvas.line(list, 0, 2, &look.line(Role::Dim, "no command matches"));
    }
    let page = usize::from(list.height).max(1);
    let selected = palette.selected.min(matches.len().saturating_sub(1));
    let top = selected / page * page;
    for (row, (i, entry)) in (0..list.height).zip(matches.iter().enumerate().skip(top)) {
        let here = i == selected;
        let name_role = match (&entry.disabled, here) {
            (Some(_), _) => Role::Dim,
            (None, true) => Role::Selected,
            (None, false) => Role::Text,
        };
        let marker = if here { look.glyphs.selection } else { " " };
        let why = entry.disabled.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        let keys = match entry.argument {
            Some(_) => String::new(),
            None => state
                .keymap
                .keys(entry.command)
                .first()
                .map(ToString::to_string)
                .unwrap_or_default(),
        };
        let line = Line::from(vec![
            look.span(Role::Selected, format!("{marker} ")),
            look.span(name_role, format!("{:<24} ", entry.text)),
            look.span(Role::Key, format!("{keys:<9} ")),
            look.span(Role::Dim, format!("{}{why}", entry.help)),
        ]);
        canvas.line(list, row, 0, &line);
    }
}

/// An area in the middle of the screen, at most that large.
fn inset(screen: Area, width: u16, height: u16) -> Area {
    let width = width.min(screen.width.saturating_sub(2));
    let height = height.min(screen.height.saturating_sub(4));
    Area { x: screen.x + (screen.width - width) / 2, y: screen.y + 2, width, height }
}
