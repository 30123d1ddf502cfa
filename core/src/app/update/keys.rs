//! Keys and pasted text: to the overlay that has them, else to the command table.

use super::commands::{run, under_way};
use super::dialog;
use super::edit::{MAX_FIELD, edit, push};
use super::lists;
use crate::app::availability::disabled;
use crate::app::command::{Command, TABLE};
use crate::app::dialog::Focus;
use crate::app::effect::Effect;
use crate::app::key::{Key, KeyCode};
use crate::app::msg::Notice;
use crate::app::overlay::{Menu, Overlay, Palette, PaletteEntry};
use crate::app::state::State;
use crate::domain::text::SafeText;

pub fn key(state: &mut State, key: Key, effects: &mut Vec<Effect>) {
    state.view.notice = None;
    if key == Key::ctrl('c') {
        leave(state, effects);
        return;
    }
    state.view.leaving = false;
    let asked = std::mem::take(&mut state.view.quitting);
    match state.view.overlay.take() {
        None => match state.keymap.command(key) {
            Some(Command::Quit) if asked => effects.push(Effect::Quit),
            Some(command) => run(state, command, None, effects),
            None => {}
        },
        Some(Overlay::Confirm(dialog)) => dialog::confirm_key(state, key, dialog, effects),
        Some(Overlay::Choose(menu)) => dialog::menu_key(state, key, menu),
        Some(Overlay::Help { top }) => help_key(state, key, top),
        Some(Overlay::Palette(palette)) => palette_key(state, key, palette, effects),
        Some(Overlay::Filter { before }) => filter_key(state, key, before),
    }
}

/// Whether text that is pasted now goes into a field.
pub fn takes_text(state: &State) -> bool {
    match &state.view.overlay {
        Some(Overlay::Palette(_) | Overlay::Filter { .. }) => true,
        Some(Overlay::Confirm(dialog)) => dialog.focus == Focus::Comment,
        Some(Overlay::Choose(_) | Overlay::Help { .. }) | None => false,
    }
}

/// Text that was pasted goes to a text field or nowhere: it never acts.
pub fn paste(state: &mut State, text: &str) {
    let line = SafeText::new(text);
    let line = line.as_str();
    let pane = state.view.pane;
    match &mut state.view.overlay {
        Some(Overlay::Palette(palette)) => {
            push(&mut palette.input, line, MAX_FIELD);
            palette.selected = 0;
        }
        Some(Overlay::Filter { .. }) => {
            push(&mut state.view.lists.entry(pane).or_default().filter, line, MAX_FIELD);
        }
        Some(Overlay::Confirm(dialog))
            if matches!(dialog.focus, Focus::Comment | Focus::Reason) =>
        {
            dialog::paste(dialog, line);
        }
        Some(Overlay::Choose(Menu { typed: Some(typed), .. })) => {
            push(typed, line, MAX_FIELD);
        }
        // A name that is pasted was not read.
        Some(Overlay::Confirm(_) | Overlay::Choose(_) | Overlay::Help { .. }) | None => {
            state.view.notice =
                Some(Notice::info("pasted text was ignored: there is no text field here"));
        }
    }
}

fn leave(state: &mut State, effects: &mut Vec<Effect>) {
    if state.view.leaving {
        effects.push(Effect::Quit);
    } else {
        state.view.leaving = true;
        state.view.overlay = None;
        let what = under_way(state).map(|what| format!("{what}; ")).unwrap_or_default();
        let text = format!("{what}ctrl-c again leaves; any other key stays");
        state.view.notice = Some(Notice::warning(text));
    }
}

fn help_key(state: &mut State, key: Key, top: usize) {
    let page = usize::from(state.view.size.1).saturating_sub(6).max(1);
    let top = match key.code {
        KeyCode::Esc | KeyCode::Enter | KeyCode::Char('?' | 'q') => return,
        KeyCode::Down | KeyCode::Char('j') => top + 1,
        KeyCode::Up | KeyCode::Char('k') => top.saturating_sub(1),
        KeyCode::PageDown | KeyCode::Char(' ') => top + page,
        KeyCode::PageUp => top.saturating_sub(page),
        _ => top,
    };
    state.view.overlay = Some(Overlay::Help { top: top.min(TABLE.len().saturating_sub(1)) });
}

fn filter_key(state: &mut State, key: Key, before: String) {
    let pane = state.view.pane;
    let page = isize::try_from(lists::page(state)).unwrap_or(1);
    match key.code {
        KeyCode::Enter => return,
        KeyCode::Esc => {
            state.view.lists.entry(pane).or_default().filter = before;
            return;
        }
        KeyCode::Down => lists::move_by(state, 1),
        KeyCode::Up => lists::move_by(state, -1),
        KeyCode::PageDown => lists::move_by(state, page),
        KeyCode::PageUp => lists::move_by(state, -page),
        _ => {
            edit(&mut state.view.lists.entry(pane).or_default().filter, key, MAX_FIELD);
        }
    }
    state.view.overlay = Some(Overlay::Filter { before });
}

fn palette_key(state: &mut State, key: Key, mut palette: Palette, effects: &mut Vec<Effect>) {
    let matches = palette.matches(palette_entries(state));
    let last = matches.len().saturating_sub(1);
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            let Some(entry) = matches.get(palette.selected.min(last)) else { return };
            match &entry.disabled {
                Some(why) => {
                    state.view.notice = Some(Notice::warning(format!("{}: {why}", entry.text)));
                }
                None => run(state, entry.command, entry.argument.as_deref(), effects),
            }
            return;
        }
        KeyCode::Down | KeyCode::Tab => palette.selected = (palette.selected + 1).min(last),
        KeyCode::Up | KeyCode::BackTab => palette.selected = palette.selected.saturating_sub(1),
        _ => {
            edit(&mut palette.input, key, MAX_FIELD);
            palette.selected = 0;
        }
    }
    state.view.overlay = Some(Overlay::Palette(palette));
}

/// Every line that the palette offers now: the commands, the themes, the services.
pub fn palette_entries(state: &State) -> Vec<PaletteEntry> {
    let mut entries: Vec<PaletteEntry> = TABLE
        .iter()
        .map(|row| PaletteEntry {
            text: row.name.to_owned(),
            help: row.help.to_owned(),
            command: row.command,
            argument: None,
            disabled: disabled(row.command, state),
        })
        .collect();
    entries.extend(state.setup.themes.iter().map(|theme| PaletteEntry {
        text: format!("theme {theme}"),
        help: "Switch to this theme.".to_owned(),
        command: Command::Theme,
        argument: Some(theme.clone()),
        disabled: None,
    }));
    entries.extend(state.setup.services.iter().map(|service| PaletteEntry {
        text: format!("service {}", service.id),
        help: "Show this service in one screen.".to_owned(),
        command: Command::Show(crate::app::pane::Pane::Service),
        argument: Some(service.id.to_string()),
        disabled: None,
    }));
    entries
}
