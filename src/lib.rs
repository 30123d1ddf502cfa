//! flightdeck, the release control room in a terminal.

pub mod backend;
pub mod cli;
pub mod config;
pub mod runtime;
pub mod store;
pub mod terminal;
pub mod traffic;

pub use flightdeck_core::{app, domain, judge, ui};
