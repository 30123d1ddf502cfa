//! `flightdeck canary`: the canaries that are under way, and figures in files, judged for scripts.

mod agreed;
mod asked;
mod calibrate;
mod columns;
mod counting;
mod document;
mod import;
mod judge;
mod kayenta;
mod live;

pub use document::{CanaryEvent, CanaryPicture, Judgement};

use std::io::Write;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::exit::{Exit, Failure};
use super::global::Global;
use super::headless::Format;
use super::watch::LineFormat;

/// What to do with canaries.
#[derive(Clone, Debug, Subcommand)]
pub enum CanaryCommand {
    /// Print the canaries that the configuration describes, without reading anything
    List(ListArgs),
    /// Read everything once, and print how the canaries stand
    Status(StatusArgs),
    /// Judge figures in two CSV files
    Judge(asked::JudgeArgs),
    /// Print one line for each change of a verdict
    Watch(WatchArgs),
    /// Print a canary configuration of Kayenta as one of flightdeck
    ImportKayenta(import::ImportArgs),
}

/// Which canaries to print.
#[derive(Clone, Debug, ClapArgs)]
pub struct ListArgs {
    /// Only this service
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// Which canaries to print.
#[derive(Clone, Debug, ClapArgs)]
pub struct StatusArgs {
    /// Only this service
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,
    /// Only the canary of this name
    #[arg(long, value_name = "NAME")]
    pub canary: Option<String>,
    /// Wait at most so long for all sources
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub wait: u64,
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// Which canaries to watch, and until when.
#[derive(Clone, Debug, ClapArgs)]
pub struct WatchArgs {
    /// Only this service
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,
    /// Only the canary of this name
    #[arg(long, value_name = "NAME")]
    pub canary: Option<String>,
    /// End as soon as there is a verdict: pass, marginal or fail
    #[arg(long)]
    pub until_verdict: bool,
    /// End after so long, with the verdict of then
    #[arg(long = "for", value_name = "SECONDS")]
    pub seconds: Option<u64>,
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: LineFormat,
}

/// Runs the subcommand.
pub fn run(
    global: &Global,
    command: &CanaryCommand,
    out: &mut impl Write,
) -> Result<Exit, Failure> {
    match command {
        CanaryCommand::List(args) => live::list(global, args, out),
        CanaryCommand::Status(args) => live::status(global, args, out),
        CanaryCommand::Watch(args) => live::watch(global, args, out),
        CanaryCommand::Judge(args) => judge::run(args, out),
        CanaryCommand::ImportKayenta(args) => import::run(args, out),
    }
}

/// The text of a file, or what is wrong with it.
fn text_of(file: &PathBuf) -> Result<String, Failure> {
    let bytes = std::fs::read(file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::usage(format!("{} is no UTF-8 text from byte {at} on", file.display()))
    })
}
