//! What goes back to where it was safe, and whom a write concerns.

use crate::app::plan::lookup::canaries_of;
use crate::app::state::State;
use crate::domain::canary::{CanarySpec, Purpose};
use crate::domain::service::Service;
use crate::domain::traffic::TrafficSplit;
use crate::domain::write::{ArmWish, Plan, Write};

/// Whether a write takes something back to where it was safe.
pub(in crate::app::plan) fn is_to_safety(state: &State, write: &Write) -> bool {
    match write {
        Write::RollBack { pipeline, stage, to } => {
            let known = state.fleet.pipelines.get(pipeline).map(|o| &*o.value);
            let place = known.and_then(|known| Some((known, known.stage(stage.as_str())?)));
            place.is_some_and(|(known, stage)| known.is_way_back(stage, to))
        }
        Write::Shares { split, .. } | Write::Weights { split, .. } | Write::Arm { split, .. } => {
            state.fleet.traffic.get(split).is_some_and(|o| is_away(state, &o.value, write))
        }
        other => other.is_to_safety(),
    }
}

/// Away from a canary is to safety, if no other gets more by it. Without the old version everything
/// goes to the new one.
fn is_away(state: &State, split: &TrafficSplit, write: &Write) -> bool {
    let Some(then) = write.shares_after(split) else { return false };
    let mut falls = false;
    for spec in canaries_of(state, &split.id) {
        let name = spec.canary.as_str();
        if split.arm(name).is_none() {
            continue;
        }
        let now = split.percent(name);
        let share = then.iter().find(|(arm, _)| *arm == spec.canary).map(|(_, share)| *share);
        let (Some(now), Some(share)) = (now, share) else { return false };
        if share > now && spec.purpose == Purpose::Canary {
            return false;
        }
        falls |= share < now || is_out(write, spec);
    }
    falls
}

/// Whether a canary is taken out, which is safe even where it has nothing now.
fn is_out(write: &Write, spec: &CanarySpec) -> bool {
    let Write::Arm { arm, wish: ArmWish::Drain | ArmWish::Maintenance, .. } = write else {
        return false;
    };
    *arm == spec.canary
}

/// The old version that a write takes out while a canary has everything: what it would go back to.
pub(super) fn cut_off(state: &State, write: &Write) -> Option<String> {
    let Write::Arm { split, arm, wish: ArmWish::Drain | ArmWish::Maintenance } = write else {
        return None;
    };
    let now = state.fleet.traffic.get(split)?;
    let everything = |spec: &&CanarySpec| {
        spec.baseline == *arm && now.value.percent(spec.canary.as_str()).is_some_and(|p| p > 99.5)
    };
    let spec = canaries_of(state, split).find(everything)?;
    Some(format!("{arm} is what {} would be taken back to, at once", spec.canary))
}

/// Every service that `plan` concerns: its own, and all that own what it writes to.
pub(in crate::app::plan) fn concerned<'a>(state: &'a State, plan: &Plan) -> Vec<&'a Service> {
    let owners = plan.steps.iter().flat_map(|step| state.membership.owners(&step.write.target()));
    let ids: Vec<_> = plan.service.iter().chain(owners).collect();
    state.setup.services.iter().filter(|service| ids.contains(&&service.id)).collect()
}
