//! `flightdeck wait`: until a stage has come so far.

use std::io::Write;
use std::time::Duration;

use clap::Args as ClapArgs;
use tokio::time::Instant;

use crate::app::State;
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::headless::{open, wanted};
use crate::cli::threads::runtime;
use crate::domain::observed::Freshness;
use crate::domain::pipeline::RunState;
use crate::runtime::headless::Headless;

/// Between two looks at the clock.
const TICK: Duration = Duration::from_secs(1);

/// What to wait for.
#[derive(Clone, Debug, ClapArgs)]
pub struct WaitArgs {
    /// `SERVICE/STAGE=STATE`, for example `checkout/Prod=succeeded`; all of them must hold
    #[arg(long = "for", value_name = "CONDITION", required = true)]
    pub conditions: Vec<String>,
    /// Wait at most so long
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub timeout: u64,
}

/// `SERVICE/STAGE=STATE`.
struct Condition {
    service: String,
    stage: String,
    state: RunState,
}

fn condition(text: &str) -> Result<Condition, Failure> {
    let parts = text.split_once('=').and_then(|(place, state)| {
        let (service, stage) = place.rsplit_once('/')?;
        Some((service, stage, state))
    });
    let (service, stage, word) = parts.ok_or_else(|| {
        Failure::usage(format!("`{text}` is no condition: write SERVICE/STAGE=STATE"))
    })?;
    let state = RunState::ALL.into_iter().find(|state| state.word() == word).ok_or_else(|| {
        let all: Vec<&str> = RunState::ALL.iter().map(|state| state.word()).collect();
        Failure::usage(format!("`{word}` is no state: one of {}", all.join(", ")))
    })?;
    Ok(Condition { service: service.to_owned(), stage: stage.to_owned(), state })
}

/// Runs the subcommand.
pub fn run(global: &Global, args: &WaitArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    let conditions: Result<Vec<Condition>, Failure> =
        args.conditions.iter().map(|text| condition(text)).collect();
    let conditions = conditions?;
    let (started, _) = open(global)?;
    let tokio = runtime(started.sources.len())?;
    let result = tokio.block_on(async {
        let mut headless = Headless::start(started.setup, started.sources, started.clock);
        for own in &conditions {
            wanted(&headless.state, Some(&own.service), None)?;
        }
        let all =
            |state: &State| conditions.iter().all(|own| holds(state, own)).then_some(Exit::Good);
        let exit = until(&mut headless, Duration::from_secs(args.timeout), &all).await;
        let rows: Vec<String> = conditions.iter().map(|own| tell(&headless.state, own)).collect();
        Ok((exit, rows))
    });
    tokio.shutdown_background();
    let (exit, rows) = result?;
    for row in rows {
        if let Err(error) = writeln!(out, "   {row}") {
            return Failure::output(&error, exit);
        }
    }
    Ok(exit)
}

/// The stages of a condition with their states; what is not fresh is not told.
fn stages(state: &State, own: &Condition) -> Vec<RunState> {
    let service = crate::domain::ids::ServiceId::new(&own.service);
    let Some(members) = state.membership.members(&service) else { return Vec::new() };
    let known = members.pipelines.iter().filter_map(|id| state.fleet.pipelines.get(id));
    known
        .filter(|o| state.fleet.freshness(o, state.now) == Freshness::Fresh)
        .filter_map(|o| {
            let stages = &o.value.stages;
            stages.iter().find(|s| s.name.as_str().eq_ignore_ascii_case(&own.stage))
        })
        .map(|stage| stage.state)
        .collect()
}

fn holds(state: &State, own: &Condition) -> bool {
    let found = stages(state, own);
    !found.is_empty() && found.iter().all(|state| *state == own.state)
}

fn tell(state: &State, own: &Condition) -> String {
    let found: Vec<&str> = stages(state, own).iter().map(|state| state.word()).collect();
    let now = if found.is_empty() { "unknown".to_owned() } else { found.join(", ") };
    format!("{}/{} is {now}", own.service, own.stage)
}

/// Reads on until `check` says how it ended, or time is over.
async fn until(
    headless: &mut Headless,
    limit: Duration,
    check: &dyn Fn(&State) -> Option<Exit>,
) -> Exit {
    let end = Instant::now() + limit;
    loop {
        if let Some(exit) = check(&headless.state) {
            return exit;
        }
        let tick = (Instant::now() + TICK).min(end);
        match tokio::time::timeout_at(tick, headless.next()).await {
            Ok(true) => {}
            Ok(false) => return Exit::Unknown,
            Err(_) if Instant::now() >= end => return Exit::TimedOut,
            Err(_) => {
                headless.tick();
            }
        }
    }
}
