//! What a probe found, for scripts: the whole, and one document for each tick.

use std::io::{self, Write};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::canary::Judged;
use crate::cli::exit::Exit;
use crate::domain::text::SafeText;
use crate::judge::Verdict;
use crate::traffic::book::{Book, Both, Side, Tick};
use crate::traffic::design::Design;
use crate::traffic::tally::{Bar, Latencies, Tally};

/// Name and version of the format of the whole.
pub const FORMAT: &str = "flightdeck/probe/1";
/// Name and version of the format of one tick.
pub const TICK_FORMAT: &str = "flightdeck/probe-tick/1";
/// This machine is late to its own schedule if it is later than this, in milliseconds.
const LATE_MS: f64 = 50.0;

/// Why a probe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Ended {
    /// Everything was sent, and is over.
    AllSent,
    /// The verdict was clear, and nothing more was wanted.
    Verdict,
    /// A signal came.
    Interrupted {
        /// Its number.
        signal: u8,
    },
}

/// What is known of a run beside its figures.
pub struct Run {
    /// The file of the design.
    pub file: SafeText,
    /// Both addresses.
    pub places: Both<SafeText>,
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// Why it ended.
    pub ended: Ended,
}

/// What a probe found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProbeReport {
    /// Name and version of this format.
    #[schemars(extend("const" = FORMAT))]
    pub format: &'static str,
    /// What is known about the canary.
    pub verdict: Verdict,
    /// Why it ended.
    pub ended: Ended,
    /// The file of the design.
    pub file: SafeText,
    /// Both addresses.
    pub places: Both<SafeText>,
    /// When it began.
    pub began: Timestamp,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The seed of the design.
    pub seed: u64,
    /// Requests a second, to each side, as designed.
    pub rate: f64,
    /// Requests that were due, to each side; those of the warm-up are in no other figure.
    pub due: u64,
    /// Requests under way when it was ended early; they are in no other figure.
    pub cut_off: Both<u64>,
    /// How late this machine came to its own schedule at most, in milliseconds.
    pub late_ms: f64,
    /// What the judge says.
    pub judged: Judged,
    /// What came of all requests.
    pub sides: Both<Figures>,
    /// The same for each request.
    pub requests: Vec<OfRequest>,
    /// Remarks worth a line.
    pub notes: Vec<SafeText>,
}

/// What came of one request of the design.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OfRequest {
    /// Its name.
    pub name: SafeText,
    /// From when on an answer was slow, in milliseconds: by the design, or by the warm-up.
    pub slow_ms: Option<f64>,
    /// What came of it.
    #[serde(flatten)]
    pub sides: Both<Figures>,
}

/// Figures of one side.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Figures {
    /// Requests that were sent, and are over.
    pub sent: u64,
    /// Requests that were due, and could not be sent.
    pub unsent: u64,
    /// Sent ones that went wrong: the sum of the next four.
    pub errors: u64,
    /// With another status than expected.
    pub status: u64,
    /// With an answer that did not say what was expected.
    pub expectation: u64,
    /// Without a connection, or with one that broke.
    pub connection: u64,
    /// Without a complete answer in time.
    pub timeout: u64,
    /// Those with a latency limit, unsent ones among them.
    pub limited: u64,
    /// Those of them beyond it.
    pub slow: u64,
    /// Those that waited for a free place.
    pub waited: u64,
    /// The longest such wait, in milliseconds.
    pub longest_wait_ms: f64,
    /// Latency from the time a request was due, the wait for a place included, in milliseconds.
    /// Failed connections have none.
    pub latency_ms: Option<Quantiles>,
    /// The same as a histogram.
    pub histogram: Vec<Bar>,
    /// What went wrong, the first few different words.
    pub words: Vec<SafeText>,
}

/// Latency that so many requests did not exceed, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Quantiles {
    /// Half of them.
    pub p50: f64,
    /// 90 %.
    pub p90: f64,
    /// 99 %.
    pub p99: f64,
    /// 99.9 %.
    pub p999: f64,
    /// All.
    pub max: f64,
}

/// One tick that was judged.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProbeTick {
    /// Name and version of this format.
    #[schemars(extend("const" = TICK_FORMAT))]
    pub format: &'static str,
    /// Its number, from 0.
    pub tick: u64,
    /// When it ended: its requests were due in the `seconds` before.
    pub at: Timestamp,
    /// How long it was.
    pub seconds: f64,
    /// Whether it belongs to the warm-up, which is not judged.
    pub warm_up: bool,
    /// What is known after it.
    pub verdict: Verdict,
    /// Odds of harm after it, as `412:1`.
    pub odds: SafeText,
    /// What came of its requests.
    #[serde(flatten)]
    pub sides: Both<Figures>,
}

impl ProbeReport {
    /// From the book of a run.
    pub fn of(design: &Design, book: &Book, run: Run) -> Self {
        let report = book.report();
        let requests = design.requests.iter().zip(&book.by_request).enumerate();
        let requests = requests.map(|(number, (request, both))| OfRequest {
            name: request.name.clone(),
            slow_ms: request.latency.or(book.learned(number)).map(|l| l.as_secs_f64() * 1e3),
            sides: figures(both),
        });
        let mut found = Self {
            format: FORMAT,
            verdict: report.verdict,
            ended: run.ended,
            file: run.file,
            places: run.places,
            began: run.began,
            seconds: run.seconds,
            seed: design.seed,
            rate: design.rate,
            due: book.due,
            cut_off: book.under_way(),
            late_ms: book.late.as_secs_f64() * 1e3,
            judged: Judged::of_report(&report),
            sides: figures(&book.tallies),
            requests: requests.collect(),
            notes: report.notes.iter().map(|note| SafeText::new(note)).collect(),
        };
        let notes = found.remarks(design, book);
        found.notes.extend(notes);
        found
    }

    fn remarks(&self, design: &Design, book: &Book) -> Vec<SafeText> {
        let mut notes: Vec<String> = Vec::new();
        let learned: Vec<String> = design
            .requests
            .iter()
            .enumerate()
            .filter_map(|(number, request)| {
                let limit = book.learned(number)?.as_secs_f64() * 1e3;
                Some(format!("{} {}", request.name, time(limit)))
            })
            .collect();
        if !learned.is_empty() {
            notes.push(format!(
                "slow is what takes longer than the baseline's p95 in the warm-up: {}",
                learned.join(", ")
            ));
        } else if design.learns() {
            notes.push(
                "the baseline answered too little in the warm-up to tell what is slow: write \
                 `latency`, or make it longer"
                    .to_owned(),
            );
        }
        for (side, name) in [(Side::Baseline, "baseline"), (Side::Canary, "canary")] {
            let figures = self.sides.of(side);
            if figures.unsent > 0 {
                notes.push(format!(
                    "{} requests to the {name} could not be sent within {} s, with {} under way at \
                     once: they count as slow, not as errors",
                    figures.unsent,
                    design.timeout.as_secs_f64(),
                    design.concurrency,
                ));
            }
            if figures.waited > 0 {
                notes.push(format!(
                    "{} requests to the {name} waited for a free place, up to {}; the wait is in \
                     their latency",
                    figures.waited,
                    time(figures.longest_wait_ms)
                ));
            }
            let cut_off = *self.cut_off.of(side);
            if cut_off > 0 {
                notes.push(format!("{cut_off} requests to the {name} were cut off at the end"));
            }
            if !figures.words.is_empty() {
                let words: Vec<&str> = figures.words.iter().map(SafeText::as_str).collect();
                notes.push(format!("the {name} said: {}", words.join("; ")));
            }
        }
        if self.late_ms > LATE_MS {
            notes.push(format!(
                "this machine came up to {} late to its own schedule, and the latencies of both \
                 sides include that: send less at once",
                time(self.late_ms)
            ));
        }
        notes.iter().map(|note| SafeText::new(note)).collect()
    }

    /// The exit code: that of the signal that ended it, as shells count, or that of the verdict.
    pub fn exit(&self) -> u8 {
        match (self.ended, self.verdict) {
            (Ended::Interrupted { signal }, _) => signal.saturating_add(128),
            (_, verdict) => Exit::of(verdict).code(),
        }
    }
}

impl ProbeTick {
    /// From a tick of the book of a run that began at `began`, in ticks of `length`.
    pub fn of(tick: &Tick, began: Timestamp, length: Duration) -> Self {
        let ended = length.as_secs_f64() * (tick.number as f64 + 1.0);
        let ended = SignedDuration::try_from_secs_f64(ended).unwrap_or(SignedDuration::MAX);
        Self {
            format: TICK_FORMAT,
            tick: tick.number,
            at: began.saturating_add(ended).unwrap_or(began),
            seconds: length.as_secs_f64(),
            warm_up: tick.warm_up,
            verdict: tick.verdict,
            odds: SafeText::new(&tick.odds),
            sides: figures(&tick.tallies),
        }
    }
}

fn figures(both: &Both<Tally>) -> Both<Figures> {
    Both { baseline: Figures::of(&both.baseline), canary: Figures::of(&both.canary) }
}

impl Figures {
    fn of(tally: &Tally) -> Self {
        Self {
            sent: tally.sent,
            unsent: tally.unsent,
            errors: tally.errors(),
            status: tally.status,
            expectation: tally.expectation,
            connection: tally.connection,
            timeout: tally.timeout,
            limited: tally.limited,
            slow: tally.slow,
            waited: tally.waited,
            longest_wait_ms: tally.longest_wait.as_secs_f64() * 1e3,
            latency_ms: Quantiles::of(&tally.latencies),
            histogram: tally.latencies.bars(),
            words: tally.words.clone(),
        }
    }
}

impl Quantiles {
    fn of(latencies: &Latencies) -> Option<Self> {
        let at = |quantile| latencies.at(quantile).map(|time| time.as_secs_f64() * 1e3);
        Some(Self { p50: at(0.5)?, p90: at(0.9)?, p99: at(0.99)?, p999: at(0.999)?, max: at(1.0)? })
    }
}

/// Writes a document on one line or on many.
pub fn write(document: &impl Serialize, pretty: bool, out: &mut impl Write) -> io::Result<()> {
    if pretty {
        serde_json::to_writer_pretty(&mut *out, document)?;
    } else {
        serde_json::to_writer(&mut *out, document)?;
    }
    out.write_all(b"\n")
}

/// Milliseconds for people.
pub fn time(ms: f64) -> String {
    if ms < 10.0 {
        format!("{ms:.1} ms")
    } else if ms < 10_000.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.1} s", ms / 1e3)
    }
}
