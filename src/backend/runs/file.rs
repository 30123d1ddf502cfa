//! One run: the lines of its file, each a tick of both sides.

use std::io::{self, SeekFrom};
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::domain::series::Point;

/// The sides of a run.
pub(super) const SIDES: [&str; 2] = ["baseline", "canary"];
/// Of a longer file only the end is read.
const LARGEST: u64 = 32 * 1024 * 1024;
/// Formats of lines that are ticks, without their version.
const TICKS: [&str; 2] = ["flightdeck/probe-tick/", "flightdeck/replay-tick/"];

/// The ticks of a run, in the order in which they were written.
#[derive(Debug, Default)]
pub(super) struct Ticks {
    ticks: Vec<Tick>,
    /// Lines that are no JSON object, but for the last one, which may be half written.
    pub(super) unread: usize,
}

#[derive(Debug, Deserialize)]
struct Tick {
    format: String,
    /// The end of the tick.
    at: Timestamp,
    #[serde(default)]
    warm_up: bool,
    baseline: Map<String, Value>,
    canary: Map<String, Value>,
}

/// Reads the file at `path`.
pub(super) async fn read(path: &Path) -> io::Result<Ticks> {
    // Opening a pipe would wait for whoever writes into it.
    let about = tokio::fs::metadata(path).await?;
    if !about.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let mut file = tokio::fs::File::open(path).await?;
    let skipped = about.len().saturating_sub(LARGEST);
    file.seek(SeekFrom::Start(skipped)).await?;
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).await?;
    Ok(parse(&bytes, skipped > 0))
}

/// The ticks among the lines of `bytes`; the first line may be the end of one.
fn parse(bytes: &[u8], is_cut: bool) -> Ticks {
    let mut found = Ticks::default();
    let whole = bytes.ends_with(b"\n");
    let mut lines = bytes.split(|byte| *byte == b'\n').skip(usize::from(is_cut)).peekable();
    while let Some(line) = lines.next() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let is_last = lines.peek().is_none() && !whole;
        match serde_json::from_slice::<Tick>(line) {
            Ok(tick) if TICKS.iter().any(|format| tick.format.starts_with(format)) => {
                found.ticks.push(tick);
            }
            // The last line tells of the whole run, and is no tick.
            Ok(_) => {}
            Err(_) if is_report(line) || is_last => {}
            Err(_) => found.unread += 1,
        }
    }
    found
}

fn is_report(line: &[u8]) -> bool {
    let report = serde_json::from_slice::<Map<String, Value>>(line);
    let format = report.ok().and_then(|r| r.get("format")?.as_str().map(str::to_owned));
    format.is_some_and(|f| f.starts_with("flightdeck/") && !TICKS.iter().any(|t| f.starts_with(t)))
}

impl Ticks {
    /// The figure of one side in every tick after `from` that is none of the warm-up; ticks without it
    /// have no point. A file that a later run was added to goes on in time, or what is before is left out.
    pub(super) fn points(&self, side: &str, figure: &str, from: Timestamp) -> Vec<Point> {
        let mut points: Vec<Point> = Vec::new();
        for tick in self.ticks.iter().filter(|tick| !tick.warm_up && tick.at >= from) {
            let figures = if side == "canary" { &tick.canary } else { &tick.baseline };
            let Some(value) = number(figures, figure) else { continue };
            if points.last().is_none_or(|last| last.at < tick.at) {
                points.push(Point { at: tick.at, value });
            }
        }
        points
    }
}

/// A number by its name; `requests` are those that were sent, and `p50` to `max` are latencies.
fn number(figures: &Map<String, Value>, figure: &str) -> Option<f64> {
    let value = match figure {
        "requests" => figures.get("sent"),
        "p50" | "p90" | "p99" | "p999" | "max" => figures.get("latency_ms")?.get(figure),
        _ => figures.get(figure),
    };
    value?.as_f64().filter(|number| number.is_finite())
}
