//! Moving within lists: selection by id, scrolling by need, filters.

use crate::app::pane::Pane;
use crate::app::row::RowId;
use crate::app::search::Filter;
use crate::app::state::State;

/// Moves the selection of the shown pane by `rows`; saturates at both ends.
pub fn move_by(state: &mut State, rows: isize) {
    let pane = state.view.pane;
    let listed = state.listed(pane);
    let now = position(state, pane);
    let last = listed.len().saturating_sub(1);
    let next = match now {
        Some(now) => now.saturating_add_signed(rows).min(last),
        None => 0,
    };
    select(state, pane, listed.get(next).cloned(), next);
}

/// Selects the first or last row of the shown pane.
pub fn move_to_end(state: &mut State, last: bool) {
    let pane = state.view.pane;
    let listed = state.listed(pane);
    let at = if last { listed.len().saturating_sub(1) } else { 0 };
    select(state, pane, listed.get(at).cloned(), at);
}

/// Selects `row` of `pane`, wherever it is.
pub fn select_row(state: &mut State, pane: Pane, row: &RowId) {
    if let Some(at) = state.listed(pane).iter().position(|id| id == row) {
        select(state, pane, Some(row.clone()), at);
    } else {
        // Not listed yet, or filtered out: the filter must not hide what was asked for.
        let list = state.view.lists.entry(pane).or_default();
        list.filter.clear();
        list.matching.clear();
        list.applied = None;
        list.selected = Some(row.clone());
        list.chosen = true;
    }
}

fn select(state: &mut State, pane: Pane, row: Option<RowId>, at: usize) {
    let list = state.view.lists.entry(pane).or_default();
    if list.selected != row {
        state.view.detail_top = 0;
    }
    list.selected = row;
    list.chosen = true;
    list.position = at;
}

fn position(state: &State, pane: Pane) -> Option<usize> {
    let list = state.view.lists.get(&pane)?;
    let selected = list.selected.as_ref()?;
    let listed = state.listed(pane);
    // Mostly it is where it was.
    if listed.get(list.position) == Some(selected) {
        return Some(list.position);
    }
    listed.iter().position(|id| id == selected)
}

/// Rows of the list that fit on the screen.
pub fn page(state: &State) -> usize {
    state.regions().map_or(1, |r| usize::from(r.list.height)).max(1)
}

/// After any change: the filter is applied, something is selected if there is anything, and the
/// selection is on the screen. A list that re-sorts keeps its selection by id.
pub fn keep_in_view(state: &mut State) {
    let pane = state.view.pane;
    if !pane.is_list() {
        return;
    }
    apply_filter(state, pane);
    let chosen = state.view.lists.get(&pane).is_some_and(|l| l.chosen);
    let at = if chosen { position(state, pane) } else { Some(0) };
    let page = page(state);
    let listed = state.listed(pane);
    let count = listed.len();
    let (selected, at) = match at {
        Some(at) => (listed.get(at).cloned(), at),
        None => {
            let was = state.view.lists.get(&pane).map_or(0, |l| l.position);
            let at = was.min(count.saturating_sub(1));
            (listed.get(at).cloned(), at)
        }
    };
    let list = state.view.lists.entry(pane).or_default();
    list.selected = selected;
    list.position = at;
    // Scrolling by whole pages costs fewer bytes than by single lines.
    if at < list.top || at >= list.top + page {
        list.top = at / page * page;
    }
    list.top = list.top.min(count.saturating_sub(1) / page * page);
}

fn apply_filter(state: &mut State, pane: Pane) {
    let typed = match state.view.lists.get(&pane) {
        Some(list) if !list.filter.is_empty() => list.filter.clone(),
        _ => return,
    };
    let applied = Some((typed.clone(), state.rows.revision(pane)));
    if state.view.lists.get(&pane).is_some_and(|list| list.applied == applied) {
        return;
    }
    state.work.filtered += state.rows.order(pane).len() as u64;
    let mut filter = Filter::new(&typed);
    let matching = state
        .rows
        .order(pane)
        .iter()
        .filter(|id| filter.passes(&state.rows.search_text(pane, id)))
        .cloned()
        .collect();
    if let Some(list) = state.view.lists.get_mut(&pane) {
        list.matching = matching;
        list.applied = applied;
    }
}
