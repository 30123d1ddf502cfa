//! Keys and what they lead to: the way back, what Enter opens, filters, the mouse, selection by id.

use flightdeck::app::Msg;
use flightdeck::app::effect::Effect;
use flightdeck::app::layout::Area;
use flightdeck::app::msg::{Mouse, MouseKind};
use flightdeck::app::pane::Pane;
use flightdeck::app::row::RowId;
use flightdeck::app::select::inbox::AskKind;
use flightdeck::app::update::tab_label;
use flightdeck::domain::environment::Health;
use flightdeck::domain::fact::Fact;
use flightdeck::domain::ids::{ItemId, ServiceId, SourceId};
use flightdeck::domain::observation::{Observation, Scope, Topic};

use crate::room::{Room, default_look, moment, unfolded};
use crate::{SIZES, print};

fn room() -> Room {
    unfolded("bad-canary", SIZES[0])
}

fn selected(room: &Room) -> RowId {
    room.state.selected(room.state.view.pane).unwrap().clone()
}

/// Selects the first row of the shown pane that fits.
fn select(room: &mut Room, fits: impl Fn(&RowId) -> bool) -> RowId {
    room.keys(&["g"]);
    for _ in 0..200 {
        let row = selected(room);
        if fits(&row) {
            return row;
        }
        room.keys(&["j"]);
    }
    panic!("no row fits");
}

#[test]
fn esc_leads_out_of_the_details_then_of_the_filter_then_to_the_pane_before() {
    let mut room = room();
    room.show(Pane::Pipelines);
    room.keys(&["/"]);
    room.typed("search");
    room.keys(&["enter", "z"]);
    let filter = |room: &Room| room.state.view.lists[&Pane::Pipelines].filter.clone();
    assert!(room.state.view.zoomed);
    assert_eq!(filter(&room), "search");
    room.keys(&["esc"]);
    assert!(!room.state.view.zoomed);
    assert_eq!((filter(&room).as_str(), room.state.view.pane), ("search", Pane::Pipelines));
    room.keys(&["esc"]);
    assert_eq!((filter(&room).as_str(), room.state.view.pane), ("", Pane::Pipelines));
    room.keys(&["esc"]);
    assert_eq!(room.state.view.pane, Pane::Board);
    // There is nothing before the first pane.
    room.keys(&["esc"]);
    assert_eq!(room.state.view.pane, Pane::Board);
    // A filter that is dropped while it is typed is the one from before.
    room.keys(&["/"]);
    room.typed("zzz");
    room.keys(&["esc"]);
    assert_eq!(room.state.view.lists[&Pane::Board].filter, "");
}

#[test]
fn enter_opens_each_kind_of_row_where_it_is_told() {
    // On the board: the service.
    let mut room = room();
    let RowId::Service(service) = selected(&room) else { panic!() };
    room.keys(&["enter"]);
    assert_eq!((room.state.view.pane, &room.state.view.service), (Pane::Service, &Some(service)));

    // In the inbox: each thing in the pane of its kind, an alarm in its service.
    let kinds: Vec<(RowId, AskKind)> =
        room.state.rows.inbox.iter().map(|ask| (ask.id.clone(), ask.kind)).collect();
    assert!(kinds.iter().any(|(_, kind)| *kind == AskKind::Approval), "{kinds:?}");
    assert!(kinds.iter().any(|(_, kind)| *kind == AskKind::Alarm), "{kinds:?}");
    for (id, _) in kinds {
        room.show(Pane::Inbox);
        select(&mut room, |row| *row == id);
        room.keys(&["enter"]);
        let RowId::Ask(item, _) = id else { continue };
        let pane = match item {
            ItemId::Pipeline(_) => Pane::Pipelines,
            ItemId::Environment(_) | ItemId::Traffic(_) => Pane::Environments,
            ItemId::Alarm(_) => Pane::Service,
            other => panic!("{other:?}"),
        };
        assert_eq!(room.state.view.pane, pane);
        if pane != Pane::Service {
            assert_eq!(selected(&room), RowId::Item(item));
        }
        room.keys(&["esc", "esc"]);
    }

    // In panes with details: those; Enter and Esc are there and back.
    for pane in [Pane::Pipelines, Pane::Environments, Pane::Canaries, Pane::Flags, Pane::Sources] {
        room.show(pane);
        let row = selected(&room);
        room.keys(&["enter"]);
        assert_eq!((room.state.view.zoomed, room.state.view.pane), (true, pane));
        room.keys(&["esc"]);
        assert_eq!((room.state.view.zoomed, selected(&room)), (false, row));
    }

    // A change: its details first, then what it changed.
    room.show(Pane::Timeline);
    let is_flag = |room: &Room, row: &RowId| {
        let RowId::Item(ItemId::Change(id)) = row else { return false };
        let change = &room.state.fleet.changes.get(id).unwrap().value;
        matches!(change.target, Some(ItemId::Flag(_)))
    };
    let rows = room.state.rows.order(Pane::Timeline).to_vec();
    let flip = rows.into_iter().find(|row| is_flag(&room, row)).unwrap();
    select(&mut room, |row| *row == flip);
    room.keys(&["enter"]);
    assert_eq!((room.state.view.zoomed, room.state.view.pane), (true, Pane::Timeline));
    room.keys(&["enter"]);
    assert_eq!(room.state.view.pane, Pane::Flags);
    assert!(matches!(selected(&room), RowId::Item(ItemId::Flag(_))));

    // In the service pane all is open already, and the key says so.
    room.show(Pane::Service);
    room.keys(&["enter"]);
    let said = room.state.view.notice.clone().unwrap().text.to_string();
    assert!(said.contains("all of the service is shown here"), "{said}");
}

#[test]
fn owners_group_the_board_and_zoom_covers_it_with_details() {
    let mut room = room();
    let before = room.state.rows.order(Pane::Board).to_vec();
    room.keys(&["o"]);
    assert!(room.state.view.group_by_owner);
    let groups: Vec<_> = room.state.rows.board.iter().map(|row| row.group.clone()).collect();
    assert!(groups.windows(2).all(|pair| pair[0] <= pair[1]), "{groups:?}");
    assert_ne!(room.state.rows.order(Pane::Board), before);
    room.keys(&["o"]);
    assert_eq!(room.state.rows.order(Pane::Board), before);
    for pane in [Pane::Service, Pane::Flags, Pane::Timeline] {
        room.show(pane);
        for zoomed in [true, false] {
            room.keys(&["z"]);
            assert_eq!(room.state.view.zoomed, zoomed, "{pane:?}");
        }
    }
}

#[test]
fn ids_and_links_are_copied() {
    let mut room = room();
    let copied = |room: &mut Room, key: &str| {
        room.effects.clear();
        room.keys(&[key]);
        room.effects.iter().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text.clone()),
            _ => None,
        })
    };
    let RowId::Service(service) = selected(&room) else { panic!() };
    assert_eq!(copied(&mut room, "y"), Some(service.to_string()));
    let link = copied(&mut room, "Y").unwrap();
    assert!(link.starts_with("https://"), "{link}");
    room.show(Pane::Pipelines);
    let RowId::Item(item) = selected(&room) else { panic!() };
    assert_eq!(copied(&mut room, "y"), Some(item.name().to_string()));
    room.show(Pane::Sources);
    assert_eq!(copied(&mut room, "Y"), None);
    assert!(room.state.view.notice.clone().unwrap().text.as_str().contains("no link"));
}

#[test]
fn the_timeline_is_narrowed_by_service_person_and_kind() {
    let mut room = room();
    room.show(Pane::Timeline);
    let all = room.state.listed(Pane::Timeline).len();
    let narrowed = |room: &mut Room, typed: &str| {
        room.keys(&["/"]);
        room.typed(typed);
        room.keys(&["enter"]);
        let rows = room.state.listed(Pane::Timeline).to_vec();
        room.keys(&["esc"]);
        assert_eq!(room.state.listed(Pane::Timeline).len(), all);
        let rows: Vec<_> =
            rows.iter().map(|id| room.state.rows.timeline.get(id).unwrap().clone()).collect();
        assert!(!rows.is_empty() && rows.len() < all, "{typed}: {} of {all}", rows.len());
        rows
    };
    let checkout = ServiceId::new("checkout");
    let rows = narrowed(&mut room, "service:checkout");
    assert!(rows.iter().all(|row| row.services.contains(&checkout)));
    let rows = narrowed(&mut room, "who:dana");
    assert!(rows.iter().all(|row| row.who.as_ref().is_some_and(|who| who.as_str() == "dana")));
    let rows = narrowed(&mut room, "kind:flag");
    assert!(rows.iter().all(|row| row.kind.word() == "flag"));
    let rows = narrowed(&mut room, "who:dana kind:flag tax");
    assert!(rows.iter().all(|row| row.title.as_str().contains("tax")), "{rows:?}");
}

#[test]
fn the_mouse_selects_opens_scrolls_and_shows_panes() {
    let mut room = room();
    let click = |x, y| Msg::Mouse(Mouse { kind: MouseKind::Click, x, y });
    let list = room.state.regions().unwrap().list;
    let third = room.state.listed(Pane::Board)[2].clone();
    // It is off until it is wanted: it takes away copy and paste.
    let before = selected(&room);
    room.take(click(list.x + 5, list.y + 2));
    assert_eq!(selected(&room), before);
    room.keys(&["M"]);
    assert!(room.effects.contains(&Effect::Mouse(true)));
    room.take(click(list.x + 5, list.y + 2));
    assert_eq!((selected(&room), room.state.view.pane), (third.clone(), Pane::Board));
    room.take(click(list.x + 5, list.y + 2));
    assert_eq!(room.state.view.pane, Pane::Service);
    assert_eq!(Some(third), room.state.view.service.clone().map(RowId::Service));
    // A click on the name of a pane, as it is drawn.
    let label = tab_label(&room.state, Pane::Flags);
    let text = print::text(&room.frame(&default_look()));
    let tabs = text.lines().nth(1).unwrap();
    let x = tabs.split(&label).next().unwrap().chars().count();
    let Area { y, .. } = room.state.regions().unwrap().tabs;
    room.take(click(u16::try_from(x).unwrap(), y));
    assert_eq!(room.state.view.pane, Pane::Flags);
    let first = selected(&room);
    room.take(Msg::Mouse(Mouse { kind: MouseKind::ScrollDown, x: list.x, y: list.y }));
    assert_ne!(selected(&room), first);
    // An overlay is not clicked through.
    room.keys(&["?"]);
    room.take(click(1, y));
    assert_eq!(room.state.view.pane, Pane::Flags);
}

/// The selection is a thing, not a row number: what Enter means does not change under the cursor.
#[test]
fn a_list_that_sorts_anew_keeps_what_is_selected() {
    let mut room = room();
    let web = RowId::Service(ServiceId::new("web"));
    select(&mut room, |row| *row == web);
    let at = |room: &Room| room.state.listed(Pane::Board).iter().position(|row| *row == web);
    let before = at(&room);
    // Two services below it break.
    let below: Vec<ServiceId> = ["catalog", "pricing"].map(ServiceId::new).to_vec();
    let source = SourceId::new("edge");
    let scope = Scope { topic: Topic::Overview, items: Vec::new() };
    let mut observation = Observation::new(&source, 0, &scope, moment(12 * 60 + 1));
    for (id, observed) in room.state.fleet.environments.iter() {
        let owners = room.state.membership.owners(&ItemId::Environment(id.clone()));
        if owners.iter().any(|owner| below.contains(owner)) {
            let mut environment = (*observed.value).clone();
            environment.health = Health::Unhealthy;
            observation.facts.push(Fact::Environment(environment));
        }
    }
    room.take(Msg::Observed(Box::new(observation)));
    assert_eq!(at(&room), before.map(|place| place + 2), "both are above it now");
    assert_eq!(selected(&room), web);
    let text = print::text(&room.frame(&default_look()));
    let marked = text.lines().find(|line| line.contains('▸')).unwrap();
    assert!(marked.contains("web"), "{marked}");
    room.keys(&["enter"]);
    assert_eq!(room.state.view.service, Some(ServiceId::new("web")));
}

#[test]
fn a_theme_that_cannot_be_loaded_is_passed_over() {
    let mut room = Room::open("quiet-day", SIZES[0]);
    room.state.setup.themes = ["default", "broken", "light"].map(str::to_owned).to_vec();
    let asked = |room: &mut Room| {
        room.effects.clear();
        room.keys(&["T"]);
        room.effects.iter().find_map(|effect| match effect {
            Effect::LoadTheme(name) => Some(name.clone()),
            _ => None,
        })
    };
    assert_eq!(asked(&mut room).as_deref(), Some("broken"));
    // It could not be loaded: no theme is told. The next key goes on.
    assert_eq!(asked(&mut room).as_deref(), Some("light"));
    room.take(Msg::Theme("light".to_owned()));
    assert_eq!(asked(&mut room).as_deref(), Some("default"));
}

#[test]
fn ctrl_c_twice_leaves_and_says_first_what_is_under_way() {
    let mut room = Room::open("quiet-day", SIZES[0]);
    room.keys(&["ctrl-c"]);
    let said = |room: &Room| room.state.view.notice.clone().unwrap().text.to_string();
    assert_eq!(said(&room), "ctrl-c again leaves; any other key stays");
    room.keys(&["j", "ctrl-c"]);
    assert!(!room.effects.contains(&Effect::Quit), "another key was between them");
    room.keys(&["ctrl-c"]);
    assert!(room.effects.contains(&Effect::Quit));

    // With a write under way: an approval.
    let mut room = unfolded("bad-canary", SIZES[1]);
    room.show(Pane::Inbox);
    for _ in 0..9 {
        room.keys(&["a"]);
        if room.state.view.overlay.is_some() {
            break;
        }
        room.keys(&["down"]);
    }
    room.keys(&["tab"]);
    room.typed("sessions");
    room.keys(&["enter"]);
    let title = room.state.activity[0].title.to_string();
    room.effects.clear();
    // Even out of a dialog.
    room.keys(&["?", "ctrl-c"]);
    assert!(said(&room).contains(&title), "{}", said(&room));
    assert!(room.effects.is_empty());
    room.keys(&["ctrl-c"]);
    assert_eq!(room.effects, [Effect::Quit]);
    room.keys(&["esc", "q"]);
    assert!(said(&room).contains(&title), "{}", said(&room));
}
