//! How fast the state takes in messages, of 10 to 10,000 pipelines.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a bench is a failing bench"
)]

#[allow(dead_code, reason = "each bench uses a part of it")]
mod world;

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use flightdeck::app::key::Key;
use flightdeck::app::pane::Pane;
use flightdeck::app::{Msg, State, update};
use flightdeck::domain::fleet::MAX_CHANGES;
use flightdeck::domain::observation::Topic;

fn key(text: &str) -> Msg {
    Msg::Key { key: Key::parse(text).unwrap(), ms: 0 }
}

fn show(state: &mut State, pane: Pane) {
    update(state, Msg::Key { key: Key::char(pane.digit()), ms: 0 });
}

/// Measures the messages that `make` makes, one after the other, on one state.
fn stream(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    state: &mut State,
    make: impl Fn(usize) -> Msg,
) {
    let mut turn = 0;
    group.bench_function(name, |b| {
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

fn updates(c: &mut Criterion, size: usize) {
    let mut group = c.benchmark_group(format!("update/{size}"));
    group.sample_size(10).warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    let listing = world::told(Topic::Items, 1, world::listing(size));
    group.bench_function("first answer, all pipelines", |b| {
        b.iter_batched(
            || (world::empty(size), listing.clone()),
            |(mut state, msg)| {
                update(&mut state, msg);
                state
            },
            BatchSize::LargeInput,
        );
    });

    let mut state = world::full(size);
    let one = |turn: usize| vec![world::pipeline(turn * 7 % size, turn)];
    stream(&mut group, "same answer, all pipelines", &mut state, |_| {
        world::told(Topic::Items, 7200, world::listing(size))
    });
    stream(&mut group, "one pipeline, unchanged", &mut state, |turn| {
        world::told(Topic::Items, 7200, vec![world::pipeline(turn % size, 0)])
    });
    stream(&mut group, "one pipeline, changed", &mut state, |turn| {
        world::told(Topic::Items, 7200, one(turn))
    });
    stream(&mut group, "one change beyond what is kept", &mut state, |turn| {
        world::told(Topic::Changes, 7200, vec![world::change(size, MAX_CHANGES + turn)])
    });
    stream(&mut group, "one minute of a canary", &mut state, |turn| {
        let (canary, minute) =
            (turn % world::CANARIES, world::NEXT + (turn / world::CANARIES) as u64);
        let one = |which: &&str| world::series(canary, which, minute, minute + 1);
        world::told(Topic::Series, 7200, world::SERIES.iter().map(one).collect())
    });
    stream(&mut group, "tick", &mut state, |turn| {
        Msg::Tick(world::moment(7200 + turn as u64 % 60))
    });
    for pane in [Pane::Board, Pane::Pipelines, Pane::Timeline] {
        show(&mut state, pane);
        let name = format!("one row down, {}", pane.title());
        stream(&mut group, &name, &mut state, |turn| key(if turn % 40 < 20 { "j" } else { "k" }));
    }
    show(&mut state, Pane::Pipelines);
    update(&mut state, key("/"));
    stream(&mut group, "a letter of a filter", &mut state, |turn| {
        key(if turn % 2 == 0 { "9" } else { "backspace" })
    });
    update(&mut state, key("9"));
    stream(&mut group, "one pipeline, changed, while filtered", &mut state, |turn| {
        world::told(Topic::Items, 7200, one(turn))
    });
    group.finish();
}

fn all(c: &mut Criterion) {
    for size in world::SIZES {
        updates(c, size);
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
