//! Canary statistics: numbers in, a verdict out. Pure; knows no backend, no screen and no clock.

pub mod analysis;
pub mod argo;
pub mod beta_binomial;
pub mod combine;
pub mod decide;
pub mod dispersion;
pub mod eta;
pub mod flagger;
pub mod grid;
pub mod kayenta;
pub mod metric;
pub mod odds;
pub mod ratio;
pub mod report;
pub mod sample;
pub mod series;
pub mod spec;
pub mod special;
pub mod strict;
pub mod summary;
pub mod words;

pub use analysis::{Analysis, Verdict};
pub use decide::{Action, Decision, Obstacle};
pub use odds::{Odds, Strength};
pub use report::Report;
pub use sample::{Counts, Sample};
pub use spec::{Direction, MetricKind, MetricSpec, Spec, SpecError};
