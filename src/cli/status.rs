//! `flightdeck status`: one settled picture of all sources.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args as ClapArgs;

use super::ansi;
use super::exit::{Exit, Failure};
use super::global::{Global, pane_parser};
use super::headless::{Format, Shown, exit, for_people, settled, wanted};
use crate::app::State;
use crate::app::pane::Pane;
use crate::app::report::{Status, Wanted, status};
use crate::domain::source::{REHEARSAL, SourceHealth};
use crate::ui;

/// What to show.
#[derive(Clone, Debug, ClapArgs)]
pub struct StatusArgs {
    /// Only this service
    #[arg(long, short, value_name = "NAME")]
    pub service: Option<String>,
    /// Only what this pane shows
    #[arg(long, short, value_name = "PANE", value_parser = pane_parser())]
    pub pane: Option<String>,
    /// Wait at most so long for all sources
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub wait: u64,
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// Runs the subcommand.
pub fn run(global: &Global, args: &StatusArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    let (state, shown) = settled(global, Duration::from_secs(args.wait))?;
    let pane = args.pane.as_deref().and_then(Pane::named);
    let wanted = wanted(&state, args.service.as_deref(), pane)?;
    let picture = status(&state, &wanted);
    let written = match args.output {
        Format::Json => json(&picture, out),
        Format::Ndjson => ndjson(&picture, out),
        Format::Table => {
            for_people(shown.ascii, out, |text| table(&state, &wanted, &picture, &shown, text))
        }
    };
    let exit = exit(&picture);
    match written.and_then(|()| out.flush()) {
        Ok(()) => Ok(exit),
        Err(error) => Failure::output(&error, exit),
    }
}

fn json(picture: &Status, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, picture)?;
    out.write_all(b"\n")
}

fn ndjson(picture: &Status, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, picture)?;
    out.write_all(b"\n")
}

fn table(
    state: &State,
    wanted: &Wanted,
    picture: &Status,
    shown: &Shown,
    out: &mut impl Write,
) -> io::Result<()> {
    let panes: &[Pane] = match wanted.pane {
        Some(Pane::Service) | None => &[Pane::Board, Pane::Inbox],
        Some(ref pane) => std::slice::from_ref(pane),
    };
    for pane in panes {
        let keep = |row: &crate::app::row::RowId| {
            wanted.covers(&crate::app::target::services_of_row(state, *pane, row))
        };
        let Some(buffer) = ui::table(state, &shown.look, *pane, shown.width, &keep) else {
            continue;
        };
        for row in ansi::rows(&buffer, shown.colors) {
            writeln!(out, "{row}")?;
        }
        writeln!(out)?;
    }
    for line in &picture.services {
        if wanted.service.is_some() {
            for sentence in &line.explained {
                writeln!(out, "   {sentence}")?;
            }
            writeln!(out)?;
        }
    }
    for source in picture.sources.iter().filter(|s| s.health != SourceHealth::Answering) {
        let why = source.failing.first().map(|f| format!(": {} ({})", f.fault, f.fault.hint));
        let name = &source.source;
        writeln!(out, "   source {name} {}{}", source.health.word(), why.unwrap_or_default())?;
    }
    let sum = &picture.summary;
    let is_partly = picture.sources.iter().any(|s| s.kind.as_str() != REHEARSAL);
    let part = if is_partly { "partly " } else { "" };
    let rehearsal =
        picture.rehearsal.as_ref().map(|r| format!("{part}REHEARSAL {r} · ")).unwrap_or_default();
    let unread: u32 = picture.sources.iter().map(|source| source.unread_items).sum();
    let unsettled = match (picture.settled, unread) {
        (true, _) => String::new(),
        (false, 0) => " · not everything was read in time".to_owned(),
        (false, unread) => format!(
            " · not everything was read in time: {unread} not yet; --wait SECONDS waits longer"
        ),
    };
    writeln!(
        out,
        "   {rehearsal}{} waiting · {} failed · {} unhealthy · {} alarms · {} canaries at risk · {} stale · {} unknown · {} of {} sources answer{unsettled}",
        sum.waiting,
        sum.failed,
        sum.unhealthy,
        sum.alarms,
        sum.canaries,
        sum.stale,
        sum.unknown,
        picture.sources.len() - sum.silent_sources,
        picture.sources.len(),
    )
}
