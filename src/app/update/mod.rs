//! `update`: the one place where the state changes.

mod actions;
mod commands;
mod dialog;
mod interest;
mod keys;
mod lists;
mod mouse;

pub use keys::palette_entries;
pub use mouse::tab_label;

use super::effect::Effect;
use super::msg::Msg;
use super::state::State;
use interest::interest;

/// Changes `state` by what happened; returns what is to be done about it.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    match msg {
        Msg::Key { key, ms } => {
            // Recorded or not, this clock does not go back.
            state.view.last_key = state.view.last_key.max(ms);
            keys::key(state, key, &mut effects);
        }
        Msg::Paste(text) => keys::paste(state, &text),
        Msg::Mouse(mouse) => mouse::mouse(state, mouse, &mut effects),
        Msg::Resize { width, height } => state.view.size = (width, height),
        Msg::Focus(_) => {}
        Msg::Tick(now) => state.now = now,
        Msg::Observed(observation) => {
            state.now = state.now.max(observation.at);
            let touched = state.fleet.apply(*observation);
            state.refresh_rows(&touched);
        }
        Msg::ReadFailed(failed) => {
            let touched = state.fleet.apply_failure(&failed);
            state.refresh_rows(&touched);
        }
        Msg::Report(source, report) => {
            if let Some(source) = state.fleet.sources.get_mut(&source) {
                source.report = report;
            }
        }
        Msg::Write(report) => {
            let after = state.take_report(*report);
            effects.extend(after);
        }
        Msg::Past(activities) => state.take_past(activities),
        Msg::Notice(notice) => state.view.notice = Some(notice),
        Msg::Theme(name) => state.view.theme = name,
        Msg::Speed(speed) => state.view.speed = speed,
        Msg::Suspend => effects.push(Effect::Suspend),
        Msg::Resumed => effects.push(Effect::Redraw),
        Msg::Leave => effects.push(Effect::Quit),
    }
    actions::keep_true(state);
    lists::keep_in_view(state);
    let wanted = interest(state);
    if wanted != state.watched {
        state.watched = wanted.clone();
        effects.push(Effect::Watch(wanted));
    }
    effects
}
