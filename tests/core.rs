//! The core without a screen or a network: schedules, keepers, recordings, and the state itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "core/ages.rs"]
mod ages;
#[path = "core/backoff.rs"]
mod backoff;
#[path = "core/calm.rs"]
mod calm;
#[path = "core/certificate.rs"]
mod certificate;
#[path = "core/fleet.rs"]
mod fleet;
#[path = "core/keeper.rs"]
mod keeper;
#[path = "core/news.rs"]
mod news;
#[path = "core/properties.rs"]
mod properties;
#[path = "core/refresh.rs"]
mod refresh;
#[path = "core/schedule.rs"]
mod schedule;
#[path = "core/scripted.rs"]
mod scripted;
#[path = "core/session.rs"]
mod session;
#[path = "core/support.rs"]
mod support;
#[path = "core/trouble.rs"]
mod trouble;
#[path = "core/world.rs"]
mod world;
