//! What is wrong with a configuration: every fault at once, with its place and a hint.

use std::fmt;

use super::origin::Origin;
use crate::domain::text::SafeText;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is, when that is known.
    pub origin: Option<Origin>,
    /// The key it is about, as in `sources.prom.url`; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A fault at `origin`.
    pub fn new(
        origin: &Origin,
        key: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) -> Self {
        Self {
            origin: Some(origin.clone()),
            key: key.into(),
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// A fault without a place.
    pub fn general(message: impl Into<String>, hint: impl Into<Option<String>>) -> Self {
        Self { origin: None, key: String::new(), message: message.into(), hint: hint.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names and values of the file are quoted, and a file may come from anybody.
        if let Some(origin) = &self.origin {
            write!(f, "{}: ", SafeText::new(&origin.to_string()))?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", SafeText::new(&self.key))?;
        }
        write!(f, "{}", SafeText::new(&self.message))?;
        if let Some(hint) = &self.hint {
            write!(f, "\n    {}", SafeText::new(hint))?;
        }
        Ok(())
    }
}

/// All faults of a configuration, in the order of layers, files, lines and columns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Report {
    /// The faults; never empty.
    pub problems: Vec<Problem>,
}

impl Report {
    /// Sorts the faults and drops repeated ones.
    pub fn new(mut problems: Vec<Problem>) -> Self {
        problems
            .sort_by(|a, b| (&a.origin, &a.key, &a.message).cmp(&(&b.origin, &b.key, &b.message)));
        problems.dedup();
        Self { problems }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        match self.problems.len() {
            1 => f.write_str("1 fault in the configuration"),
            n => write!(f, "{n} faults in the configuration"),
        }
    }
}
