//! Pilots at work: from what they decide to plans, and from outcomes to the next decision.

mod decide;
mod outcome;
mod tell;

use jiff::{SignedDuration, Timestamp};

use crate::app::activity::Activity;
use crate::app::canary::verdict_word;
use crate::app::effect::Effect;
use crate::app::flight::Flight;
use crate::app::intent::Intent;
use crate::app::msg::Notice;
use crate::app::pilot::{BY_PILOT, End, Phase, Pilot};
use crate::app::plan::plan;
use crate::app::select::canaries::split_of;
use crate::app::state::State;
use crate::domain::canary::{CanarySpec, Purpose};
use crate::domain::ids::{CanaryId, ServiceId};
use crate::domain::text::SafeText;
use crate::domain::write::{Answers, PlanId, confirm};
use decide::{Decision, decide};
use tell::publish;

/// Tries to take a canary back, before only a human can.
const TRIES: u32 = 3;
/// How long it holds before it calls a human.
const CALLS_AFTER: SignedDuration = SignedDuration::from_mins(2);

/// Lets a pilot ask for a canary; `limit` takes the place of the canary's own deadline. A flight that
/// was cut short goes on, and its time with it.
pub fn engage(
    state: &mut State,
    canary: &CanaryId,
    limit: Option<SignedDuration>,
    effects: &mut Vec<Effect>,
) -> Result<(), String> {
    let spec = spec_of(state, canary).ok_or_else(|| format!("there is no canary {canary}"))?;
    if spec.purpose == Purpose::Experiment {
        return Err(format!("{canary} is an experiment: neither side is taken back or forward"));
    }
    let limit = limit.unwrap_or(spec.deadline);
    let (flight, began) = match cut_short(state, &spec) {
        Some(before) => before,
        None => {
            state.plans += 1;
            (PlanId(format!("{}-{}", state.setup.session, state.plans)), state.now)
        }
    };
    let mut pilot = Pilot::new(canary.clone(), flight, state.now, began, limit);
    ask(state, &spec, &mut pilot, effects);
    state.pilots.insert(canary.clone(), pilot);
    state.refresh_canary(canary);
    Ok(())
}

fn spec_of(state: &State, canary: &CanaryId) -> Option<CanarySpec> {
    let mut specs = state.setup.services.iter().flat_map(|s| &s.canaries);
    specs.find(|spec| spec.id == *canary).cloned()
}

/// The last flight of this canary, if its program was killed while the canary had some of the traffic.
fn cut_short(state: &State, spec: &CanarySpec) -> Option<(PlanId, Timestamp)> {
    let (_, split) = split_of(spec, &state.fleet)?;
    split.percent(spec.canary.as_str()).filter(|share| *share > 0.0 && *share < 100.0)?;
    let own = |activity: &&Activity| {
        activity.flight.as_ref().is_some_and(|flight| flight.canary == spec.id)
    };
    let last = state.activity.iter().find(own)?;
    let short = last.flight.as_ref().is_some_and(Flight::was_cut_short);
    short.then(|| (last.plan.clone(), last.at))
}

/// Asks for the split: one pilot at a time moves it, whatever its canaries are called.
fn ask(state: &State, spec: &CanarySpec, pilot: &mut Pilot, effects: &mut Vec<Effect>) {
    let now = state.now;
    match split_of(spec, &state.fleet) {
        Some((split, _)) => {
            pilot.split = Some(split.clone());
            pilot.holding = None;
            effects.push(lease_of(pilot, split, true));
        }
        None => pilot.hold(now, "holding: its traffic split could not be read", CALLS_AFTER),
    }
}

fn lease_of(pilot: &Pilot, split: &crate::domain::ids::TrafficId, take: bool) -> Effect {
    let (canary, flight) = (pilot.canary.clone(), pilot.flight.clone());
    Effect::Lease { canary, split: split.clone(), flight, take }
}

fn give_back(pilot: &Pilot, effects: &mut Vec<Effect>) {
    if let Some(split) = &pilot.split {
        effects.push(lease_of(pilot, split, false));
    }
}

/// Hands the canary over to a human, at once.
pub fn hand_over(state: &mut State, canary: &CanaryId, why: &str, effects: &mut Vec<Effect>) {
    let now = state.now;
    let Some(mut pilot) = state.pilots.remove(canary) else { return };
    if pilot.ended().is_none() {
        pilot.end(now, End::HandedOver, format!("handed over: {why}"));
        publish(state, &mut pilot, effects);
        give_back(&pilot, effects);
    }
    state.pilots.insert(canary.clone(), pilot);
    state.refresh_canary(canary);
}

/// Hands over every canary that a pilot flies, or those of one service; returns which.
pub fn hand_over_all(
    state: &mut State,
    service: Option<&ServiceId>,
    why: &str,
    effects: &mut Vec<Effect>,
) -> Vec<CanaryId> {
    let flown = state.pilots.values().filter(|pilot| pilot.ended().is_none());
    let of_service = |canary: &CanaryId| {
        let spec = spec_of(state, canary);
        service.is_none_or(|service| spec.is_some_and(|spec| spec.service == *service))
    };
    let flown: Vec<CanaryId> =
        flown.map(|pilot| pilot.canary.clone()).filter(|canary| of_service(canary)).collect();
    for canary in &flown {
        hand_over(state, canary, why, effects);
    }
    flown
}

/// Whether the canary is this pilot's alone.
pub fn lease(
    state: &mut State,
    canary: &CanaryId,
    other: Option<&SafeText>,
    effects: &mut Vec<Effect>,
) {
    let now = state.now;
    let Some(mut pilot) = state.pilots.remove(canary) else { return };
    if pilot.phase == Phase::Asking {
        if let Some(other) = other {
            let why = format!("another pilot flies this canary: {other}");
            pilot.end(now, End::HandedOver, &*why);
        } else if pilot.began < pilot.since {
            pilot.take_off(now, "flying on: this flight was cut short");
        } else {
            pilot.take_off(now, "flying");
        }
        publish(state, &mut pilot, effects);
    }
    state.pilots.insert(canary.clone(), pilot);
    state.refresh_canary(canary);
}

/// Lets every pilot decide. True if rows may have changed.
pub fn fly(state: &mut State, effects: &mut Vec<Effect>) -> bool {
    let flown = state.pilots.iter().filter(|(_, pilot)| pilot.ended().is_none());
    let flown: Vec<CanaryId> = flown.map(|(id, _)| id.clone()).collect();
    let mut changed = false;
    for canary in flown {
        let Some(spec) = spec_of(state, &canary) else { continue };
        let Some(mut pilot) = state.pilots.remove(&canary) else { continue };
        let before = (pilot.asks().is_some(), pilot.said);
        match pilot.phase.clone() {
            Phase::Flying => act(state, &spec, &mut pilot, effects),
            Phase::Writing { plan, step } => outcome::look(state, &plan, step, &mut pilot),
            Phase::Asking if pilot.split.is_none() => ask(state, &spec, &mut pilot, effects),
            Phase::Asking | Phase::Ended { .. } => {}
        }
        let asks = pilot.asks().is_some();
        let ended = pilot.ended().is_some();
        if ended || (asks && !before.0) {
            let text = format!("pilot of {canary}: {}", pilot.now());
            state.view.notice = Some(Notice::warning(text));
        }
        publish(state, &mut pilot, effects);
        if ended {
            give_back(&pilot, effects);
        }
        let news = before != (asks, pilot.said);
        state.pilots.insert(canary.clone(), pilot);
        if news {
            state.refresh_canary(&canary);
            changed = true;
        }
    }
    changed
}

fn act(state: &mut State, spec: &CanarySpec, pilot: &mut Pilot, effects: &mut Vec<Effect>) {
    let now = state.now;
    if let Some(judged) = state.watches.get(&spec.id).and_then(|watch| watch.judged.as_ref()) {
        pilot.verdict = Some(verdict_word(judged.verdict).into());
    }
    match decide(state, spec, pilot) {
        // What a human is needed for stays the last that is said.
        Decision::Watch(_) | Decision::Hold { .. } if pilot.grounded.is_some() => {}
        Decision::Watch(why) => pilot.watch(now, why),
        Decision::Hold { why, .. } if now >= pilot.deadline => {
            pilot.ground(now, &format!("its time is over, and that never promotes; {why}"));
        }
        Decision::Hold { why, patience } => pilot.hold(now, why, patience),
        Decision::Ground(why) => pilot.ground(now, &why),
        Decision::Finish => pilot.end(now, End::Finished, "the canary has all the traffic"),
        Decision::HandOver(why) => pilot.end(now, End::HandedOver, format!("handed over: {why}")),
        Decision::Step { percent, why } => {
            let Some((split, _)) = split_of(spec, &state.fleet) else { return };
            let intent = Intent::Shift { split: split.clone(), arm: spec.canary.clone(), percent };
            // Whatever wants a reason wants a human: why it steps is a note, no reason.
            match submit(state, &intent, "", &why, effects) {
                Ok(plan) => {
                    pilot.watch(now, format!("on to {percent}%"));
                    pilot.phase = Phase::Writing { plan, step: Some(percent) };
                }
                Err(why) => {
                    pilot.hold(now, format!("holding before {percent}%: {why}"), CALLS_AFTER);
                }
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
            match submit(state, &intent, &format!("{BY_PILOT}{why}"), &why, effects) {
                Ok(plan) => {
                    pilot.watch(now, format!("back to the baseline: {why}"));
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
    note: &str,
    effects: &mut Vec<Effect>,
) -> Result<PlanId, String> {
    let id = PlanId(format!("{}-{}", state.setup.session, state.plans + 1));
    let mut plan = plan(state, intent, comment, id.clone())?;
    plan.notes.push(format!("{BY_PILOT}{note}").into());
    let (typed, comment) = (plan.name.to_string(), comment.to_owned());
    let answers = Answers { go: true, typed, comment, ..Answers::default() };
    let confirmed = confirm(&plan, &answers, state.now)?;
    state.plans += 1;
    state.activity.insert(0, Activity::of(confirmed.plan()));
    state.refresh_activity(&id);
    effects.push(Effect::Submit(Box::new(confirmed)));
    Ok(id)
}
