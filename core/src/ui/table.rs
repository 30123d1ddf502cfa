//! Columns of list panes: widths by need and importance, the same for headings and rows.

use ratatui::text::Line;

use super::canvas::Canvas;
use super::theme::Role;
use crate::app::layout::Area;
use crate::domain::observed::Freshness;

/// Cells left of the first column: the selection and the freshness.
pub const MARGIN: u16 = 3;
/// Cells between two columns.
const GAP: u16 = 1;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// Narrowest width in cells.
    pub least: u16,
    /// Widest width in cells; what is left over is given to the columns from left to right.
    pub most: u16,
    /// Its values end at its right edge.
    pub right: bool,
    /// The higher, the sooner it is left out where there is no room; zero stays.
    pub optional: u8,
    /// The width that it is given before any other column gets more than its least, and in which
    /// turn.
    pub wants: Option<(u8, u16)>,
}

impl Column {
    /// A column as wide as it can be between two widths.
    pub fn new(title: &str, least: u16, most: u16) -> Self {
        Self { title: title.to_owned(), least, most, right: false, optional: 0, wants: None }
    }

    /// Its values end at its right edge.
    #[must_use]
    pub fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// Gets this width before any other column gets more than its least; the lowest turn first.
    #[must_use]
    pub fn wants(mut self, turn: u8, width: u16) -> Self {
        self.wants = Some((turn, width));
        self
    }

    /// Left out where there is no room, the highest first.
    #[must_use]
    pub fn optional(mut self, order: u8) -> Self {
        self.optional = order;
        self
    }
}

/// Where each column of a pane lies; `None` for those that are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    places: Vec<Option<(u16, u16)>>,
}

impl Layout {
    /// Places `columns` into `width` cells.
    pub fn new(columns: &[Column], width: u16) -> Self {
        let mut kept: Vec<bool> = vec![true; columns.len()];
        let needed = |kept: &[bool]| -> u16 {
            columns
                .iter()
                .zip(kept)
                .filter(|(_, kept)| **kept)
                .map(|(c, _)| c.least + GAP)
                .fold(MARGIN, u16::saturating_add)
        };
        while needed(&kept) > width.saturating_add(GAP) {
            let worst = columns
                .iter()
                .enumerate()
                .filter(|(i, c)| c.optional > 0 && kept.get(*i) == Some(&true))
                .max_by_key(|(i, c)| (c.optional, *i))
                .map(|(i, _)| i);
            match worst.and_then(|i| kept.get_mut(i)) {
                Some(kept) => *kept = false,
                None => break,
            }
        }
        let mut spare = (width + GAP).saturating_sub(needed(&kept));
        let mut widths: Vec<u16> = columns.iter().map(|c| c.least).collect();
        let mut turns: Vec<(u8, usize, u16)> = columns
            .iter()
            .enumerate()
            .filter(|(i, _)| kept.get(*i) == Some(&true))
            .filter_map(|(i, c)| c.wants.map(|(turn, width)| (turn, i, width.min(c.most))))
            .collect();
        turns.sort_unstable();
        for (_, i, wanted) in turns {
            if let Some(width) = widths.get_mut(i) {
                let extra = spare.min(wanted.saturating_sub(*width));
                spare -= extra;
                *width += extra;
            }
        }
        let mut at = MARGIN;
        let mut places = Vec::with_capacity(columns.len());
        for ((column, kept), width) in columns.iter().zip(kept).zip(widths) {
            if !kept {
                places.push(None);
                continue;
            }
            let extra = spare.min(column.most.saturating_sub(width));
            spare -= extra;
            let own = width + extra;
            places.push(Some((at, own)));
            at = at.saturating_add(own + GAP);
        }
        Self { places }
    }

    /// Cells of the `i`th column; none if it is not shown.
    pub fn width(&self, i: usize) -> u16 {
        self.place(i).map_or(0, |(_, width)| width)
    }

    /// Column and width of the `i`th column, if it is shown.
    pub fn place(&self, i: usize) -> Option<(u16, u16)> {
        self.places.get(i).copied().flatten()
    }
}

/// Draws the headings.
pub fn headings(canvas: &mut Canvas<'_>, area: Area, columns: &[Column], layout: &Layout) {
    let cells: Vec<Line<'_>> =
        columns.iter().map(|c| canvas.look.line(Role::Dim, c.title.to_uppercase())).collect();
    cells_of(canvas, area, 0, columns, layout, &cells);
}

/// A row of cells and how it stands.
pub struct Cells<'a> {
    /// One line per column.
    pub lines: Vec<Line<'a>>,
    /// The selection is on it.
    pub selected: bool,
    /// How old its facts are.
    pub freshness: Freshness,
}

/// Draws one row.
pub fn row(
    canvas: &mut Canvas<'_>,
    area: Area,
    at: u16,
    columns: &[Column],
    layout: &Layout,
    row: &Cells<'_>,
) {
    let look = canvas.look;
    if row.selected {
        let marker = look.line(Role::Selected, look.glyphs.selection);
        canvas.line(area, at, 1, &marker);
    }
    let (glyph, role) = look.glyphs.freshness(row.freshness);
    if row.freshness != Freshness::Fresh {
        canvas.line(area, at, 2, &look.line(role, glyph));
    }
    // What is not fresh is drawn in one weight, so that old facts never shine like new ones.
    let cells: Vec<Line<'_>> = match row.freshness {
        Freshness::Fresh => row.lines.clone(),
        Freshness::Stale | Freshness::Lost => {
            let flatten = |line: &Line<'_>| look.line(role, line.to_string());
            row.lines.iter().map(flatten).collect()
        }
    };
    cells_of(canvas, area, at, columns, layout, &cells);
}

fn cells_of(
    canvas: &mut Canvas<'_>,
    area: Area,
    at: u16,
    columns: &[Column],
    layout: &Layout,
    cells: &[Line<'_>],
) {
    for (i, (column, cell)) in columns.iter().zip(cells).enumerate() {
        let Some((x, width)) = layout.place(i) else { continue };
        if x >= area.width {
            continue;
        }
        let own = Area {
            x: area.x + x,
            y: area.y,
            width: width.min(area.width - x),
            height: area.height,
        };
        if column.right && cell.width() <= usize::from(own.width) {
            canvas.line_right(own, at, 0, cell);
        } else {
            canvas.line(own, at, 0, cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_share_the_width_and_the_least_important_go_first() {
        let columns = [
            Column::new("a", 10, 20),
            Column::new("b", 10, 10).optional(2),
            Column::new("c", 10, 100).optional(1),
        ];
        let wide = Layout::new(&columns, 80);
        assert_eq!(wide.place(0), Some((3, 20)));
        assert_eq!(wide.place(1), Some((24, 10)));
        assert_eq!(wide.place(2), Some((35, 45)));
        let narrow = Layout::new(&columns, 30);
        assert_eq!(narrow.place(0), Some((3, 16)));
        assert_eq!(narrow.place(1), None);
        assert_eq!(narrow.place(2), Some((20, 10)));
        let greedy = columns.clone().map(|c| if c.title == "c" { c.wants(0, 40) } else { c });
        let wide = Layout::new(&greedy, 66);
        assert_eq!((wide.place(0), wide.place(2)), (Some((3, 11)), Some((26, 40))));
        let tiny = Layout::new(&columns, 5);
        assert_eq!((tiny.place(0), tiny.place(1), tiny.place(2)), (Some((3, 10)), None, None));
    }
}
