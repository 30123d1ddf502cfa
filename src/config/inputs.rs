//! `Inputs`: what a configuration is made from.

use std::path::{Path, PathBuf};

use super::origin::Layer;
use super::places;

/// Everything a configuration is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// The files, from the lowest layer to the highest. One that does not exist counts as empty,
    /// except for [`Layer::Named`].
    pub files: Vec<(Layer, PathBuf)>,
    /// The environment variables: for the environment layer and for `${NAME}`.
    pub variables: Vec<(String, String)>,
    /// Names of environment variables whose value is no text.
    pub garbled: Vec<String>,
    /// The settings of the command line, in their order.
    pub settings: Vec<Setting>,
}

impl Inputs {
    /// Those of this process: the files of all layers (or the one that is named), its environment
    /// and the settings of its command line.
    pub fn of_process(named: Option<&Path>, settings: Vec<Setting>) -> Self {
        let folder = std::env::current_dir().unwrap_or_default();
        let (mut variables, mut garbled) = (Vec::new(), Vec::new());
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => variables.push((name, value)),
                Err(_) => garbled.push(name),
            }
        }
        Self { files: places::files(named, &folder), variables, garbled, settings }
    }
}

/// A setting given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The flag as the user typed it, up to its value: `--set view.theme`, `--theme`.
    pub flag: String,
    /// The key it sets.
    pub key: String,
    /// The value: a string as it is where the setting is one, otherwise as in TOML.
    pub value: String,
}
