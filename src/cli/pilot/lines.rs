//! What a pilot without a screen prints: a line for each thing that it says.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use crate::app::State;
use crate::app::pilot::{End, Line, Pilot};
use crate::app::row::RowId;
use crate::cli::watch::LineFormat;
use crate::domain::ids::CanaryId;
use crate::domain::text::SafeText;

/// Name and version of the format.
pub const PILOT_FORMAT: &str = "flightdeck/pilot/1";

/// One line of a flight, as data.
#[derive(Serialize, JsonSchema)]
pub struct PilotLine<'a> {
    /// Name and version of this format.
    #[schemars(extend("const" = PILOT_FORMAT))]
    format: &'static str,
    /// Which canary.
    canary: &'a CanaryId,
    /// When.
    at: jiff::Timestamp,
    /// What it does, and why.
    text: &'a str,
    /// How it stands: asking, flying, writing, holding, grounded, or how it ended.
    phase: &'static str,
    /// The canary's share of the traffic, in percent; null if that is not known.
    share: Option<f64>,
    /// The judge's verdict, in words; null if nothing was judged.
    verdict: Option<&'a str>,
    /// How the flight ended; null while it lasts.
    end: Option<End>,
}

/// Tells what is new; returns how many lines were told.
pub(super) fn tell(
    state: &State,
    canary: &CanaryId,
    told: usize,
    format: LineFormat,
    out: &mut impl Write,
) -> io::Result<usize> {
    let Some(pilot) = state.pilots.get(canary) else { return Ok(told) };
    let new = pilot.said.saturating_sub(told).min(pilot.log.len());
    for line in pilot.log.iter().skip(pilot.log.len() - new) {
        write(state, pilot, line, format, out)?;
    }
    out.flush()?;
    Ok(pilot.said)
}

fn write(
    state: &State,
    pilot: &Pilot,
    line: &Line,
    format: LineFormat,
    out: &mut impl Write,
) -> io::Result<()> {
    let canary = &pilot.canary;
    match format {
        LineFormat::Plain => {
            writeln!(out, "{} {canary} {}", line.at.strftime("%H:%M:%S"), line.text)
        }
        LineFormat::Ndjson => {
            let row = state.rows.canaries.get(&RowId::Canary(canary.clone()));
            let line = PilotLine {
                format: PILOT_FORMAT,
                canary,
                at: line.at,
                text: line.text.as_str(),
                phase: pilot.word(),
                share: row.and_then(|row| row.percent),
                verdict: pilot.verdict.as_ref().map(SafeText::as_str),
                end: pilot.ended(),
            };
            serde_json::to_writer(&mut *out, &line)?;
            out.write_all(b"\n")
        }
    }
}
