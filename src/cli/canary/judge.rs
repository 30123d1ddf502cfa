//! `flightdeck canary judge`: a verdict on figures in two files.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::agreed::{Agreed, From};
use super::asked::{JudgeArgs, Mode};
use super::calibrate;
use super::columns::{Columns, Timed, WEIGHT, column};
use super::counting;
use super::document::{JUDGEMENT_FORMAT, Judgement};
use super::kayenta;
use super::text_of;
use crate::app::canary::Judged;
use crate::cli::exit::{Exit, Failure};
use crate::cli::headless::Format;
use crate::cli::rows::rows;
use crate::domain::text::SafeText;
use crate::judge::{Analysis, Counts, Sample};

/// Judges, and writes the verdict.
pub fn run(args: &JudgeArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    let baseline = Columns::read(&args.baseline, &text_of(&args.baseline)?)?;
    let canary = Columns::read(&args.canary, &text_of(&args.canary)?)?;
    if (baseline.timed == Timed::No) != (canary.timed == Timed::No) {
        let message =
            "one file has a column of times and the other has none: rows cannot be paired";
        return Err(Failure::usage(message));
    }
    if args.exact_roots && args.mode != Mode::Kayenta {
        return Err(Failure::usage("--exact-roots is for --mode kayenta"));
    }
    if args.calibrate {
        return calibrate::run(args, &baseline, &canary, out);
    }
    let found = match args.mode {
        Mode::Anytime => anytime(args, &baseline, &canary)?,
        Mode::Kayenta => kayenta::judge(args, &baseline, &canary)?,
        Mode::Argo => counting::argo(args, &baseline, &canary)?,
        Mode::Flagger => counting::flagger(args, &baseline, &canary)?,
    };
    let written = match args.output {
        Format::Table => table(&found, out),
        Format::Json => serde_json::to_writer_pretty(&mut *out, &found)
            .map_err(io::Error::from)
            .and_then(|()| out.write_all(b"\n")),
        Format::Ndjson => serde_json::to_writer(&mut *out, &found)
            .map_err(io::Error::from)
            .and_then(|()| out.write_all(b"\n")),
    };
    match written.and_then(|()| out.flush()) {
        Ok(()) => Ok(Exit::of(found.verdict)),
        Err(error) => Failure::output(&error, Exit::of(found.verdict)),
    }
}

fn anytime(args: &JudgeArgs, baseline: &Columns, canary: &Columns) -> Result<Judgement, Failure> {
    let mut agreed = Agreed::of(args, baseline)?;
    let places: Vec<Place> = agreed
        .columns
        .iter()
        .map(|from| Place::find(from, baseline, canary))
        .collect::<Result<_, _>>()?;
    let mut analysis =
        Analysis::new(agreed.spec.clone()).map_err(|error| Failure::usage(error.to_string()))?;
    let begin = canary.rows.keys().next().copied().unwrap_or(i64::MIN);
    // Without times the first rows of both belong together.
    let before: Vec<i64> = baseline.rows.keys().copied().filter(|row| *row < begin).collect();
    for (metric, place) in agreed.spec.metrics.iter().zip(&places) {
        analysis
            .learn(&metric.name, before.iter().filter_map(|row| place.counts(baseline, *row, 0)));
    }
    // The end of the canary's file is no silence: that would be rows without figures.
    let end = canary.rows.keys().next_back().copied().unwrap_or(i64::MAX);
    let judged: BTreeSet<i64> = baseline
        .rows
        .keys()
        .chain(canary.rows.keys())
        .copied()
        .filter(|r| (begin..=end).contains(r))
        .collect();
    let after = baseline.rows.keys().filter(|row| **row > end).count();
    if after > 0 {
        agreed
            .assumed
            .push(format!("the canary had ended: {after} later rows of the baseline are left out"));
    }
    let shares = canary.column(WEIGHT);
    if shares.is_none() {
        match share(&places, baseline, canary, &judged) {
            Some(share) => analysis.step(share),
            None => agreed.assumed.push("the canary's share of the traffic is not told".to_owned()),
        }
    }
    for row in &judged {
        if let Some(percent) = shares.and_then(|column| canary.value(*row, column)) {
            analysis.step(percent / 100.0);
        }
        let samples: Vec<Sample> =
            places.iter().map(|place| place.sample(baseline, canary, *row)).collect();
        analysis.push(&samples);
    }
    let report = analysis.report();
    Ok(Judgement {
        format: JUDGEMENT_FORMAT,
        mode: "anytime",
        verdict: report.verdict,
        baseline: SafeText::new(&baseline.file),
        canary: SafeText::new(&canary.file),
        history: before.len(),
        rows: judged.len(),
        assumed: agreed.assumed.iter().map(SafeText::from).collect(),
        judged: Some(Judged::of_report(&report)),
        kayenta: None,
        argo: None,
        flagger: None,
    })
}

/// Where a metric stands in both files: first in the baseline, then in the canary.
enum Place {
    Counts { events: [usize; 2], requests: [usize; 2] },
    Series([usize; 2]),
}

impl Place {
    fn find(from: &From, baseline: &Columns, canary: &Columns) -> Result<Self, Failure> {
        let both = |name: &str| -> Result<[usize; 2], Failure> {
            Ok([column(baseline, name)?, column(canary, name)?])
        };
        Ok(match from {
            From::Counts { events, requests } => {
                Self::Counts { events: both(events)?, requests: both(requests)? }
            }
            From::Series(name) => Self::Series(both(name)?),
        })
    }

    /// Counts of one side: 0 is the baseline, 1 the canary.
    fn counts(&self, columns: &Columns, row: i64, side: usize) -> Option<Counts> {
        let Self::Counts { events, requests } = self else { return None };
        let requests = columns.value(row, *requests.get(side)?)?;
        Some(Counts::new(requests, columns.value(row, *events.get(side)?)?))
    }

    fn sample(&self, baseline: &Columns, canary: &Columns, row: i64) -> Sample {
        match self {
            Self::Counts { .. } => Sample::Counts {
                baseline: self.counts(baseline, row, 0),
                canary: self.counts(canary, row, 1),
            },
            Self::Series([old, new]) => Sample::Values {
                baseline: baseline.value(row, *old),
                canary: canary.value(row, *new),
            },
        }
    }
}

/// The canary's share of the requests, 0–1.
fn share(
    places: &[Place],
    baseline: &Columns,
    canary: &Columns,
    rows: &BTreeSet<i64>,
) -> Option<f64> {
    let place = places.iter().find(|place| matches!(place, Place::Counts { .. }))?;
    let sum = |columns: &Columns, side: usize| -> f64 {
        let counts = rows.iter().filter_map(|row| place.counts(columns, *row, side));
        counts.map(|counts| counts.requests).sum()
    };
    let (old, new) = (sum(baseline, 0), sum(canary, 1));
    (old + new > 0.0).then(|| new / (old + new))
}

pub use crate::app::canary::verdict_word as word;

fn table(found: &Judgement, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{}: canary {} against baseline {}, {} rows",
        word(found.verdict),
        found.canary,
        found.baseline,
        found.rows
    )?;
    if let Some(judged) = &found.judged {
        writeln!(out, "   {}: {}", judged.lead, judged.sentence)?;
        let mut lines = vec![
            ["metric", "stands", "ratio", "plausible", "odds of harm", "by"]
                .map(str::to_owned)
                .to_vec(),
        ];
        for metric in &judged.metrics {
            let times = |ratio: f64| format!("{ratio:.2}");
            let range = match (metric.low, metric.high) {
                (Some(low), Some(high)) => format!("{} to {}", times(low), times(high)),
                (Some(low), None) => format!("{} or more", times(low)),
                _ => "-".to_owned(),
            };
            lines.push(vec![
                metric.name.to_string(),
                metric.stand.word().to_owned(),
                metric.ratio.map_or("-".to_owned(), times),
                range,
                metric.odds.to_string(),
                metric.unit.to_string(),
            ]);
        }
        rows(&lines, out)?;
        for note in &judged.notes {
            writeln!(out, "   note: {note}")?;
        }
    }
    if let Some(found) = &found.kayenta {
        kayenta::table(found, out)?;
    }
    if let Some(found) = &found.argo {
        counting::argo_table(found, out)?;
    }
    if let Some(found) = &found.flagger {
        counting::flagger_table(found, out)?;
    }
    if found.history > 0 {
        writeln!(
            out,
            "   note: {} rows before the canary's first taught the noise",
            found.history
        )?;
    }
    found.assumed.iter().try_for_each(|line| writeln!(out, "   assumed: {line}"))
}
