//! AWS sources: sessions, faults, and one folder per service.

pub mod codepipeline;
mod convert;
pub mod fault;
mod reader;
pub mod session;

pub use codepipeline::CodePipeline;
pub use session::Sessions;
