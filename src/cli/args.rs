//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::config::ConfigCommand;

/// The release control room in a terminal.
#[derive(Debug, Parser)]
#[command(name = "flightdeck", version = VERSION, about, arg_required_else_help = true)]
pub struct Args {
    /// Read this configuration file instead of the usual ones.
    #[arg(long, global = true, value_name = "FILE", env = "FLIGHTDECK_CONFIG")]
    pub config: Option<PathBuf>,
    /// Set one key of the configuration, as in view.theme=light; may be repeated.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explain, check and describe the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script
    Completions {
        /// For this shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// Version with the facts of the build.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("FLIGHTDECK_COMMIT"),
    ", ",
    env!("FLIGHTDECK_PROFILE"),
    ", features: ",
    env!("FLIGHTDECK_FEATURES"),
    ")"
);
