//! Plans: from what the operator wants to the steps that do it, with what was seen and the guards.

mod back;
mod beside;
mod choices;
mod compose;
mod guards;
mod lookup;
mod place;
mod reading;
mod shares;
mod undo;

pub use choices::{Subject, choices, service_of};
pub use reading::{holders, looked_at};

use jiff::Timestamp;

use super::age;
use super::intent::Intent;
use super::state::State;
use crate::domain::ids::ServiceId;
use crate::domain::text::SafeText;
use crate::domain::write::{Moved, Plan, PlanId, Step, Write, expectation, inverse, words};

/// What an intent comes down to.
pub(super) struct Composed {
    /// What it is for.
    pub(super) title: String,
    /// Whose it is.
    pub(super) service: Option<ServiceId>,
    /// What is written, in this order.
    pub(super) writes: Vec<Write>,
    /// What to know besides.
    pub(super) notes: Vec<String>,
}

/// The plan of `intent` as things are on the screen; or why there is none. `comment` is what is
/// written beside an answer or as the reason of a hold.
pub fn plan(state: &State, intent: &Intent, comment: &str, id: PlanId) -> Result<Plan, String> {
    let composed = compose::compose(state, intent, comment)?;
    let mut steps = Vec::new();
    for write in composed.writes {
        steps.push(step(state, write)?);
    }
    // A pilot shifts traffic later, without asking again.
    let production = matches!(intent, Intent::Fly { .. })
        || steps.iter().any(|step| place::is_production(state, &step.write));
    let name = composed
        .service
        .as_ref()
        .map(|id| id.text().clone())
        .or_else(|| steps.first().map(|step| step.write.target().name().clone()))
        .unwrap_or_default();
    let mut plan = Plan {
        id,
        title: composed.title.into(),
        service: composed.service,
        steps,
        guards: Vec::new(),
        at: state.now,
        production,
        name,
        notes: composed.notes.into_iter().map(SafeText::from).collect(),
        intent: serde_json::to_value(intent).unwrap_or_default(),
    };
    plan.guards = guards::guards(state, &plan);
    Ok(plan)
}

fn step(state: &State, write: Write) -> Result<Step, String> {
    let mut expects = expectation(&write, &state.fleet)?;
    expects.beside = beside::of(state, &write);
    let target = write.target();
    let seen_at = age::of_item(state, &target).map_or(Timestamp::UNIX_EPOCH, |age| age.at);
    let source = state.fleet.sources.get(target.source());
    let (undo, no_undo) = match inverse(&write, &state.fleet) {
        Ok(undo) => (Some(undo), None),
        Err(why) => (None, Some(why.into())),
    };
    Ok(Step {
        words: words(&write, &state.fleet),
        expects,
        seen_at,
        identity: source.and_then(|s| s.identity.clone()),
        place: source.map(|s| s.meta.place.clone()).unwrap_or_default(),
        undo,
        no_undo,
        write,
    })
}

/// `intent` for a new plan: an answer to what waits by now, if what was to be answered waits no more.
pub fn renewed(state: &State, intent: &Intent) -> Intent {
    let Intent::Answer { pipeline, stage, action, approve, .. } = intent else {
        return intent.clone();
    };
    let whole = |execution, stage, action| Intent::Answer {
        pipeline: pipeline.clone(),
        stage,
        action,
        execution,
        approve: *approve,
    };
    let any = [whole(None, stage.clone(), action.clone()), whole(None, None, None)];
    let id = || PlanId(String::new());
    let mut tried = std::iter::once(intent.clone()).chain(any.clone());
    let found = tried.find(|intent| plan(state, intent, "", id()).is_ok());
    let [_, last] = any;
    found.unwrap_or(last)
}

/// The plan with the guards as they are now, and what of its targets has moved since it was made.
pub fn again(state: &State, plan: &mut Plan) -> Vec<Moved> {
    plan.guards = guards::guards(state, plan);
    let mut moved = Vec::new();
    for step in &plan.steps {
        match expectation(&step.write, &state.fleet) {
            Ok(now) => {
                moved.extend(step.expects.moved(&now));
                moved.extend(step.expects.beside.iter().filter_map(|b| b.moved(&state.fleet)));
            }
            Err(why) => moved.push(step.expects.gone(&why)),
        }
    }
    moved
}
