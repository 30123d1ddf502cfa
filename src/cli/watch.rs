//! `flightdeck watch`, and the control room with `--plain`: one line for each change.

use std::io::{self, Write};
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use super::exit::{Exit, Failure};
use super::global::{Global, Room};
use super::headless::{for_people, open_with, wanted};
use super::threads::runtime;
use crate::app::State;
use crate::app::report::{Event, Wanted, Watcher};
use crate::config::Setting;
use crate::runtime::headless::Headless;

/// Events are told together if they come within this time.
const PACE: Duration = Duration::from_millis(200);

/// How to write a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LineFormat {
    /// One JSON document a line
    #[default]
    Ndjson,
    /// A sentence a line
    Plain,
}

/// What to watch.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct WatchArgs {
    /// Only this service
    #[arg(long, short, value_name = "NAME")]
    pub service: Option<String>,
    /// End after so long
    #[arg(long = "for", value_name = "SECONDS")]
    pub seconds: Option<u64>,
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: LineFormat,
}

/// Runs until the reader goes away, the time is over or a signal comes.
pub fn run(global: &Global, args: &WatchArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    run_with(global, Vec::new(), args, out)
}

/// The control room without a screen: everything, a sentence a line.
pub fn run_plain(global: &Global, room: &Room, out: &mut impl Write) -> Result<Exit, Failure> {
    let refused = [
        ("--pane", room.pane.is_some()),
        ("--theme", room.theme.is_some()),
        ("--record", room.record.is_some()),
    ];
    if let Some((flag, _)) = refused.into_iter().find(|(_, given)| *given) {
        return Err(Failure::usage(format!("{flag} is of the screen: --plain has none")));
    }
    let args = WatchArgs { output: LineFormat::Plain, ..WatchArgs::default() };
    run_with(global, room.settings(), &args, out)
}

fn run_with(
    global: &Global,
    settings: Vec<Setting>,
    args: &WatchArgs,
    out: &mut impl Write,
) -> Result<Exit, Failure> {
    let (started, shown) = open_with(global, settings)?;
    let tokio = runtime(started.sources.len())?;
    let result = tokio.block_on(async {
        let mut headless = Headless::start(started.setup, started.sources, started.clock);
        let wanted = wanted(&headless.state, args.service.as_deref(), None)?;
        let end = args.seconds.map(Duration::from_secs);
        let watching = watch(&mut headless, &wanted, (args.output, shown.ascii), out);
        let ended = tokio::select! {
            result = watching => result,
            () = sleep(end) => Ok(()),
            _ = tokio::signal::ctrl_c() => Ok(()),
        };
        match ended {
            Ok(()) => Ok(Exit::Good),
            Err(error) => Failure::output(&error, Exit::Good),
        }
    });
    tokio.shutdown_background();
    result
}

async fn sleep(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

async fn watch(
    headless: &mut Headless,
    wanted: &Wanted,
    (format, ascii): (LineFormat, bool),
    out: &mut impl Write,
) -> io::Result<()> {
    let mut watcher = Watcher::default();
    if let Some(line) = rehearsal(&headless.state)
        && format == LineFormat::Plain
    {
        for_people(ascii, out, |text| writeln!(text, "{line}"))?;
        out.flush()?;
    }
    loop {
        if !headless.next().await {
            return Ok(());
        }
        // What one read brings comes in several messages: they are told together.
        let pause = tokio::time::sleep(PACE);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                more = headless.next() => if !more { break },
            }
        }
        headless.tick();
        for event in watcher.news(&headless.state) {
            let about_a_source = event.services.is_empty() && wanted.service.is_none();
            if about_a_source || wanted.covers(&event.services) {
                match format {
                    LineFormat::Ndjson => json(&event, out)?,
                    LineFormat::Plain => {
                        let partly = !headless.state.setup.is_rehearsal();
                        for_people(ascii, out, |text| plain(&event, partly, text))?;
                    }
                }
            }
        }
        out.flush()?;
    }
}

fn json(event: &Event, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, event)?;
    out.write_all(b"\n")
}

fn plain(event: &Event, partly: bool, out: &mut impl Write) -> io::Result<()> {
    let time = event.at.strftime("%H:%M:%S");
    // Among real ones, what is rehearsed says so itself.
    let mark = if partly && event.rehearsal.is_some() { " (rehearsed)" } else { "" };
    writeln!(out, "{time} {}{mark}: {}", event.kind.word(), event.text)
}

/// That it is a rehearsal, for the first line.
fn rehearsal(state: &State) -> Option<String> {
    let rehearsal = state.setup.rehearsal.as_ref()?;
    let (scenario, story) = (&rehearsal.scenario, &rehearsal.story);
    Some(if rehearsal.partly {
        format!("partly REHEARSAL {scenario}: {story} What is rehearsed is marked.")
    } else {
        format!("REHEARSAL {scenario}: {story} Nothing here is real.")
    })
}
