//! Keys of the confirmation and of the menu before it.

use super::actions::{open, open_again, submit};
use super::edit::{MAX_FIELD, edit, push};
use crate::app::dialog::{DEAF, Dialog, Focus};
use crate::app::effect::Effect;
use crate::app::intent::Intent;
use crate::app::key::{Key, KeyCode};
use crate::app::msg::Notice;
use crate::app::overlay::{Menu, Overlay};
use crate::app::state::State;

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
    // This key was on its way to a field that is no more.
    if std::mem::take(&mut dialog.pulled) && key.code == KeyCode::Enter {
        state.view.overlay = Some(Overlay::Confirm(dialog));
        return;
    }
    dialog.refusal = None;
    let in_field = dialog.field().is_some();
    match key.code {
        KeyCode::Tab => dialog.turn(true),
        KeyCode::BackTab => dialog.turn(false),
        KeyCode::Down | KeyCode::PageDown => dialog.top = (dialog.top + 1).min(500),
        KeyCode::Up | KeyCode::PageUp => dialog.top = dialog.top.saturating_sub(1),
        KeyCode::Left | KeyCode::Right if !in_field => dialog.turn(key.code == KeyCode::Right),
        KeyCode::Enter => match dialog.focus {
            Focus::Cancel => return,
            Focus::Reason | Focus::Comment => dialog.turn(true),
            Focus::Name | Focus::Go => return submit(state, dialog, effects),
        },
        KeyCode::Char('n') if !in_field && dialog.is_dead() => {
            return open_again(state, &dialog.intent);
        }
        _ => {
            if let Some((field, room)) = dialog.field()
                && !edit(field, key, room)
            {
                dialog.refusal = Some(format!("no more than {room} characters").into());
            }
            if dialog.focus == Focus::Reason {
                dialog.give_reason();
            }
        }
    }
    state.view.overlay = Some(Overlay::Confirm(dialog));
}

/// Pasted text, into the field for the comment or the reason; what does not fit is said.
pub fn paste(dialog: &mut Dialog, text: &str) {
    if let Some((field, room)) = dialog.field()
        && !push(field, text, room)
    {
        dialog.refusal = Some(format!("no more than {room} characters: the rest is cut").into());
    }
    if dialog.focus == Focus::Reason {
        dialog.give_reason();
    }
}

/// A key in the menu.
pub fn menu_key(state: &mut State, key: Key, mut menu: Menu) {
    let last = menu.choices.len().saturating_sub(1);
    if menu.typed.is_some() {
        return typed_key(state, key, menu);
    }
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
            Some(Ok(Intent::Custom { .. })) => menu.typed = Some(String::new()),
            Some(Ok(intent)) => return open(state, intent.clone()),
            Some(Err(why)) => state.view.notice = Some(Notice::warning(why.clone())),
            None => {}
        },
        _ => {}
    }
    state.view.overlay = Some(Overlay::Choose(menu));
}

/// A key while something is typed for a choice.
fn typed_key(state: &mut State, key: Key, mut menu: Menu) {
    let choice = menu.choices.get(menu.selected).map(|choice| choice.intent.clone());
    match key.code {
        KeyCode::Esc => menu.typed = None,
        KeyCode::Enter => {
            if let (Some(Ok(Intent::Custom { of, .. })), Some(text)) = (choice, &menu.typed) {
                open(state, Intent::Custom { of, text: text.as_str().into() });
            }
            if state.view.overlay.is_some() {
                return;
            }
        }
        _ => {
            if let Some(text) = &mut menu.typed {
                edit(text, key, MAX_FIELD);
            }
        }
    }
    state.view.overlay = Some(Overlay::Choose(menu));
}
