//! Writes to AWS against the lab: what they do, what is refused and why, what is lost.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "lab_writes_aws/answers.rs"]
mod answers;
#[path = "lab_writes_aws/flags.rs"]
mod flags;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "lab_writes_edge/hands.rs"]
mod hands;
#[path = "support/lab.rs"]
mod lab;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/lab_pipelines.rs"]
mod pipes;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/shop.rs"]
mod shop;
#[path = "lab_writes_aws/stages.rs"]
mod stages;
