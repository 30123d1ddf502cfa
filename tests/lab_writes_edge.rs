//! Writes to traffic and flags against real servers: what they do, what is refused, what is lost.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "support/edge.rs"]
mod edge;
#[path = "lab_writes_edge/hands.rs"]
mod hands;
#[path = "lab_writes_edge/haproxy.rs"]
mod haproxy;
#[path = "lab_writes_edge/kill.rs"]
mod kill;
#[path = "support/kill.rs"]
mod killing;
#[path = "support/lab.rs"]
mod lab;
#[path = "support/lamp.rs"]
mod lamp;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/program.rs"]
mod program;
#[path = "lab_writes_edge/script.rs"]
mod script;
#[path = "lab_writes_edge/unleash.rs"]
mod unleash;
