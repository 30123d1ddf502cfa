//! After a write, with `--wait`: what it set going is followed to its end.
//!
//! Each look is a read of its own that begins after the outcome: a picture from before the write
//! tells nothing of what it set going.

use std::time::Duration;

use tokio::time::Instant;

use crate::cli::exit::Exit;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fleet::Fleet;
use crate::domain::ids::{ExecutionId, PipelineId};
use crate::domain::pipeline::{Pipeline, RunState};
use crate::domain::text::SafeText;
use crate::domain::write::{Receipt, Seen, Step, Write, seen};
use crate::runtime::gateway::Gateway;

/// What is followed after a write.
#[derive(Clone, Debug, PartialEq)]
pub struct Follow<'a> {
    step: &'a Step,
    what: What,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    /// An execution in a stage, or on its own once another one has come in.
    Stage(PipelineId, SafeText, ExecutionId),
    /// An execution to its end.
    Execution(PipelineId, ExecutionId),
    /// An execution until it has stopped.
    Stopping(PipelineId, ExecutionId),
    /// The roll-out of a flag.
    RollOut,
}

impl<'a> Follow<'a> {
    /// What `step` has set going, by what the backend said; `None` if it was at its end when it was
    /// done. Fails if it is not known what was set going.
    pub fn of(step: &'a Step, receipt: Option<&Receipt>) -> Result<Option<Self>, String> {
        let begun = || {
            let id = receipt.and_then(|receipt| receipt.id.as_ref());
            let id = id.map(|id| ExecutionId::new(id.as_str()));
            id.ok_or_else(|| format!("{}: which execution it began is not known", step.words.what))
        };
        let what = match &step.write {
            Write::Answer {
                pipeline, stage, execution: Some(execution), approve: true, ..
            }
            | Write::Retry { pipeline, stage, execution, .. }
            | Write::Override { pipeline, stage, execution, .. } => {
                What::Stage(pipeline.clone(), stage.clone(), execution.clone())
            }
            Write::Answer { execution: None, approve: true, .. } => {
                return Err(format!("{}: of which execution is not known", step.words.what));
            }
            Write::RollBack { pipeline, stage, .. } => {
                What::Stage(pipeline.clone(), stage.clone(), begun()?)
            }
            Write::Start { pipeline } => What::Execution(pipeline.clone(), begun()?),
            Write::Stop { pipeline, execution, .. } => {
                What::Stopping(pipeline.clone(), execution.clone())
            }
            Write::Flag { .. } => What::RollOut,
            Write::Answer { .. }
            | Write::Hold { .. }
            | Write::Release { .. }
            | Write::Shares { .. }
            | Write::Weights { .. }
            | Write::Arm { .. } => return Ok(None),
        };
        Ok(Some(Self { step, what }))
    }

    /// How it stands; `None` while it goes on.
    fn check(&self, fleet: &Fleet) -> Option<Exit> {
        let told = |id: &PipelineId| fleet.pipelines.get(id).map(|o| &*o.value);
        match &self.what {
            What::Stage(pipeline, stage, execution) => {
                let pipeline = told(pipeline)?;
                let stage = pipeline.stage(stage.as_str())?;
                if stage.execution.as_ref() == Some(execution) {
                    ended(stage.state)
                } else {
                    ended(state(pipeline, execution)?)
                }
            }
            What::Execution(pipeline, execution) => ended(state(told(pipeline)?, execution)?),
            What::Stopping(pipeline, execution) => match state(told(pipeline)?, execution)? {
                RunState::Stopped | RunState::Cancelled => Some(Exit::Good),
                other => ended(other).map(|_| Exit::Failing),
            },
            What::RollOut => self.rolled_out(fleet),
        }
    }

    /// A roll-out has ended when none is told of any more: with the effect, or taken back.
    fn rolled_out(&self, fleet: &Fleet) -> Option<Exit> {
        let Write::Flag { flag, environment, .. } = &self.step.write else { return None };
        let flag = &fleet.flags.get(flag)?.value;
        if flag.environment(environment.as_str())?.rollout.is_some() {
            return None;
        }
        match seen(&self.step.write, &self.step.expects, fleet) {
            Seen::Effect => Some(Exit::Good),
            Seen::NotYet | Seen::Other(_) => Some(Exit::Failing),
            Seen::Unknown(_) => None,
        }
    }

    /// Follows it to its end, or until `end`.
    pub async fn follow(&self, gateway: &Gateway, end: Instant) -> Exit {
        let pace = gateway.pace(&self.step.write);
        let mut last: Option<Fault> = None;
        loop {
            match tokio::time::timeout_at(end, gateway.read(&self.step.write)).await {
                Ok(Ok(fleet)) => {
                    last = None;
                    if let Some(exit) = self.check(&fleet) {
                        return exit;
                    }
                }
                // It may be read again before time is over.
                Ok(Err(fault)) => last = Some(fault),
                Err(_) => {}
            }
            let now = Instant::now();
            if now >= end {
                return match last.map(|fault| fault.kind) {
                    Some(FaultKind::NotAuthenticated) => Exit::NotAuthenticated,
                    Some(_) => Exit::Unknown,
                    None => Exit::TimedOut,
                };
            }
            tokio::time::sleep_until(end.min(now + pace)).await;
        }
    }
}

fn state(pipeline: &Pipeline, execution: &ExecutionId) -> Option<RunState> {
    pipeline.execution(execution).map(|run| run.state)
}

fn ended(state: RunState) -> Option<Exit> {
    match state {
        RunState::Succeeded => Some(Exit::Good),
        RunState::Failed | RunState::Stopped | RunState::Cancelled | RunState::Superseded => {
            Some(Exit::Failing)
        }
        _ => None,
    }
}

/// Follows everything that was set going; tells of what there is nothing to follow.
pub async fn follow(
    gateway: &Gateway,
    steps: &[Step],
    receipts: &[Option<Receipt>],
    limit: Duration,
) -> (Exit, Vec<SafeText>) {
    let end = Instant::now() + limit;
    let mut notes = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        match Follow::of(step, receipts.get(i).and_then(Option::as_ref)) {
            Ok(Some(own)) => {
                let exit = own.follow(gateway, end).await;
                if exit != Exit::Good {
                    return (exit, notes);
                }
            }
            Ok(None) => {
                let what = &step.words.what;
                notes.push(format!("nothing to wait for: {what} is at its end").into());
            }
            Err(why) => {
                notes.push(format!("cannot be waited for: {why}").into());
                return (Exit::Unknown, notes);
            }
        }
    }
    (Exit::Good, notes)
}
