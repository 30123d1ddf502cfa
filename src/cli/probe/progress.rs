//! How far a probe is, in one line.

use std::time::Duration;

use crate::traffic::book::{Book, Side};
use crate::traffic::design::Design;

/// The line.
pub fn words(design: &Design, book: &Book, elapsed: Duration) -> String {
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
            part.push_str(&format!(", p99 {}", super::document::time(p99.as_secs_f64() * 1e3)));
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
