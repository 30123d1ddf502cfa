//! Ports to the outside and one adapter per kind of source.

#[cfg(feature = "aws")]
pub mod aws;
pub mod clock;
pub mod context;
pub mod haproxy;
pub mod http_client;
pub mod port;
pub mod probe_http;
pub mod prometheus;
mod reading;
pub mod registry;
pub mod rehearsal;
#[cfg(test)]
mod responder;
pub mod runs;
pub mod schedule;
pub mod unleash;

pub use context::ReadContext;
pub use port::{Cadence, Source};
