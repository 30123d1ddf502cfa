//! `flightdeck probe`: fires designed requests at a baseline and a canary, and judges the answers.

mod document;
mod progress;
mod table;

pub use document::{ProbeReport, ProbeTick};

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args as ClapArgs;
use jiff::Timestamp;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::Instant;

use self::document::{Ended, Run};
use self::progress::words;
use super::exit::{Exit, Failure};
use super::headless::Format;
use super::progress::Progress;
use super::signals::Signals;
use super::threads::runtime;
use crate::config::scalar::HttpUrl;
use crate::domain::text::SafeText;
use crate::judge::Verdict;
use crate::terminal::caps::Environment;
use crate::traffic::book::{Book, Both, Tick};
use crate::traffic::design::{Design, Values, parse};
use crate::traffic::fire::Battery;
use crate::traffic::target::{Sending, Target};

/// Between two looks at how far it is.
const GLANCE: Duration = Duration::from_millis(250);
/// A file larger than this is no design.
const LARGEST: u64 = 4 * 1024 * 1024;

/// What to send, and where.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = NOTES)]
pub struct ProbeArgs {
    /// The design: a TOML file, see config/examples/probe.toml
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The address of the version in use
    #[arg(long, value_name = "URL")]
    pub baseline: HttpUrl,
    /// The address of the version under test
    #[arg(long, value_name = "URL")]
    pub canary: HttpUrl,
    /// End as soon as the verdict is pass or fail
    #[arg(long)]
    pub stop_at_verdict: bool,
    /// Check the file, say what would be sent, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to write it; ndjson writes each tick, and then the whole
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

const NOTES: &str = "The same requests go to both sides, each when it is due, whatever became of \
    those before; latency counts from the time a request was due. Nothing but the two addresses is \
    asked. Exit codes: 0 pass, 30 fail, 31 marginal, 32 not enough data for a verdict. Ctrl-C (or \
    SIGTERM) ends with what was measured until then, and with the code of the signal (130, 143), so \
    that an interrupted probe never passes as a good one.";

/// Runs until all is sent, the verdict is clear, or a signal comes; returns the exit code.
pub fn run(args: &ProbeArgs, out: &mut impl Write) -> Result<u8, Failure> {
    let design = Arc::new(design(args)?);
    if args.dry_run {
        let written = table::plan(&design, args, out).and_then(|()| out.flush());
        return match written {
            Ok(()) => Ok(Exit::Good.code()),
            Err(error) => Failure::output(&error, Exit::Good).map(Exit::code),
        };
    }
    let tokio = runtime(0)?;
    let result = tokio.block_on(probe(args, design, out));
    // An answer that is still under way must not hold up the end.
    tokio.shutdown_background();
    match result? {
        Ok(code) => Ok(code),
        // It ended with its reader, before there was a verdict.
        Err(error) => Failure::output(&error, Exit::TooLittle).map(Exit::code),
    }
}

fn design(args: &ProbeArgs) -> Result<Design, Failure> {
    let shown = SafeText::new(&args.file.display().to_string());
    let unread = |why: &dyn std::fmt::Display| Failure::usage(format!("{shown}: {why}"));
    let size = std::fs::metadata(&args.file).map_err(|why| unread(&why))?.len();
    if size > LARGEST {
        return Err(unread(&"is too large for a design"));
    }
    let text = std::fs::read_to_string(&args.file).map_err(|why| unread(&why))?;
    parse(&args.file, &text).map_err(|report| {
        let count = report.problems.len();
        let faults: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        let sum = if count == 1 { "1 fault".to_owned() } else { format!("{count} faults") };
        Failure::usage(format!("{sum} in {shown}\n{}", faults.join("\n")))
    })
}

/// Both sides, ready to be asked.
async fn targets(args: &ProbeArgs, design: &Design) -> Result<Both<Target>, Failure> {
    let authorities = match &design.ca_file {
        None => None,
        Some(path) => Some(tokio::fs::read(path).await.map_err(|why| {
            Failure::usage(format!("{}: {why}", SafeText::new(&path.display().to_string())))
        })?),
    };
    let sending =
        Sending { timeout: design.timeout, follow_redirects: design.follow_redirects, authorities };
    let target =
        |url: &HttpUrl| Target::new(url, &sending).map_err(|why| Failure::usage(why.to_string()));
    Ok(Both { baseline: target(&args.baseline)?, canary: target(&args.canary)? })
}

/// The exit code; the inner error is one of writing the output.
async fn probe(
    args: &ProbeArgs,
    design: Arc<Design>,
    out: &mut impl Write,
) -> Result<io::Result<u8>, Failure> {
    let targets = targets(args, &design).await?;
    let places = Both { baseline: targets.baseline.place(), canary: targets.canary.place() };
    let values = Values::fetch(&design.variables).await.map_err(|(name, why)| {
        Failure::usage(format!("variable {name}: {}", SafeText::new(&why.to_string())))
    })?;
    let mut book = Book::new(&design).map_err(|why| Failure::usage(why.to_string()))?;
    let mut signals = Signals::listen()?;
    let mut progress = Progress::start();
    let (send, mut events) = unbounded_channel();
    let (began, clock) = (Timestamp::now(), Instant::now());
    let firing = tokio::spawn(Battery::new(Arc::clone(&design), values, targets).fire(send));
    let length = design.tick;
    let mut line = |tick: &Tick| {
        if args.output != Format::Ndjson {
            return Ok(());
        }
        document::write(&ProbeTick::of(tick, began, length), false, out)?;
        out.flush()
    };
    let mut glances = tokio::time::interval(GLANCE);
    let ended = 'firing: loop {
        tokio::select! {
            biased;
            signal = signals.next() => break Ended::Interrupted { signal },
            _ = glances.tick() => {
                progress.show(|| words(&design, &book, clock.elapsed()));
            },
            event = events.recv() => {
                let Some(event) = event else { break Ended::AllSent };
                for tick in book.take(event) {
                    if let Err(error) = line(&tick) {
                        return Ok(Err(error));
                    }
                    let clear = matches!(tick.verdict, Verdict::Pass | Verdict::Fail);
                    if args.stop_at_verdict && clear && !tick.warm_up {
                        break 'firing Ended::Verdict;
                    }
                }
            }
        }
    };
    firing.abort();
    if matches!(ended, Ended::Interrupted { .. }) {
        // What has been answered by now was measured.
        while let Ok(event) = events.try_recv() {
            for tick in book.take(event) {
                if let Err(error) = line(&tick) {
                    return Ok(Err(error));
                }
            }
        }
    }
    progress.clear();
    if matches!(ended, Ended::AllSent) && !book.is_all_due() {
        return Err(Failure::new("firing broke off by itself"));
    }
    let file = SafeText::new(&args.file.display().to_string());
    let run = Run { file, places, began, seconds: clock.elapsed().as_secs_f64(), ended };
    let report = ProbeReport::of(&design, &book, run);
    let written = match args.output {
        Format::Table => {
            let ascii = Environment::of_process().wants_ascii();
            table::result(&report, ascii, out)
        }
        Format::Json => document::write(&report, true, out),
        Format::Ndjson => document::write(&report, false, out),
    };
    Ok(written.and_then(|()| out.flush()).map(|()| report.exit()))
}
