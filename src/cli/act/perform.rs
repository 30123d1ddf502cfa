//! Carries out a command that changes something: read, plan, check, confirm, send, tell.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::answered::answered;
use super::args::Act;
use super::ended::{exit_of, refused};
use super::expected::expected;
use super::follow::follow;
use super::intent::{holders, intent};
use super::print;
use super::unread::unread;
use crate::app::plan::{looked_at, plan};
use crate::app::report;
use crate::app::{Msg, State, update};
use crate::cli::desk::desk;
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::headless::{Format, for_people, open};
use crate::cli::progress::say;
use crate::cli::start::Started;
use crate::cli::threads::runtime;
use crate::domain::ids::SourceId;
use crate::domain::write::{Answers, Plan, PlanId, confirm};
use crate::runtime::gateway::Gateway;
use crate::runtime::headless::Headless;
use crate::runtime::writer::{Desk, TORN, sentence};
use crate::store::journal::JournalError;

/// Sources may take so long to tell what is there, in seconds.
const READING: u64 = 20;

/// Runs the subcommand.
pub fn run(global: &Global, act: &Act, out: &mut impl Write) -> Result<Exit, Failure> {
    let (started, shown) = open(global)?;
    let desk = desk(started.setup.is_rehearsal(), &started.config.safety)?;
    let (setup, clock) = (started.setup.clone(), Arc::clone(&started.clock));
    let tokio = runtime(started.sources.len())?;
    let result = tokio.block_on(carry_out(started, desk, act));
    // A source that hangs must not hold up the answer.
    tokio.shutdown_background();
    let go = act.go();
    let (done, failure) = match result {
        Ok(done) => (done, None),
        // A script reads one document, whatever stood in the way.
        Err(failure) if go.output != Format::Table => {
            let act = report::no_act(&failure.message, &setup, clock.now());
            (Done { act, exit: failure.exit }, Some(failure))
        }
        Err(failure) => return Err(failure),
    };
    let written = match go.output {
        Format::Table => for_people(shown.ascii, out, |text| print::table(&done.act, text)),
        Format::Json => print::json(&done.act, true, out),
        Format::Ndjson => print::json(&done.act, false, out),
    };
    match (written.and_then(|()| out.flush()), failure) {
        (Ok(()), Some(failure)) => Err(failure),
        (Ok(()), None) => Ok(done.exit),
        // What was done was done: its exit code stays.
        (Err(error), _) => Failure::output(&error, done.exit),
    }
}

/// What was done, and how it ended.
struct Done {
    act: report::Act,
    exit: Exit,
}

async fn carry_out(started: Started, desk: Desk, act: &Act) -> Result<Done, Failure> {
    let go = act.go();
    let sources = started.sources.iter().map(|s| Arc::clone(&s.source));
    let gateway = Gateway::new(sources, Arc::clone(&started.clock), desk.folder, desk.who);
    let mut headless = Headless::start(started.setup, started.sources, started.clock);
    let gateway = gateway.origin(desk.origin).patience(desk.patience).meters(headless.meters());
    // Before anything is waited for: what was done tells what an undo is about.
    match gateway.ready() {
        Ok(torn) => {
            if torn {
                say(TORN);
            }
            if desk.lasting {
                look_back(&gateway, &mut headless.state, go.dry_run).await?;
            }
        }
        Err(error) => {
            update(&mut headless.state, Msg::Journal(Some(error.to_string().into())));
        }
    }
    let plan = planned(&gateway, &mut headless, act).await?;
    let state = &headless.state;
    let mut done = report::act(&plan, &state.setup);
    let mut end = |why: String, exit| {
        done.refusal = Some(why.into());
        Ok(Done { act: done.clone(), exit })
    };
    if let Err(why) = expected(state, &plan, go) {
        return end(why, Exit::Moved);
    }
    let answers = Answers {
        comment: go.comment.clone(),
        // `--yes` stands for the name that a human types.
        ..Answers::to(&plan, plan.name.as_str(), &go.break_glass)
    };
    let confirmed = match confirm(&plan, &answers, state.now) {
        Ok(confirmed) => confirmed,
        Err(mut why) => {
            if plan.refusals().next().is_none() && plan.needs_reason().next().is_some() {
                why.push_str(" with --break-glass");
            }
            return end(why, refused(state, &plan));
        }
    };
    if go.dry_run {
        return end("nothing was sent: this was a dry run".to_owned(), Exit::Good);
    }
    if !go.yes {
        return end("nothing was sent: --yes does it".to_owned(), Exit::Usage);
    }
    if act.needs_expectation() && go.is_blind() {
        let why = match act {
            Act::Undo(_) => "name the plan, or take the last one with --accept-current",
            _ => {
                "say what you saw, with --expect-revision, --expect-execution or --expect-percent, \
                 or take what is there with --accept-current"
            }
        };
        return end(format!("nothing was sent: {why}"), Exit::Usage);
    }
    let (tell, mut told) = mpsc::channel::<Msg>(64);
    // Progress is not printed: the answer is one document.
    let drain = tokio::spawn(async move { while told.recv().await.is_some() {} });
    let outcomes = gateway.carry_out(&confirmed, &tell).await;
    drop(tell);
    let _ = drain.await;
    done.take(&outcomes);
    let mut exit = exit_of(&outcomes);
    if exit == Exit::Good && go.wait {
        // The calls that are left are for what is followed.
        drop(headless);
        let receipts = gateway.receipts(&plan);
        let limit = Duration::from_secs(go.timeout);
        let (end, notes) = follow(&gateway, &plan.steps, &receipts, limit).await;
        exit = end;
        done.notes.extend(notes);
    }
    Ok(Done { act: done, exit })
}

/// The plan, when all that it is about and all that its guards look at was read or has failed. No
/// other source is waited for.
async fn planned(gateway: &Gateway, headless: &mut Headless, act: &Act) -> Result<Plan, Failure> {
    let go = act.go();
    let end = Instant::now() + Duration::from_secs(READING.min(go.timeout));
    let mut needed: BTreeSet<SourceId> = holders(&headless.state, act);
    loop {
        headless.settle_for(&needed, end).await;
        let state = &headless.state;
        let wanted = match intent(state, act) {
            Ok(wanted) => wanted,
            Err(failure) => {
                let before = answered(gateway, state, act).await;
                return Err(before.unwrap_or_else(|| unread(state, act, &needed, failure)));
            }
        };
        let id = PlanId(format!("{}-1", state.setup.session));
        let refused =
            |why| unread(state, act, &needed, Failure { exit: Exit::Refused, message: why });
        let plan = plan(state, &wanted, &go.comment, id).map_err(refused)?;
        let more = looked_at(state, &plan);
        if more.is_subset(&needed) {
            return Ok(plan);
        }
        needed.extend(more);
    }
}

/// Finds out what became of earlier writes without an outcome, and takes in what was done.
async fn look_back(gateway: &Gateway, state: &mut State, dry: bool) -> Result<(), Failure> {
    let failure =
        |error: JournalError| Failure { exit: Exit::NoJournal, message: error.to_string() };
    if !dry {
        let looked = gateway.reconcile().await.map_err(failure)?;
        if looked.ended > 0 {
            let ended = looked.ended;
            say(format!(
                "{ended} earlier writes had no outcome; `flightdeck journal` tells it now"
            ));
        }
        if !looked.open.is_empty() {
            let open = sentence(&looked.open);
            say(format!("sent before and still without an outcome: {open}"));
        }
    }
    let past = gateway.past().map_err(failure)?;
    update(state, Msg::Past(past));
    Ok(())
}
