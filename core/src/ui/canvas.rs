//! `Canvas`: cells of one area, clipped, so that no pane can write outside its own.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::look::Look;
use super::theme::Role;
use crate::app::layout::Area;
use crate::domain::text::fit;

/// Cells to draw on.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    /// Theme and glyphs.
    pub look: &'a Look,
}

impl<'a> Canvas<'a> {
    /// A canvas over `buffer`.
    pub fn new(buffer: &'a mut Buffer, look: &'a Look) -> Self {
        Self { buffer, look }
    }

    /// Writes `line` at `column` of row `row` of `area`; cut with an ellipsis at the area's edge.
    /// Returns how many cells it took.
    pub fn line(&mut self, area: Area, row: u16, column: u16, line: &Line<'_>) -> u16 {
        if row >= area.height || column >= area.width {
            return 0;
        }
        let (x, y) = (area.x + column, area.y + row);
        let bounds = self.buffer.area;
        if y >= bounds.bottom() || x >= bounds.right() {
            return 0;
        }
        let room = (area.width - column).min(bounds.right() - x);
        let line = cut(line, usize::from(room));
        let (end, _) = self.buffer.set_line(x, y, &line, room);
        end - x
    }

    /// Writes `line` so that it ends at the right edge of `area`; nothing if it does not fit
    /// right of column `from`.
    pub fn line_right(&mut self, area: Area, row: u16, from: u16, line: &Line<'_>) {
        let width = u16::try_from(line.width()).unwrap_or(u16::MAX);
        if let Some(column) = area.width.checked_sub(width)
            && column >= from
        {
            self.line(area, row, column, line);
        }
    }

    /// Lines from the top of `area`, the first `skip` left out.
    pub fn lines(&mut self, area: Area, lines: &[Line<'_>], skip: usize) {
        for (row, line) in (0..area.height).zip(lines.iter().skip(skip)) {
            self.line(area, row, 0, line);
        }
    }

    /// A horizontal rule over the first row of `area`.
    pub fn rule(&mut self, area: Area) {
        let text = self.look.glyphs.line.repeat(usize::from(area.width));
        let line = self.look.line(Role::Rule, text);
        self.line(area, 0, 0, &line);
    }

    /// Empties `area`: neither a sign nor a style of what was there is left.
    pub fn clear(&mut self, area: Area) {
        let blank = " ".repeat(usize::from(area.width));
        let line = self.look.line(Role::Text, blank);
        for row in 0..area.height {
            let y = area.y + row;
            // A wide sign that begins left of the area would hang into it.
            if let Some(before) = area.x.checked_sub(1).and_then(|x| self.buffer.cell_mut((x, y)))
                && before.symbol().width() > 1
            {
                before.set_symbol(" ");
            }
            for x in area.x..area.x.saturating_add(area.width) {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                }
            }
            self.line(area, row, 0, &line);
        }
    }

    /// A box with a title around `area`; returns what is inside.
    pub fn boxed(&mut self, area: Area, title: &Line<'_>) -> Area {
        if area.width < 4 || area.height < 2 {
            return Area { width: 0, height: 0, ..area };
        }
        let glyphs = self.look.glyphs;
        let [upper_left, upper_right, lower_left, lower_right] = glyphs.corners;
        let rule = glyphs.line.repeat(usize::from(area.width - 2));
        let top = self.look.line(Role::Rule, format!("{upper_left}{rule}{upper_right}"));
        let bottom = self.look.line(Role::Rule, format!("{lower_left}{rule}{lower_right}"));
        let side = self.look.line(Role::Rule, glyphs.bar);
        self.line(area, 0, 0, &top);
        for row in 1..area.height - 1 {
            self.line(area, row, 0, &side);
            self.line(area, row, area.width - 1, &side);
        }
        self.line(area, area.height - 1, 0, &bottom);
        let inner = Area { x: area.x + 2, width: area.width - 4, ..area };
        if !title.spans.is_empty() {
            let head = Area { x: area.x + 1, width: area.width - 2, y: area.y, height: 1 };
            let mut padded = vec![Span::raw(" ")];
            padded.extend(title.spans.iter().cloned());
            padded.push(Span::raw(" "));
            self.line(head, 0, 0, &Line::from(padded));
        }
        Area { y: area.y + 1, height: area.height - 2, ..inner }
    }
}

/// `line` cut to `cells`, with an ellipsis where something is left out.
pub fn cut<'a>(line: &Line<'a>, cells: usize) -> Line<'a> {
    if line.width() <= cells {
        return line.clone();
    }
    let mut room = cells;
    let mut spans = Vec::new();
    for span in &line.spans {
        let width = span.width();
        if width < room {
            room -= width;
            spans.push(span.clone());
            continue;
        }
        // Something follows or the piece itself is too long: it ends in an ellipsis.
        let text = fit(&format!("{}  ", span.content), room);
        spans.push(Span::styled(text, span.style));
        break;
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shines_through_what_was_cleared() {
        let look = Look::new(crate::ui::theme::Theme::fallback(), false);
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 8, 1));
        let mut canvas = Canvas::new(&mut buffer, &look);
        let whole = Area { x: 0, y: 0, width: 8, height: 1 };
        canvas.line(whole, 0, 0, &look.line(Role::Strong, "a支支支b"));
        canvas.clear(Area { x: 2, width: 4, ..whole });
        canvas.line(whole, 0, 2, &look.line(Role::Text, "new"));
        let seen: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(seen, "a new  b");
        let strong = look.line(Role::Strong, "x").spans[0].style;
        let styles: Vec<bool> =
            buffer.content.iter().map(|cell| cell.modifier == strong.add_modifier).collect();
        assert_eq!(styles[2..6], [false; 4]);
        assert!(styles[0]);
    }

    #[test]
    fn lines_are_cut_with_an_ellipsis() {
        let line = Line::from(vec![Span::raw("checkout"), Span::raw(" "), Span::raw("4f1c9a")]);
        assert_eq!(cut(&line, 15).to_string(), "checkout 4f1c9a");
        assert_eq!(cut(&line, 12).to_string(), "checkout 4f…");
        assert_eq!(cut(&line, 9).to_string(), "checkout…");
        assert_eq!(cut(&line, 8).to_string(), "checkou…");
        assert_eq!(cut(&line, 0).to_string(), "");
    }
}
