//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use super::config::ConfigCommand;
use super::exit::Exit;
use super::init::InitArgs;
use crate::app::pane::Pane;
use crate::config::Setting;

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

/// What applies to every subcommand.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Global {
    /// Read this configuration file instead of the usual ones
    #[arg(long, global = true, value_name = "FILE", env = "FLIGHTDECK_CONFIG")]
    pub config: Option<PathBuf>,
    /// Set one key of the configuration, as in view.theme=light; may be repeated
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Show the rehearsal, whatever is configured
    #[arg(long, global = true)]
    pub rehearse: bool,
    /// The scenario to rehearse, or the path of a scenario file
    #[arg(long, global = true, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Refuse every command that would change something
    #[arg(long, global = true)]
    pub read_only: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    pub color: Option<Color>,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// As the terminal and the environment say
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What applies to the control room.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Room {
    /// The first pane
    #[arg(long, value_name = "PANE", value_parser = pane_parser())]
    pub pane: Option<String>,
    /// The theme
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,
    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
    /// One line per change instead of a screen, for screen readers and logs
    #[arg(long)]
    pub plain: bool,
    /// Record every message to this file, for `replay-session`
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

/// The panes, by name.
pub fn pane_parser() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(Pane::ALL.map(Pane::name))
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explain, check and describe the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask the backends within reach, and write a first configuration
    Init(InitArgs),
    /// Replay a recording and print its last frame
    ReplaySession {
        /// The recording, made with --record
        file: PathBuf,
    },
    /// Print a completion script
    Completions {
        /// For this shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

impl Global {
    /// The flags as settings of the configuration, so that `config explain` can name them.
    pub fn settings(&self) -> Result<Vec<Setting>, String> {
        let mut settings = Vec::new();
        for text in &self.set {
            let Some((key, value)) = text.split_once('=') else {
                return Err(format!("--set {text:?}: write --set KEY=VALUE"));
            };
            settings.push(Setting {
                flag: format!("--set {key}"),
                key: key.to_owned(),
                value: value.to_owned(),
            });
        }
        if let Some(scenario) = &self.scenario {
            settings.push(setting("--scenario", "rehearsal.scenario", scenario));
        }
        if self.read_only {
            settings.push(setting("--read-only", "safety.read_only", "true"));
        }
        if let Some(color) = self.color {
            let value = match color {
                Color::Auto => "auto",
                Color::Always => "always",
                Color::Never => "never",
            };
            settings.push(setting("--color", "view.color", value));
        }
        Ok(settings)
    }
}

impl Room {
    /// The flags as settings of the configuration.
    pub fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        if let Some(theme) = &self.theme {
            settings.push(setting("--theme", "view.theme", theme));
        }
        if self.ascii {
            settings.push(setting("--ascii", "view.glyphs", "ascii"));
        }
        settings
    }
}

fn setting(flag: &str, key: &str, value: &str) -> Setting {
    Setting { flag: flag.to_owned(), key: key.to_owned(), value: value.to_owned() }
}
