//! What each command does.

use super::lists;
use crate::app::availability::disabled;
use crate::app::command::Command;
use crate::app::effect::{Effect, Refresh};
use crate::app::msg::Notice;
use crate::app::overlay::{Overlay, Palette};
use crate::app::pane::Pane;
use crate::app::row::RowId;
use crate::app::state::State;
use crate::app::target::{id_text, link, service_of_selection};
use crate::domain::ids::{ItemId, ServiceId};

/// Speeds of the rehearsal's clock; zero is a pause.
const SPEEDS: [f64; 6] = [0.0, 1.0, 5.0, 20.0, 60.0, 300.0];

/// Carries out `command`, or says why it cannot be.
pub fn run(state: &mut State, command: Command, argument: Option<&str>, effects: &mut Vec<Effect>) {
    if let Some(why) = disabled(command, state) {
        let name = command.spec().map_or("", |row| row.name);
        state.view.notice = Some(Notice::warning(format!("{name}: {why}")));
        return;
    }
    let page = isize::try_from(lists::page(state)).unwrap_or(1);
    match command {
        Command::Down => lists::move_by(state, 1),
        Command::Up => lists::move_by(state, -1),
        Command::PageDown => lists::move_by(state, page),
        Command::PageUp => lists::move_by(state, -page),
        Command::First => lists::move_to_end(state, false),
        Command::Last => lists::move_to_end(state, true),
        Command::DetailDown => {
            state.view.detail_top = state.view.detail_top.saturating_add(3).min(5_000);
        }
        Command::DetailUp => state.view.detail_top = state.view.detail_top.saturating_sub(3),
        Command::Open => open(state),
        Command::Back => back(state),
        Command::Show(Pane::Service) => show_service(state, argument),
        Command::Show(pane) => show(state, pane),
        Command::NextPane => cycle(state, 1),
        Command::PreviousPane => cycle(state, Pane::ALL.len() - 1),
        Command::Filter => {
            let list = state.view.lists.entry(state.view.pane).or_default();
            state.view.overlay = Some(Overlay::Filter { before: list.filter.clone() });
        }
        Command::Palette => state.view.overlay = Some(Overlay::Palette(Palette::default())),
        Command::Help => state.view.overlay = Some(Overlay::Help { top: 0 }),
        Command::Refresh => effects.push(Effect::Refresh(refresh_target(state))),
        Command::RefreshAll => {
            effects.push(Effect::Refresh(Refresh::All));
            state.view.notice = Some(Notice::info("reading every source again"));
        }
        Command::CopyId => copy(state, id_text(state), effects),
        Command::CopyLink => copy(state, link(state), effects),
        Command::Zoom => {
            state.view.zoomed = !state.view.zoomed;
            state.view.detail_top = 0;
        }
        Command::GroupByOwner => {
            state.view.group_by_owner = !state.view.group_by_owner;
            state.rebuild_rows();
        }
        Command::Theme => {
            let name = argument.map(str::to_owned).or_else(|| next_theme(state));
            state.view.tried_theme.clone_from(&name);
            effects.extend(name.map(Effect::LoadTheme));
        }
        Command::Mouse => {
            state.view.mouse = !state.view.mouse;
            effects.push(Effect::Mouse(state.view.mouse));
        }
        Command::Faster => {
            let faster = SPEEDS.iter().find(|s| **s > state.view.speed);
            effects.extend(faster.map(|s| Effect::Speed(*s)));
        }
        Command::Slower => {
            let slower = SPEEDS.iter().rev().find(|s| **s < state.view.speed);
            effects.extend(slower.map(|s| Effect::Speed(*s)));
        }
        Command::Wish(wish) => super::actions::offer(state, wish, effects),
        Command::Again => super::actions::plan_again(state),
        Command::Fly => super::actions::fly(state, effects),
        Command::Lock => {
            state.view.locked = !state.view.locked;
            let word =
                if state.view.locked { "nothing can be written now" } else { "writes again" };
            state.view.notice = Some(Notice::info(format!("read-only: {word}")));
        }
        Command::Redraw => effects.push(Effect::Redraw),
        Command::Suspend => effects.push(Effect::Suspend),
        Command::Quit => quit(state, effects),
    }
}

/// Leaves, unless something is under way that nobody would see the end of: that is said first.
fn quit(state: &mut State, effects: &mut Vec<Effect>) {
    match under_way(state) {
        None => effects.push(Effect::Quit),
        Some(what) => {
            state.view.quitting = true;
            state.view.notice = Some(Notice::warning(format!("{what}; q again leaves")));
        }
    }
}

/// What is under way by name, and what leaving does to it.
pub fn under_way(state: &State) -> Option<String> {
    let writes = state.activity.iter().filter(|activity| activity.is_under_way());
    let titles: Vec<&str> = writes.map(|activity| activity.title.as_str()).collect();
    let flown = state.pilots.iter().filter(|(_, pilot)| pilot.ended().is_none());
    let flown: Vec<&str> = flown.map(|(canary, _)| canary.as_str()).collect();
    let mut parts = Vec::new();
    if !titles.is_empty() {
        let end = if titles.len() == 1 { "its end is" } else { "their ends are" };
        let titles = titles.join(", ");
        parts.push(format!("under way: {titles}; {end} looked up at the next start"));
    }
    if !flown.is_empty() {
        parts.push(format!("a pilot flies {}: leaving hands over", flown.join(", ")));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Goes to `pane`, remembering the way back.
fn show(state: &mut State, pane: Pane) {
    if state.view.pane != pane {
        state.view.back.retain(|p| *p != pane);
        state.view.back.push(state.view.pane);
        state.view.pane = pane;
    }
    state.view.zoomed = false;
    state.view.detail_top = 0;
}

fn show_service(state: &mut State, name: Option<&str>) {
    let chosen = match name {
        Some(name) => Some(ServiceId::new(name)),
        None => service_of_selection(state)
            .or_else(|| state.view.service.clone())
            .or_else(|| state.rows.board.iter().next().map(|row| row.service.clone())),
    };
    match chosen {
        Some(service) => {
            state.view.service = Some(service);
            show(state, Pane::Service);
        }
        None => state.view.notice = Some(Notice::info("there is no service yet")),
    }
}

fn open(state: &mut State) {
    let Some(selected) = state.selected(state.view.pane).cloned() else { return };
    match selected {
        RowId::Service(_) => show_service(state, None),
        RowId::Ask(item, _) => open_item(state, item),
        RowId::Source(_) if state.view.pane != Pane::Sources => {
            show(state, Pane::Sources);
            lists::select_row(state, Pane::Sources, &selected);
        }
        RowId::Canary(_) if state.view.pane != Pane::Canaries => {
            show(state, Pane::Canaries);
            lists::select_row(state, Pane::Canaries, &selected);
        }
        RowId::Plan(_) if state.view.pane != Pane::Activity => {
            show(state, Pane::Activity);
            lists::select_row(state, Pane::Activity, &selected);
        }
        RowId::Item(ItemId::Change(id)) => {
            let target = state.fleet.changes.get(&id).and_then(|o| o.value.target.clone());
            match target {
                Some(item) if state.view.zoomed => open_item(state, item),
                _ => state.view.zoomed = true,
            }
        }
        RowId::Item(_) | RowId::Source(_) | RowId::Canary(_) | RowId::Plan(_) => {
            state.view.zoomed = true;
            state.view.detail_top = 0;
        }
    }
}

/// Shows `item` in the pane of its kind; an alarm in its service.
fn open_item(state: &mut State, item: ItemId) {
    let pane = match &item {
        ItemId::Pipeline(_) => Pane::Pipelines,
        ItemId::Environment(_) | ItemId::Traffic(_) => Pane::Environments,
        ItemId::Flag(_) => Pane::Flags,
        ItemId::Change(_) => Pane::Timeline,
        ItemId::Alarm(_) | ItemId::Series(_) => {
            if let Some(service) = state.membership.owners(&item).first().cloned() {
                state.view.service = Some(service);
                show(state, Pane::Service);
            } else {
                state.view.notice = Some(Notice::info("no service claims it"));
            }
            return;
        }
    };
    show(state, pane);
    lists::select_row(state, pane, &RowId::Item(item));
    // Where the details are on the screen anyway, they need not cover the list.
    state.view.zoomed = state.regions().is_some_and(|r| r.detail.is_none());
}

/// One step back: out of the details, then out of the filter, then to the pane before.
fn back(state: &mut State) {
    let pane = state.view.pane;
    if state.view.zoomed {
        state.view.zoomed = false;
        return;
    }
    if let Some(list) = state.view.lists.get_mut(&pane)
        && !list.filter.is_empty()
    {
        list.filter.clear();
        list.matching.clear();
        list.applied = None;
        return;
    }
    if let Some(before) = state.view.back.pop() {
        state.view.pane = before;
        state.view.detail_top = 0;
    }
}

fn cycle(state: &mut State, steps: usize) {
    let at = Pane::ALL.iter().position(|p| *p == state.view.pane).unwrap_or(0);
    if let Some(pane) = Pane::ALL.iter().cycle().nth(at + steps) {
        match pane {
            Pane::Service => show_service(state, None),
            pane => show(state, *pane),
        }
    }
}

fn next_theme(state: &State) -> Option<String> {
    let themes = &state.setup.themes;
    // One that could not be loaded is passed over: the next key goes on from there.
    let last = state.view.tried_theme.as_ref().unwrap_or(&state.view.theme);
    let at = themes.iter().position(|t| t == last).map_or(0, |at| at + 1);
    themes.iter().cycle().nth(at).cloned()
}

fn refresh_target(state: &State) -> Refresh {
    match state.selected(state.view.pane) {
        Some(RowId::Item(item) | RowId::Ask(item, _)) => Refresh::Items(vec![item.clone()]),
        Some(RowId::Source(id)) => Refresh::Source(id.clone()),
        Some(RowId::Service(id)) => members(state, id),
        Some(id @ RowId::Canary(_)) => match state.rows.canaries.get(id) {
            Some(row) => members(state, &row.service),
            None => Refresh::All,
        },
        Some(RowId::Plan(plan)) => {
            let own = state.activity.iter().find(|a| a.plan == *plan);
            let items = own.map(|a| a.steps.iter().map(|s| s.write.target()).collect());
            Refresh::Items(items.unwrap_or_default())
        }
        None => match &state.view.service {
            Some(id) if state.view.pane == Pane::Service => members(state, id),
            _ => Refresh::All,
        },
    }
}

fn members(state: &State, service: &ServiceId) -> Refresh {
    let items = state.membership.members(service).map(|m| m.items().collect()).unwrap_or_default();
    Refresh::Items(items)
}

fn copy(state: &mut State, text: Option<String>, effects: &mut Vec<Effect>) {
    if let Some(text) = text {
        state.view.notice = Some(Notice::info(format!("copied {text}")));
        effects.push(Effect::Copy(text));
    }
}
