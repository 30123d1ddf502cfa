//! How fast the rows of each pane are found and drawn on a large screen, of 10 to 10,000 pipelines.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a bench is a failing bench"
)]

#[allow(dead_code, reason = "each bench uses a part of it")]
mod world;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use flightdeck::app::age::of_view;
use flightdeck::app::explain::selected;
use flightdeck::app::key::Key;
use flightdeck::app::pane::Pane;
use flightdeck::app::{Msg, State, update};
use flightdeck::terminal::painter::Painter;
use flightdeck::ui::theme::Theme;
use flightdeck::ui::{Look, draw};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

fn show(state: &mut State, pane: Pane) {
    update(state, Msg::Key { key: Key::char(pane.digit()), ms: 0 });
    assert_eq!(state.view.pane, pane);
}

fn panes(c: &mut Criterion, size: usize) {
    let mut group = c.benchmark_group(size.to_string());
    group.sample_size(10).warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_millis(700));
    let mut state = world::full(size);
    let look = Look::new(Theme::fallback(), false);
    let (width, height) = state.view.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    for pane in Pane::ALL {
        show(&mut state, pane);
        group.bench_function(format!("rows/{}", pane.title()), |b| {
            b.iter(|| {
                black_box((state.visible_rows(pane).len(), of_view(&state), selected(&state)))
            });
        });
        group.bench_function(format!("draw/{}", pane.title()), |b| {
            b.iter(|| {
                buffer.reset();
                draw(&state, &look, &mut buffer);
            });
        });
    }
    // With the difference to the frame before, and its bytes: what a key costs on the screen's side.
    show(&mut state, Pane::Board);
    let mut painter = Painter::new(std::io::sink());
    let mut down = state.clone();
    update(&mut down, Msg::Key { key: Key::parse("j").unwrap(), ms: 0 });
    let mut turn = false;
    group.bench_function("painted/Board, one row down", |b| {
        b.iter(|| {
            turn = !turn;
            let state = if turn { &down } else { &state };
            painter.paint((width, height), |buffer| draw(state, &look, buffer))
        });
    });
    group.finish();
}

fn all(c: &mut Criterion) {
    for size in world::SIZES {
        panes(c, size);
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
