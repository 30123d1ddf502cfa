//! Every fault and every kill for every kind of write to pipelines, against the lab.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing unwrap in a test is a failing test"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/edge.rs"]
mod edge;
#[path = "lab_faults_aws/flight.rs"]
mod flight;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "lab_writes_edge/hands.rs"]
mod hands;
#[path = "lab_faults_aws/kill.rs"]
mod kill;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/kill.rs"]
mod killing;
#[path = "lab_faults_aws/kinds.rs"]
mod kinds;
#[path = "support/lab.rs"]
mod lab;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/lab_pipelines.rs"]
mod pipes;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/program.rs"]
mod program;
#[path = "lab_faults_aws/races.rs"]
mod races;
#[path = "lab_faults_aws/table.rs"]
mod table;
#[path = "lab_faults_aws/waits.rs"]
mod waits;
