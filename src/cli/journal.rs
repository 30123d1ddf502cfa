//! `flightdeck journal`: what was written, by whom, and what came of it; and whether it is whole.

use std::io::{self, Write};

use clap::{Args as ClapArgs, Subcommand};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::desk::folder;
use super::exit::{Exit, Failure};
use super::global::Global;
use super::headless::Format;
use super::start::configuration;
use crate::app::pilot::BY_PILOT;
use crate::domain::text::SafeText;
use crate::store::journal::{Entry, Event, Finding, Journal, Origin, Verified};

/// What to show of the journal.
#[derive(Clone, Debug, ClapArgs)]
pub struct JournalArgs {
    /// What to do; without it, the journal is printed
    #[command(subcommand)]
    pub command: Option<JournalCommand>,
    /// Only what is younger than this, for example `2h` or `3d`
    #[arg(long, value_name = "DURATION")]
    pub since: Option<String>,
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// What to do with the journal.
#[derive(Clone, Debug, Subcommand)]
pub enum JournalCommand {
    /// Find any edit, gap or truncation
    Verify,
    /// Print where the journal lies
    Path,
}

/// Name and version of the format.
pub const JOURNAL_FORMAT: &str = "flightdeck/journal/1";

/// The journal as data.
#[derive(Serialize, JsonSchema)]
pub struct JournalReport<'a> {
    /// Name and version of this format.
    #[schemars(extend("const" = JOURNAL_FORMAT))]
    format: &'static str,
    /// Its lines.
    entries: &'a [Entry],
    /// What is wrong with it.
    findings: &'a [Finding],
}

/// Runs the subcommand.
pub fn run(global: &Global, args: &JournalArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    let rehearsal = global.rehearse
        || global.scenario.is_some()
        || configuration(global, Vec::new())?.config.is_rehearsal();
    let journal = Journal::new(folder(rehearsal)?.join("journal"));
    let since = match &args.since {
        Some(text) => Some(Timestamp::now() - duration(text)?),
        None => None,
    };
    if let Some(JournalCommand::Path) = args.command {
        return finish(writeln!(out, "{}", journal.folder().display()), Exit::Good);
    }
    let known = journal.read(since).map_err(|error| Failure::new(error.to_string()))?;
    let exit = if known.is_whole() { Exit::Good } else { Exit::Failure };
    let written = match (&args.command, args.output) {
        (Some(_), Format::Table) => findings(&known, out),
        (None, Format::Table) => table(&known, rehearsal, out),
        (_, format) => json(&known, format == Format::Json, out),
    };
    finish(written, exit)
}

fn finish(written: io::Result<()>, exit: Exit) -> Result<Exit, Failure> {
    match written {
        Ok(()) => Ok(exit),
        Err(error) => Failure::output(&error, exit),
    }
}

fn duration(text: &str) -> Result<SignedDuration, Failure> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<i64>().ok());
    let parsed = match days {
        Some(days) => days.checked_mul(24).map(SignedDuration::from_hours),
        None => text.parse::<SignedDuration>().ok(),
    };
    parsed
        .filter(|d| d.is_positive() && *d < SignedDuration::from_hours(24 * 3_650))
        .ok_or_else(|| Failure::usage(format!("`{text}` is no duration: write 30m, 2h or 3d")))
}

fn json(known: &Verified, pretty: bool, out: &mut impl Write) -> io::Result<()> {
    let report = JournalReport {
        format: JOURNAL_FORMAT,
        entries: &known.entries,
        findings: &known.findings,
    };
    if pretty {
        serde_json::to_writer_pretty(&mut *out, &report)?;
    } else {
        serde_json::to_writer(&mut *out, &report)?;
    }
    out.write_all(b"\n")
}

fn table(known: &Verified, rehearsal: bool, out: &mut impl Write) -> io::Result<()> {
    if rehearsal {
        writeln!(out, "   REHEARSAL: nothing of this was real")?;
    }
    if known.entries.is_empty() {
        writeln!(out, "   nothing was written")?;
    }
    for entry in &known.entries {
        let record = &entry.record;
        let step = record.step.map(|step| format!(" step {}", step + 1)).unwrap_or_default();
        let said = match &record.event {
            Event::Confirmed { plan, origin } => {
                let said = |name: &str| {
                    let text = plan.get(name).and_then(serde_json::Value::as_str)?;
                    Some(format!(": {}", SafeText::new(text)))
                };
                let broken = said("reason").map(|why| format!("; the glass was broken{why}"));
                let comment = said("comment").unwrap_or_else(|| by_pilot(plan));
                let place = origin.as_ref().map(place).unwrap_or_default();
                format!("by {}{place}{comment}{}", record.who, broken.unwrap_or_default())
            }
            Event::Sending { .. } | Event::Reply { .. } => String::new(),
            Event::Pilot(told) => {
                let share = told.share.map(|share| format!("at {share:.0}%, "));
                let verdict = told.verdict.as_ref().map(|verdict| format!("verdict {verdict}, "));
                let known = share.unwrap_or_default() + &verdict.unwrap_or_default();
                format!("{known}by {}: {}", record.who, told.text)
            }
            Event::Ended { sentence, .. } => sentence.to_string(),
        };
        let event = match &record.event {
            Event::Pilot(told) => format!("pilot {}", told.what.word()),
            event => format!("{}{step}", event.word()),
        };
        writeln!(
            out,
            "   {}  {event:<18} {}  [{}] {said}",
            record.at.strftime("%Y-%m-%d %H:%M:%S"),
            record.title,
            record.plan
        )?;
    }
    let open = known.unresolved().len();
    if open > 0 {
        writeln!(out, "   {open} writes have no outcome yet; the next start looks for it")?;
    }
    if !known.findings.is_empty() {
        findings(known, out)?;
    }
    Ok(())
}

/// The terminal, and from where that is used.
fn place(origin: &Origin) -> String {
    let on = origin.terminal.as_ref().map(|terminal| format!(" on {terminal}"));
    let from = origin.remote.as_ref().map(|remote| format!(" from {remote}"));
    on.unwrap_or_default() + &from.unwrap_or_default()
}

/// Why a pilot took a step, as it noted beside the plan.
fn by_pilot(confirmed: &serde_json::Value) -> String {
    let notes = confirmed.pointer("/plan/notes").and_then(serde_json::Value::as_array);
    let mut notes = notes.into_iter().flatten().filter_map(serde_json::Value::as_str);
    let note = notes.find(|note| note.starts_with(BY_PILOT));
    note.map(|note| format!(": {}", SafeText::new(note))).unwrap_or_default()
}

fn findings(known: &Verified, out: &mut impl Write) -> io::Result<()> {
    for finding in &known.findings {
        writeln!(out, "   {} line {}: {}", finding.file, finding.line, finding.what)?;
    }
    let word = if known.is_whole() { "whole" } else { "NOT whole" };
    writeln!(out, "   the journal is {word}: {} lines", known.entries.len())
}
