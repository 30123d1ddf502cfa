//! The way back from a plan that was carried out: offered for as long as it leads back.

use super::Composed;
use crate::app::activity::{Activity, ActivityStep, Phase};
use crate::app::state::State;
use crate::domain::ids::ItemId;
use crate::domain::write::{Expectation, Outcome, PlanId, Seen, Write, seen};

/// What undoes `plan`; or why nothing does, or nothing does any more.
pub(super) fn undo(state: &State, plan: &PlanId) -> Result<Composed, String> {
    let at = state.activity.iter().position(|activity| activity.plan == *plan);
    let own = at.and_then(|at| state.activity.get(at));
    let own = own.ok_or("that write is not known here")?;
    let since = state.activity.get(..at.unwrap_or(0)).unwrap_or_default();
    let mut writes = Vec::new();
    // What was done last is undone first.
    for step in own.steps.iter().rev() {
        match &step.phase {
            Some(Phase::Ended { outcome: Outcome::Done { .. } }) => {
                writes.push(step_back(state, step, since)?);
            }
            Some(Phase::Ended { outcome: Outcome::Unknown { why } }) => {
                return Err(format!(
                    "whether {} was done is unknown: {why}; read the target, and act on what is there",
                    step.words
                ));
            }
            Some(Phase::Ended { .. }) => {}
            None | Some(_) => return Err(format!("{} is under way", own.title)),
        }
    }
    if writes.is_empty() {
        return Err(format!("{} was not done: there is nothing to undo", own.title));
    }
    Ok(Composed {
        title: format!("undo: {}", own.title),
        service: own.service.clone(),
        writes,
        notes: Vec::new(),
    })
}

/// What undoes one step, if things still are as it left them.
fn step_back(state: &State, step: &ActivityStep, since: &[Activity]) -> Result<Write, String> {
    let Some(undo) = &step.undo else {
        let why = step.no_undo.clone().unwrap_or_default();
        return Err(format!("{} cannot be undone: {why}", step.words));
    };
    let done = |activity: &&Activity| {
        activity.title.as_str().starts_with("undo: ")
            && activity.steps.iter().any(|own| own.is_done() && own.write == *undo)
    };
    if let Some(before) = since.iter().find(done) {
        return Err(format!("{} was undone before, at {}", step.words, clock(before)));
    }
    match seen(&step.write, &Expectation::default(), &state.fleet) {
        Seen::Effect => {}
        Seen::NotYet | Seen::Other(_) => {
            let by = changed_by(state, step, since);
            let by = by.map(|by| format!(", by {by}")).unwrap_or_default();
            return Err(format!("{}: changed since{by}; act on what is there now", step.words));
        }
        Seen::Unknown(why) => {
            return Err(format!("whether {} still holds is unknown: {why}", step.words));
        }
    }
    if let Write::RollBack { pipeline, stage, to } = undo {
        let known = state.fleet.pipelines.get(pipeline);
        let targets = known.map(|o| o.value.rollback_targets(stage.as_str())).unwrap_or_default();
        match targets.into_iter().find(|(id, _)| id == to) {
            Some((_, Ok(()))) => {}
            Some((_, Err(why))) => return Err(format!("{to} cannot be put back: {why}")),
            None => return Err(format!("{to} is not among the executions told")),
        }
    }
    Ok(undo.clone())
}

fn clock(activity: &Activity) -> String {
    activity.at.strftime("%H:%M:%S").to_string()
}

/// Who has changed the target of `step` since, as far as it is told.
fn changed_by(state: &State, step: &ActivityStep, since: &[Activity]) -> Option<String> {
    let target: ItemId = step.write.target();
    let touches = |activity: &&Activity| {
        activity.did_something() && activity.steps.iter().any(|own| own.write.target() == target)
    };
    if let Some(own) = since.iter().find(touches) {
        return Some(format!("\"{}\" at {}", own.title, clock(own)));
    }
    let after = step.at?;
    let changes = state.fleet.changes.iter().map(|(_, observed)| &observed.value);
    let later = changes.filter(|change| change.at > after && change.target == Some(target.clone()));
    let last = later.max_by_key(|change| change.at)?;
    let at = last.at.strftime("%H:%M:%S");
    Some(match &last.who {
        Some(who) => format!("{who} at {at}"),
        None => format!("\"{}\" at {at}", last.title),
    })
}
