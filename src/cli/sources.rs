//! `flightdeck sources`: who answers, who does not, why, as which identity.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args as ClapArgs;

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

/// Runs the subcommand.
pub fn run(global: &Global, args: &SourcesArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    let (state, shown) = settled(global, Duration::from_secs(args.wait))?;
    let picture = status(&state, &Wanted { service: None, pane: Some(Pane::Sources) });
    let lines = &picture.sources;
    let written = match args.output {
        Format::Json => serde_json::to_writer_pretty(&mut *out, lines)
            .map_err(io::Error::from)
            .and_then(|()| out.write_all(b"\n")),
        Format::Ndjson => lines.iter().try_for_each(|line| {
            serde_json::to_writer(&mut *out, line)?;
            out.write_all(b"\n")
        }),
        Format::Table => {
            for_people(shown.ascii, out, |text| lines.iter().try_for_each(|line| told(line, text)))
        }
    };
    match written.and_then(|()| out.flush()) {
        Ok(()) => Ok(exit(lines)),
        Err(error) => Failure::output(&error),
    }
}

fn exit(lines: &[SourceLine]) -> Exit {
    if lines.iter().any(|line| line.health == SourceHealth::NotAuthenticated) {
        Exit::NotAuthenticated
    } else if lines.iter().any(|line| line.health != SourceHealth::Answering) {
        Exit::Unknown
    } else {
        Exit::Good
    }
}

fn told(line: &SourceLine, out: &mut impl Write) -> io::Result<()> {
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
    for warning in &line.warnings {
        writeln!(out, "    note: {warning}")?;
    }
    Ok(())
}
