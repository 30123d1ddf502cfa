//! How fast a frame of each pane is drawn, of a thousand pipelines on a large screen.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use flightdeck::app::pane::Pane;
use flightdeck::backend::rehearsal;
use flightdeck::terminal::painter::Painter;
use flightdeck::ui::draw as draw_frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use room::{Room, default_look, moment};

#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each file uses a part of it, and a failing unwrap is a failing measurement"
)]
#[path = "../screens/room.rs"]
mod room;

const SIZE: (u16, u16) = (200, 50);
const PIPELINES: usize = 1_000;

fn draw(c: &mut Criterion) {
    let world = rehearsal::synthetic(PIPELINES, 1, moment(0));
    let mut room = Room::of(world, SIZE, |_| {});
    room.read(0);
    let look = default_look();
    let mut group = c.benchmark_group("draw");
    group.sample_size(30);
    for pane in Pane::ALL {
        room.show(pane);
        let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
        group.bench_function(format!("{}_{PIPELINES}_pipelines", pane.name()), |b| {
            b.iter(|| {
                buffer.reset();
                draw_frame(black_box(&room.state), &look, &mut buffer);
            });
        });
    }
    // With the difference to the frame before, and its bytes: what a key costs on the screen's side.
    room.show(Pane::Board);
    let mut painter = Painter::new(std::io::sink());
    let states = {
        let first = room.state.clone();
        room.keys(&["j"]);
        [first, room.state.clone()]
    };
    let mut turn = 0;
    group.bench_function(format!("board_one_row_down_painted_{PIPELINES}_pipelines"), |b| {
        b.iter(|| {
            turn = 1 - turn;
            let state = states.get(turn);
            painter.paint(SIZE, |buffer| {
                if let Some(state) = state {
                    draw_frame(state, &look, buffer);
                }
            })
        });
    });
    group.finish();
}

criterion_group!(benches, draw);
criterion_main!(benches);
