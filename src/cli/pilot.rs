//! `flightdeck pilot`: walks a canary by its verdict, without a screen; any key hands over.

mod keys;
mod lines;

pub use lines::PilotLine;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::Args as ClapArgs;
use jiff::SignedDuration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use super::desk::desk;
use super::exit::{Exit, Failure};
use super::global::Global;
use super::headless::open;
use super::start::Started;
use super::threads::runtime;
use super::watch::LineFormat;
use crate::app::activity::{ActivityStep, Phase as WritePhase};
use crate::app::pilot::{End, Phase};
use crate::app::update::{engage, hand_over};
use crate::app::{Effect, Msg, State};
use crate::domain::ids::CanaryId;
use crate::runtime::gateway::Gateway;
use crate::runtime::headless::Headless;
use crate::runtime::writer::{Desk, Writer};
use crate::store::journal::JournalError;
use keys::Keys;
use lines::tell;

/// Sources may take so long to tell what is there.
const READING: Duration = Duration::from_secs(20);
/// Between two looks at the clock.
const TICK: Duration = Duration::from_secs(1);
/// A year, in minutes: no flight lasts longer.
const LONGEST: i64 = 525_600;
/// A write takes so long, at most, before its effect is looked for.
const SENDING: Duration = Duration::from_secs(40);

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
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=LONGEST))]
    pub limit: Option<u32>,
    /// How each line is written
    #[arg(long, short, value_enum, default_value_t)]
    pub output: LineFormat,
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
    let patience = desk.patience + SENDING;
    let gateway = Gateway::new(sources, Arc::clone(&started.clock), desk.folder, desk.who);
    let mut headless = Headless::start(started.setup, started.sources, started.clock);
    let gateway = gateway.origin(desk.origin).patience(desk.patience).meters(headless.meters());
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
    // Somebody takes over while a write is under way: why, and until when its end is waited for.
    let mut leaving: Option<(&str, Instant)> = None;
    let mut told = 0;
    let mut ticks = tokio::time::interval(TICK);
    let exit = loop {
        perform(std::mem::take(&mut effects), &mut writer, &mut headless);
        told = tell(&headless.state, canary, told, args.output, out).map_err(|e| output(&e))?;
        let Some(pilot) = headless.state.pilots.get(canary) else {
            return Err(Failure::new("the pilot is gone"));
        };
        if let Some(end) = pilot.ended() {
            break match end {
                End::Finished => Exit::Good,
                End::RolledBack => Exit::Failing,
                End::HandedOver => Exit::Waiting,
            };
        }
        let writing = matches!(pilot.phase, Phase::Writing { .. });
        // Its time is over and nothing is under way: it holds the share, and says that it waits.
        let over = pilot.grounded.is_some() && headless.state.now >= pilot.deadline;
        let why = leaving.map(|(why, _)| why).or(over.then_some("its time is over"));
        if let (Some(why), false) = (why, writing) {
            hand_over(&mut headless.state, canary, why, &mut effects);
            continue;
        }
        let end = leaving.map(|(_, end)| end);
        let asked = tokio::select! {
            () = keys.pressed() => Some("a key was pressed"),
            _ = interrupted.recv() => Some("it was interrupted"),
            _ = terminated.recv() => Some("it was terminated"),
            () = until(end) => Some("its write took too long"),
            more = headless.effects() => match more {
                Some(more) => {
                    effects.extend(more);
                    None
                }
                None => return Err(Failure::new("every source has ended")),
            },
            _ = ticks.tick() => {
                effects.extend(headless.tick());
                None
            }
        };
        match asked {
            None => {}
            Some(why) if !writing => hand_over(&mut headless.state, canary, why, &mut effects),
            Some(why) if leaving.is_none() => {
                leaving = Some((why, Instant::now() + patience));
                let what = in_flight(&headless.state, canary).join(", ");
                wait(&mut headless.state, canary, &format!("handing over after: {what}; {why}"));
            }
            Some(_) => {
                let what = in_flight(&headless.state, canary).join(", ");
                let why =
                    format!("left while under way, its end is looked up at the next start: {what}");
                hand_over(&mut headless.state, canary, &why, &mut effects);
                perform(std::mem::take(&mut effects), &mut writer, &mut headless);
                tell(&headless.state, canary, told, args.output, out).map_err(|e| output(&e))?;
                break Exit::Unknown;
            }
        }
    };
    writer.finish().await;
    Ok(exit)
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

fn wait(state: &mut State, canary: &CanaryId, text: &str) {
    let now = state.now;
    if let Some(pilot) = state.pilots.get_mut(canary) {
        pilot.say(now, text);
    }
}

/// The steps of the pilot's write that have no outcome yet, in words.
fn in_flight(state: &State, canary: &CanaryId) -> Vec<String> {
    let phase = state.pilots.get(canary).map(|pilot| &pilot.phase);
    let Some(Phase::Writing { plan, .. }) = phase else { return Vec::new() };
    let own = state.activity.iter().find(|activity| activity.plan == *plan);
    let open = |step: &&ActivityStep| !matches!(step.phase, Some(WritePhase::Ended { .. }));
    let steps = own.into_iter().flat_map(|own| own.steps.iter().filter(open));
    steps.map(|step| step.words.to_string()).collect()
}

fn output(error: &io::Error) -> Failure {
    Failure::new(format!("cannot write the output: {error}"))
}

fn perform(effects: Vec<Effect>, writer: &mut Writer, headless: &mut Headless) {
    for effect in effects {
        match effect {
            Effect::Submit(confirmed) => writer.carry_out(*confirmed),
            Effect::Lease { canary, split, flight, take: true } => {
                let msg = writer.lease(&canary, &split, &flight);
                let more = headless.take(msg);
                perform(more, writer, headless);
            }
            Effect::Lease { canary, take: false, .. } => writer.give_back(&canary),
            Effect::Tell { flight, at, event } => writer.tell(&flight, at, event),
            Effect::Refresh(what) => headless.refresh(&what),
            // Everything is read, and there is no screen.
            _ => {}
        }
    }
}
