//! What frames cost on the wire, in bytes and writes, and that a recording ends in the same frame.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "screens/print.rs"]
mod print;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "screens/room.rs"]
mod room;

use std::sync::Arc;

use flightdeck::app::Msg;
use flightdeck::app::pane::Pane;
use flightdeck::app::row::RowId;

use flightdeck::backend::rehearsal;
use flightdeck::cli::replay as replay_command;
use flightdeck::domain::fact::Fact;
use flightdeck::domain::ids::{ItemId, PipelineId};
use flightdeck::domain::observation::{Observation, Scope, Topic};
use flightdeck::domain::pipeline::Pipeline;
use flightdeck::domain::revision::Revision;
use flightdeck::runtime::record::{Recorder, replay};
use flightdeck::terminal::painter::Painter;
use flightdeck::terminal::writer::Counts;
use flightdeck::ui::{Look, draw};
use room::{Room, default_look, frame, moment, unfolded};

const LARGE: (u16, u16) = (200, 50);

/// A painter that throws away what it writes, and counts it.
struct Wire {
    painter: Painter<std::io::Sink>,
    counts: Arc<Counts>,
    look: Look,
}

impl Wire {
    fn new() -> Self {
        let painter = Painter::new(std::io::sink());
        Self { counts: painter.counts(), painter, look: default_look() }
    }

    /// Bytes and writes of the next frame of `room`.
    fn paint(&mut self, room: &Room) -> (u64, u64) {
        let before = (self.counts.bytes(), self.counts.writes());
        let (state, look) = (&room.state, &self.look);
        self.painter.paint(state.view.size, |buffer| draw(state, look, buffer)).unwrap();
        (self.counts.bytes() - before.0, self.counts.writes() - before.1)
    }
}

/// More services than a screen has rows, read once.
fn crowd() -> Room {
    let mut room = Room::of(rehearsal::synthetic(150, 1, moment(0)), LARGE, |_| {});
    room.read(0);
    assert_eq!(room.state.fleet.pipelines.len(), 150);
    room
}

/// A pipeline as it is, but for what `change` does to it.
fn changed(room: &mut Room, id: &PipelineId, change: impl FnOnce(&mut Pipeline)) {
    let mut pipeline = (*room.state.fleet.pipelines.get(id).unwrap().value).clone();
    change(&mut pipeline);
    let scope = Scope { topic: Topic::Overview, items: Vec::new() };
    let mut answer = Observation::new(&id.source, 0, &scope, room.state.now);
    answer.facts.push(Fact::Pipeline(pipeline));
    room.take(Msg::Observed(Box::new(answer)));
}

#[test]
fn a_first_frame_is_one_write_of_twenty_kilobytes_at_most() {
    for room in [unfolded("bad-canary", LARGE), crowd()] {
        let mut room = room;
        for pane in Pane::ALL {
            room.show(pane);
            let (bytes, writes) = Wire::new().paint(&room);
            println!("{} {bytes}", pane.name());
            assert_eq!(writes, 1, "{}", pane.name());
            assert!(bytes <= 20_000, "{}: {bytes} bytes", pane.name());
        }
    }
}

#[test]
fn nothing_is_written_while_nothing_changes() {
    let mut room = unfolded("bad-canary", LARGE);
    for pane in Pane::ALL {
        room.show(pane);
        let mut wire = Wire::new();
        wire.paint(&room);
        // Seconds pass, and sources say again what they said.
        for second in 1..=5 {
            room.tick(12 * 60 + second);
            let taken = wire.paint(&room);
            assert_eq!(taken, (0, 0), "{} after {second} s", pane.name());
        }
        room.tick(12 * 60);
    }
}

#[test]
fn a_minute_that_passes_is_a_few_bytes() {
    for pane in Pane::ALL {
        let mut room = unfolded("bad-canary", LARGE);
        room.show(pane);
        let mut wire = Wire::new();
        wire.paint(&room);
        room.tick(13 * 60);
        let (bytes, writes) = wire.paint(&room);
        println!("{} {bytes}", pane.name());
        assert!(writes == 1 && bytes > 0);
        assert!(bytes <= 2_000, "{}: {bytes} bytes", pane.name());
    }
}

#[test]
fn one_stage_that_changes_is_two_hundred_bytes_at_most() {
    for pane in [Pane::Board, Pane::Pipelines] {
        let mut room = crowd();
        room.show(pane);
        let mut wire = Wire::new();
        wire.paint(&room);
        // On the screen in both panes, and not selected.
        let shown = room.state.visible_rows(pane).last().unwrap().clone();
        let id = match &shown {
            RowId::Service(_) => {
                room.state.rows.board.get(&shown).unwrap().pipeline.clone().unwrap()
            }
            RowId::Item(ItemId::Pipeline(id)) => id.clone(),
            other => panic!("{other:?}"),
        };
        changed(&mut room, &id, |pipeline| {
            let stage = pipeline.stages.last_mut();
            stage.unwrap().revision = Some(Revision::of("0123456789"));
        });
        let (bytes, writes) = wire.paint(&room);
        println!("{} {bytes}", pane.name());
        assert_eq!(writes, 1, "{}", pane.name());
        assert!(bytes <= 200, "{}: {bytes} bytes", pane.name());
    }
}

#[test]
fn a_key_is_a_small_frame() {
    let mut room = crowd();
    let mut wire = Wire::new();
    wire.paint(&room);
    room.keys(&["j"]);
    let (bytes, writes) = wire.paint(&room);
    println!("down {bytes}");
    assert_eq!(writes, 1);
    assert!(bytes <= 600, "one row down: {bytes} bytes");
    room.keys(&["z"]);
    let (bytes, writes) = wire.paint(&room);
    println!("a key without a meaning {bytes}");
    assert!(writes <= 1 && bytes <= 400, "{bytes} bytes");
}

#[test]
fn many_sizes_end_in_the_frame_of_the_last() {
    let mut room = unfolded("bad-canary", LARGE);
    let mut wire = Wire::new();
    for n in 0..200_u16 {
        room.resize((n * 7 % 230, n * 5 % 70));
        let (_, writes) = wire.paint(&room);
        assert!(writes <= 1);
    }
    room.resize(LARGE);
    wire.paint(&room);
    let fresh = unfolded("bad-canary", LARGE);
    assert_eq!(room.frame(&default_look()), fresh.frame(&default_look()));
}

#[test]
fn a_recording_ends_in_the_same_frame() {
    let look = default_look();
    for scenario in rehearsal::names() {
        let mut room = Room::open(scenario, (120, 40));
        for minute in [0, 3, 6, 9, 12] {
            room.read(minute * 60);
            room.keys(&["j", "tab", "J"]);
        }
        room.keys(&["3", "/"]);
        room.typed("che");
        room.keys(&["enter", "enter"]);
        let mut bytes = Vec::new();
        let mut recorder = Recorder::new(&mut bytes, &room.setup).unwrap();
        for msg in &room.taken {
            recorder.add(msg).unwrap();
        }
        recorder.flush().unwrap();
        let again = replay(bytes.as_slice()).unwrap();
        assert_eq!(again, room.state, "{scenario}");
        assert_eq!(frame(&again, &look), room.frame(&look), "{scenario}");
        // The subcommand prints that frame.
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        let mut printed = Vec::new();
        replay_command::run(file.path(), &mut printed).unwrap();
        assert_eq!(String::from_utf8(printed).unwrap(), print::text(&room.frame(&look)));
    }
}
