//! How far a command is: one line on stderr that is written over, and only on a terminal.

use std::io::{self, IsTerminal, Write};

use crate::domain::text::fit;

/// The line.
pub struct Progress {
    terminal: bool,
    shown: String,
}

impl Progress {
    /// Nothing is shown yet.
    pub fn start() -> Self {
        Self { terminal: io::stderr().is_terminal(), shown: String::new() }
    }

    /// Shows how far it is, if that is anything new.
    pub fn show(&mut self, words: impl FnOnce() -> String) {
        if !self.terminal {
            return;
        }
        let width = crossterm::terminal::size().map_or(80, |(width, _)| usize::from(width));
        let line = fit(&words(), width.saturating_sub(1));
        if line != self.shown {
            write(&line);
            self.shown = line;
        }
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if !self.shown.is_empty() {
            write("");
            self.shown.clear();
        }
    }
}

/// Says something on stderr beside the answer.
pub fn say(words: impl std::fmt::Display) {
    // Who closed it does not want to know.
    let _ = writeln!(io::stderr().lock(), "flightdeck: {words}");
}

fn write(line: &str) {
    let mut err = io::stderr().lock();
    // Who closed it does not want to know.
    let _ = write!(err, "\r\x1b[K{line}");
    let _ = err.flush();
}
