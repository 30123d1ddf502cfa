//! Cells as lines of text, with colours where the output shows them.

use std::fmt::Write;

use crossterm::style::{Attribute, SetAttribute, SetBackgroundColor, SetForegroundColor};
use ratatui::backend::IntoCrossterm;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier, Style};

/// The rows of `buffer` without trailing blanks; plain unless `colors`.
pub fn rows(buffer: &Buffer, colors: bool) -> Vec<String> {
    let area = buffer.area;
    (area.top()..area.bottom())
        .map(|y| {
            let cells: Vec<&Cell> =
                (area.left()..area.right()).filter_map(|x| buffer.cell((x, y))).collect();
            row(&cells, colors)
        })
        .collect()
}

fn row(cells: &[&Cell], colors: bool) -> String {
    let end = cells.iter().rposition(|cell| cell.symbol() != " ").map_or(0, |at| at + 1);
    let plain = Style::new().fg(Color::Reset).bg(Color::Reset);
    let mut text = String::new();
    let mut style: Option<Style> = None;
    let mut skip = 0;
    for cell in cells.iter().take(end) {
        // A wide character owns the cell after it as well.
        if skip > 0 {
            skip -= 1;
            continue;
        }
        skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
        let own = Style::new().fg(cell.fg).bg(cell.bg).add_modifier(cell.modifier);
        if colors && style != Some(own) {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}", SetAttribute(Attribute::Reset));
            if own != plain {
                begin(&mut text, cell);
            }
            style = Some(own);
        }
        text.push_str(cell.symbol());
    }
    if colors && style.is_some_and(|style| style != plain) {
        let _ = write!(text, "{}", SetAttribute(Attribute::Reset));
    }
    text
}

fn begin(text: &mut String, cell: &Cell) {
    if cell.fg != Color::Reset {
        let _ = write!(text, "{}", SetForegroundColor(cell.fg.into_crossterm()));
    }
    if cell.bg != Color::Reset {
        let _ = write!(text, "{}", SetBackgroundColor(cell.bg.into_crossterm()));
    }
    for (modifier, attribute) in [
        (Modifier::BOLD, Attribute::Bold),
        (Modifier::DIM, Attribute::Dim),
        (Modifier::ITALIC, Attribute::Italic),
        (Modifier::UNDERLINED, Attribute::Underlined),
        (Modifier::REVERSED, Attribute::Reverse),
    ] {
        if cell.modifier.contains(modifier) {
            let _ = write!(text, "{}", SetAttribute(attribute));
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;

    #[test]
    fn plain_rows_have_no_escapes_and_coloured_ones_end_plain() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
        buffer.set_string(0, 0, "日 ok", Style::new().fg(Color::Green));
        assert_eq!(rows(&buffer, false), ["日 ok", ""]);
        let coloured = rows(&buffer, true);
        assert!(coloured[0].contains("日 ok") && coloured[0].ends_with("\u{1b}[0m"));
    }
}
