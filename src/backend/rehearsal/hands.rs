//! What the operator does in the world, and what follows from it.

use jiff::Timestamp;

use super::chance::{hex, stream};
use super::deeds::{Deed, DeedKind};
use super::operator::{YOU, conflict, invalid};
use super::pipelines::BEFORE_ENTRY;
use super::plan::Planned;
use super::script::{Hold, Run, ServiceScript};
use super::span::Span;
use super::world::{World, pipeline_id, traffic_id};
use super::{steer, switch};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::{ExecutionId, PipelineId, TrafficId};
use crate::domain::pipeline::RunState;
use crate::domain::text::SafeText;
use crate::domain::write::{Receipt, Write};

/// Does `write` at `now`; the world goes on from there.
pub fn act(world: &mut World, write: &Write, now: Timestamp) -> Result<Receipt, Fault> {
    let receipt = match write {
        Write::Answer { pipeline, execution, approve, comment, .. } => {
            let run = waiting(world, pipeline, execution.as_ref(), now)?;
            let kind = if *approve {
                DeedKind::Approved
            } else {
                DeedKind::Rejected(format!("rejected: {comment}"))
            };
            deed(world, &run, kind, now)
        }
        Write::Retry { pipeline, stage, execution, all } => {
            let (service, run) = execution_of(world, pipeline, execution)?;
            again(world, &service, &run, stage, now)?;
            let kind = DeedKind::Retried { stage: stage.to_string(), all: *all };
            deed(world, &run, kind, now)
        }
        Write::Stop { pipeline, execution, abandon, .. } => {
            let (_, run) = execution_of(world, pipeline, execution)?;
            if run.state(now).0 != RunState::Running {
                return Err(conflict("it does not run any more"));
            }
            deed(world, &run, DeedKind::Stopped { abandon: *abandon }, now)
        }
        Write::Override { pipeline, stage, execution, condition } => {
            let (service, run) = execution_of(world, pipeline, execution)?;
            refused(&service, &run, stage, condition, now)?;
            deed(world, &run, DeedKind::Overridden(stage.to_string()), now)
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
            steer::shares(world, &service, shares, now)?
        }
        Write::Weights { split, weights } => {
            let service = split_of(world, split)?;
            steer::weights(world, &service, weights, now)?
        }
        Write::Arm { split, arm, wish } => {
            let service = split_of(world, split)?;
            steer::arm(world, &service, arm, *wish, now)?
        }
        Write::Flag { flag, environment, change, strategy } => {
            let place = (flag, environment);
            switch::change(world, place, change, strategy.as_ref(), now)?
        }
    };
    world.replan();
    Ok(receipt)
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
) -> Result<Planned, Fault> {
    let service = service_of(world, pipeline)?;
    let runs = world.plan.get(&service.name).into_iter().flatten();
    let asks = |run: &&Planned| {
        let last = run.visits.last().and_then(|visit| visit.state(now));
        last.is_some_and(|(state, _)| state == RunState::Waiting)
            && run.superseded.is_none_or(|at| at > now)
            && execution.is_none_or(|id| id.as_str() == run.id)
    };
    let found = runs.into_iter().rfind(asks).cloned();
    found.ok_or_else(|| conflict("it does not wait for an answer any more"))
}

/// Whether `run` failed in `stage`, and nothing has entered that since.
fn again(
    world: &World,
    service: &ServiceScript,
    run: &Planned,
    stage: &SafeText,
    now: Timestamp,
) -> Result<(), Fault> {
    let at = service.stages.iter().position(|own| stage == own.as_str());
    let at = at.ok_or_else(|| invalid(format!("there is no stage {stage}")))?;
    let state = run.visit(at).and_then(|visit| visit.state(now));
    if state.is_none_or(|(state, _)| state != RunState::Failed) {
        return Err(conflict("it does not fail there any more"));
    }
    let entered = |run: &Planned| run.visit(at).and_then(|visit| visit.entered);
    let runs = world.plan.get(&service.name).into_iter().flatten();
    let newest = runs.filter_map(entered).filter(|at| *at <= now).max();
    if newest > entered(run) {
        return Err(conflict("a newer execution has entered that stage since"));
    }
    Ok(())
}

/// Whether `run` stands before `stage` because of its `condition`.
fn refused(
    service: &ServiceScript,
    run: &Planned,
    stage: &SafeText,
    condition: &SafeText,
    now: Timestamp,
) -> Result<(), Fault> {
    let refused = run.run.refused.as_ref().filter(|own| *stage == own.stage.as_str());
    if refused.is_none() || *condition != *BEFORE_ENTRY {
        return Err(invalid(format!("no condition {condition} of {stage} refuses it")));
    }
    let at = service.stages.iter().position(|own| stage == own.as_str());
    if !at.is_some_and(|at| run.is_inbound(at, now)) {
        return Err(conflict("it does not stand before that stage any more"));
    }
    Ok(())
}

fn deed(world: &mut World, run: &Planned, kind: DeedKind, now: Timestamp) -> Receipt {
    world.script.deeds.push(Deed { execution: run.id.clone(), at: now, kind });
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
        refused: None,
        approved: None,
        by_hand: true,
        puts_back: None,
    }
}
