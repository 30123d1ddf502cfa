//! The program as a script meets it: every subcommand, its errors, its exit code, its two streams.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "cli/configuration.rs"]
mod configuration;
#[path = "cli/exits.rs"]
mod exits;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/home.rs"]
mod home;
#[path = "cli/lines.rs"]
mod lines;
#[path = "cli/picture.rs"]
mod picture;
#[path = "cli/story.rs"]
mod story;
#[path = "cli/words.rs"]
mod words;
#[path = "cli/writes.rs"]
mod writes;
