//! `update`: the one place where the state changes.

mod actions;
mod commands;
mod dialog;
mod edit;
mod interest;
mod keys;
mod lists;
mod mouse;
mod pilot;

pub use keys::{palette_entries, takes_text};
pub use mouse::tab_label;
pub use pilot::{engage, hand_over};

use super::effect::Effect;
use super::msg::Msg;
use super::overlay::Overlay;
use super::state::State;
use crate::domain::fleet::Touched;
use interest::interest;

/// Changes `state` by what happened; returns what is to be done about it.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut moved = handle(state, msg, &mut effects);
    // Guards of an open dialog depend on the time too.
    moved |= pilot::fly(state, &mut effects);
    actions::keep_true(state);
    if let Some(at) = effects.iter().position(|effect| *effect == Effect::Quit) {
        // Who leaves flies what is under way; that is recorded before anything ends.
        let quit = effects.remove(at);
        pilot::hand_over_all(state, None, "the control room was left", &mut effects);
        effects.push(quit);
    }
    if moved || !state.begun {
        state.begun = true;
        lists::keep_in_view(state);
        let wanted = interest(state);
        state.work.gathered += wanted.items.len() as u64;
        if wanted != state.watched {
            state.watched = wanted.clone();
            effects.push(Effect::Watch(wanted));
        }
    }
    effects
}

/// True if rows, or what is looked at, may have changed.
fn handle(state: &mut State, msg: Msg, effects: &mut Vec<Effect>) -> bool {
    match msg {
        Msg::Key { key, ms } => {
            // Recorded or not, this clock does not go back.
            state.view.last_key = state.view.last_key.max(ms);
            keys::key(state, key, effects);
        }
        Msg::Paste(text) => keys::paste(state, &text),
        Msg::Mouse(mouse) => mouse::mouse(state, mouse, effects),
        Msg::Resize { width, height } => state.view.size = (width, height),
        Msg::Observed(observation) => {
            state.now = state.now.max(observation.at);
            let touched = state.fleet.apply(*observation);
            return take_in(state, &touched);
        }
        Msg::ReadFailed(failed) => {
            let touched = state.fleet.apply_failure(&failed);
            return take_in(state, &touched);
        }
        Msg::Report(source, report) => {
            if let Some(source) = state.fleet.sources.get_mut(&source) {
                source.report = report;
            }
            return false;
        }
        Msg::Write(report) => {
            let after = state.take_report(*report);
            effects.extend(after);
        }
        Msg::Past(activities) => state.take_past(activities),
        Msg::Journal(fault) => state.take_journal(fault),
        // The time moves no row: see `Row::Order`.
        Msg::Tick(now) => {
            if now < state.now {
                state.fleet.not_after(now);
            }
            return quietly(&mut state.now, now);
        }
        Msg::Lease { canary, other } => {
            pilot::lease(state, &canary, other.as_ref(), effects);
        }
        Msg::Notice(notice) => return quietly(&mut state.view.notice, Some(notice)),
        Msg::Theme(name) => {
            state.view.tried_theme = None;
            return quietly(&mut state.view.theme, name);
        }
        Msg::Speed(speed) => return quietly(&mut state.view.speed, speed),
        Msg::Focus(on) => {
            if let (true, Some(Overlay::Confirm(dialog))) = (on, &mut state.view.overlay) {
                dialog.refocused = true;
            }
            return false;
        }
        Msg::Suspend => effects.push(Effect::Suspend),
        Msg::Resumed => effects.push(Effect::Redraw),
        Msg::Leave => effects.push(Effect::Quit),
    }
    true
}

fn quietly<T>(field: &mut T, value: T) -> bool {
    *field = value;
    false
}

fn take_in(state: &mut State, touched: &Touched) -> bool {
    // Most answers only confirm what is known.
    let news = !touched.items.is_empty() || touched.source.is_some();
    if news {
        state.refresh_rows(touched);
    }
    news
}
