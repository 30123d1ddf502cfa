//! What a pilot does next: pure, from what is known of the canary.

use jiff::SignedDuration;

use crate::app::canary::known_until;
use crate::app::pilot::Pilot;
use crate::app::select::canaries::split_of;
use crate::app::state::State;
use crate::domain::canary::CanarySpec;
use crate::domain::ids::ItemId;
use crate::domain::observed::Freshness;
use crate::domain::time::{age, coarse};
use crate::judge::{Action, Verdict};

/// Shares that differ by less are the same: backends count in whole weights.
const SAME: f64 = 1.0;
/// Figures that are older do not carry a step forward; some backends tell them minutes late.
const OLDEST: SignedDuration = SignedDuration::from_mins(10);

/// What a pilot does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Nothing, for now.
    Wait(String),
    /// On to this share, in per cent.
    Step(u32),
    /// Everything back to the baseline, and hold.
    Back(String),
    /// No step forward until a human has decided.
    Ground(String),
    /// The canary has everything.
    Finish,
    /// Somebody else flies.
    HandOver(String),
}

/// What `pilot` does next with `spec`.
pub fn decide(state: &State, spec: &CanarySpec, pilot: &Pilot) -> Decision {
    let Some((id, split)) = split_of(spec, &state.fleet) else {
        return Decision::Wait("holding: its traffic split could not be read".to_owned());
    };
    let observed = state.fleet.traffic.get(id);
    let fresh = |o| state.fleet.freshness(o, state.now) == Freshness::Fresh;
    let Some(observed) = observed.filter(|o| fresh(o)) else {
        return Decision::Wait("holding: the traffic was not read lately".to_owned());
    };
    if observed.at <= pilot.since {
        return Decision::Wait("reading the share again".to_owned());
    }
    let Some(share) = split.percent(spec.canary.as_str()) else {
        return Decision::Wait("holding: no version takes traffic".to_owned());
    };
    if let Some(own) = pilot.share
        && (own - share).abs() > SAME
    {
        return Decision::HandOver(format!("somebody set {share:.0}%, not {own:.0}%"));
    }
    if share > 100.0 - SAME {
        return Decision::Finish;
    }
    let now = state.now;
    if share <= 0.0 {
        // The first step needs no verdict: there is nothing to judge yet.
        return match forbidden(pilot, now).or_else(|| pilot.share.map(|_| "no traffic".into())) {
            Some(why) => Decision::Ground(why),
            None if !spec.at.pass_steps => {
                Decision::Wait("no traffic yet: the first step is a human's".to_owned())
            }
            None => next(spec, share),
        };
    }
    let judged = state.watches.get(&spec.id).and_then(|watch| watch.judged.as_ref());
    let Some(judged) = judged else {
        return Decision::Wait(format!("{share:.0}%: nothing is measured yet"));
    };
    let said = format!("{share:.0}%: {}: {}", judged.lead, judged.sentence);
    let old = data_age(state, spec);
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
        return Decision::Wait(format!("holding: {old}"));
    }
    match judged.action {
        Action::RollBack | Action::HoldAndPage | Action::Hold => Decision::Ground(said),
        Action::Wait => match forbidden(pilot, now) {
            Some(why) => Decision::Ground(why),
            // The figures change with every look; what they come to does not.
            None => Decision::Wait(format!("{share:.0}%: {}", judged.lead)),
        },
        Action::NextStep => {
            let of_this_step =
                judged.weight.is_some_and(|weight| (weight * 100.0 - share).abs() <= SAME);
            match forbidden(pilot, now) {
                Some(why) => Decision::Ground(why),
                None if !of_this_step => {
                    Decision::Wait(format!("{share:.0}%: nothing is known of this share yet"))
                }
                None if !spec.at.pass_steps => Decision::Wait(format!(
                    "{share:.0}%: {}: the next step is a human's",
                    judged.lead
                )),
                None => next(spec, share),
            }
        }
    }
}

/// Why no step forward may be taken, whatever the verdict.
fn forbidden(pilot: &Pilot, now: jiff::Timestamp) -> Option<String> {
    if let Some(why) = &pilot.grounded {
        return Some(why.to_string());
    }
    (now >= pilot.deadline).then(|| "its time is over, and that never promotes".to_owned())
}

fn next(spec: &CanarySpec, share: f64) -> Decision {
    let step = spec.steps.iter().copied().find(|step| *step > share + SAME).unwrap_or(100.0);
    // Configured steps are shares.
    Decision::Step(step.round().clamp(0.0, 100.0) as u32)
}

/// Why the figures are too old to go by.
fn data_age(state: &State, spec: &CanarySpec) -> Option<String> {
    for metric in &spec.metrics {
        for id in metric.data.series() {
            let item = ItemId::Series(id.clone());
            let freshness = crate::app::age::of_item(state, &item).map(|age| age.freshness);
            match freshness {
                Some(Freshness::Fresh) => {}
                Some(other) => {
                    return Some(format!("the figures of {} are {}", metric.name, other.word()));
                }
                None => return Some(format!("the figures of {} are unknown", metric.name)),
            }
        }
    }
    let until = known_until(spec, &state.fleet)?;
    let old = age(state.now, until);
    (old > OLDEST).then(|| format!("there are no figures of the last {}", coarse(OLDEST)))
}
