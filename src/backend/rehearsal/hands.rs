//! What the operator does in the world, and what follows from it.

use jiff::{SignedDuration, Timestamp};

use super::chance::{hex, stream};
use super::plan::Planned;
use super::script::{
    AlarmScript, ArmName, Deed, DeedKind, Flip, Hold, Run, ServiceScript, Shift, Trend,
};
use super::span::Span;
use super::world::{World, pipeline_id, traffic_id};
use crate::domain::alarm::AlarmState;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::{ExecutionId, PipelineId, TrafficId};
use crate::domain::pipeline::RunState;
use crate::domain::write::{FlagChange, Receipt, Write};

/// How the operator is called in the world.
pub const YOU: &str = "you";
/// Until an alarm notices that something got better or worse.
const NOTICED: SignedDuration = SignedDuration::from_secs(45);

/// Does `write` at `now`; the world goes on from there.
pub fn act(world: &mut World, write: &Write, now: Timestamp) -> Result<Receipt, Fault> {
    let receipt = match write {
        Write::Answer { pipeline, execution, approve, comment, .. } => {
            let (service, run) = waiting(world, pipeline, execution.as_ref(), now)?;
            let kind = if *approve {
                DeedKind::Approved
            } else {
                DeedKind::Rejected(format!("rejected: {comment}"))
            };
            deed(world, service, &run, kind, now)
        }
        Write::Retry { pipeline, stage, execution, .. } => {
            let (service, run) = execution_of(world, pipeline, execution)?;
            if run.state(now).0 != RunState::Failed {
                return Err(conflict("it does not fail any more"));
            }
            deed(world, service, &run, DeedKind::Retried(stage.to_string()), now)
        }
        Write::Stop { pipeline, execution, .. } => {
            let (service, run) = execution_of(world, pipeline, execution)?;
            if run.state(now).0 != RunState::Running {
                return Err(conflict("it does not run any more"));
            }
            deed(world, service, &run, DeedKind::Stopped, now)
        }
        Write::Start { pipeline } => {
            let service = service_of(world, pipeline)?;
            let name = format!("by hand {}", service.name);
            let mut rng = world.chance.at(stream(&name), now.as_second().unsigned_abs());
            let run = by_hand(&service, hex(&mut rng, 40), "started by hand", world.offset(now));
            world.script.runs.push(run);
            Receipt::default()
        }
        Write::RollBack { pipeline, stage, to } => {
            let (service, target) = execution_of(world, pipeline, to)?;
            let mut run = by_hand(
                &service,
                target.run.revision.clone(),
                &target.run.message,
                world.offset(now),
            );
            run.author.clone_from(&target.run.author);
            run.puts_back = Some((stage.to_string(), target.id.clone()));
            world.script.runs.push(run);
            Receipt::default()
        }
        Write::Hold { pipeline, stage, reason } => {
            let service = service_of(world, pipeline)?;
            let hold = Hold {
                at: world.offset(now),
                until: None,
                service: service.name,
                stage: stage.to_string(),
                by: YOU.to_owned(),
                reason: reason.to_string(),
            };
            world.script.holds.push(hold);
            Receipt::default()
        }
        Write::Release { pipeline, stage } => {
            let service = service_of(world, pipeline)?;
            let (start, until) = (world.start, world.offset(now));
            for hold in &mut world.script.holds {
                let own = hold.service == service.name && hold.stage == stage.as_str();
                let holds = hold.until.is_none_or(|until| until.after(start) > now);
                if own && holds {
                    hold.until = Some(until);
                }
            }
            Receipt::default()
        }
        Write::Shares { split, shares } => {
            let service = split_of(world, split)?;
            let Some((_, percent)) = shares.iter().find(|(arm, _)| *arm == "canary") else {
                return Err(invalid("say the share of canary"));
            };
            shift(world, &service, f64::from(*percent), now);
            Receipt::default()
        }
        Write::Weights { split, weights } => {
            let service = split_of(world, split)?;
            let total: u32 = weights.iter().map(|(_, weight)| weight).sum();
            let canary = weights.iter().find(|(arm, _)| *arm == "canary");
            let (Some((_, weight)), true) = (canary, total > 0) else {
                return Err(invalid("say the weights of every version"));
            };
            shift(world, &service, f64::from(*weight) * 100.0 / f64::from(total), now);
            Receipt::default()
        }
        Write::Flag { flag, change, .. } => {
            let key = flag.name.to_string();
            let newest = world.flips(&key, now).last().map(|flip| (flip.on, flip.percent));
            let Some(script) = world.script.flags.iter_mut().find(|f| f.key == key) else {
                return Err(Fault::new(FaultKind::NotFound, format!("there is no flag {key}")));
            };
            let (on, percent) = newest.unwrap_or((script.on, script.percent));
            match change {
                FlagChange::Enabled { on } => flip(world, &key, *on, percent, now),
                FlagChange::Percent { percent } => flip(world, &key, on, *percent, now),
                FlagChange::Stale { stale } => {
                    script.stale = stale.then(|| "marked as stale by you".to_owned());
                }
                FlagChange::Attribute { .. } => {
                    return Err(invalid("flags here have no attributes"));
                }
                FlagChange::Halt | FlagChange::Revert => {
                    return Err(invalid("flags here change at once; turn it back"));
                }
            }
            Receipt::default()
        }
        Write::Override { .. } => return Err(invalid("no stage here has conditions")),
        Write::Arm { .. } => return Err(invalid("arms here are always ready; shift their shares")),
    };
    world.replan();
    Ok(receipt)
}

fn conflict(why: &str) -> Fault {
    Fault::new(FaultKind::Conflict, why)
}

fn invalid(why: &str) -> Fault {
    Fault::new(FaultKind::InvalidRequest, why)
}

fn service_of(world: &World, pipeline: &PipelineId) -> Result<ServiceScript, Fault> {
    let mut services = world.script.services.iter();
    let found = services.find(|service| pipeline_id(service) == *pipeline);
    found
        .cloned()
        .ok_or_else(|| Fault::new(FaultKind::NotFound, format!("there is no {}", pipeline.name)))
}

fn split_of(world: &World, split: &TrafficId) -> Result<ServiceScript, Fault> {
    let mut services = world.script.services.iter();
    let found = services.find(|service| traffic_id(service) == *split);
    found
        .cloned()
        .ok_or_else(|| Fault::new(FaultKind::NotFound, format!("there is no {}", split.name)))
}

fn execution_of(
    world: &World,
    pipeline: &PipelineId,
    execution: &ExecutionId,
) -> Result<(ServiceScript, Planned), Fault> {
    let service = service_of(world, pipeline)?;
    let runs = world.plan.get(&service.name).into_iter().flatten();
    let run = runs.into_iter().find(|run| run.id == execution.as_str()).cloned();
    let missing = || Fault::new(FaultKind::NotFound, format!("there is no execution {execution}"));
    Ok((service, run.ok_or_else(missing)?))
}

/// The execution that waits for an answer.
fn waiting(
    world: &World,
    pipeline: &PipelineId,
    execution: Option<&ExecutionId>,
    now: Timestamp,
) -> Result<(ServiceScript, Planned), Fault> {
    let service = service_of(world, pipeline)?;
    let runs = world.plan.get(&service.name).into_iter().flatten();
    let asks = |run: &&Planned| {
        let last = run.visits.last().and_then(|visit| visit.state(now));
        last.is_some_and(|(state, _)| state == RunState::Waiting)
            && run.superseded.is_none_or(|at| at > now)
            && execution.is_none_or(|id| id.as_str() == run.id)
    };
    let found = runs.into_iter().rfind(asks).cloned();
    found
        .map(|run| (service, run))
        .ok_or_else(|| conflict("it does not wait for an answer any more"))
}

fn deed(
    world: &mut World,
    service: ServiceScript,
    run: &Planned,
    kind: DeedKind,
    now: Timestamp,
) -> Receipt {
    let deed = Deed { service: service.name, revision: run.run.revision.clone(), at: now, kind };
    world.script.deeds.push(deed);
    Receipt::default()
}

fn by_hand(service: &ServiceScript, revision: String, message: &str, at: Span) -> Run {
    Run {
        at,
        service: service.name.clone(),
        revision,
        author: YOU.to_owned(),
        message: message.to_owned(),
        fails: None,
        stopped: None,
        approved: None,
        by_hand: true,
        puts_back: None,
    }
}

/// Shifts traffic; what is wrong with the canary then reaches more or fewer visitors.
fn shift(world: &mut World, service: &ServiceScript, percent: f64, now: Timestamp) {
    let at = world.offset(now);
    let sick: Vec<Trend> = world
        .script
        .trends
        .iter()
        .filter(|t| t.service == service.name && t.arm == Some(ArmName::Canary) && t.factor > 1.5)
        .cloned()
        .collect();
    world.script.shifts.push(Shift {
        at,
        service: service.name.clone(),
        percent,
        by: YOU.to_owned(),
    });
    if percent >= 100.0 {
        // What was the canary is what everybody gets now.
        for trend in &sick {
            let over = Span::secs(1);
            let everybody = Trend { arm: Some(ArmName::Stable), from: at, over, ..trend.clone() };
            world.script.trends.push(everybody);
        }
    }
    if percent <= 0.0 {
        alarms(world, service, AlarmState::Ok, "back to usual", now);
    } else if percent >= 50.0 && !sick.is_empty() {
        alarms(world, service, AlarmState::Firing, "errors rise with the canary's share", now);
    }
}

/// Sets a flag; what it broke heals when it is off.
fn flip(world: &mut World, key: &str, on: bool, percent: f64, now: Timestamp) {
    let at = world.offset(now);
    let (flag, by) = (key.to_owned(), YOU.to_owned());
    world.script.flips.push(Flip { at, flag, on, percent, by });
    let Some(owner) = world.script.flags.iter().find(|f| f.key == key).map(|f| f.service.clone())
    else {
        return;
    };
    let caused: Vec<Trend> = world
        .script
        .trends
        .iter()
        .filter(|t| t.flag.as_deref() == Some(key) && t.from.after(world.start) <= now)
        .cloned()
        .collect();
    let net: f64 = caused.iter().map(|t| t.factor).product();
    let sick = !caused.is_empty() && (net - 1.0).abs() > 0.01;
    if on || !sick {
        return;
    }
    for trend in &caused {
        let healed =
            Trend { from: at, over: Span::secs(40), factor: 1.0 / trend.factor, ..trend.clone() };
        world.script.trends.push(healed);
    }
    if let Some(service) = world.script.service(&owner).cloned() {
        alarms(world, &service, AlarmState::Ok, "back to usual since the flag is off", now);
    }
}

/// Lets the alarms of a service notice.
fn alarms(
    world: &mut World,
    service: &ServiceScript,
    state: AlarmState,
    reason: &str,
    now: Timestamp,
) {
    let at = world.offset(now + NOTICED);
    let own = world.script.alarms.iter().filter(|a| a.service == service.name);
    let mut names: Vec<String> = own.map(|a| a.name.clone()).collect();
    names.sort();
    names.dedup();
    // What the scenario has in store for them does not come any more.
    let start = world.start;
    world.script.alarms.retain(|a| a.service != service.name || a.at.after(start) <= now);
    for health in world.script.healths.clone() {
        if health.service == service.name && state == AlarmState::Ok {
            world.script.healths.push(super::script::HealthScript {
                at,
                health: crate::domain::environment::Health::Healthy,
                summary: reason.to_owned(),
                ..health
            });
        }
    }
    for name in names {
        world.script.alarms.push(AlarmScript {
            at,
            name,
            service: service.name.clone(),
            state,
            reason: reason.to_owned(),
        });
    }
}
