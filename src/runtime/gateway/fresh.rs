//! Reading the target of a write again, in the narrowest way its source has.

use std::sync::Arc;

use crate::backend::clock::SharedClock;
use crate::backend::context::Meter;
use crate::backend::{ReadContext, Source};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fleet::Fleet;
use crate::domain::observation::{Scope, Topic};
use crate::domain::pipeline::RunState;
use crate::domain::write::{Expectation, Outcome, Write, expectation};

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

/// Who answered the approval that `write` wanted to answer, if somebody did.
pub(super) fn answered_by(write: &Write, fleet: &Fleet) -> Option<Outcome> {
    let Write::Answer { pipeline, stage, action, execution, .. } = write else { return None };
    let pipeline = &fleet.pipelines.get(pipeline)?.value;
    let stage = pipeline.stage(stage.as_str())?;
    let own = execution.is_none() || stage.execution == *execution;
    let action = stage.actions.iter().find(|a| a.name == *action)?;
    let answered = matches!(action.state, RunState::Succeeded | RunState::Failed);
    (own && answered).then(|| Outcome::Answered { by: action.by.clone(), at: action.at })
}

/// What a refusal by the source means: who was faster, or what of the target has moved since `was`.
pub(super) async fn conflict(
    source: &Arc<dyn Source>,
    write: &Write,
    was: &Expectation,
    fault: Fault,
    clock: &SharedClock,
) -> Outcome {
    let now = read(source, write, clock).await.ok();
    if let Some(told) = now.as_ref().and_then(|now| answered_by(write, &now.fleet)) {
        return told;
    }
    let now = now.and_then(|now| expectation(write, &now.fleet).ok());
    let moved = now.map(|now| was.moved(&now)).unwrap_or_default();
    let said = format!("{} ({})", fault.message, fault.hint);
    if !moved.is_empty() {
        return Outcome::Moved { moved, said: Some(said.into()) };
    }
    if fault.kind == FaultKind::Conflict {
        return Outcome::Moved { moved: vec![was.gone(&said)], said: None };
    }
    Outcome::Failed { fault }
}
