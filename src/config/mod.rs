//! Layered settings with provenance: where a value came from is kept for every one of them.

pub mod model;
pub mod names;
mod near;
pub mod scalar;
pub mod secret;
pub mod services;
pub mod sources;

pub use model::{Config, Schedule};
pub use secret::{HeaderValue, Secret, SecretError, SecretValue};
