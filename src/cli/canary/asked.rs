//! What `flightdeck canary judge` is asked.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use crate::cli::headless::Format;

/// What to judge, and how.
#[derive(Clone, Debug, ClapArgs)]
pub struct JudgeArgs {
    /// Figures of the running version: names of columns in the first line, one row for each tick
    #[arg(long, value_name = "CSV")]
    pub baseline: PathBuf,
    /// The same figures of the new version
    #[arg(long, value_name = "CSV")]
    pub canary: PathBuf,
    /// By which rules
    #[arg(long, value_enum, default_value_t)]
    pub mode: Mode,
    /// What was agreed: a TOML file of metrics, in the modes argo and flagger with their limits; in
    /// the mode kayenta, a canary configuration of Kayenta in JSON
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,
    /// Judge these columns as events among requests, as in errors/requests
    #[arg(long, value_name = "EVENTS/REQUESTS", conflicts_with = "spec")]
    pub counts: Vec<String>,
    /// Judge these columns as levels
    #[arg(long, value_name = "COLUMN", conflicts_with = "spec")]
    pub series: Vec<String>,
    /// Less is worse in this metric
    #[arg(long, value_name = "NAME")]
    pub decrease: Vec<String>,
    /// How much worse is still acceptable, as in errors=0.5 for half as much again
    #[arg(long, value_name = "NAME=SHARE")]
    pub margin: Vec<String>,
    /// Length of a row, where the times of the rows do not tell
    #[arg(long, value_name = "SECONDS")]
    pub tick: Option<f64>,
    /// Kayenta: at least this score passes
    #[arg(long, value_name = "SCORE")]
    pub pass: Option<f64>,
    /// Kayenta: at least this score is marginal
    #[arg(long, value_name = "SCORE")]
    pub marginal: Option<f64>,
    /// Kayenta: find exact roots, which tell differences of values below 0.001 too; at least eight
    /// points in each file are needed then
    #[arg(long)]
    pub exact_roots: bool,
    /// Judge nothing: both files are of one version, and tell how much the memory of their levels
    /// inflates their variance
    #[arg(long, conflicts_with = "exact_roots")]
    pub calibrate: bool,
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// The rules of a judgement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// flightdeck's own: right however often it is looked at
    #[default]
    Anytime,
    /// Those of Spinnaker's Kayenta, with its score and thresholds
    Kayenta,
    /// Those of Argo Rollouts: measurements of the canary are counted against limits
    Argo,
    /// Those of Flagger: failed checks of the canary add up, and enough of them take it back
    Flagger,
}
