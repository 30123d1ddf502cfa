//! Every fault for every kind of write to traffic and flags, against real servers.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing unwrap in a test is a failing test"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/edge.rs"]
mod edge;
#[path = "lab_faults_edge/flags.rs"]
mod flags;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "lab_writes_edge/hands.rs"]
mod hands;
#[path = "support/lab.rs"]
mod lab;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/lamp.rs"]
mod lamp;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/program.rs"]
mod program;
#[path = "lab_faults_edge/table.rs"]
mod table;
#[path = "lab_faults_edge/traffic.rs"]
mod traffic;
