//! `flightdeck pilot`: walks a canary by its verdict, without a screen; any key hands over.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::Args as ClapArgs;
use jiff::SignedDuration;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::desk::desk;
use super::exit::{Exit, Failure};
use super::global::Global;
use super::headless::open;
use super::start::Started;
use super::threads::runtime;
use super::watch::LineFormat;
use crate::app::pilot::{End, Line};
use crate::app::update::{engage, hand_over};
use crate::app::{Effect, Msg, State};
use crate::domain::ids::CanaryId;
use crate::runtime::gateway::Gateway;
use crate::runtime::headless::Headless;
use crate::runtime::writer::{Desk, Writer};
use crate::store::journal::JournalError;

/// Sources may take so long to tell what is there.
const READING: Duration = Duration::from_secs(20);
/// Between two looks at the clock.
const TICK: Duration = Duration::from_secs(1);

/// Which canary to fly.
#[derive(Clone, Debug, ClapArgs)]
pub struct PilotArgs {
    /// The service
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// Which of its canaries; needed if it has several
    #[arg(long, value_name = "NAME")]
    pub canary: Option<String>,
    /// Fly; without this, only what it would do is said
    #[arg(long, short)]
    pub yes: bool,
    /// Take no step forward after so many minutes; otherwise the canary's own deadline
    #[arg(long, value_name = "MINUTES")]
    pub limit: Option<u32>,
    /// How each line is written
    #[arg(long, short, value_enum, default_value_t)]
    pub output: LineFormat,
}

/// Name and version of the format.
pub const PILOT_FORMAT: &str = "flightdeck/pilot/1";

/// One line of a flight, as data.
#[derive(Serialize, JsonSchema)]
pub struct PilotLine<'a> {
    /// Name and version of this format.
    format: &'static str,
    /// Which canary.
    canary: &'a CanaryId,
    /// When.
    at: jiff::Timestamp,
    /// What it does, and why.
    text: &'a str,
}

/// Runs until the flight has ended, its time is over, or a human takes over.
pub fn run(global: &Global, args: &PilotArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    let (started, _) = open(global)?;
    let canary = canary(&started, args)?;
    let desk = desk(started.setup.is_rehearsal(), &started.config.safety)?;
    let tokio = runtime(started.sources.len())?;
    let result = tokio.block_on(fly(started, desk, &canary, args, out));
    tokio.shutdown_background();
    result
}

fn canary(started: &Started, args: &PilotArgs) -> Result<CanaryId, Failure> {
    let service = started.setup.services.iter().find(|s| s.id.as_str() == args.service);
    let service =
        service.ok_or_else(|| Failure::usage(format!("there is no service {}", args.service)))?;
    let fits = |name: &str| args.canary.as_ref().is_none_or(|wanted| name == wanted);
    let found: Vec<_> = service.canaries.iter().filter(|c| fits(c.name.as_str())).collect();
    match found.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => Err(Failure::usage(format!("{} describes no such canary", service.id))),
        several => {
            let names: Vec<String> = several.iter().map(|c| c.name.to_string()).collect();
            let names = names.join(", ");
            Err(Failure::usage(format!("say which: --canary, one of {names}")))
        }
    }
}

async fn fly(
    started: Started,
    desk: Desk,
    canary: &CanaryId,
    args: &PilotArgs,
    out: &mut impl Write,
) -> Result<Exit, Failure> {
    let sources = started.sources.iter().map(|s| Arc::clone(&s.source));
    let gateway = Gateway::new(sources, Arc::clone(&started.clock), desk.folder, desk.who)
        .patience(desk.patience);
    let mut past = Vec::new();
    if args.yes {
        let broken = |e: JournalError| Failure { exit: Exit::NoJournal, message: e.to_string() };
        gateway.ready().map_err(broken)?;
        if desk.lasting {
            // Where an earlier pilot was ended in the middle of a step, that step is found out first.
            gateway.reconcile().await.map_err(broken)?;
            past = gateway.past().map_err(broken)?;
        }
    }
    let mut headless = Headless::start(started.setup, started.sources, started.clock);
    headless.take(Msg::Past(past));
    headless.settle(READING).await;
    let Some(sender) = headless.sender() else {
        return Err(Failure::new("every source has ended"));
    };
    let mut writer = Writer::start(gateway, &sender, false);
    drop(sender);
    let mut effects = Vec::new();
    if !args.yes {
        writeln!(out, "   it would fly {canary}: --yes lets it").map_err(|e| output(&e))?;
        return Ok(Exit::Usage);
    }
    if headless.state.is_read_only() {
        let message = "read-only by configuration: no pilot may fly".to_owned();
        return Err(Failure { exit: Exit::Refused, message });
    }
    let limit = args.limit.map(|minutes| SignedDuration::from_mins(i64::from(minutes)));
    engage(&mut headless.state, canary, limit, &mut effects).map_err(Failure::usage)?;
    // From the beginning: a signal that comes between two looks must not be lost.
    let listen =
        |kind| signal(kind).map_err(|error| Failure::new(format!("cannot hear signals: {error}")));
    let mut interrupted = listen(SignalKind::interrupt())?;
    let mut terminated = listen(SignalKind::terminate())?;
    let mut keys = Keys::listen();
    let mut told = 0;
    let mut ticks = tokio::time::interval(TICK);
    loop {
        perform(std::mem::take(&mut effects), &mut writer, &mut headless);
        told = tell(&headless.state, canary, told, args.output, out).map_err(|e| output(&e))?;
        let Some(pilot) = headless.state.pilots.get(canary) else {
            return Err(Failure::new("the pilot is gone"));
        };
        if let Some(end) = pilot.ended() {
            return Ok(match end {
                End::Finished => Exit::Good,
                End::RolledBack => Exit::Failing,
                End::HandedOver => Exit::Waiting,
            });
        }
        // Its time is over and nothing is under way: it holds the share, and says that it waits.
        if pilot.grounded.is_some() && headless.state.now >= pilot.deadline {
            return Ok(Exit::Waiting);
        }
        tokio::select! {
            () = keys.pressed() => {
                hand_over(&mut headless.state, canary, "a key was pressed", &mut effects);
            }
            _ = interrupted.recv() => {
                hand_over(&mut headless.state, canary, "it was interrupted", &mut effects);
            }
            _ = terminated.recv() => {
                hand_over(&mut headless.state, canary, "it was terminated", &mut effects);
            }
            more = headless.effects() => match more {
                Some(more) => effects.extend(more),
                None => return Err(Failure::new("every source has ended")),
            },
            _ = ticks.tick() => effects.extend(headless.tick()),
        }
    }
}

fn output(error: &io::Error) -> Failure {
    Failure::new(format!("cannot write the output: {error}"))
}

fn perform(effects: Vec<Effect>, writer: &mut Writer, headless: &mut Headless) {
    for effect in effects {
        match effect {
            Effect::Submit(confirmed) => writer.carry_out(*confirmed),
            Effect::Lease { canary, take } => {
                if let Some(msg) = writer.lease(&canary, take) {
                    let more = headless.take(msg);
                    perform(more, writer, headless);
                }
            }
            Effect::Refresh(what) => headless.refresh(&what),
            // Everything is read, and there is no screen.
            _ => {}
        }
    }
}

/// Tells what is new; returns how many lines were told.
fn tell(
    state: &State,
    canary: &CanaryId,
    told: usize,
    format: LineFormat,
    out: &mut impl Write,
) -> io::Result<usize> {
    let Some(pilot) = state.pilots.get(canary) else { return Ok(told) };
    let new = pilot.said.saturating_sub(told).min(pilot.log.len());
    for line in pilot.log.iter().skip(pilot.log.len() - new) {
        write(line, canary, format, out)?;
    }
    out.flush()?;
    Ok(pilot.said)
}

fn write(
    line: &Line,
    canary: &CanaryId,
    format: LineFormat,
    out: &mut impl Write,
) -> io::Result<()> {
    match format {
        LineFormat::Plain => {
            writeln!(out, "{} {canary} {}", line.at.strftime("%H:%M:%S"), line.text)
        }
        LineFormat::Ndjson => {
            let text = line.text.as_str();
            let line = PilotLine { format: PILOT_FORMAT, canary, at: line.at, text };
            serde_json::to_writer(&mut *out, &line)?;
            out.write_all(b"\n")
        }
    }
}

/// Single keys of the terminal, if there is one; the terminal is as before when this is dropped.
struct Keys {
    before: Option<Termios>,
    pressed: mpsc::Receiver<()>,
    _open: mpsc::Sender<()>,
}

impl Keys {
    fn listen() -> Self {
        let (send, pressed) = mpsc::channel(1);
        let before = io::stdin().is_terminal().then(|| tcgetattr(io::stdin()).ok()).flatten();
        if let Some(before) = &before {
            let mut single = before.clone();
            single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            // Without it a key comes with the next Enter: later, but it comes.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &single);
            let send = send.clone();
            std::thread::spawn(move || {
                let mut byte = [0];
                if io::stdin().read_exact(&mut byte).is_ok() {
                    let _ = send.blocking_send(());
                }
            });
        }
        Self { before, pressed, _open: send }
    }

    async fn pressed(&mut self) {
        if self.pressed.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
