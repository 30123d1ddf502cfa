//! `flightdeck replay`: sends recorded requests to a baseline and a canary, and compares the answers.

mod header;
mod table;

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};
use jiff::Timestamp;
use reqwest::Method;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::Instant;

use super::exit::{Exit, Failure};
use super::headless::Format;
use super::progress::Progress;
use super::signals::Signals;
use super::threads::runtime;
use crate::config::scalar::HttpUrl;
use crate::domain::text::SafeText;
use crate::terminal::caps::Environment;
use crate::traffic::recorded::clean::Cleaner;
use crate::traffic::recorded::import::{self, Intake, Selection};
use crate::traffic::recorded::ledger::Ledger;
use crate::traffic::recorded::pace::Pace;
use crate::traffic::recorded::report::{Ended, Finding, Places, ReplayReport, Run};
use crate::traffic::recorded::send::{Event, Limits, Sides, replay};
use crate::traffic::recorded::ticks::{ReplayTick, Ticks};
use crate::traffic::target::{Sending, Target};

/// Between two looks at how far it is.
const GLANCE: Duration = Duration::from_millis(250);

/// What to send, where, and how fast.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = NOTES)]
pub struct ReplayArgs {
    /// The recording: HAR, NDJSON, or a common or combined access log
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The address of the version in use; it is asked twice
    #[arg(long, value_name = "URL")]
    pub baseline: HttpUrl,
    /// The address of the version under test
    #[arg(long, value_name = "URL")]
    pub canary: HttpUrl,
    /// What the file is; without this, its name and its beginning tell
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<FileFormat>,
    /// 1 for the original pace, 2x for twice as fast, max for as fast as the limits let it
    #[arg(long, value_name = "PACE", default_value = "1")]
    pub pace: Pace,
    /// Recorded requests a second at most; each is sent three times
    #[arg(long, value_name = "N", default_value_t = 50.0, value_parser = positive)]
    pub rate: f64,
    /// Recorded requests under way at once, at most
    #[arg(long, value_name = "N", default_value_t = 8,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub concurrency: u16,
    /// Recorded requests to send at most
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub limit: usize,
    /// Seconds until an answer must be complete
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = positive)]
    pub timeout: f64,
    /// Send requests of this method too, for example POST: twice to the baseline; may be repeated
    #[arg(long = "allow-method", value_name = "METHOD")]
    pub methods: Vec<Method>,
    /// Only what was recorded for this host; may be repeated
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// Send this header, as in 'Accept: text/html' or 'Authorization: Bearer env:VAR'; may be repeated
    #[arg(long = "header", value_name = "HEADER")]
    pub headers: Vec<String>,
    /// Do not compare this field: status, 'header server', '/meta/*'; may be repeated
    #[arg(long = "ignore", value_name = "FIELD")]
    pub ignored: Vec<String>,
    /// Take paths of this form as one, as in '/shoes/{}'; may be repeated
    #[arg(long = "path-pattern", value_name = "PATH")]
    pub patterns: Vec<String>,
    /// Examples of each difference
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub examples: usize,
    /// Bytes of a body that are compared at most
    #[arg(long, value_name = "BYTES", default_value_t = 2 * 1024 * 1024)]
    pub body_limit: usize,
    /// Trust the certificate authorities in this PEM file too
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Read the recording, say what would be sent, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to write it; ndjson writes each second, and then the whole
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

const NOTES: &str = "Each request goes to the baseline, the canary, and the baseline again. What the \
    two answers of the baseline differ in is noise. Only GET, HEAD and OPTIONS are sent unless more is \
    allowed; nothing but the two addresses is asked, and redirects are compared, not followed. \
    Authorization, cookies, keys and other credentials in the recording are taken out when it is read; \
    --header brings fresh ones. Exit codes: 0 nothing differs, 33 something differs, 12 nothing differs \
    but not everything could be compared, 34 nothing could be compared. Ctrl-C ends with what was \
    compared until then, and with the code of the signal.";

/// The format of a recording, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FileFormat {
    /// HTTP Archive, as browsers and proxies export it
    Har,
    /// One JSON object a line: method, url or path, headers, body, at
    Ndjson,
    /// Common or combined, as Apache and nginx write them
    AccessLog,
}

impl From<FileFormat> for import::Format {
    fn from(format: FileFormat) -> Self {
        match format {
            FileFormat::Har => Self::Har,
            FileFormat::Ndjson => Self::Ndjson,
            FileFormat::AccessLog => Self::AccessLog,
        }
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|n| n.is_finite() && *n > 0.0 && *n <= 1e6);
    number.ok_or_else(|| "not a number above 0, of at most a million".to_owned())
}

/// Runs until all is sent or a signal comes; returns the exit code.
pub fn run(args: &ReplayArgs, out: &mut impl Write) -> Result<u8, Failure> {
    let selection = Selection {
        methods: args.methods.clone(),
        hosts: args.hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
        limit: args.limit,
    };
    let format = args.format.map(Into::into);
    let (format, mut intake) = import::read(&args.file, format, selection)
        .map_err(|why| Failure::usage(why.to_string()))?;
    intake.sort();
    let tokio = runtime(0)?;
    let result = tokio.block_on(compare(args, format, intake, out));
    // An answer that is still under way must not hold up the end.
    tokio.shutdown_background();
    let report = match result? {
        Ok(report) => report,
        // It ended with its reader, before all was compared.
        Err(error) => return Failure::output(&error, Exit::NotCompared).map(Exit::code),
    };
    let ascii = Environment::of_process().wants_ascii();
    let written = match args.output {
        Format::Table if args.dry_run => table::plan(&report, out),
        Format::Table => table::result(&report, ascii, out),
        Format::Json => serde_json::to_writer_pretty(&mut *out, &report)
            .map_err(io::Error::from)
            .and_then(|()| out.write_all(b"\n")),
        Format::Ndjson => serde_json::to_writer(&mut *out, &report)
            .map_err(io::Error::from)
            .and_then(|()| out.write_all(b"\n")),
    };
    match written.and_then(|()| out.flush()) {
        Ok(()) => Ok(exit(&report, args.dry_run)),
        Err(error) => Failure::output(&error, Exit::Good).map(|_| exit(&report, args.dry_run)),
    }
}

/// The exit code of what was found.
fn exit(report: &ReplayReport, dry_run: bool) -> u8 {
    if let Ended::Interrupted { signal } = report.ended {
        return signal.saturating_add(128);
    }
    let exit = match report.finding {
        _ if dry_run && report.planned > 0 => Exit::Good,
        Finding::Different => Exit::Differs,
        Finding::Same => Exit::Good,
        Finding::Unknown => Exit::Unknown,
        Finding::Nothing => Exit::NotCompared,
    };
    exit.code()
}

async fn sides(args: &ReplayArgs) -> Result<Sides, Failure> {
    let authorities = match &args.ca_file {
        None => None,
        Some(path) => Some(tokio::fs::read(path).await.map_err(|why| {
            Failure::usage(format!("{}: {why}", SafeText::new(&path.display().to_string())))
        })?),
    };
    let timeout = Duration::from_secs_f64(args.timeout);
    let sending = Sending { timeout, follow_redirects: false, authorities };
    let target =
        |url: &HttpUrl| Target::new(url, &sending).map_err(|why| Failure::usage(why.to_string()));
    let (headers, secrets) = header::headers(&args.headers).await?;
    Ok(Sides {
        baseline: target(&args.baseline)?,
        canary: target(&args.canary)?,
        headers,
        clean_baseline: Cleaner::new(args.baseline.as_str(), &secrets),
        clean_canary: Cleaner::new(args.canary.as_str(), &secrets),
        keep: args.body_limit,
        patterns: args.patterns.clone(),
    })
}

/// Writes a tick at once, where the output is one of lines.
fn line(format: Format, tick: Option<&ReplayTick>, out: &mut impl Write) -> io::Result<()> {
    let (Format::Ndjson, Some(tick)) = (format, tick) else { return Ok(()) };
    serde_json::to_writer(&mut *out, tick)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// The inner error is one of writing the output.
async fn compare(
    args: &ReplayArgs,
    format: import::Format,
    mut intake: Intake,
    out: &mut impl Write,
) -> Result<io::Result<ReplayReport>, Failure> {
    let sides = Arc::new(sides(args).await?);
    let places = Places { baseline: sides.baseline.place(), canary: sides.canary.place() };
    let requests = std::mem::take(&mut intake.requests);
    let mut run = Run {
        file: SafeText::new(&args.file.display().to_string()),
        format,
        places,
        pace: args.pace,
        began: Timestamp::now(),
        seconds: 0.0,
        ended: Ended::AllSent,
        planned: requests.len() as u64,
        late: 0.0,
        timed: requests.iter().any(|request| request.at.is_some()),
    };
    let mut ledger = Ledger::new(args.examples, args.ignored.clone());
    if args.dry_run {
        return Ok(Ok(ReplayReport::of(run, &intake, &ledger)));
    }
    out.flush().map_err(|why| Failure::new(format!("cannot write the output: {why}")))?;
    let limits =
        Limits { pace: args.pace, rate: args.rate, concurrency: usize::from(args.concurrency) };
    let mut signals = Signals::listen()?;
    let mut progress = Progress::start();
    let (tell, mut events) = unbounded_channel();
    let clock = Instant::now();
    let sending = tokio::spawn(replay(sides, requests, limits, tell));
    let mut ticks = Ticks::new(run.began);
    let mut glances = tokio::time::interval(GLANCE);
    let (mut begun, mut done) = (0_u64, 0_u64);
    loop {
        if let Err(error) = line(args.output, ticks.over(clock.elapsed()).as_ref(), out) {
            return Ok(Err(error));
        }
        tokio::select! {
            biased;
            signal = signals.next() => {
                run.ended = Ended::Interrupted { signal };
                sending.abort();
                break;
            }
            _ = glances.tick() => {
                progress.show(|| {
                    let under_way = begun.saturating_sub(done);
                    format!("{done} of {} compared | {under_way} under way", run.planned)
                });
            }
            event = events.recv() => match event {
                Some(Event::Begun { late }) => {
                    begun += 1;
                    run.late = run.late.max(late.as_secs_f64());
                }
                Some(Event::Done(exchange)) => {
                    done += 1;
                    ticks.add(ledger.enter(*exchange));
                }
                None => break,
            },
        }
    }
    // What has been answered by now was compared.
    while let Ok(event) = events.try_recv() {
        if let Event::Done(exchange) = event {
            ticks.add(ledger.enter(*exchange));
            done += 1;
        }
    }
    if let Err(error) = line(args.output, ticks.last().as_ref(), out) {
        return Ok(Err(error));
    }
    progress.clear();
    if run.ended == Ended::AllSent && done < run.planned {
        return Err(Failure::new("the replay broke off by itself"));
    }
    run.seconds = clock.elapsed().as_secs_f64();
    Ok(Ok(ReplayReport::of(run, &intake, &ledger)))
}
