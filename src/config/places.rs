//! Where the files of each layer are looked for.

use std::path::{Path, PathBuf};

use super::origin::Layer;

/// The name of a project's file.
pub const PROJECT_FILE: &str = ".flightdeck.toml";

/// The files of all layers, whether they exist or not. With `named` it is that file alone.
pub fn files(named: Option<&Path>, folder: &Path) -> Vec<(Layer, PathBuf)> {
    if let Some(path) = named {
        return vec![(Layer::Named, path.to_owned())];
    }
    let mut files: Vec<(Layer, PathBuf)> =
        system_files().into_iter().map(|path| (Layer::System, path)).collect();
    files.extend(user_file().map(|path| (Layer::User, path)));
    files.extend(project_file(folder).map(|path| (Layer::Project, path)));
    files
}

/// The files for all users, the more particular one last.
fn system_files() -> Vec<PathBuf> {
    if cfg!(unix) {
        ["/etc/xdg/flightdeck/config.toml", "/etc/flightdeck/config.toml"].map(PathBuf::from).into()
    } else {
        Vec::new()
    }
}

/// The file of this user; none when there is no home folder.
pub fn user_file() -> Option<PathBuf> {
    user_folder().map(|folder| folder.join("config.toml"))
}

/// The folder of this user's configuration and themes.
pub fn user_folder() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "flightdeck").map(|dirs| dirs.config_dir().to_owned())
}

/// The project file of `folder`, or of the nearest folder above that has one.
pub fn project_file(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|parent| parent.join(PROJECT_FILE)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_project_file_counts() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b/c");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(root.path().join(PROJECT_FILE), "").unwrap();
        assert_eq!(project_file(&deep), Some(root.path().join(PROJECT_FILE)));
        std::fs::write(root.path().join("a/b").join(PROJECT_FILE), "").unwrap();
        assert_eq!(project_file(&deep), Some(root.path().join("a/b").join(PROJECT_FILE)));
    }

    #[test]
    fn a_named_file_stands_alone() {
        let path = Path::new("x.toml");
        assert_eq!(files(Some(path), Path::new("/")), vec![(Layer::Named, path.to_owned())]);
    }
}
