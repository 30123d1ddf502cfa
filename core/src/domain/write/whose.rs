//! Whose an effect is: after a lost reply, what is there now may be somebody else's doing.

use jiff::Timestamp;

use super::decision::Decision;
use super::expectation::{Expectation, known, stage_of};
use super::kind::Write;
use super::outcome::Receipt;
use crate::domain::fleet::Fleet;
use crate::domain::pipeline::{Execution, Pipeline};
use crate::domain::text::SafeText;

/// Whose an effect is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Ours, as the backend itself tells.
    Ours,
    /// Somebody else's.
    Others {
        /// Whose, if it is told.
        by: Option<SafeText>,
        /// Since when, if it is told.
        at: Option<Timestamp>,
    },
    /// The backend does not tell.
    Untold,
}

/// Whose the effect of `write` is that `fleet` shows; it was sent as `me`, and `before` is what was
/// true then. An answer to an approval is told by its decision instead.
pub fn whose(write: &Write, before: &Expectation, me: Option<&SafeText>, fleet: &Fleet) -> Whose {
    trace(write, before, me, fleet).unwrap_or(Whose::Untold)
}

fn trace(
    write: &Write,
    before: &Expectation,
    me: Option<&SafeText>,
    fleet: &Fleet,
) -> Option<Whose> {
    match write {
        Write::Start { pipeline } => {
            let was = before.get("newest execution")?;
            let pipeline = known(fleet, pipeline).ok()?;
            let new = pipeline.executions.iter().take_while(|run| *was != *run.id.as_str());
            Some(of_runs(new, me))
        }
        Write::RollBack { pipeline, stage, to } => {
            let was = before.get("execution")?;
            let pipeline = known(fleet, pipeline).ok()?;
            stage_of(pipeline, stage).ok()?;
            let new = pipeline.executions.iter().take_while(|run| *was != *run.id.as_str());
            Some(of_runs(new.filter(|run| run.rollback_to.as_ref() == Some(to)), me))
        }
        Write::Hold { pipeline, stage, .. } | Write::Release { pipeline, stage } => {
            let way = stage_of(known(fleet, pipeline).ok()?, stage).ok()?.transition.as_ref()?;
            Some(of(way.by.as_ref()?, way.at, me, true))
        }
        Write::Stop { pipeline, execution, reason, .. } => {
            // Nobody is named, but the reason is: ours says enough to be known again.
            let run = known(fleet, pipeline).ok()?.execution(execution)?;
            let ours = !reason.is_empty() && run.summary.as_ref() == Some(reason);
            ours.then_some(Whose::Ours)
        }
        _ => None,
    }
}

/// Whose an answer is; it was sent as `me` with `comment`.
pub fn whose_answer(decision: &Decision, comment: &SafeText, me: Option<&SafeText>) -> Whose {
    let Some(by) = &decision.by else { return Whose::Untold };
    let same = decision.comment.as_ref().is_none_or(|told| has(told, comment));
    of(by, decision.at, me, same)
}

/// Whether the execution that the backend began for `write` is there; `None` if that cannot be told.
pub fn begun(write: &Write, receipt: &Receipt, fleet: &Fleet) -> Option<bool> {
    let (Write::Start { pipeline } | Write::RollBack { pipeline, .. }) = write else { return None };
    let id = receipt.id.as_ref()?;
    let pipeline: &Pipeline = known(fleet, pipeline).ok()?;
    Some(pipeline.executions.iter().any(|run| *id == *run.id.as_str()))
}

fn of_runs<'a>(runs: impl Iterator<Item = &'a Execution>, me: Option<&SafeText>) -> Whose {
    let mut others = Whose::Untold;
    for run in runs {
        match run.by.as_ref().map(|by| of(by, run.started, me, true)) {
            Some(Whose::Ours) => return Whose::Ours,
            // The newest one is told of.
            Some(found @ Whose::Others { .. }) if others == Whose::Untold => others = found,
            _ => {}
        }
    }
    others
}

fn of(by: &SafeText, at: Option<Timestamp>, me: Option<&SafeText>, same: bool) -> Whose {
    match me {
        None => Whose::Untold,
        Some(me) if same && is_me(by, me) => Whose::Ours,
        Some(_) => Whose::Others { by: Some(by.clone()), at },
    }
}

/// Whether `by`, as histories name people, is the identity `me`, as a source tells its own:
/// `arn:aws:iam::1:user/alice · 1 · eu-west-1`.
fn is_me(by: &SafeText, me: &SafeText) -> bool {
    let me = me.as_str().split(" · ").next().unwrap_or_default();
    let end = me.starts_with("arn:").then(|| me.rsplit(['/', ':']).next()).flatten();
    by.as_str() == me || end.is_some_and(|end| by.as_str() == end)
}

/// Whether what is told beside an answer has our comment in it, however the backend words it.
fn has(told: &SafeText, comment: &SafeText) -> bool {
    let plain = |text: &SafeText| -> String {
        text.as_str().chars().filter(|c| c.is_alphanumeric()).collect()
    };
    plain(told).contains(&plain(comment))
}
