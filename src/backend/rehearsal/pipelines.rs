//! Pipelines of the world at a moment.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::operator::YOU;
use super::plan::{Planned, TOLD};
use super::script::{Hold, Release, ServiceScript};
use super::visit::Visit;
use super::world::{World, pipeline_id};
use crate::domain::ids::ExecutionId;
use crate::domain::pipeline::{
    Action, Approval, Condition, Execution, ExecutionMode, Pipeline, RunState, Stage, Transition,
};
use crate::domain::revision::Revision;
use crate::domain::token::Token;

/// The conditions that there are.
pub const BEFORE_ENTRY: &str = "before entry";
/// How long an approval waits before the backend gives up.
const DEADLINE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What an execution ships.
pub fn revision(run: &Planned) -> Revision {
    Revision {
        id: run.run.revision.as_str().into(),
        message: Some(run.run.message.as_str().into()),
        author: Some(run.run.author.as_str().into()),
        at: Some(run.start - SignedDuration::from_mins(2)),
        link: Some(
            format!("https://git.example.com/{}/commit/{}", run.run.service, run.run.revision)
                .into(),
        ),
        origin: Some(format!("{}/main", run.run.service).into()),
    }
}

fn why_failed(run: &Planned) -> Option<&str> {
    let rejected = run.visits.last().and_then(|visit| visit.rejected.as_deref());
    rejected.or(run.run.fails.as_ref().map(|f| f.error.as_str()))
}

/// Who stopped it.
pub fn stopped_by(run: &Planned) -> &str {
    run.run.stopped.as_ref().map_or(YOU, |s| s.by.as_str())
}

/// The pipeline of `service` at `now`.
pub fn pipeline(world: &World, service: &ServiceScript, now: Timestamp) -> Pipeline {
    let none = Vec::new();
    let all = world.plan.get(&service.name).unwrap_or(&none);
    let runs: Vec<&Planned> = all.iter().filter(|run| run.start <= now).collect();
    let stages = service
        .stages
        .iter()
        .enumerate()
        .map(|(i, name)| stage(world, service, &runs, i, name, now))
        .collect();
    let mut executions: Vec<Execution> =
        runs.iter().rev().take(TOLD).map(|run| execution(run, now)).collect();
    let id = pipeline_id(service);
    if let Some(first) = initial(world, service, &runs) {
        executions.push(first);
    }
    Pipeline {
        link: Some(format!("https://pipelines.example.com/{}", id.name).into()),
        id,
        flavour: Some("rehearsal".into()),
        mode: service.mode,
        version: Some(3),
        stages,
        executions,
        detail: true,
        tags: BTreeMap::from([("service".into(), service.name.as_str().into())]),
        updated: Some(world.start - SignedDuration::from_hours(24 * 40)),
    }
}

/// What ran before anything that is told, while nothing newer is known.
fn initial(world: &World, service: &ServiceScript, runs: &[&Planned]) -> Option<Execution> {
    (runs.len() < TOLD).then(|| {
        let at = world.start - SignedDuration::from_hours(30);
        Execution {
            id: initial_id(service),
            state: RunState::Succeeded,
            summary: None,
            started: Some(at),
            updated: Some(at + SignedDuration::from_mins(14)),
            trigger: Some("push to main".into()),
            by: None,
            revisions: vec![Revision::of(&service.runs)],
            rollback_to: None,
        }
    })
}

fn initial_id(service: &ServiceScript) -> ExecutionId {
    ExecutionId::new(&format!("{:.8}-0000-4000-8000-000000000000", service.runs))
}

fn execution(run: &Planned, now: Timestamp) -> Execution {
    let (state, updated) = run.state(now);
    let summary = match state {
        RunState::Failed => why_failed(run).map(Into::into),
        RunState::Stopped => Some(format!("stopped by {}", stopped_by(run)).into()),
        RunState::Superseded => Some("a newer execution overtook it".into()),
        _ => None,
    };
    // Who began it is not always who wrote it.
    let by = if run.run.by_hand { YOU } else { run.run.author.as_str() };
    Execution {
        id: ExecutionId::new(&run.id),
        state,
        summary,
        started: Some(run.start),
        updated: Some(updated),
        trigger: Some("push to main".into()),
        by: Some(by.into()),
        revisions: vec![revision(run)],
        rollback_to: run.run.puts_back.as_ref().map(|(_, to)| ExecutionId::new(to)),
    }
}

/// The latest visit of stage `i` that has begun.
fn newest<'a>(runs: &[&'a Planned], i: usize, now: Timestamp) -> Option<(&'a Planned, &'a Visit)> {
    runs.iter()
        .filter_map(|run| Some((*run, run.visit(i)?)))
        .filter(|(_, visit)| visit.entered.is_some_and(|at| at <= now))
        .max_by_key(|(_, visit)| visit.entered)
}

fn stage(
    world: &World,
    service: &ServiceScript,
    runs: &[&Planned],
    i: usize,
    name: &str,
    now: Timestamp,
) -> Stage {
    let inbound = runs.iter().rev().find(|run| run.is_inbound(i, now));
    let hold = world
        .script
        .holds
        .iter()
        .filter(|h| h.service == service.name && h.stage == name && h.at.after(world.start) <= now)
        .filter(|h| h.until.is_none_or(|until| until.after(world.start) > now))
        .max_by_key(|h| h.at);
    let mut stage = Stage {
        name: name.into(),
        state: RunState::Succeeded,
        execution: Some(initial_id(service)),
        revision: Some(Revision::of(&service.runs)),
        inbound: inbound.map(|run| ExecutionId::new(&run.id)),
        transition: (i > 0).then(|| transition(world, hold)),
        actions: Vec::new(),
        conditions: conditions(runs, i, name, now),
        since: Some(world.start - SignedDuration::from_hours(30)),
    };
    let asks = service.approval && i + 1 == service.stages.len();
    let Some((run, visit)) = newest(runs, i, now) else {
        stage.actions = actions(service, name, None, RunState::Succeeded, None);
        return stage;
    };
    let Some((state, since)) = visit.state(now) else { return stage };
    stage.state = state;
    stage.execution = Some(ExecutionId::new(&run.id));
    stage.revision = Some(revision(run));
    stage.since = Some(since);
    stage.actions = actions(service, name, Some((run, visit, now)), state, Some(since));
    if asks {
        let waiting: Vec<(&Planned, &Visit)> = match service.mode {
            // In parallel, several may wait at once.
            ExecutionMode::Parallel => runs
                .iter()
                .filter_map(|run| Some((*run, run.visit(i)?)))
                .filter(|(_, v)| v.state(now).is_some_and(|(s, _)| s == RunState::Waiting))
                .collect(),
            _ => vec![(run, visit)],
        };
        let mut approvals: Vec<Action> =
            waiting.into_iter().map(|(run, visit)| approval(run, visit, now)).collect();
        approvals.append(&mut stage.actions);
        stage.actions = approvals;
    }
    stage
}

fn transition(world: &World, hold: Option<&Hold>) -> Transition {
    match hold {
        Some(hold) => Transition {
            enabled: false,
            reason: Some(hold.reason.as_str().into()),
            by: Some(hold.by.as_str().into()),
            at: Some(hold.at.after(world.start)),
        },
        None => Transition { enabled: true, reason: None, by: None, at: None },
    }
}

/// The condition of a stage, once it was judged for something.
fn conditions(runs: &[&Planned], i: usize, stage: &str, now: Timestamp) -> Vec<Condition> {
    let judged = runs.iter().rev().find_map(|run| {
        let refused = run.run.refused.as_ref().filter(|refused| refused.stage == stage)?;
        let visit = run.visit(i).filter(|visit| visit.arrived <= now)?;
        let waits = run.is_inbound(i, now);
        let (state, at) = match visit.entered.filter(|at| *at <= now) {
            Some(entered) => (RunState::Skipped, entered),
            None if waits => (RunState::Failed, visit.arrived),
            None => (RunState::Cancelled, visit.arrived),
        };
        let summary = Some(refused.error.as_str().into());
        Some(Condition { when: BEFORE_ENTRY.into(), state, summary, at: Some(at) })
    });
    judged.into_iter().collect()
}

fn action(name: &str, category: &str, provider: &str, state: RunState) -> Action {
    Action {
        name: name.into(),
        category: category.into(),
        provider: provider.into(),
        state,
        summary: None,
        error: None,
        at: None,
        percent: None,
        by: None,
        revision: None,
        link: None,
        approval: None,
    }
}

/// The working actions of a stage in a state; those that ask come before them.
fn actions(
    service: &ServiceScript,
    stage: &str,
    running: Option<(&Planned, &Visit, Timestamp)>,
    state: RunState,
    since: Option<Timestamp>,
) -> Vec<Action> {
    // While somebody is asked, and when the answer was no, the work has not begun.
    let asked = running.is_some_and(|(_, visit, _)| visit.approved.is_none());
    let idle = matches!(state, RunState::Waiting | RunState::Failed | RunState::Stopped);
    let state = if asked && idle { RunState::NotRun } else { state };
    let mut all: Vec<Action> = match stage {
        "Source" => vec![action("checkout", "Source", "Git", state)],
        "Build" => vec![action("image", "Build", "Builder", state)],
        "Test" => vec![
            action("unit", "Test", "Runner", state),
            action("contract", "Test", "Runner", state),
        ],
        _ => vec![action(&format!("deploy-{}", service.region), "Deploy", "Deployer", state)],
    };
    for action in &mut all {
        action.at = since;
        let Some((run, visit, now)) = running else { continue };
        match state {
            RunState::Failed => {
                action.error = why_failed(run).map(Into::into);
            }
            RunState::Stopped => {
                action.by = Some(stopped_by(run).into());
            }
            RunState::Running => {
                action.percent = visit.approved.zip(visit.left).map(|(from, to)| {
                    let whole = to.duration_since(from).as_secs_f64().max(1.0);
                    let share = now.duration_since(from).as_secs_f64() / whole;
                    // Between 0 and 99, so the conversion is exact.
                    (share.clamp(0.0, 0.99) * 100.0) as u8
                });
                if service.release == Release::Canary && visit.left.is_none() {
                    action.summary = Some("canary under way".into());
                }
            }
            _ => {}
        }
    }
    // Of several, the first was through before the others failed; it runs again only if all do.
    let again = running.and_then(|(_, visit, _)| visit.again);
    if (state == RunState::Failed || (state == RunState::Running && again == Some(false)))
        && let Some((first, rest)) = all.split_first_mut()
        && !rest.is_empty()
    {
        first.state = RunState::Succeeded;
        first.error = None;
    }
    all
}

fn approval(run: &Planned, visit: &Visit, now: Timestamp) -> Action {
    let mut ask = action("approve", "Approval", "Manual", RunState::NotRun);
    let Some(entered) = visit.entered else { return ask };
    ask.at = Some(entered);
    match visit.state(now) {
        Some((RunState::Waiting, _)) => {
            ask.state = RunState::Waiting;
            ask.approval = Some(Approval {
                execution: Some(ExecutionId::new(&run.id)),
                token: Some(Token::new(&format!("{}-{}", run.id, entered))),
                requested: Some(entered),
                deadline: Some(entered + DEADLINE),
                message: Some(format!("ship {:.7} to everyone?", run.run.revision).into()),
                link: Some(
                    format!("https://pipelines.example.com/{}/review", run.run.service).into(),
                ),
            });
        }
        Some((RunState::Superseded, at)) => {
            ask.state = RunState::Superseded;
            ask.at = Some(at);
        }
        Some((RunState::Failed, at)) if visit.rejected.is_some() => {
            ask.state = RunState::Failed;
            ask.at = Some(at);
            ask.by = visit.by.as_deref().map(Into::into);
            ask.summary = visit.rejected.as_deref().map(Into::into);
        }
        Some((RunState::Stopped, at)) if visit.approved.is_none() => {
            ask.state = RunState::Stopped;
            ask.at = Some(at);
            ask.by = Some(stopped_by(run).into());
        }
        Some(_) => {
            ask.state = RunState::Succeeded;
            ask.at = visit.approved;
            ask.by = visit.by.as_deref().map(Into::into);
        }
        None => {}
    }
    ask
}
