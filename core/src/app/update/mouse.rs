//! The mouse: selects, opens and scrolls, by the same layout that is drawn.

use super::commands::run;
use super::lists;
use crate::app::command::Command;
use crate::app::effect::Effect;
use crate::app::msg::{Mouse, MouseKind};
use crate::app::pane::Pane;
use crate::app::state::State;

/// Lines that one turn of the wheel moves.
const WHEEL: isize = 3;

pub fn mouse(state: &mut State, mouse: Mouse, effects: &mut Vec<Effect>) {
    if !state.view.mouse || state.view.overlay.is_some() {
        return;
    }
    let Some(regions) = state.regions() else { return };
    let over_detail = regions.detail.is_some_and(|d| d.contains(mouse.x, mouse.y));
    match mouse.kind {
        MouseKind::ScrollDown if over_detail => run(state, Command::DetailDown, None, effects),
        MouseKind::ScrollUp if over_detail => run(state, Command::DetailUp, None, effects),
        MouseKind::ScrollDown => lists::move_by(state, WHEEL),
        MouseKind::ScrollUp => lists::move_by(state, -WHEEL),
        MouseKind::Click if regions.tabs.contains(mouse.x, mouse.y) => {
            if let Some(pane) = tab_at(state, mouse.x) {
                run(state, Command::Show(pane), None, effects);
            }
        }
        MouseKind::Click if regions.list.contains(mouse.x, mouse.y) => {
            let row = usize::from(mouse.y - regions.list.y);
            let pane = state.view.pane;
            if let Some(id) = state.visible_rows(pane).get(row).cloned() {
                if state.selected(pane) == Some(&id) {
                    run(state, Command::Open, None, effects);
                } else {
                    lists::select_row(state, pane, &id);
                }
            }
        }
        MouseKind::Click => {}
    }
}

/// The label of a pane in the row of tabs.
pub fn tab_label(state: &State, pane: Pane) -> String {
    let title = match state.view.size.0 {
        0..60 if pane != state.view.pane => "",
        0..100 => pane.short_title(),
        _ => pane.title(),
    };
    match pane {
        Pane::Inbox if !state.rows.inbox.is_empty() => {
            format!("{}{title}·{}", pane.digit(), state.rows.inbox.len())
        }
        _ => format!("{}{title}", pane.digit()),
    }
}

fn tab_at(state: &State, x: u16) -> Option<Pane> {
    let mut left = 1;
    for pane in Pane::ALL {
        let width = u16::try_from(tab_label(state, pane).chars().count()).ok()?;
        if x >= left && x < left + width {
            return Some(pane);
        }
        left += width + 1;
    }
    None
}
