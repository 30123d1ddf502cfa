//! The vocabulary: types, ids, freshness and policy. Imports nothing else of this crate.

pub mod alarm;
pub mod canary;
pub mod change;
pub mod condition;
pub mod environment;
pub mod error;
pub mod fact;
pub mod flag;
pub mod fleet;
pub mod flight;
pub mod ids;
pub mod maths;
pub mod observation;
pub mod observed;
pub mod pattern;
pub mod pipeline;
pub mod policy;
pub mod revision;
mod rollback;
pub mod rule;
pub mod series;
pub mod service;
pub mod source;
pub mod table;
pub mod text;
pub mod time;
pub mod token;
pub mod traffic;
pub mod write;

pub use jiff::Timestamp;
