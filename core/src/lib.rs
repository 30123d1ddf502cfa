//! What flightdeck decides and draws, and nothing that waits: no clock, file or network is read here.

pub mod app;
pub mod domain;
pub mod judge;
pub mod ui;
