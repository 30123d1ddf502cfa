//! What became of a pilot's last write.

use crate::app::activity::{Activity, ActivityStep};
use crate::app::pilot::{End, Phase, Pilot};
use crate::app::state::State;
use crate::domain::write::{Outcome, PlanId, Write};

/// Looks what became of `plan`, by which the share was set to `step`, or taken back.
pub(super) fn look(state: &State, plan: &PlanId, step: Option<u32>, pilot: &mut Pilot) {
    let now = state.now;
    let Some(own) = state.activity.iter().find(|a| a.plan == *plan) else { return };
    let Some(outcome) = own.outcome() else { return };
    let done = matches!(outcome, Outcome::Done { .. });
    // The clock of the reports, not that of the screen: it may lag behind what was read.
    let last = own.steps.iter().filter_map(|step| step.at).max();
    pilot.since = last.map_or(now, |last| last.max(now));
    pilot.phase = Phase::Flying;
    if matches!(outcome, Outcome::Unknown { .. }) {
        // What is read again tells which share there is now; else it is the one that was found.
        pilot.share = None;
    }
    match step {
        Some(percent) if done => {
            pilot.share = Some(f64::from(percent));
            pilot.say(now, format!("{percent}%: set"));
        }
        Some(percent) => {
            pilot.ground(now, &format!("{percent}% was not set: {}", outcome.sentence()));
        }
        None if own.steps.first().is_some_and(ActivityStep::is_done) => {
            pilot.end(now, End::RolledBack, taken_back(own, outcome));
        }
        None => {
            pilot.failed += 1;
            pilot.say(now, format!("not rolled back: {}", outcome.sentence()));
        }
    }
}

/// What was really done when the canary was taken back.
fn taken_back(own: &Activity, outcome: &Outcome) -> String {
    let back = own.steps.iter().any(|step| matches!(step.write, Write::Shares { .. }));
    let holds = own.steps.iter().filter(|step| matches!(step.write, Write::Hold { .. }));
    let (done, wanted) = (holds.clone().filter(|step| step.is_done()).count(), holds.count());
    match (back, wanted) {
        (true, 0) => "rolled back; nothing was to be held: no pipeline brings new versions, \
                      or it is held already"
            .to_owned(),
        (true, _) if done == wanted => "rolled back, and held".to_owned(),
        (false, _) if done == wanted => "held: it was rolled back before".to_owned(),
        _ => format!("rolled back, but not held: {}", outcome.sentence()),
    }
}
