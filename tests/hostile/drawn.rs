//! Poisoned answers of one kind of source, drawn on every pane and printed without a screen.

use flightdeck::app::activity::{Activity, Phase};
use flightdeck::app::key::Key;
use flightdeck::app::overlay::Overlay;
use flightdeck::app::pane::Pane;
use flightdeck::app::report::{Wanted, status};
use flightdeck::app::row::RowId;
use flightdeck::app::setup::Setup;
use flightdeck::app::{Msg, State, update};
use flightdeck::backend::Source;
use flightdeck::cli::ansi;
use flightdeck::domain::error::Fault;
use flightdeck::domain::ids::{ItemId, ServiceId};
use flightdeck::domain::observation::{Observation, ReadFailed, Scope};
use flightdeck::domain::pattern::Pattern;
use flightdeck::domain::service::{Claims, MetricSpec, Service};
use flightdeck::domain::write::Outcome;
use flightdeck::ui::theme::Theme;
use flightdeck::ui::{Look, draw, table};
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::aws::Reply;
use crate::laws::read_all;
use crate::poison::{EVIL, leaves, survives};
use crate::server::Mood;
use crate::stands::{Stand, id};

/// Wide enough for details beside every list.
const SIZE: (u16, u16) = (200, 50);
/// Panes that show what the sources say; the service pane shows one of each again.
const PANES: [Pane; 9] = [
    Pane::Board,
    Pane::Inbox,
    Pane::Pipelines,
    Pane::Environments,
    Pane::Canaries,
    Pane::Flags,
    Pane::Timeline,
    Pane::Service,
    Pane::Sources,
];

/// Keys that ask for writes, by the pane where each kind of target is selected.
const ORDERS: [(Pane, &str); 4] =
    [(Pane::Inbox, "ax"), (Pane::Pipelines, "eHsS"), (Pane::Flags, "f"), (Pane::Service, "bt")];

/// What a terminal could take for an order, or what changes how its neighbours read.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Asserts that nothing hostile is in a cell of `buffer` or in a line of it as scripts get it.
pub fn assert_clean(buffer: &Buffer, what: &str) {
    for (at, cell) in buffer.content.iter().enumerate() {
        assert!(!cell.symbol().contains(is_hostile), "{what}: {:?} at {at}", cell.symbol());
    }
    for row in ansi::rows(buffer, false) {
        assert!(!row.contains(is_hostile), "{what}: {row:?}");
    }
}

/// Draws every pane of `state`, and prints it as the headless commands do.
pub fn assert_shown_clean(state: &mut State, what: &str) {
    let look = Look::new(Theme::fallback(), false);
    for pane in PANES {
        state.view.pane = pane;
        update(state, Msg::Resize { width: SIZE.0, height: SIZE.1 });
        let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
        draw(state, &look, &mut buffer);
        assert_clean(&buffer, &format!("{what}: {}", pane.name()));
        let all: &dyn Fn(&RowId) -> bool = &|_| true;
        if let Some(table) = table(state, &look, pane, 160, all) {
            assert_clean(&table, &format!("{what}: table of {}", pane.name()));
        }
    }
    let picture = status(state, &Wanted::default());
    assert_eq!(survives(&picture), None, "{what}: status");
    let json = serde_json::to_string(&picture).unwrap();
    assert!(!json.contains(is_hostile), "{what}: status as JSON");
}

/// Presses the keys that ask for writes, and shows what is asked then and how it would be told later;
/// how many confirmations were seen.
pub fn assert_orders_shown_clean(state: &mut State, what: &str) -> usize {
    let look = Look::new(Theme::fallback(), false);
    let drawn = |state: &State, what: &str| {
        let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
        draw(state, &look, &mut buffer);
        assert_clean(&buffer, what);
    };
    let mut told = Vec::new();
    for (pane, keys) in ORDERS {
        for key in keys.chars() {
            state.view.pane = pane;
            state.view.overlay = None;
            update(state, Msg::Resize { width: SIZE.0, height: SIZE.1 });
            update(state, Msg::Key { key: Key::char(key), ms: 0 });
            let what = format!("{what}: {key} on {}", pane.name());
            // The first of several choices.
            if matches!(state.view.overlay, Some(Overlay::Choose(_))) {
                drawn(state, &what);
                update(state, Msg::Key { key: Key::parse("enter").unwrap(), ms: 1_000 });
            }
            if let Some(Overlay::Confirm(dialog)) = &state.view.overlay {
                drawn(state, &what);
                let mut activity = Activity::of(&dialog.plan);
                let outcome = Outcome::refused(EVIL);
                for step in &mut activity.steps {
                    step.phase = Some(Phase::Ended { outcome: outcome.clone() });
                    step.at = Some(activity.at);
                }
                told.push(activity);
            }
        }
    }
    state.view.overlay = None;
    state.view.pane = Pane::Activity;
    let count = told.len();
    update(state, Msg::Past(told));
    drawn(state, &format!("{what}: activity"));
    count
}

/// A service that owns everything, so that its row and its pane speak of everything.
fn owner(series: &[ItemId]) -> Service {
    let every = || vec![Pattern::parse("*/*")];
    let metrics = series.iter().filter_map(|item| match item {
        ItemId::Series(id) => Some(MetricSpec { name: id.name.clone(), series: id.clone() }),
        _ => None,
    });
    Service {
        claims: Claims {
            pipelines: every(),
            environments: every(),
            traffic: every(),
            flags: every(),
            alarms: every(),
            ..Claims::default()
        },
        metrics: metrics.collect(),
        ..Service::named("everything")
    }
}

fn fresh(source: &dyn Source, series: &[ItemId]) -> State {
    let mut setup = Setup::empty(Timestamp::now());
    setup.sources = vec![source.meta()];
    setup.services = vec![owner(series)];
    setup.options.size = SIZE;
    let mut state = State::new(setup);
    state.view.service = Some(ServiceId::new("everything"));
    state
}

fn take(state: &mut State, scope: Scope, read: Result<Observation, Fault>) {
    let msg = match read {
        Ok(mut answer) => {
            answer.epoch = 0;
            Msg::Observed(Box::new(answer))
        }
        Err(fault) => {
            let at = Timestamp::now();
            Msg::ReadFailed(Box::new(ReadFailed { source: id(), epoch: 0, scope, at, fault }))
        }
    };
    update(state, msg);
}

/// Reads everything and shows it; how many confirmations were seen.
async fn shown(stand: &Stand, items: &[ItemId], what: &str) -> usize {
    let source = stand.source();
    let mut state = fresh(&*source, &stand.series);
    for (scope, read) in read_all(&*source, &stand.series, items).await {
        take(&mut state, scope, read);
    }
    assert_shown_clean(&mut state, what);
    assert_orders_shown_clean(&mut state, what)
}

/// Reads and shows what has no server.
pub async fn nothing_of_a_source_is_drawn(source: &dyn Source, series: &[ItemId]) {
    let mut state = fresh(source, series);
    for (scope, read) in read_all(source, series, &[]).await {
        assert_eq!(survives(&read), None);
        take(&mut state, scope, read);
    }
    assert_shown_clean(&mut state, &source.meta().kind.to_string());
}

/// Whatever text of an answer is hostile, and however a refusal is, no screen and no table carries it.
pub async fn nothing_hostile_is_drawn(stand: &Stand) {
    let reads = read_all(&*stand.source(), &stand.series, &[]).await;
    let items: Vec<ItemId> =
        reads.iter().filter_map(|(_, read)| read.as_ref().ok()?.items.clone()).flatten().collect();
    let megabyte = "\u{202e}é".repeat(210_000).into_bytes();
    let answers = stand.server.answers();
    assert!(!answers.is_empty());
    let mut seen = 0;
    let mut orders = 0;
    for (key, answer) in answers {
        let count = leaves(&answer);
        for leaf in 0..count {
            let mut evils = vec![EVIL.as_bytes()];
            // These need no place of their own: one of each answer is enough.
            if leaf == count / 2 {
                evils.extend([&b"\xff\xfe\x9b31m\xc3"[..], &megabyte]);
            }
            for evil in evils {
                stand.server.set(Mood::Poison { key: key.clone(), leaf, evil: evil.to_vec() });
                orders += shown(stand, &items, &format!("{key}, text {leaf}")).await;
                seen += 1;
            }
        }
    }
    assert!(seen > 3, "{seen} poisoned answers");
    println!("{seen} poisoned answers, {orders} orders");
    let writes = !stand.source().meta().capabilities.writes.is_empty();
    assert_eq!(orders > seen / 4, writes, "{orders} orders of {seen} poisoned answers");
    let header: String = EVIL.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    for status in [200, 302, 400, 401, 403, 404, 429, 500] {
        let body = serde_json::json!({ "message": EVIL, "__type": EVIL, "error": EVIL });
        let reply = Reply::status(status, &body.to_string()).header("location", &header);
        stand.server.set(Mood::Always(reply.header("x-amzn-errortype", &header)));
        shown(stand, &items, &format!("status {status}")).await;
    }
}
