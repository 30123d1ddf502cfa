//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::act::{Act, WaitArgs};
use super::canary::CanaryCommand;
use super::config::ConfigCommand;
use super::exit::Exit;
use super::global::{Global, Room};
use super::init::InitArgs;
use super::journal::JournalArgs;
use super::pilot::PilotArgs;
use super::probe::ProbeArgs;
use super::recorded::ReplayArgs;
use super::schema::SchemaArgs;
use super::sources::SourcesArgs;
use super::status::StatusArgs;
use super::watch::WatchArgs;

/// The release control room in a terminal.
#[derive(Debug, Parser)]
#[command(
    name = "flightdeck",
    version = VERSION,
    about,
    long_about = "The release control room in a terminal: pipelines, environments, canaries and \
                  feature flags of many backends in live panes.\n\nWithout a configuration it \
                  opens on a rehearsal: an embedded world in which nothing is real.",
    after_help = exit_help(),
)]
pub struct Args {
    /// What applies to every subcommand.
    #[command(flatten)]
    pub global: Global,
    /// What applies to the control room.
    #[command(flatten)]
    pub room: Room,
    /// What to do; without one, the control room opens.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Version with the facts of the build.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("FLIGHTDECK_COMMIT"),
    ", ",
    env!("FLIGHTDECK_PROFILE"),
    ", ",
    env!("FLIGHTDECK_TARGET"),
    ", ",
    env!("FLIGHTDECK_RUSTC"),
    ", features: ",
    env!("FLIGHTDECK_FEATURES"),
    ")"
);

fn exit_help() -> String {
    let mut help = String::from("Exit codes:\n");
    for exit in Exit::ALL {
        help.push_str(&format!("  {:>3}  {}\n", exit.code(), exit.meaning()));
    }
    help
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explain, check and describe the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print one settled picture of all sources
    Status(StatusArgs),
    /// Print who answers, who does not, and why
    Sources(SourcesArgs),
    /// Print one line for each change, until stopped
    Watch(WatchArgs),
    /// Change something
    #[command(flatten)]
    Act(Act),
    /// Wait until stages have come so far
    Wait(WaitArgs),
    /// Walk a canary by its verdict: step by step upwards, and back if it does harm
    Pilot(PilotArgs),
    /// Judge canaries: those that are under way, or files of figures
    #[command(subcommand)]
    Canary(CanaryCommand),
    /// Fire designed requests at a baseline and a canary, and judge the answers
    Probe(ProbeArgs),
    /// Send recorded requests to a baseline and a canary, and compare the answers
    Replay(ReplayArgs),
    /// Print what was written, by whom, and what came of it
    Journal(JournalArgs),
    /// Ask the backends within reach, and write a first configuration
    Init(InitArgs),
    /// Replay a recording of the control room and print its last frame
    ReplaySession {
        /// The recording, made with --record
        file: PathBuf,
    },
    /// Print the JSON Schema of a format
    Schema(SchemaArgs),
    /// Print a completion script
    Completions {
        /// For this shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print a manual page, or write all of them
    Man {
        /// The page of this subcommand, as in `canary judge`; without one, that of the program
        #[arg(value_name = "COMMAND", conflicts_with = "folder")]
        command: Vec<String>,
        /// Write the pages of all subcommands into this folder
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
}
