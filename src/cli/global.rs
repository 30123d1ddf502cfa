//! Flags that several commands share, as settings of the configuration.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use crate::app::pane::Pane;
use crate::config::Setting;

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
