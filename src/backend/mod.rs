//! Ports to the outside and one adapter per kind of source.

pub mod clock;
pub mod context;
pub mod port;
pub mod schedule;

pub use context::ReadContext;
pub use port::{Cadence, Source};
