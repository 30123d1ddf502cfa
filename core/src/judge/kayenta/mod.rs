//! Kayenta mode: judges a canary the way Spinnaker's Kayenta does, so that teams can bring their
//! canary configurations. Its weaknesses come along, two of them with a warning or a way out: see
//! [`classify::Settings::exact_roots`] and [`classify::Outcome::tiny_scale`].

pub mod brent;
pub mod classify;
pub mod mann_whitney;
pub mod score;

pub use classify::{Classification, Outcome, Settings, classify};
pub use score::{MetricResult, ScoreReport, Thresholds, score};
