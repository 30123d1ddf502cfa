//! Themes as files: the built-in ones and those in the user's folder.

use std::path::PathBuf;

use crate::config::places;
use crate::ui::theme::{BUILT_IN, Theme, ThemeError};

/// Names of all themes: the built-in ones, then the user's.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = BUILT_IN.iter().map(|(name, _)| (*name).to_owned()).collect();
    let folder = folder().and_then(|folder| std::fs::read_dir(folder).ok());
    let mut own: Vec<String> = folder
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|file| file.strip_suffix(".toml").map(str::to_owned))
        .filter(|name| !names.contains(name))
        .collect();
    own.sort();
    names.extend(own);
    names
}

/// The theme `name`.
pub fn load(name: &str) -> Result<Theme, ThemeError> {
    Theme::load(name, &|name| {
        // A name is one file of the folder, never a path out of it.
        let plain = !name.contains(['/', '\\']) && name != "..";
        let path = folder().filter(|_| plain)?.join(format!("{name}.toml"));
        std::fs::read_to_string(path).ok()
    })
}

fn folder() -> Option<PathBuf> {
    places::user_folder().map(|folder| folder.join("themes"))
}
