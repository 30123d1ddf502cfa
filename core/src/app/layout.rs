//! Where things are on the screen: one function that drawing and mouse hit-testing share.

use serde::{Deserialize, Serialize};

use super::pane::Pane;

/// Smallest screen on which anything is drawn.
pub const MIN_SIZE: (u16, u16) = (40, 10);
/// From this width on, a pane with details shows them beside its list.
pub const SPLIT_WIDTH: u16 = 150;
/// From this height on, a narrower one shows them under its list.
pub const STACK_HEIGHT: u16 = 34;

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// Left column.
    pub x: u16,
    /// Upper row.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Area {
    /// Whether the cell lies in it.
    pub fn contains(self, x: u16, y: u16) -> bool {
        x >= self.x && x < self.x + self.width && y >= self.y && y < self.y + self.height
    }
}

/// Where things are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regions {
    /// What needs a human, the clock, the worst age: one row.
    pub header: Area,
    /// The panes: one row.
    pub tabs: Area,
    /// A rule under the tabs.
    pub rule: Area,
    /// Headings of the list's columns: one row, or none.
    pub columns: Area,
    /// Rows of the list; empty while details cover it.
    pub list: Area,
    /// Details of the selected row, beside the list, under it or instead of it; for the service pane, all of it.
    pub detail: Option<Area>,
    /// A rule with counts and ages under the body.
    pub status: Area,
    /// The sentences that explain the selected row.
    pub strip: Area,
    /// Hints, the filter line, or a notice: one row.
    pub hints: Area,
}

/// Where things are on a screen of this size; `None` if it is too small.
pub fn regions(size: (u16, u16), pane: Pane, zoomed: bool) -> Option<Regions> {
    let (width, height) = size;
    if width < MIN_SIZE.0 || height < MIN_SIZE.1 {
        return None;
    }
    let row = |y, height| Area { x: 0, y, width, height };
    let strip_height = match (pane, height) {
        (Pane::Service, _) | (_, 0..=15) => 0,
        (_, 16..=21) => 2,
        _ => 3,
    };
    let below = strip_height + 2;
    let body = row(3, height - 3 - below);
    let split = pane.has_detail() && width >= SPLIT_WIDTH;
    let (list, detail) = if pane == Pane::Service || (pane.has_detail() && zoomed) {
        (Area { height: 0, ..body }, Some(body))
    } else if split {
        let left = (width * 11 / 20).max(70).min(width - 40);
        let list = Area { width: left, ..body };
        (list, Some(Area { x: left, width: width - left, ..body }))
    } else if pane.has_detail() && height >= STACK_HEIGHT {
        let upper = body.height * 2 / 5;
        let list = Area { height: upper, ..body };
        (list, Some(Area { y: body.y + upper, height: body.height - upper, ..body }))
    } else {
        (body, None)
    };
    let heading = u16::from(list.height > 0);
    Some(Regions {
        header: row(0, 1),
        tabs: row(1, 1),
        rule: row(2, 1),
        columns: Area { height: heading, ..list },
        list: Area { y: list.y + heading, height: list.height - heading, ..list },
        detail,
        status: row(height - below, 1),
        strip: row(height - below + 1, strip_height),
        hints: row(height - 1, 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_cover_the_screen_without_overlap() {
        for size in [(40, 10), (80, 24), (120, 40), (200, 50), (300, 15), (119, 16)] {
            for pane in Pane::ALL {
                for zoomed in [false, true] {
                    let r = regions(size, pane, zoomed).unwrap();
                    let mut areas = vec![
                        r.header, r.tabs, r.rule, r.columns, r.list, r.status, r.strip, r.hints,
                    ];
                    areas.extend(r.detail);
                    let cells: u32 =
                        areas.iter().map(|a| u32::from(a.width) * u32::from(a.height)).sum();
                    assert_eq!(cells, u32::from(size.0) * u32::from(size.1), "{size:?} {pane:?}");
                    for a in areas {
                        assert!(a.x + a.width <= size.0 && a.y + a.height <= size.1);
                    }
                }
            }
        }
        assert_eq!(regions((39, 50), Pane::Board, false), None);
        assert_eq!(regions((0, 0), Pane::Board, false), None);
    }
}
