//! Pilots at work: from what they decide to plans, and from outcomes to the next decision.

mod decide;

use jiff::SignedDuration;

use crate::app::activity::{Activity, ActivityStep};
use crate::app::effect::Effect;
use crate::app::intent::Intent;
use crate::app::msg::Notice;
use crate::app::pilot::{End, Phase, Pilot};
use crate::app::plan::plan;
use crate::app::select::canaries::split_of;
use crate::app::state::State;
use crate::domain::canary::{CanarySpec, Purpose};
use crate::domain::ids::CanaryId;
use crate::domain::text::SafeText;
use crate::domain::write::{Answers, Outcome, PlanId, Write, confirm};
use decide::{Decision, decide};

/// Tries to take a canary back, before only a human can.
const TRIES: u32 = 3;

/// Lets a pilot ask for a canary; `limit` takes the place of the canary's own deadline.
pub fn engage(
    state: &mut State,
    canary: &CanaryId,
    limit: Option<SignedDuration>,
    effects: &mut Vec<Effect>,
) -> Result<(), String> {
    let mut specs = state.setup.services.iter().flat_map(|s| &s.canaries);
    let spec = specs.find(|spec| spec.id == *canary);
    let spec = spec.ok_or_else(|| format!("there is no canary {canary}"))?;
    if spec.purpose == Purpose::Experiment {
        return Err(format!("{canary} is an experiment: neither side is taken back or forward"));
    }
    let pilot = Pilot::new(canary.clone(), state.now, limit.unwrap_or(spec.deadline));
    state.pilots.insert(canary.clone(), pilot);
    effects.push(Effect::Lease { canary: canary.clone(), take: true });
    Ok(())
}

/// Hands the canary over to a human, at once.
pub fn hand_over(state: &mut State, canary: &CanaryId, why: &str, effects: &mut Vec<Effect>) {
    let now = state.now;
    if let Some(pilot) = state.pilots.get_mut(canary)
        && pilot.ended().is_none()
    {
        pilot.end(now, End::HandedOver, format!("handed over: {why}"));
        effects.push(Effect::Lease { canary: canary.clone(), take: false });
    }
}

/// Whether the canary is this pilot's alone.
pub fn lease(state: &mut State, canary: &CanaryId, other: Option<&SafeText>) {
    let now = state.now;
    let Some(pilot) = state.pilots.get_mut(canary) else { return };
    if pilot.phase != Phase::Asking {
        return;
    }
    if let Some(other) = other {
        let why = format!("another pilot flies this canary: {other}");
        pilot.end(now, End::HandedOver, &why);
    } else {
        pilot.phase = Phase::Flying;
        pilot.say(now, "flying");
    }
}

/// Lets every pilot decide.
pub fn fly(state: &mut State, effects: &mut Vec<Effect>) {
    if state.pilots.is_empty() {
        return;
    }
    let flying: Vec<CanaryId> = state
        .pilots
        .iter()
        .filter(|(_, p)| p.ended().is_none())
        .map(|(id, _)| id.clone())
        .collect();
    for canary in flying {
        let spec = state.setup.services.iter().flat_map(|s| &s.canaries).find(|c| c.id == canary);
        let Some(spec) = spec.cloned() else { continue };
        let Some(mut pilot) = state.pilots.remove(&canary) else { continue };
        match pilot.phase.clone() {
            Phase::Flying => act(state, &spec, &mut pilot, effects),
            Phase::Writing { plan, step } => look(state, &plan, step, &mut pilot),
            Phase::Asking | Phase::Ended { .. } => {}
        }
        if pilot.ended().is_some() {
            effects.push(Effect::Lease { canary: canary.clone(), take: false });
            state.view.notice =
                Some(Notice::warning(format!("pilot of {canary}: {}", pilot.now())));
        }
        state.pilots.insert(canary, pilot);
    }
}

fn act(state: &mut State, spec: &CanarySpec, pilot: &mut Pilot, effects: &mut Vec<Effect>) {
    let now = state.now;
    match decide(state, spec, pilot) {
        // What a human is needed for stays the last that is said.
        Decision::Wait(_) if pilot.grounded.is_some() => {}
        Decision::Wait(why) => pilot.say(now, why),
        Decision::Ground(why) => pilot.ground(now, &why),
        Decision::Finish => pilot.end(now, End::Finished, "the canary has all the traffic"),
        Decision::HandOver(why) => pilot.end(now, End::HandedOver, format!("handed over: {why}")),
        Decision::Step(percent) => {
            let Some((split, _)) = split_of(spec, &state.fleet) else { return };
            let intent = Intent::Shift { split: split.clone(), arm: spec.canary.clone(), percent };
            // Whatever wants a reason wants a human.
            match submit(state, &intent, "", effects) {
                Ok(plan) => {
                    pilot.say(now, format!("on to {percent}%"));
                    pilot.phase = Phase::Writing { plan, step: Some(percent) };
                }
                Err(why) => pilot.say(now, format!("holding before {percent}%: {why}")),
            }
        }
        Decision::Back(why) => {
            if pilot.failed >= TRIES {
                pilot.ground(now, "the canary could not be taken back");
                return;
            }
            let intent = Intent::RollBackAndHold {
                service: spec.service.clone(),
                only: Some(spec.id.clone()),
            };
            match submit(state, &intent, &format!("by the pilot: {why}"), effects) {
                Ok(plan) => {
                    pilot.say(now, format!("back to the baseline: {why}"));
                    pilot.phase = Phase::Writing { plan, step: None };
                }
                Err(refusal) => {
                    pilot.ground(
                        now,
                        &format!("the canary does harm and cannot be taken back: {refusal}"),
                    );
                }
            }
        }
    }
}

/// Plans, confirms and sends; the human who engaged the pilot confirmed what it does. It has a comment,
/// and never a reason: what wants one wants a human.
fn submit(
    state: &mut State,
    intent: &Intent,
    comment: &str,
    effects: &mut Vec<Effect>,
) -> Result<PlanId, String> {
    let id = PlanId(format!("{}-{}", state.setup.session, state.plans + 1));
    let plan = plan(state, intent, comment, id.clone())?;
    let comment = comment.to_owned();
    let typed = plan.name.to_string();
    let answers = Answers { go: true, typed, comment, ..Answers::default() };
    let confirmed = confirm(&plan, &answers, state.now)?;
    state.plans += 1;
    state.activity.insert(0, Activity::of(confirmed.plan()));
    state.refresh_activity(&id);
    effects.push(Effect::Submit(Box::new(confirmed)));
    Ok(id)
}

/// What became of the last write.
fn look(state: &State, plan: &PlanId, step: Option<u32>, pilot: &mut Pilot) {
    let now = state.now;
    let own = state.activity.iter().find(|a| a.plan == *plan);
    let Some(outcome) = own.and_then(Activity::outcome) else { return };
    let done = matches!(outcome, Outcome::Done { .. });
    // The clock of the reports, not that of the screen: it may lag behind what was read.
    let last = own.and_then(|a| a.steps.iter().filter_map(|step| step.at).max());
    pilot.since = last.map_or(now, |last| last.max(now));
    pilot.phase = Phase::Flying;
    match step {
        Some(percent) if done => {
            pilot.share = Some(f64::from(percent));
            pilot.say(now, format!("{percent}%: set"));
        }
        Some(percent) => {
            let why = format!("{percent}% was not set: {}", outcome.sentence());
            // What was read again tells which share there is now.
            pilot.share = None;
            pilot.ground(now, &why);
        }
        None if done => {
            let steps = own.iter().flat_map(|activity| &activity.steps);
            let held = steps.into_iter().any(|step| matches!(step.write, Write::Hold { .. }));
            let said = if held { "rolled back, and held" } else { "rolled back; nothing was held" };
            pilot.end(now, End::RolledBack, said);
        }
        None => {
            let first = own.and_then(|a| a.steps.first()).is_some_and(ActivityStep::is_done);
            if first {
                let why = format!("rolled back, but not held: {}", outcome.sentence());
                pilot.end(now, End::RolledBack, why);
            } else {
                pilot.failed += 1;
                pilot.share = None;
                pilot.say(now, format!("not rolled back: {}", outcome.sentence()));
            }
        }
    }
}
