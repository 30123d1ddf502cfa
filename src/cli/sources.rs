//! `flightdeck sources`: who answers, who does not, why, as which identity.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args as ClapArgs;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::global::Global;
use super::headless::{Format, for_people, settled};
use crate::app::pane::Pane;
use crate::app::report::{SourceLine, Wanted, status};
use crate::domain::source::SourceHealth;
use crate::domain::time::coarse;

/// How to show it.
#[derive(Clone, Debug, ClapArgs)]
pub struct SourcesArgs {
    /// Wait at most so long for all sources
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub wait: u64,
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// Name and version of the format.
pub const SOURCES_FORMAT: &str = "flightdeck/sources/1";
/// Name and version of the format of one line.
pub const SOURCE_FORMAT: &str = "flightdeck/source/1";

/// The sources, once.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SourcesPicture<'a> {
    /// Name and version of this format.
    #[schemars(extend("const" = SOURCES_FORMAT))]
    format: &'static str,
    /// When.
    at: Timestamp,
    /// The sources.
    sources: &'a [SourceLine],
}

/// One source in a line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SourcePicture<'a> {
    /// Name and version of this format.
    #[schemars(extend("const" = SOURCE_FORMAT))]
    format: &'static str,
    /// When.
    at: Timestamp,
    /// The source.
    #[serde(flatten)]
    line: &'a SourceLine,
}

/// Runs the subcommand.
pub fn run(global: &Global, args: &SourcesArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    let (state, shown) = settled(global, Duration::from_secs(args.wait))?;
    let picture = status(&state, &Wanted { service: None, pane: Some(Pane::Sources) });
    let lines = &picture.sources;
    let written = match args.output {
        Format::Json => {
            let all = SourcesPicture { format: SOURCES_FORMAT, at: picture.at, sources: lines };
            serde_json::to_writer_pretty(&mut *out, &all)
                .map_err(io::Error::from)
                .and_then(|()| out.write_all(b"\n"))
        }
        Format::Ndjson => lines.iter().try_for_each(|line| {
            let one = SourcePicture { format: SOURCE_FORMAT, at: picture.at, line };
            serde_json::to_writer(&mut *out, &one)?;
            out.write_all(b"\n")
        }),
        Format::Table => {
            for_people(shown.ascii, out, |text| lines.iter().try_for_each(|line| told(line, text)))
        }
    };
    match written.and_then(|()| out.flush()) {
        Ok(()) => Ok(exit(lines)),
        Err(error) => Failure::output(&error, exit(lines)),
    }
}

/// The exit code that the sources stand for.
pub fn exit(lines: &[SourceLine]) -> Exit {
    if lines.iter().any(|line| line.health == SourceHealth::NotAuthenticated) {
        Exit::NotAuthenticated
    } else if lines.iter().any(|line| line.health != SourceHealth::Answering || !line.settled) {
        Exit::Unknown
    } else {
        Exit::Good
    }
}

/// Tells people of one source.
pub fn told(line: &SourceLine, out: &mut impl Write) -> io::Result<()> {
    let identity = line.identity.as_ref().map(|i| format!(", as {i}")).unwrap_or_default();
    let age = line.age_seconds.map(jiff::SignedDuration::from_secs);
    let heard = age.map_or("never heard".to_owned(), |age| format!("heard {}", coarse(age)));
    writeln!(
        out,
        "{:<20} {:<18} {} at {}{identity}; {heard}, {} calls of {} a minute",
        line.source,
        line.health.word(),
        line.kind,
        line.place,
        line.calls,
        line.budget_per_minute
    )?;
    for failing in &line.failing {
        writeln!(out, "    {} since {}: {}", failing.topic.word(), failing.since, failing.fault)?;
        if let Some(permission) = &failing.missing_permission {
            writeln!(out, "    missing permission: {permission}")?;
        }
        writeln!(out, "    do: {}", failing.fault.hint)?;
    }
    for failing in &line.failing_items {
        writeln!(out, "    {}: {}", failing.words(), failing.fault.message)?;
        writeln!(out, "    do: {}", failing.fault.hint)?;
    }
    if !line.settled && line.unread_items > 0 {
        writeln!(
            out,
            "    {} items were not read yet; --wait SECONDS waits longer",
            line.unread_items
        )?;
    }
    for warning in &line.warnings {
        writeln!(out, "    note: {warning}")?;
    }
    Ok(())
}
