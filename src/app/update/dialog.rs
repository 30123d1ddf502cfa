//! Keys of the confirmation and of the menu before it.

use super::actions::{open, submit};
use super::keys::edit;
use crate::app::dialog::{DEAF, Dialog, Focus};
use crate::app::effect::Effect;
use crate::app::key::{Key, KeyCode};
use crate::app::msg::Notice;
use crate::app::overlay::{Menu, Overlay};
use crate::app::state::State;

/// Longest reason, where the backend takes none and has no limit.
const LONGEST_REASON: usize = 512;

/// A key in the confirmation.
pub fn confirm_key(
    state: &mut State,
    key: Key,
    mut dialog: Box<Dialog>,
    effects: &mut Vec<Effect>,
) {
    if key.code == KeyCode::Esc {
        return;
    }
    if std::mem::take(&mut dialog.refocused) {
        dialog.opened = state.view.last_key;
    }
    let early = state.view.last_key.saturating_sub(dialog.opened) < DEAF;
    // Nobody confirms what is not on the screen.
    if early || state.regions().is_none() {
        state.view.overlay = Some(Overlay::Confirm(dialog));
        return;
    }
    dialog.refusal = None;
    let in_field = matches!(dialog.focus, Focus::Name | Focus::Comment);
    match key.code {
        KeyCode::Tab => dialog.turn(true),
        KeyCode::BackTab => dialog.turn(false),
        KeyCode::Down | KeyCode::PageDown => dialog.top = (dialog.top + 1).min(500),
        KeyCode::Up | KeyCode::PageUp => dialog.top = dialog.top.saturating_sub(1),
        KeyCode::Left | KeyCode::Right if !in_field => dialog.turn(key.code == KeyCode::Right),
        KeyCode::Enter => match dialog.focus {
            Focus::Cancel => return,
            Focus::Comment => dialog.turn(true),
            Focus::Name | Focus::Go => return submit(state, dialog, effects),
        },
        KeyCode::Char('n') if !in_field && dialog.is_dead() => {
            return open(state, dialog.intent);
        }
        _ => match dialog.focus {
            Focus::Name => edit(&mut dialog.typed, key),
            Focus::Comment => {
                let before = dialog.comment.clone();
                edit(&mut dialog.comment, key);
                let room = dialog.plan.comment_room().unwrap_or(LONGEST_REASON);
                if dialog.comment.chars().count() > room {
                    dialog.comment = before;
                    dialog.refusal = Some(format!("no more than {room} characters").into());
                }
            }
            Focus::Go | Focus::Cancel => {}
        },
    }
    state.view.overlay = Some(Overlay::Confirm(dialog));
}

/// Adds pasted text to a field, up to its limit.
pub fn write(field: &mut String, text: &str, room: Option<usize>) {
    let room = room.unwrap_or(LONGEST_REASON).saturating_sub(field.chars().count());
    field.extend(text.chars().take(room));
}

/// A key in the menu.
pub fn menu_key(state: &mut State, key: Key, mut menu: Menu) {
    let last = menu.choices.len().saturating_sub(1);
    match key.code {
        KeyCode::Esc | KeyCode::Char('q') => return,
        KeyCode::Down | KeyCode::Char('j') | KeyCode::Tab => {
            menu.selected = (menu.selected + 1).min(last);
        }
        KeyCode::Up | KeyCode::Char('k') | KeyCode::BackTab => {
            menu.selected = menu.selected.saturating_sub(1);
        }
        KeyCode::PageDown => menu.selected = (menu.selected + 8).min(last),
        KeyCode::PageUp => menu.selected = menu.selected.saturating_sub(8),
        KeyCode::Home | KeyCode::Char('g') => menu.selected = 0,
        KeyCode::End | KeyCode::Char('G') => menu.selected = last,
        KeyCode::Enter => match menu.choices.get(menu.selected).map(|c| &c.intent) {
            Some(Ok(intent)) => return open(state, intent.clone()),
            Some(Err(why)) => state.view.notice = Some(Notice::warning(why.clone())),
            None => {}
        },
        _ => {}
    }
    state.view.overlay = Some(Overlay::Choose(menu));
}
