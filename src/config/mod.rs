//! Layered settings with provenance: where a value came from is kept for every one of them.

pub mod canaries;
pub mod canary_metrics;
mod check;
mod check_freeze;
mod check_secret;
mod describe;
pub mod document;
pub mod explain;
mod formats;
pub mod freeze;
pub mod load;
mod meaning;
pub mod model;
pub mod names;
mod near;
pub mod origin;
pub mod overrides;
pub mod places;
pub mod problem;
mod project;
pub mod queries;
mod read;
mod redact;
pub mod scalar;
pub mod schema;
pub mod secret;
pub mod services;
pub mod signals;
pub mod sources;
mod substitute;
pub mod tree;

pub use load::{Inputs, Loaded, load, load_text};
pub use model::{Config, Schedule};
pub use overrides::Setting;
pub use problem::{Problem, Report};
pub use secret::{HeaderValue, Secret, SecretError, SecretValue};
