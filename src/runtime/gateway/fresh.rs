//! Reading the target of a write again, in the narrowest way its source has.

use std::sync::Arc;

use super::sent::Sent;
use crate::backend::clock::SharedClock;
use crate::backend::context::Meter;
use crate::backend::port::Asked;
use crate::backend::{ReadContext, Source};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fleet::Fleet;
use crate::domain::ids::ItemId;
use crate::domain::observation::{Scope, Topic};
use crate::domain::pipeline::RunState;
use crate::domain::write::{Decision, Moved, Outcome, Verdict, Write, expectation};
use crate::runtime::reading::{self, within};

/// What a reading brought.
pub(super) struct Fresh {
    pub(super) fleet: Fleet,
}

/// How one source is asked.
pub(super) struct Asking<'a> {
    source: &'a Arc<dyn Source>,
    clock: &'a SharedClock,
    meter: Arc<Meter>,
    at_once: bool,
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        source: &'a Arc<dyn Source>,
        clock: &'a SharedClock,
        meter: Arc<Meter>,
    ) -> Self {
        Self { source, clock, meter, at_once: false }
    }

    /// A write does not wait behind the reads of a busy source; they wait for it.
    pub(super) fn at_once(self) -> Self {
        Self { at_once: true, ..self }
    }

    pub(super) fn context(&self) -> ReadContext {
        let context = ReadContext::new(Arc::clone(self.clock), 0, Arc::clone(&self.meter));
        if self.at_once { context.at_once() } else { context }
    }

    /// Reads the target of `write`.
    pub(super) async fn read(&self, write: &Write) -> Result<Fresh, Fault> {
        self.look(write.target()).await
    }

    /// Reads one thing, in the narrowest way.
    pub(super) async fn look(&self, target: ItemId) -> Result<Fresh, Fault> {
        let meta = self.source.meta();
        let narrow = meta.capabilities.topics.contains(&Topic::Items);
        let topic = if narrow { Topic::Items } else { Topic::Overview };
        let scope = Scope { topic, items: vec![target.clone()] };
        let deadline = self.source.cadence().deadline;
        let read = reading::read(Arc::clone(self.source), scope, self.context(), deadline).await;
        let answer = read.result?;
        if let Some((_, fault)) = answer.faults.iter().find(|(item, _)| *item == target) {
            return Err(fault.clone());
        }
        let mut fleet = Fleet::new([meta]);
        fleet.apply(answer);
        Ok(Fresh { fleet })
    }

    /// What became of the approval that `write` wants to answer; `None` while nobody has answered it.
    pub(super) async fn answered(
        &self,
        write: &Write,
        fleet: &Fleet,
    ) -> Result<Option<Decision>, Fault> {
        let Write::Answer { pipeline, stage, action, execution, .. } = write else {
            return Ok(None);
        };
        if let Some(execution) = execution {
            let asked = Asked {
                pipeline: pipeline.clone(),
                stage: Some(stage.clone()),
                action: Some(action.clone()),
                execution: execution.clone(),
            };
            match self.decision(&asked).await {
                Err(fault) if fault.kind == FaultKind::InvalidRequest => {}
                told => return told,
            }
        }
        Ok(shown(write, fleet))
    }

    /// What became of one approval of one execution, as the history of its source tells.
    pub(super) async fn decision(&self, asked: &Asked) -> Result<Option<Decision>, Fault> {
        let context = self.context();
        let told = self.source.decision(asked, &context);
        within(self.source.cadence().deadline, &context, told).await.unwrap_or_else(|| {
            Err(Fault::new(FaultKind::Unreachable, "who answered was not told in time"))
        })
    }

    /// Who answered what `write` wants to answer, if it is known.
    pub(super) async fn answered_by(&self, write: &Write, fleet: &Fleet) -> Option<Outcome> {
        self.answered(write, fleet).await.ok().flatten().map(told)
    }

    /// What a refusal by the source means: who was faster, or what of the target has moved since.
    pub(super) async fn conflict(&self, sent: &Sent<'_>, fault: Fault) -> Outcome {
        let now = self.read(sent.write).await.ok();
        if let Some(now) = &now
            && let Some(told) = self.answered_by(sent.write, &now.fleet).await
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
}

/// What became of an approval, of a source that tells no more than what its stages show.
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
