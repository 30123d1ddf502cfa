//! A release day against real servers, by a script and by keys: an approval, a canary that is shifted and
//! taken back, a flag, an undo, and the journal that tells it.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "lab_story/day.rs"]
mod day;
#[path = "support/dialogs.rs"]
mod dialogs;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/edge.rs"]
mod edge;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "lab_writes_edge/hands.rs"]
mod hands;
#[path = "lab_story/keys.rs"]
mod keys;
#[path = "support/lab.rs"]
mod lab;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/lamp.rs"]
mod lamp;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/lab_pipelines.rs"]
mod pipes;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/program.rs"]
mod program;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "pty/room.rs"]
mod room;
#[path = "lab_story/script.rs"]
mod script;
#[path = "support/story.rs"]
mod story;
