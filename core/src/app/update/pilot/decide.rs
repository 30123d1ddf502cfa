//! What a pilot does next: pure, from what is known of the canary.

use jiff::{SignedDuration, Timestamp};

use super::CALLS_AFTER;
use crate::app::activity::{Activity, Phase};
use crate::app::figures::old;
use crate::app::pilot::Pilot;
use crate::app::select::canaries::split_of;
use crate::app::state::State;
use crate::domain::canary::CanarySpec;
use crate::domain::observed::Freshness;
use crate::domain::time::{age, coarse};
use crate::domain::traffic::TrafficSplit;
use crate::domain::write::{Outcome, Write};
use crate::judge::{Action, Verdict};

/// Shares that differ by less are the same: backends count in whole weights.
const SAME: f64 = 1.0;

/// What a pilot does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Nothing, for now: all is as it should be.
    Watch(String),
    /// Nothing, for now, and if it lasts longer than its patience a human is called.
    Hold {
        /// Why.
        why: String,
        /// For how long it may last.
        patience: SignedDuration,
    },
    /// On to this share.
    Step {
        /// In per cent.
        percent: u32,
        /// What the judge says.
        why: String,
    },
    /// Everything back to the baseline, and hold.
    Back(String),
    /// No step forward until a human has decided.
    Ground(String),
    /// The canary has everything.
    Finish,
    /// Somebody else flies.
    HandOver(String),
}

fn hold(why: impl Into<String>) -> Decision {
    Decision::Hold { why: why.into(), patience: CALLS_AFTER }
}

/// Nothing but a human's decision is missing.
fn call(why: impl Into<String>) -> Decision {
    Decision::Hold { why: why.into(), patience: SignedDuration::ZERO }
}

/// What `pilot` does next with `spec`; the share that it finds first is the one it looks after.
pub fn decide(state: &State, spec: &CanarySpec, pilot: &mut Pilot) -> Decision {
    let Some((id, split)) = split_of(spec, &state.fleet) else {
        return hold("holding: its traffic split could not be read");
    };
    let observed = state.fleet.traffic.get(id);
    let fresh = |o| state.fleet.freshness(o, state.now) == Freshness::Fresh;
    let Some(observed) = observed.filter(|o| fresh(o)) else {
        return hold("holding: the traffic was not read lately");
    };
    if observed.at <= pilot.since {
        return Decision::Watch("reading the share again".to_owned());
    }
    if let Some(down) = down(spec, split) {
        // Its traffic went elsewhere by itself: nobody has set another share.
        return Decision::Ground(down);
    }
    let Some(share) = split.percent(spec.canary.as_str()) else {
        return hold("holding: no version takes traffic");
    };
    let own = *pilot.share.get_or_insert(share);
    if (own - share).abs() > SAME {
        return Decision::HandOver(format!("somebody set {share:.0}%, not {own:.0}%"));
    }
    if share > 100.0 - SAME {
        return Decision::Finish;
    }
    let now = state.now;
    if share <= 0.0 {
        if unheld(state, spec) {
            return Decision::Back("it was taken back before, and not held yet".to_owned());
        }
        // The first step needs no verdict: there is nothing to judge yet.
        let why = forbidden(pilot, now).or_else(|| taken_back(state, spec));
        return match why {
            Some(why) => Decision::Ground(why),
            None if !spec.at.pass_steps => call("no traffic yet: the first step is a human's"),
            None => next(spec, share, "the first step, there is nothing to judge yet".to_owned()),
        };
    }
    let judged = state.watches.get(&spec.id).and_then(|watch| watch.judged.as_ref());
    let Some(judged) = judged else {
        let why = format!("{share:.0}%: nothing is measured yet");
        return Decision::Hold { why, patience: spec.warm_up.saturating_add(CALLS_AFTER) };
    };
    let said = format!("{share:.0}%: {}: {}", judged.lead, judged.sentence);
    let old = old(state, spec);
    // Harm was shown by figures that stay true when they grow old.
    let back = match judged.action {
        Action::RollBack => Some(spec.at.fail_rolls_back),
        // A failure that rests on what was never calibrated is a human's, whatever is configured.
        Action::HoldAndPage if judged.verdict == Verdict::Marginal => {
            spec.at.marginal_rolls_back.then_some(true)
        }
        _ => None,
    };
    match back {
        Some(true) => return Decision::Back(said),
        Some(false) => return Decision::Ground(said),
        None => {}
    }
    if let Some(old) = old {
        return hold(format!("holding: {old}"));
    }
    match judged.action {
        Action::RollBack | Action::HoldAndPage | Action::Hold => Decision::Ground(said),
        Action::Wait => match forbidden(pilot, now) {
            Some(why) => Decision::Ground(why),
            // The figures change with every look; what they come to does not.
            None => Decision::Watch(format!("{share:.0}%: {}", judged.lead)),
        },
        Action::NextStep => {
            let of_this_step =
                judged.weight.is_some_and(|weight| (weight * 100.0 - share).abs() <= SAME);
            match forbidden(pilot, now) {
                Some(why) => Decision::Ground(why),
                None if !of_this_step => {
                    Decision::Watch(format!("{share:.0}%: nothing is known of this share yet"))
                }
                None if !spec.at.pass_steps => {
                    call(format!("{share:.0}%: {}: the next step is a human's", judged.lead))
                }
                None => next(spec, share, said),
            }
        }
    }
}

/// Which side has traffic by its weight and cannot take it.
fn down(spec: &CanarySpec, split: &TrafficSplit) -> Option<String> {
    [&spec.baseline, &spec.canary].into_iter().find_map(|name| {
        let arm = split.arm(name.as_str())?;
        let lost = !arm.usable && arm.weight > 0;
        lost.then(|| format!("{name} does not take its traffic: it is {}", arm.state))
    })
}

/// Why a canary without traffic does not get any from a pilot: one was taken back, and held. A human
/// lets the next one begin.
fn taken_back(state: &State, spec: &CanarySpec) -> Option<String> {
    let held = state.membership.members(&spec.service).into_iter().flat_map(|m| &m.pipelines);
    for id in held {
        let pipeline = state.fleet.pipelines.get(id);
        let last = pipeline.and_then(|p| p.value.stages.last()).filter(|stage| stage.is_held());
        if let Some(stage) = last {
            return Some(format!("{} of {} is held: release it first", stage.name, id.name));
        }
    }
    let (_, share, at) = last_set(state, spec)?;
    let ago = coarse(age(state.now, at));
    let why = format!("it was taken back {ago} ago: the first step after that is a human's");
    (share == 0).then_some(why)
}

/// Whether the canary was taken back, and whoever did it ended before the hold was sent; nobody has
/// held or released since.
fn unheld(state: &State, spec: &CanarySpec) -> bool {
    let Some((back, 0, _)) = last_set(state, spec) else { return false };
    let unsent = back.steps.iter().find(|step| {
        let refused =
            matches!(&step.phase, Some(Phase::Ended { outcome: Outcome::Refused { .. } }));
        refused && matches!(step.write, Write::Hold { .. })
    });
    let Some(target) = unsent.map(|step| step.write.target()) else { return false };
    let mut since = state.activity.iter().take_while(|activity| activity.plan != back.plan);
    !since.any(|a| a.did_something() && a.steps.iter().any(|step| step.write.target() == target))
}

/// What set the canary's share last, as far as it is recorded, to how much, and when.
fn last_set<'a>(state: &'a State, spec: &CanarySpec) -> Option<(&'a Activity, u32, Timestamp)> {
    let (id, _) = split_of(spec, &state.fleet)?;
    let set = |activity: &'a Activity| {
        activity.steps.iter().find_map(|step| match &step.write {
            Write::Shares { split, shares } if split == id => {
                let (_, share) = shares.iter().find(|(arm, _)| *arm == spec.canary)?;
                Some((activity, *share, step.at.unwrap_or(activity.at)))
            }
            Write::Weights { split, weights } if split == id => {
                // Only whether it got anything is asked of this.
                let (_, weight) = weights.iter().find(|(arm, _)| *arm == spec.canary)?;
                Some((activity, (*weight).min(1), step.at.unwrap_or(activity.at)))
            }
            _ => None,
        })
    };
    state.activity.iter().filter(|activity| activity.did_something()).find_map(set)
}

/// Why no step forward may be taken, whatever the verdict.
fn forbidden(pilot: &Pilot, now: Timestamp) -> Option<String> {
    if let Some(grounded) = &pilot.grounded {
        return Some(grounded.why.to_string());
    }
    (now >= pilot.deadline).then(|| "its time is over, and that never promotes".to_owned())
}

fn next(spec: &CanarySpec, share: f64, why: String) -> Decision {
    let step = spec.steps.iter().copied().find(|step| *step > share + SAME).unwrap_or(100.0);
    // Configured steps are shares.
    Decision::Step { percent: step.round().clamp(0.0, 100.0) as u32, why }
}
