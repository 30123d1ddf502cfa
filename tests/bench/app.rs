//! How fast the state takes in messages and the rows of each pane are found and drawn, at 1,000
//! services with a pipeline of eight stages each.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a bench is a failing bench"
)]

#[path = "app/world.rs"]
mod world;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use flightdeck::app::age::of_view;
use flightdeck::app::explain::selected;
use flightdeck::app::key::Key;
use flightdeck::app::pane::Pane;
use flightdeck::app::{Msg, State, update};
use flightdeck::domain::fleet::MAX_CHANGES;
use flightdeck::domain::observation::Topic;
use flightdeck::ui::theme::Theme;
use flightdeck::ui::{Look, draw};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::hint::black_box;

fn key(text: &str) -> Msg {
    Msg::Key { key: Key::parse(text).unwrap(), ms: 0 }
}

/// Measures the messages that `make` makes, one after the other, on one state.
fn stream(c: &mut Criterion, name: &str, state: &mut State, make: impl Fn(usize) -> Msg) {
    let mut turn = 0;
    c.bench_function(name, |b| {
        b.iter_batched(
            || {
                turn += 1;
                make(turn)
            },
            |msg| black_box(update(state, msg)),
            BatchSize::SmallInput,
        );
    });
}

fn updates(c: &mut Criterion) {
    let mut slow = c.benchmark_group("update");
    slow.sample_size(20);
    let listing = world::told(Topic::Items, 1, world::listing(0));
    slow.bench_function("first answer: 1,000 pipelines", |b| {
        b.iter_batched(
            || (world::empty(), listing.clone()),
            |(mut state, msg)| {
                update(&mut state, msg);
                state
            },
            BatchSize::LargeInput,
        );
    });
    slow.finish();

    let mut state = world::full();
    stream(c, "update/same answer: 1,000 pipelines", &mut state, |_| {
        world::told(Topic::Items, 7200, world::listing(0))
    });
    stream(c, "update/one pipeline, unchanged", &mut state, |turn| {
        world::told(Topic::Items, 7200, vec![world::pipeline(turn % world::SERVICES, 0)])
    });
    stream(c, "update/one pipeline, changed", &mut state, |turn| {
        world::told(Topic::Items, 7200, vec![world::pipeline(turn * 7 % world::SERVICES, turn)])
    });
    stream(c, "update/one change beyond what is kept", &mut state, |turn| {
        world::told(Topic::Changes, 7200, vec![world::change(MAX_CHANGES + turn)])
    });
    stream(c, "update/one minute of a canary", &mut state, |turn| {
        let (canary, minute) =
            (turn % world::CANARIES, world::NEXT + (turn / world::CANARIES) as u64);
        let one = |which: &&str| world::series(canary, which, minute, minute + 1);
        world::told(Topic::Series, 7200, world::SERIES.iter().map(one).collect())
    });
    stream(c, "update/tick", &mut state, |turn| Msg::Tick(world::moment(7200 + turn as u64 % 60)));
    for pane in [Pane::Board, Pane::Pipelines, Pane::Timeline] {
        update(&mut state, Msg::Key { key: Key::char(pane.digit()), ms: 0 });
        let name = format!("update/one row down, {}", pane.title());
        stream(c, &name, &mut state, |turn| key(if turn % 40 < 20 { "j" } else { "k" }));
    }
    update(&mut state, Msg::Key { key: Key::char(Pane::Pipelines.digit()), ms: 0 });
    update(&mut state, key("/"));
    stream(c, "update/a letter of a filter", &mut state, |turn| {
        key(if turn % 2 == 0 { "9" } else { "backspace" })
    });
    update(&mut state, key("9"));
    stream(c, "update/one pipeline, changed, while filtered", &mut state, |turn| {
        world::told(Topic::Items, 7200, vec![world::pipeline(turn * 7 % world::SERVICES, turn)])
    });
}

fn panes(c: &mut Criterion) {
    let mut state = world::full();
    let look = Look::new(Theme::fallback(), false);
    let (width, height) = state.view.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    for pane in Pane::ALL {
        update(&mut state, Msg::Key { key: Key::char(pane.digit()), ms: 0 });
        assert_eq!(state.view.pane, pane);
        c.bench_function(&format!("rows/{}", pane.title()), |b| {
            b.iter(|| {
                black_box((state.visible_rows(pane).len(), of_view(&state), selected(&state)))
            });
        });
        c.bench_function(&format!("draw/{}", pane.title()), |b| {
            b.iter(|| draw(&state, &look, &mut buffer));
        });
    }
}

criterion_group!(benches, updates, panes);
criterion_main!(benches);
