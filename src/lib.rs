//! flightdeck, the release control room in a terminal.

pub mod app;
pub mod backend;
pub mod cli;
pub mod config;
pub mod domain;
pub mod judge;
pub mod runtime;
pub mod store;
pub mod terminal;
pub mod traffic;
pub mod ui;
