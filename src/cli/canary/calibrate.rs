//! `flightdeck canary judge --calibrate`: how much the long memory of a level inflates its variance, by
//! figures of one and the same version on both sides.

use std::io::{self, Write};

use serde::Serialize;

use super::agreed::{Agreed, From};
use super::asked::JudgeArgs;
use super::columns::{Columns, column};
use crate::cli::exit::{Exit, Failure};
use crate::cli::headless::Format;
use crate::domain::text::SafeText;
use crate::judge::series::calibrate_v_min;

/// Marks the document and its version.
const FORMAT: &str = "flightdeck.canary.calibration/1";
/// The fewest pairs that tell anything: three blocks of three.
const FEWEST: usize = 9;

/// What was found, for scripts.
#[derive(Debug, Serialize)]
struct Calibration {
    format: &'static str,
    metrics: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    name: SafeText,
    /// None if there are too few pairs, or they never differ.
    v_min: Option<f64>,
    /// Rows with a value above nothing on both sides.
    pairs: usize,
}

/// Tells the `v_min` of every level.
pub fn run(
    args: &JudgeArgs,
    baseline: &Columns,
    canary: &Columns,
    out: &mut impl Write,
) -> Result<Exit, Failure> {
    let agreed = Agreed::of(args, baseline)?;
    let mut metrics = Vec::new();
    for (metric, from) in agreed.spec.metrics.iter().zip(&agreed.columns) {
        let From::Series(name) = from else { continue };
        let (old, new) = (column(baseline, name)?, column(canary, name)?);
        let pair = |row: &i64| {
            let ratio = canary.value(*row, new)? / baseline.value(*row, old)?;
            (ratio > 0.0 && ratio.is_finite()).then(|| ratio.ln())
        };
        let ratios: Vec<f64> = baseline.rows.keys().filter_map(pair).collect();
        metrics.push(Line {
            name: SafeText::new(&metric.name),
            v_min: calibrate_v_min(&ratios),
            pairs: ratios.len(),
        });
    }
    if metrics.is_empty() {
        let message = "there is no level to calibrate: name columns with --series";
        return Err(Failure::usage(message));
    }
    let calibration = Calibration { format: FORMAT, metrics };
    let written = match args.output {
        Format::Table => table(&calibration, out),
        Format::Json => serde_json::to_writer_pretty(&mut *out, &calibration)
            .map_err(io::Error::from)
            .and_then(|()| out.write_all(b"\n")),
        Format::Ndjson => serde_json::to_writer(&mut *out, &calibration)
            .map_err(io::Error::from)
            .and_then(|()| out.write_all(b"\n")),
    };
    let known = calibration.metrics.iter().all(|line| line.v_min.is_some());
    let exit = if known { Exit::Good } else { Exit::TooLittle };
    match written.and_then(|()| out.flush()) {
        Ok(()) => Ok(exit),
        Err(error) => Failure::output(&error, exit),
    }
}

fn table(calibration: &Calibration, out: &mut impl Write) -> io::Result<()> {
    for Line { name, v_min, pairs } in &calibration.metrics {
        match v_min {
            Some(v_min) => writeln!(out, "{name}: v_min = {v_min:.2}, by {pairs} pairs of rows")?,
            None => writeln!(
                out,
                "{name}: not known by {pairs} pairs of rows: there must be {FEWEST}, and differences"
            )?,
        }
    }
    Ok(())
}
