//! Reading the target of a write again, in the narrowest way its source has.

use std::sync::Arc;

use super::sent::Sent;
use crate::backend::clock::SharedClock;
use crate::backend::context::Meter;
use crate::backend::port::Asked;
use crate::backend::{ReadContext, Source};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fleet::Fleet;
use crate::domain::observation::{Scope, Topic};
use crate::domain::pipeline::RunState;
use crate::domain::write::{Decision, Moved, Outcome, Verdict, Write, expectation};

/// What a reading brought.
pub(super) struct Fresh {
    pub(super) fleet: Fleet,
}

/// A context of its own: a write does not wait behind the reads of a busy source.
pub(super) fn context(source: &Arc<dyn Source>, clock: &SharedClock) -> ReadContext {
    let meter = Arc::new(Meter::new(source.cadence().budget_per_minute));
    ReadContext::new(Arc::clone(clock), 0, meter)
}

/// Reads the target of `write`.
pub(super) async fn read(
    source: &Arc<dyn Source>,
    write: &Write,
    clock: &SharedClock,
) -> Result<Fresh, Fault> {
    let meta = source.meta();
    let target = write.target();
    let narrow = meta.capabilities.topics.contains(&Topic::Items);
    let scope = if narrow {
        Scope { topic: Topic::Items, items: vec![target.clone()] }
    } else {
        Scope { topic: Topic::Overview, items: vec![target.clone()] }
    };
    let context = context(source, clock);
    let deadline = source.cadence().deadline;
    let answer = match tokio::time::timeout(deadline, source.observe(&scope, &context)).await {
        Ok(answer) => answer?,
        Err(_) => {
            let message = format!("no answer within {} s", deadline.as_secs());
            return Err(Fault::new(FaultKind::Unreachable, message));
        }
    };
    if let Some((_, fault)) = answer.faults.iter().find(|(item, _)| *item == target) {
        return Err(fault.clone());
    }
    let mut fleet = Fleet::new([meta]);
    fleet.apply(answer);
    Ok(Fresh { fleet })
}

/// What became of the approval that `write` wants to answer; `None` while nobody has answered it.
pub(super) async fn answered(
    source: &Arc<dyn Source>,
    write: &Write,
    fleet: &Fleet,
    clock: &SharedClock,
) -> Result<Option<Decision>, Fault> {
    let Write::Answer { pipeline, stage, action, execution, .. } = write else { return Ok(None) };
    if let Some(execution) = execution {
        let asked = Asked {
            pipeline: pipeline.clone(),
            stage: Some(stage.clone()),
            action: Some(action.clone()),
            execution: execution.clone(),
        };
        match decision(source, &asked, clock).await {
            Err(fault) if fault.kind == FaultKind::InvalidRequest => {}
            told => return told,
        }
    }
    Ok(shown(write, fleet))
}

/// What became of one approval of one execution, as the history of its source tells.
pub(super) async fn decision(
    source: &Arc<dyn Source>,
    asked: &Asked,
    clock: &SharedClock,
) -> Result<Option<Decision>, Fault> {
    let context = context(source, clock);
    let told = source.decision(asked, &context);
    match tokio::time::timeout(source.cadence().deadline, told).await {
        Ok(told) => told,
        Err(_) => Err(Fault::new(FaultKind::Unreachable, "who answered was not told in time")),
    }
}

/// The same, of a source that tells no more than what its stages show.
fn shown(write: &Write, fleet: &Fleet) -> Option<Decision> {
    let Write::Answer { pipeline, stage, action, execution, .. } = write else { return None };
    let pipeline = &fleet.pipelines.get(pipeline)?.value;
    let stage = pipeline.stage(stage.as_str())?;
    if execution.is_some() && stage.execution != *execution {
        return None;
    }
    let action = stage.actions.iter().find(|a| a.name == *action)?;
    let verdict = match action.state {
        RunState::Succeeded => Verdict::Approved,
        RunState::Failed => Verdict::Rejected,
        _ => return None,
    };
    let (by, at, comment) = (action.by.clone(), action.at, action.summary.clone());
    Some(Decision { verdict, by, at, comment })
}

/// Somebody was faster, or nobody answered in time.
pub(super) fn told(decision: Decision) -> Outcome {
    match decision.verdict.answer() {
        Some(approved) => {
            Outcome::Answered { approved: Some(approved), by: decision.by, at: decision.at }
        }
        None => Outcome::Moved {
            moved: vec![Moved {
                what: "approval".into(),
                seen: RunState::Waiting.word().into(),
                now: decision.words().into(),
            }],
            said: None,
        },
    }
}

/// The same for what `write` wants to answer, if it is known.
pub(super) async fn answered_by(
    source: &Arc<dyn Source>,
    write: &Write,
    fleet: &Fleet,
    clock: &SharedClock,
) -> Option<Outcome> {
    answered(source, write, fleet, clock).await.ok().flatten().map(told)
}

/// What a refusal by the source means: who was faster, or what of the target has moved since.
pub(super) async fn conflict(
    source: &Arc<dyn Source>,
    sent: &Sent<'_>,
    fault: Fault,
    clock: &SharedClock,
) -> Outcome {
    let now = read(source, sent.write, clock).await.ok();
    if let Some(now) = &now
        && let Some(told) = answered_by(source, sent.write, &now.fleet, clock).await
    {
        return told;
    }
    let now = now.and_then(|now| expectation(sent.write, &now.fleet).ok());
    let moved = now.map(|now| sent.was.moved(&now)).unwrap_or_default();
    let said = format!("{} ({})", fault.message, fault.hint);
    if !moved.is_empty() {
        return Outcome::Moved { moved, said: Some(said.into()) };
    }
    if fault.kind == FaultKind::Conflict {
        return Outcome::Moved { moved: vec![sent.was.gone(&said)], said: None };
    }
    Outcome::Failed { fault }
}
