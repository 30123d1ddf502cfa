//! Where a value came from: which layer, and the place in it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The layers, in the order in which they are laid over each other: a later one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// `config/default.toml`, built into the program.
    BuiltIn,
    /// The file for all users of the machine.
    System,
    /// The file of this user.
    User,
    /// `.flightdeck.toml` in this folder or the nearest one above it.
    Project,
    /// The one file named on the command line, instead of the three above.
    Named,
    /// Environment variables.
    Environment,
    /// Flags of the command line.
    Flag,
}

impl Layer {
    /// The layer in a word or two.
    pub const fn word(self) -> &'static str {
        match self {
            Self::BuiltIn => "built-in",
            Self::System => "system",
            Self::User => "user",
            Self::Project => "project",
            Self::Named => "named file",
            Self::Environment => "environment",
            Self::Flag => "flag",
        }
    }
}

/// The place in a layer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A position in a file; line and column count from 1, the column in characters.
    File {
        /// The file as it was named.
        path: Arc<PathBuf>,
        /// Line.
        line: usize,
        /// Column.
        column: usize,
    },
    /// An environment variable, by name.
    Variable(Arc<str>),
    /// A flag of the command line, as given up to its value.
    Flag(Arc<str>),
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The layer.
    pub layer: Layer,
    /// The place in it.
    pub place: Place,
}

impl Origin {
    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::File { path, .. } => Some(path.as_path()),
            _ => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Place::Variable(name) => write!(f, "environment variable {name}"),
            Place::Flag(flag) => f.write_str(flag),
        }
    }
}

/// Turns byte offsets of one text into lines and columns.
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Notes where the lines of `text` start.
    pub fn new(text: &'t str) -> Self {
        let after_breaks =
            text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1);
        Self { text, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// The line and column, from 1, of the byte at `offset`.
    pub fn locate(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or("");
        (line, before.chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_become_lines_and_columns() {
        let lines = Lines::new("a\nbé c\n\nd");
        for (offset, place) in [(0, (1, 1)), (2, (2, 1)), (6, (2, 4)), (8, (3, 1)), (9, (4, 1))] {
            assert_eq!(lines.locate(offset), place, "{offset}");
        }
        assert_eq!(Lines::new("").locate(0), (1, 1));
    }
}
