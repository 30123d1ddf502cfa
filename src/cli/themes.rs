//! Themes as files: the built-in ones and those in the user's folder.

use std::cell::RefCell;
use std::io;
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
    // A file that is there and cannot be read is not told as one that is not there.
    let unreadable = RefCell::new(None);
    let loaded = Theme::load(name, &|name| {
        // A name is one file of the folder, never a path out of it.
        let plain = !name.contains(['/', '\\']) && name != "..";
        let path = folder().filter(|_| plain)?.join(format!("{name}.toml"));
        match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let why = format!("{} cannot be read: {error}", path.display());
                unreadable.borrow_mut().get_or_insert(ThemeError::unreadable(name, &why));
                None
            }
        }
    });
    unreadable.into_inner().map_or(loaded, Err)
}

fn folder() -> Option<PathBuf> {
    places::user_folder().map(|folder| folder.join("themes"))
}
