//! Safe hands: what guards say of plans, what plans come down to, and that nothing else is sent.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "safety/back.rs"]
mod back;
#[path = "safety/capacity.rs"]
mod capacity;
#[path = "safety/compose.rs"]
mod compose;
#[path = "safety/dialog.rs"]
mod dialog;
#[path = "safety/freeze.rs"]
mod freeze;
#[path = "safety/guards.rs"]
mod guards;
#[path = "safety/production.rs"]
mod production;
#[path = "safety/properties.rs"]
mod properties;
#[path = "safety/reading.rs"]
mod reading;
#[path = "safety/red_line.rs"]
mod red_line;
#[path = "safety/scripts.rs"]
mod scripts;
#[path = "safety/undo.rs"]
mod undo;
#[path = "safety/watcher.rs"]
mod watcher;
#[path = "safety/world.rs"]
mod world;
