//! How far a probe is: one line on stderr that is written over, and only on a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::domain::text::fit;
use crate::traffic::book::{Book, Side};
use crate::traffic::design::Design;

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
    pub fn show(&mut self, design: &Design, book: &Book, elapsed: Duration) {
        if !self.terminal {
            return;
        }
        let width = crossterm::terminal::size().map_or(80, |(width, _)| usize::from(width));
        let line = fit(&words(design, book, elapsed), width.saturating_sub(1));
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

fn write(line: &str) {
    let mut err = io::stderr().lock();
    // Who closed it does not want to know.
    let _ = write!(err, "\r\x1b[K{line}");
    let _ = err.flush();
}

fn words(design: &Design, book: &Book, elapsed: Duration) -> String {
    let whole = design.whole();
    let time = if elapsed < whole {
        format!("{} s of {} s", elapsed.as_secs(), whole.as_secs())
    } else {
        "waiting for the last answers".to_owned()
    };
    let mut parts = vec![time, format!("{} sent", book.due)];
    for (side, name) in [(Side::Baseline, "baseline"), (Side::Canary, "canary")] {
        let tally = book.tallies.of(side);
        let share = 100.0 * tally.errors() as f64 / (tally.sent.max(1) as f64);
        let mut part = format!("{name} {share:.1}% errors");
        if let Some(p99) = tally.latencies.at(0.99) {
            part.push_str(&format!(", p99 {}", super::table::time(p99.as_secs_f64() * 1e3)));
        }
        if tally.unsent > 0 {
            part.push_str(&format!(", {} not sent", tally.unsent));
        }
        parts.push(part);
    }
    let report = book.report();
    parts.push(format!("{} {}", report.lead, report.harm.text));
    parts.join(" | ")
}
