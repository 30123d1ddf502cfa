//! Whatever happens in whatever order: nothing panics, and what is derived equals what is rebuilt.

use flightdeck::app::command::TABLE;
use flightdeck::app::key::Key;
use flightdeck::app::membership::Membership;
use flightdeck::app::msg::{Mouse, MouseKind, Notice};
use flightdeck::app::pane::Pane;
use flightdeck::app::row::{Row, RowId};
use flightdeck::app::select::{Facts, Rows};
use flightdeck::app::{Msg, State, update};
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::fact::{Fact, FactKind};
use flightdeck::domain::fleet::Touched;
use flightdeck::domain::ids::{ItemId, SourceId};
use flightdeck::domain::observation::{Observation, ReadFailed, Scope, Topic};
use flightdeck::domain::source::SourceReport;
use flightdeck::ui::theme::Theme;
use flightdeck::ui::{Look, draw};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::world::{SOURCES, fact, moment, setup};

fn a_fact() -> impl Strategy<Value = Fact> {
    (any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>())
        .prop_map(|(kind, source, name, variant)| fact(kind, source, name, variant))
}

fn a_fault() -> impl Strategy<Value = Fault> {
    let kinds = prop_oneof![
        Just(FaultKind::NotAuthenticated),
        Just(FaultKind::Forbidden { permission: None }),
        Just(FaultKind::Throttled { until: None }),
        Just(FaultKind::NotFound),
        Just(FaultKind::Unreachable),
        Just(FaultKind::Crashed),
    ];
    kinds.prop_map(|kind| Fault::new(kind, "it did not work"))
}

fn an_observation() -> impl Strategy<Value = Msg> {
    (
        0_usize..2,
        proptest::sample::select(Topic::ALL.to_vec()),
        proptest::collection::vec(a_fact(), 0..6),
        proptest::collection::vec((a_fact(), a_fault()), 0..2),
        proptest::sample::subsequence(FactKind::ALL.to_vec(), 0..2),
        0_u64..10_000,
        0_u8..20,
    )
        .prop_map(|(source, topic, facts, faults, complete, at, odd)| {
            let source = SourceId::new(SOURCES[source]);
            let scope = Scope { topic, items: Vec::new() };
            // A late answer of an earlier epoch now and then.
            let epoch = u64::from(odd != 0);
            let mut observation = Observation::new(&source, epoch, &scope, moment(at));
            observation.facts = facts;
            observation.faults = faults.into_iter().map(|(f, fault)| (f.item(), fault)).collect();
            observation.complete = complete;
            if odd == 1 {
                observation.warnings.push("careful".into());
            }
            Msg::Observed(Box::new(observation))
        })
}

fn a_failure() -> impl Strategy<Value = Msg> {
    (
        0_usize..2,
        proptest::sample::select(Topic::ALL.to_vec()),
        proptest::collection::vec(a_fact(), 0..3),
        a_fault(),
        0_u64..10_000,
    )
        .prop_map(|(source, topic, facts, fault, at)| {
            let items = facts.iter().map(Fact::item).collect();
            let scope = Scope { topic, items };
            let source = SourceId::new(SOURCES[source]);
            let failed = ReadFailed { source, epoch: 1, scope, at: moment(at), fault };
            Msg::ReadFailed(Box::new(failed))
        })
}

fn a_key() -> impl Strategy<Value = Msg> {
    let table: Vec<Key> =
        TABLE.iter().flat_map(|row| row.keys).map(|key| Key::parse(key).unwrap()).collect();
    let others = ["backspace", "delete", "f5", "alt-x", "ctrl-w", "ctrl-u", "enter", "esc"]
        .map(|key| Key::parse(key).unwrap());
    // Leaving is tested elsewhere; here it would only end most sequences early.
    prop_oneof![
        6 => proptest::sample::select(table),
        1 => proptest::sample::select(others.to_vec()),
        2 => proptest::char::any().prop_map(Key::char),
    ]
    .prop_map(|key| Msg::Key { key, ms: 0 })
}

fn a_mouse() -> impl Strategy<Value = Msg> {
    let kind = prop_oneof![
        3 => Just(MouseKind::Click),
        1 => Just(MouseKind::ScrollDown),
        1 => Just(MouseKind::ScrollUp),
    ];
    (kind, 0_u16..130, 0_u16..45).prop_map(|(kind, x, y)| Msg::Mouse(Mouse { kind, x, y }))
}

fn a_msg() -> impl Strategy<Value = Msg> {
    prop_oneof![
        8 => a_key(),
        5 => an_observation(),
        2 => a_failure(),
        2 => a_mouse(),
        1 => (0_u16..260, 0_u16..80).prop_map(|(width, height)| Msg::Resize { width, height }),
        1 => ".{0,12}".prop_map(Msg::Paste),
        1 => (0_u64..10_000).prop_map(|s| Msg::Tick(moment(s))),
        1 => (0_usize..2, any::<u64>()).prop_map(|(source, calls)| {
            let report = SourceReport { calls, ..SourceReport::default() };
            Msg::Report(SourceId::new(SOURCES[source]), report)
        }),
        1 => prop_oneof![
            Just(Msg::Focus(false)),
            Just(Msg::Notice(Notice::info("hello"))),
            Just(Msg::Theme("light".to_owned())),
            Just(Msg::Speed(5.0)),
            Just(Msg::Suspend),
            Just(Msg::Resumed),
            Just(Msg::Leave),
        ],
    ]
}

fn all_items(state: &State) -> Vec<ItemId> {
    let fleet = &state.fleet;
    let mut items = Vec::new();
    macro_rules! add {
        ($table:ident, $kind:ident) => {
            items.extend(fleet.$table.iter().map(|(id, _)| ItemId::$kind(id.clone())));
            items.extend(fleet.$table.iter_unread().map(|(id, _)| ItemId::$kind(id.clone())));
        };
    }
    add!(pipelines, Pipeline);
    add!(environments, Environment);
    add!(traffic, Traffic);
    add!(flags, Flag);
    add!(alarms, Alarm);
    add!(series, Series);
    add!(changes, Change);
    items
}

/// The selection is in the list, the list on the screen.
fn check_view(state: &State) {
    let pane = state.view.pane;
    let height = state.regions().map_or(0, |r| usize::from(r.list.height));
    assert!(state.visible_rows(pane).len() <= height);
    if !pane.is_list() {
        return;
    }
    let listed = state.listed(pane);
    let view = &state.view.lists[&pane];
    match &view.selected {
        None => assert!(listed.is_empty(), "nothing is selected of {} rows", listed.len()),
        Some(id) => {
            assert_eq!(listed.get(view.position), Some(id), "the position is the selection's");
            assert!(view.top <= view.position, "{} > {}", view.top, view.position);
            if height > 0 {
                assert!(state.visible_rows(pane).contains(id), "the selection is visible");
            }
        }
    }
}

/// Each index is sorted, and what is kept up to date equals what is built anew.
fn check_rows(state: &State) {
    let mut membership = Membership::new(&state.setup.services);
    let items = all_items(state);
    for item in &items {
        membership.refresh(item, &state.fleet, &state.setup.services);
    }
    assert_eq!(membership, state.membership);
    let facts = Facts {
        setup: &state.setup,
        fleet: &state.fleet,
        membership: &membership,
        watches: &state.watches,
        pilots: &state.pilots,
        group_by_owner: state.view.group_by_owner,
    };
    let mut rows = Rows::default();
    rows.rebuild(&facts);
    let services: Vec<_> = state.setup.services.iter().collect();
    rows.refresh(&facts, &Touched { items, source: None }, &services);
    for source in state.fleet.sources.keys() {
        let touched = Touched { items: Vec::new(), source: Some(source.clone()) };
        rows.refresh(&facts, &touched, &[]);
    }
    macro_rules! same {
        ($($index:ident),*) => {$(
            let sorted: Vec<_> = {
                let mut all: Vec<_> = rows.$index.iter().collect();
                all.sort_by_key(|row| (row.order(), row.id()));
                all
            };
            let kept: Vec<_> = state.rows.$index.iter().collect();
            assert_eq!(kept, sorted, stringify!($index));
            assert_eq!(state.rows.$index.order().len(), kept.len());
            for bit in 0..16 {
                let marked = kept.iter().filter(|row| row.marks() >> bit & 1 == 1).count();
                assert_eq!(state.rows.$index.count(bit), marked, "mark {bit} is counted");
            }
        )*};
    }
    same!(board, inbox, pipelines, environments, canaries, flags, timeline, sources);
    assert_eq!(state.rows.moving, rows.moving);
}

/// What is visible or moves is watched.
fn check_interest(state: &State) {
    for row in state.visible_rows(state.view.pane) {
        if let RowId::Item(item) | RowId::Ask(item, _) = row {
            assert!(state.watched.items.contains(item), "{item} is visible and not watched");
        }
    }
    for id in &state.rows.moving {
        assert!(state.watched.items.contains(&ItemId::Pipeline(id.clone())));
    }
}

fn check_filter(state: &State) {
    for (pane, list) in &state.view.lists {
        if *pane == state.view.pane && !list.filter.is_empty() {
            let mut filter = flightdeck::app::search::Filter::new(&list.filter);
            let passing: Vec<RowId> = state
                .rows
                .order(*pane)
                .iter()
                .filter(|id| filter.passes(&state.rows.search_text(*pane, id)))
                .cloned()
                .collect();
            assert_eq!(passing, list.matching);
        }
    }
}

fn frame(state: &State) -> Buffer {
    let (width, height) = state.view.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    draw(state, &Look::new(Theme::fallback(), state.setup.options.ascii), &mut buffer);
    buffer
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks_the_state(msgs in proptest::collection::vec(a_msg(), 1..90)) {
        let mut state = State::new(setup());
        for msg in &msgs {
            update(&mut state, msg.clone());
            check_view(&state);
            check_filter(&state);
            check_interest(&state);
            if matches!(msg, Msg::Observed(_) | Msg::ReadFailed(_) | Msg::Key { .. }) {
                check_rows(&state);
            }
        }
        frame(&state);
        // The same messages, written down and read again, give the same state and the same frame.
        let mut again = State::new(setup());
        for msg in &msgs {
            let text = serde_json::to_string(msg).unwrap();
            let read: Msg = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, msg);
            update(&mut again, read);
        }
        prop_assert!(again == state);
        prop_assert_eq!(frame(&again), frame(&state));
    }
}

/// Every pane, overlay and size is drawn without a panic.
#[test]
fn every_size_is_drawn() {
    let mut state = State::new(setup());
    let mut observation = Observation::new(
        &SourceId::new("lab"),
        0,
        &Scope { topic: Topic::Overview, items: Vec::new() },
        moment(9),
    );
    observation.facts = (0..250_u8).map(|n| fact(n, 1, n / 7, n.wrapping_mul(31))).collect();
    update(&mut state, Msg::Observed(Box::new(observation)));
    for pane in Pane::ALL {
        update(&mut state, Msg::Key { key: Key::char(pane.digit()), ms: 0 });
        for key in ["x", "z", "?", ":", "/"] {
            update(&mut state, crate::world::key(key));
            for (width, height) in
                [(0, 0), (1, 1), (39, 9), (40, 10), (80, 24), (121, 40), (300, 4)]
            {
                update(&mut state, Msg::Resize { width, height });
                frame(&state);
            }
            update(&mut state, crate::world::key("esc"));
        }
    }
}
