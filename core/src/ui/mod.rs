//! Draws `State` into cells; pure, decides nothing.

mod canvas;
mod chart;
mod frame;
mod glyphs;
mod look;
mod overlays;
mod panes;
pub mod plain;
mod table;
pub mod theme;
mod trail;
mod when;
mod wrap;

pub use look::Look;
pub use panes::table;

use ratatui::buffer::Buffer;

use crate::app::State;
use crate::app::layout::{Area, MIN_SIZE};
use crate::app::overlay::Overlay;
use canvas::Canvas;
use theme::Role;

/// Draws the whole screen.
pub fn draw(state: &State, look: &Look, buffer: &mut Buffer) {
    whole(state, look, buffer);
    look.glyphs.plain(buffer);
}

fn whole(state: &State, look: &Look, buffer: &mut Buffer) {
    let mut canvas = Canvas::new(buffer, look);
    let Some(regions) = state.regions() else {
        too_small(state, &mut canvas);
        return;
    };
    frame::header(state, &mut canvas, regions.header);
    frame::tabs(state, &mut canvas, regions.tabs);
    canvas.rule(regions.rule);
    panes::draw(state, &mut canvas, &regions);
    frame::status(state, &mut canvas, regions.status);
    frame::strip(state, &mut canvas, regions.strip);
    frame::hints(state, &mut canvas, regions.hints);
    let body = Area { x: 0, y: 0, width: state.view.size.0, height: state.view.size.1 };
    match &state.view.overlay {
        Some(Overlay::Help { top }) => overlays::help(state, &mut canvas, body, *top),
        Some(Overlay::Confirm(dialog)) => overlays::confirm(state, &mut canvas, body, dialog),
        Some(Overlay::Choose(menu)) => overlays::menu(&mut canvas, body, menu),
        Some(Overlay::Palette(palette)) => overlays::palette(state, &mut canvas, body, palette),
        Some(Overlay::Filter { .. }) | None => {}
    }
}

fn too_small(state: &State, canvas: &mut Canvas<'_>) {
    let (width, height) = state.view.size;
    let area = Area { x: 0, y: 0, width, height };
    let needs = crate::app::needs::needs(state);
    let lines = [
        canvas.look.line(Role::Strong, "flightdeck: too small"),
        canvas.look.line(Role::Text, format!("needs {}x{}", MIN_SIZE.0, MIN_SIZE.1)),
        canvas.look.line(
            Role::Text,
            format!(
                "{} waiting, {} failing",
                needs.waiting,
                needs.failed + needs.alarms + needs.unhealthy
            ),
        ),
    ];
    canvas.lines(area, &lines, 0);
}
