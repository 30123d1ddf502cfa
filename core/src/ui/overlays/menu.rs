//! The menu before a confirmation: what can be done, and why some of it cannot.

use ratatui::text::Line;

use super::inset;
use crate::app::layout::Area;
use crate::app::overlay::Menu;
use crate::ui::canvas::Canvas;
use crate::ui::theme::Role;

/// Several intents, of which one is chosen.
pub fn menu(canvas: &mut Canvas<'_>, screen: Area, menu: &Menu) {
    let look = canvas.look;
    let height = u16::try_from(menu.choices.len()).unwrap_or(u16::MAX).saturating_add(3);
    let area = inset(screen, 84, height);
    canvas.clear(area);
    let inner = canvas.boxed(area, &look.line(Role::Title, menu.title.to_string()));
    let list = Area { height: inner.height.saturating_sub(1), ..inner };
    let page = usize::from(list.height).max(1);
    let top = menu.selected / page * page;
    for (row, (i, choice)) in (0..list.height).zip(menu.choices.iter().enumerate().skip(top)) {
        let here = i == menu.selected;
        let marker = if here { look.glyphs.selection } else { " " };
        let (role, why) = match &choice.intent {
            Ok(_) if here => (Role::Selected, String::new()),
            Ok(_) => (Role::Text, String::new()),
            Err(why) => (Role::Dim, format!(" ({why})")),
        };
        let mut line = Line::from(vec![
            look.span(Role::Selected, format!("{marker} ")),
            look.span(role, choice.text.to_string()),
            look.span(Role::Dim, why),
        ]);
        if let Some(typed) = menu.typed.as_ref().filter(|_| here) {
            line.push_span(look.span(Role::Input, format!(" {typed}")));
            line.push_span(look.span(Role::Key, look.glyphs.cursor));
        }
        canvas.line(list, row, 0, &line);
    }
    let shown = menu.choices.len().min(top + page);
    let count = format!("{shown} of {}  enter takes, esc closes", menu.choices.len());
    canvas.line_right(inner, inner.height.saturating_sub(1), 0, &look.line(Role::Dim, count));
}
