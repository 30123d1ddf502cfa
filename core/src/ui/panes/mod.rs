//! The panes: one file each; list panes share the table, details share the scrolling.

mod activity;
mod board;
mod canaries;
mod environments;
mod flags;
mod inbox;
mod pipelines;
mod service;
mod sources;
mod stages;
mod timeline;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::canvas::Canvas;
use super::look::Look;
use super::table::{Cells, Column, Layout, headings, row};
use super::theme::Role;
use crate::app::layout::{Area, Regions};
use crate::app::pane::Pane;
use crate::app::row::RowId;
use crate::app::{State, age};
use crate::domain::observed::Freshness;

/// A pane that is a list of rows.
trait ListPane {
    /// Its columns, in order.
    fn columns(&self) -> Vec<Column>;
    /// One line per column for a row.
    fn cells(&self, row: &RowId) -> Option<Vec<Line<'static>>>;
    /// The same where a cell may say more the wider it is.
    fn cells_in(&self, row: &RowId, _layout: &Layout) -> Option<Vec<Line<'static>>> {
        self.cells(row)
    }
    /// What it means that the list is empty, if every source was read.
    fn empty(&self) -> &'static str;
    /// Details of a row, in lines of at most `width` cells.
    fn detail(&self, _row: &RowId, _width: u16) -> Vec<Line<'static>> {
        Vec::new()
    }
}

fn list_pane<'a>(state: &'a State, look: &'a Look, pane: Pane) -> Option<Box<dyn ListPane + 'a>> {
    Some(match pane {
        Pane::Board => Box::new(board::Board::new(state, look)),
        Pane::Inbox => Box::new(inbox::Inbox { state, look }),
        Pane::Pipelines => Box::new(pipelines::Pipelines { state, look }),
        Pane::Environments => Box::new(environments::Environments { state, look }),
        Pane::Canaries => Box::new(canaries::Canaries { state, look }),
        Pane::Flags => Box::new(flags::Flags::new(state, look)),
        Pane::Timeline => Box::new(timeline::Timeline { state, look }),
        Pane::Activity => Box::new(activity::Activities { state, look }),
        Pane::Sources => Box::new(sources::Sources { state, look }),
        Pane::Service => return None,
    })
}

/// Draws the pane that is shown.
pub fn draw(state: &State, canvas: &mut Canvas<'_>, regions: &Regions) {
    let Some(pane) = list_pane(state, canvas.look, state.view.pane) else {
        if let Some(area) = regions.detail {
            service::draw(state, canvas, area);
        }
        return;
    };
    list(state, canvas, regions, pane.as_ref());
    if let Some(area) = regions.detail {
        details(state, canvas, area, pane.as_ref(), regions.list.height > 0);
    }
}

/// The rows of `pane` that are to be kept, all of them, under their headings; `None` for a pane
/// without a list.
pub fn table(
    state: &State,
    look: &Look,
    pane: Pane,
    width: u16,
    keep: &dyn Fn(&RowId) -> bool,
) -> Option<Buffer> {
    let list = list_pane(state, look, pane)?;
    let rows: Vec<&RowId> = state.rows.order(pane).iter().filter(|id| keep(id)).collect();
    let height = u16::try_from(rows.len().max(1)).unwrap_or(u16::MAX - 1);
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height + 1));
    let mut canvas = Canvas::new(&mut buffer, look);
    let columns = list.columns();
    let layout = Layout::new(&columns, width);
    let area = Area { x: 0, y: 0, width, height: height + 1 };
    headings(&mut canvas, area, &columns, &layout);
    if rows.is_empty() {
        canvas.line(area, 1, 3, &look.line(Role::Dim, why_empty(state, pane, list.empty())));
    }
    for (at, id) in (1..=height).zip(rows) {
        if let Some(lines) = list.cells_in(id, &layout) {
            let freshness = age::of_row(state, id).map_or(Freshness::Fresh, |age| age.freshness);
            let cells = Cells { lines, selected: false, freshness };
            row(&mut canvas, area, at, &columns, &layout, &cells);
        }
    }
    look.glyphs.plain(&mut buffer);
    Some(buffer)
}

fn list(state: &State, canvas: &mut Canvas<'_>, regions: &Regions, pane: &dyn ListPane) {
    if regions.columns.height == 0 {
        return;
    }
    let columns = pane.columns();
    let layout = Layout::new(&columns, regions.list.width);
    headings(canvas, regions.columns, &columns, &layout);
    let shown = state.visible_rows(state.view.pane);
    if shown.is_empty() {
        let text = why_empty(state, state.view.pane, pane.empty());
        let line = canvas.look.line(Role::Dim, text);
        canvas.line(regions.list, 1, 3, &line);
    }
    let selected = state.selected(state.view.pane);
    for (at, id) in (0..regions.list.height).zip(shown) {
        let Some(cells) = pane.cells_in(id, &layout) else { continue };
        let freshness = age::of_row(state, id).map_or(Freshness::Fresh, |age| age.freshness);
        let cells = Cells { lines: cells, selected: selected == Some(id), freshness };
        row(canvas, regions.list, at, &columns, &layout, &cells);
    }
}

/// Why nothing is listed; that something was not read is never told as "there is none".
fn why_empty(state: &State, pane: Pane, usual: &str) -> String {
    // What was done from here is known without any source.
    if pane == Pane::Activity && state.activity.is_empty() {
        return usual.to_owned();
    }
    let sources = age::of_sources(state);
    let filtered = state.view.lists.get(&pane).is_some_and(|l| !l.filter.is_empty());
    let silent = sources.silent();
    if filtered && !state.rows.order(pane).is_empty() {
        "nothing matches the filter; esc drops it".to_owned()
    } else if sources.all == 0 {
        "no source is configured: `flightdeck init` writes a first configuration".to_owned()
    } else if sources.pending > 0 {
        format!("reading {} of {} sources", sources.pending, sources.all)
    } else if silent > 0 {
        format!("unknown: {silent} of {} sources do not answer; 0 shows why", sources.all)
    } else {
        usual.to_owned()
    }
}

fn details(state: &State, canvas: &mut Canvas<'_>, area: Area, pane: &dyn ListPane, beside: bool) {
    let look = canvas.look;
    let mut inner = Area { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    if beside && area.x == 0 {
        canvas.rule(area);
        inner =
            Area { x: area.x + 3, y: area.y + 1, width: area.width - 4, height: area.height - 1 };
    } else if beside {
        let bar = look.line(Role::Rule, look.glyphs.bar);
        for row in 0..area.height {
            canvas.line(area, row, 0, &bar);
        }
        inner = Area { x: area.x + 2, width: area.width.saturating_sub(3), ..area };
    }
    let Some(selected) = state.selected(state.view.pane) else { return };
    let lines = pane.detail(selected, inner.width);
    let last = lines.len().saturating_sub(usize::from(inner.height));
    let top = state.view.detail_top.min(last);
    canvas.lines(inner, &lines, top);
    if top < last {
        let more = look.line(Role::Dim, format!("{} {} more: J", look.glyphs.more, last - top));
        canvas.line_right(inner, inner.height - 1, 0, &more);
    }
}

/// A heading within details.
fn heading(look: &Look, text: &str) -> Line<'static> {
    look.line(Role::Title, text.to_owned())
}

/// A label and its value within details.
fn field(look: &Look, label: &str, value: impl Into<String>) -> Line<'static> {
    Line::from(vec![
        look.span(Role::Dim, format!("{label:<12}")),
        look.span(Role::Text, value.into()),
    ])
}

/// Names of services, or that nobody claims it.
fn owners(look: &Look, services: &[crate::domain::ids::ServiceId]) -> Line<'static> {
    match services {
        [] => look.line(Role::Dim, "unclaimed"),
        [one] => look.line(Role::Text, one.to_string()),
        [one, rest @ ..] => look.line(Role::Text, format!("{one} +{}", rest.len())),
    }
}

/// The name of a row: strong while it is selected.
fn name(state: &State, look: &Look, row: &RowId, text: &str) -> Line<'static> {
    let selected = state.selected(state.view.pane) == Some(row);
    look.line(if selected { Role::Selected } else { Role::Text }, text.to_owned())
}
