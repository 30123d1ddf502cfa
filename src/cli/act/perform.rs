//! Carries out a command that changes something: read, plan, check, confirm, send, tell.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::answered::answered;
use super::args::{Act, Go};
use super::intent::{holders, intent};
use super::print;
use super::wait::{Follow, follow};
use crate::app::plan::{looked_at, plan};
use crate::app::report;
use crate::app::{Msg, State, update};
use crate::cli::desk::desk;
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::headless::{Format, for_people, open, runtime};
use crate::cli::start::Started;
use crate::domain::error::FaultKind;
use crate::domain::ids::SourceId;
use crate::domain::write::{Answers, GuardVerdict, Outcome, Plan, PlanId, confirm};
use crate::runtime::gateway::Gateway;
use crate::runtime::headless::Headless;
use crate::runtime::writer::{Desk, TORN, sentence};
use crate::store::journal::JournalError;

/// Sources may take so long to tell what is there, in seconds.
const READING: u64 = 20;
/// Shortest beginning of a revision that is taken for it.
const SHORTEST_REVISION: usize = 6;

/// Runs the subcommand.
pub fn run(global: &Global, act: &Act, out: &mut impl Write) -> Result<Exit, Failure> {
    let (started, shown) = open(global)?;
    let desk = desk(started.setup.is_rehearsal(), &started.config.safety)?;
    let tokio = runtime()?;
    let result = tokio.block_on(carry_out(started, desk, act));
    // A source that hangs must not hold up the answer.
    tokio.shutdown_background();
    let done = result?;
    let go = act.go();
    let written = match go.output {
        Format::Table => for_people(shown.ascii, out, |text| print::table(&done.act, text)),
        Format::Json => print::json(&done.act, true, out),
        Format::Ndjson => print::json(&done.act, false, out),
    };
    match written.and_then(|()| out.flush()) {
        Ok(()) => Ok(done.exit),
        // What was done was done: its exit code stays.
        Err(error) => Failure::output(&error).map(|_| done.exit),
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
    let gateway = Gateway::new(sources, Arc::clone(&started.clock), desk.folder, desk.who)
        .patience(desk.patience);
    let mut headless = Headless::start(started.setup, started.sources, started.clock);
    // Before anything is waited for: what was done tells what an undo is about.
    match gateway.ready() {
        Ok(torn) => {
            if torn {
                eprintln!("flightdeck: {TORN}");
            }
            if desk.lasting {
                look_back(&gateway, &mut headless.state, go.dry_run).await?;
            }
        }
        Err(error) => {
            update(&mut headless.state, Msg::Journal(Some(error.to_string().into())));
        }
    }
    let plan = planned(&mut headless, act).await?;
    let state = &headless.state;
    let mut done = report::act(&plan, &state.setup);
    let mut end = |why: String, exit| {
        done.refusal = Some(why.into());
        Ok(Done { act: done.clone(), exit })
    };
    if let Err(why) = expected(&plan, go) {
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
            let exit = if state.journal.is_some() {
                Exit::NoJournal
            } else if is_frozen(&plan) {
                Exit::Frozen
            } else {
                Exit::Refused
            };
            return end(why, exit);
        }
    };
    if go.dry_run {
        return end("nothing was sent: this was a dry run".to_owned(), Exit::Good);
    }
    if !go.yes {
        return end("nothing was sent: --yes does it".to_owned(), Exit::Usage);
    }
    let blind = go.expect_revision.is_none() && go.expect_execution.is_none() && !go.accept_current;
    if act.needs_expectation() && blind {
        let why = "nothing was sent: say what you saw, with --expect-revision or \
                   --expect-execution, or take what is there with --accept-current";
        return end(why.to_owned(), Exit::Usage);
    }
    let before = state.now;
    let (tell, mut told) = mpsc::channel::<Msg>(64);
    // Progress is not printed: the answer is one document.
    let drain = tokio::spawn(async move { while told.recv().await.is_some() {} });
    let outcomes = gateway.carry_out(&confirmed, &tell).await;
    drop(tell);
    let _ = drain.await;
    done.take(&outcomes);
    let mut exit =
        outcomes.iter().map(exit_of).find(|exit| *exit != Exit::Good).unwrap_or(Exit::Good);
    if exit == Exit::Good && go.wait {
        let follows = plan.steps.iter().filter_map(|step| Follow::of(&step.write));
        for one in follows {
            exit = follow(&mut headless, &one, before, Duration::from_secs(go.timeout)).await;
            if exit != Exit::Good {
                break;
            }
        }
    }
    Ok(Done { act: done, exit })
}

/// The plan, when all that it is about and all that its guards look at was read or has failed. No
/// other source is waited for.
async fn planned(headless: &mut Headless, act: &Act) -> Result<Plan, Failure> {
    let go = act.go();
    let end = Instant::now() + Duration::from_secs(READING.min(go.timeout));
    let mut needed: BTreeSet<SourceId> = holders(&headless.state, act);
    loop {
        headless.settle_for(&needed, end).await;
        let state = &headless.state;
        let wanted = intent(state, act)
            .map_err(|failure| answered(state, act).unwrap_or_else(|| unread(state, failure)))?;
        let id = PlanId(format!("{}-1", state.setup.session));
        let refused = |why| unread(state, Failure { exit: Exit::Refused, message: why });
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
            eprintln!(
                "flightdeck: {ended} earlier writes had no outcome; `flightdeck journal` tells it now"
            );
        }
        if !looked.open.is_empty() {
            let open = sentence(&looked.open);
            eprintln!("flightdeck: sent before and still without an outcome: {open}");
        }
    }
    let past = gateway.past().map_err(failure)?;
    update(state, Msg::Past(past));
    Ok(())
}

/// Where a source does not let us in or the journal takes no writes, that is the reason for
/// everything else.
fn unread(state: &State, failure: Failure) -> Failure {
    if let (Exit::Refused, Some(why)) = (failure.exit, &state.journal) {
        let message = format!("{failure}\n  nothing was sent: {why}");
        return Failure { exit: Exit::NoJournal, message };
    }
    let shut = state.fleet.sources.values().find_map(|source| {
        let fault = &source.worst()?.fault;
        (fault.kind == FaultKind::NotAuthenticated).then(|| (source.meta.id.clone(), fault.clone()))
    });
    match (failure.exit, shut) {
        (Exit::Refused, Some((id, fault))) => Failure {
            exit: Exit::NotAuthenticated,
            message: format!("{failure}\n  source {id}: {fault} ({})", fault.hint),
        },
        _ => failure,
    }
}

/// What is written to is what the caller saw.
fn expected(plan: &Plan, go: &Go) -> Result<(), String> {
    let facts = || plan.steps.iter().flat_map(|step| &step.expects.facts);
    if let Some(wanted) = &go.expect_execution {
        let found = facts().any(|(name, value)| *name == "execution" && *value == **wanted);
        if !found {
            return Err(format!("not what was expected: execution {wanted}; {}", there(plan)));
        }
    }
    if let Some(wanted) = &go.expect_revision {
        if wanted.chars().count() < SHORTEST_REVISION {
            return Err(format!(
                "{wanted} is too short: give {SHORTEST_REVISION} characters or more"
            ));
        }
        let is_it = |word: &str| {
            let long = word.chars().count() >= SHORTEST_REVISION;
            long && (word.starts_with(&**wanted) || wanted.starts_with(word))
        };
        let found = facts().any(|(_, value)| value.as_str().split_whitespace().any(is_it));
        if !found {
            return Err(format!("not what was expected: revision {wanted}; {}", there(plan)));
        }
    }
    Ok(())
}

fn there(plan: &Plan) -> String {
    let facts = plan.steps.iter().flat_map(|step| &step.expects.facts);
    let all: Vec<String> = facts.map(|(name, value)| format!("{name} {value}")).collect();
    format!("there is {}", all.join(", "))
}

fn is_frozen(plan: &Plan) -> bool {
    let against = plan.guards.iter().filter(|guard| guard.verdict != GuardVerdict::Passed);
    against.map(|guard| guard.name.as_str()).next() == Some("freeze")
}

fn exit_of(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Done { .. } => Exit::Good,
        Outcome::Moved { .. } => Exit::Moved,
        Outcome::Refused { .. } => Exit::Refused,
        Outcome::Unrecorded { .. } => Exit::NoJournal,
        Outcome::Answered { .. } => Exit::Answered,
        Outcome::Failed { fault } if fault.kind == FaultKind::NotAuthenticated => {
            Exit::NotAuthenticated
        }
        Outcome::Failed { .. } => Exit::Failed,
        Outcome::Unknown { .. } => Exit::Unknown,
    }
}
