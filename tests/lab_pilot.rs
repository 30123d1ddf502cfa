//! Pilots in the lab: a real HAProxy, two web servers under load, and a Prometheus that counts them.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "lab_pilot/ends.rs"]
mod ends;
#[path = "lab_pilot/flight.rs"]
mod flight;
#[path = "support/lab.rs"]
mod lab;
#[path = "lab_pilot/load.rs"]
mod load;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/lab_pipelines.rs"]
mod pipes;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "pty/room.rs"]
mod room;
#[path = "lab_pilot/rules.rs"]
mod rules;
#[path = "lab_pilot/shop.rs"]
mod shop;
#[path = "lab_pilot/silence.rs"]
mod silence;
#[path = "lab_pilot/verdicts.rs"]
mod verdicts;
#[path = "lab_pilot/watching.rs"]
mod watching;
