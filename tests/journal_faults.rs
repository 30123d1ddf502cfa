//! A journal that is full, read-only, in the way, torn, changed or of tomorrow: through every verb.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "journal_faults/refused.rs"]
mod refused;
#[path = "journal_faults/survived.rs"]
mod survived;
#[path = "journal_faults/world.rs"]
mod world;
