//! AWS sources: sessions, faults, and one folder per service.

pub mod appconfig;
pub mod cloudwatch;
pub mod codepipeline;
mod convert;
pub mod fault;
mod moved;
mod reader;
mod sent;
pub mod session;
mod tags;

pub use appconfig::AppConfig;
pub use cloudwatch::CloudWatch;
pub use codepipeline::CodePipeline;
pub use session::Sessions;
