//! `flightdeck schema`: JSON Schemas of everything that is written for scripts.

use std::io::{self, Write};

use clap::{Args as ClapArgs, ValueEnum};
use schemars::{Schema, schema_for};

use super::canary::{CanaryEvent, CanaryPicture, Judgement};
use super::journal::JournalReport;
use super::pilot::PilotLine;
use super::probe::{ProbeReport, ProbeTick};
use super::sources::{SourcePicture, SourcesPicture};
use crate::app::report::{Act, Event, Status};
use crate::config::document::schema_of;
use crate::traffic::design::DesignFile;
use crate::traffic::recorded::report::ReplayReport;
use crate::traffic::recorded::ticks::ReplayTick;

/// Which format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// One line of `watch -o ndjson`
    Event,
    /// `status -o json`
    Status,
    /// `sources -o json`
    Sources,
    /// One line of `sources -o ndjson`
    Source,
    /// What the commands that change something write with `-o json`
    Act,
    /// `journal -o json`
    Journal,
    /// One line of `pilot -o ndjson`
    Pilot,
    /// `canary list` and `canary status` with `-o json`
    Canary,
    /// One line of `canary watch -o ndjson`
    CanaryEvent,
    /// `canary judge -o json`
    CanaryJudge,
    /// `probe -o json`, and the last line of `probe -o ndjson`
    Probe,
    /// The other lines of `probe -o ndjson`
    ProbeTick,
    /// The file that `probe` reads
    ProbeDesign,
    /// `replay -o json`, and the last line of `replay -o ndjson`
    Replay,
    /// The other lines of `replay -o ndjson`
    ReplayTick,
}

impl Name {
    /// Its JSON Schema.
    pub fn schema(self) -> Schema {
        match self {
            Self::Event => schema_for!(Event),
            Self::Status => schema_for!(Status),
            Self::Sources => schema_for!(SourcesPicture<'_>),
            Self::Source => schema_for!(SourcePicture<'_>),
            Self::Act => schema_for!(Act),
            Self::Journal => schema_for!(JournalReport<'_>),
            Self::Pilot => schema_for!(PilotLine<'_>),
            Self::Canary => schema_for!(CanaryPicture),
            Self::CanaryEvent => schema_for!(CanaryEvent),
            Self::CanaryJudge => schema_for!(Judgement),
            Self::Probe => schema_for!(ProbeReport),
            Self::ProbeTick => schema_for!(ProbeTick),
            Self::ProbeDesign => schema_of::<DesignFile>(),
            Self::Replay => schema_for!(ReplayReport),
            Self::ReplayTick => schema_for!(ReplayTick),
        }
    }
}

/// Which schema to print.
#[derive(Clone, Debug, ClapArgs)]
pub struct SchemaArgs {
    /// The format
    #[arg(value_enum)]
    pub name: Name,
}

/// Prints a JSON Schema.
pub fn run(args: &SchemaArgs, out: &mut impl Write) -> io::Result<u8> {
    serde_json::to_writer_pretty(&mut *out, &args.name.schema())?;
    out.write_all(b"\n")?;
    Ok(0)
}
