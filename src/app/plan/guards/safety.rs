//! What goes back to where it was safe, and whom a write concerns.

use crate::app::select::canaries::split_of;
use crate::app::state::State;
use crate::domain::canary::CanarySpec;
use crate::domain::ids::TrafficId;
use crate::domain::service::Service;
use crate::domain::write::{ArmWish, Plan, Write};

/// The canaries that get their traffic from `split`.
pub(super) fn canaries_of<'a>(
    state: &'a State,
    split: &'a TrafficId,
) -> impl Iterator<Item = &'a CanarySpec> {
    state
        .setup
        .services
        .iter()
        .flat_map(|s| &s.canaries)
        .filter(move |spec| split_of(spec, &state.fleet).is_some_and(|(id, _)| id == split))
}

/// Whether a write takes something back to where it was safe.
pub(in crate::app::plan) fn is_to_safety(state: &State, write: &Write) -> bool {
    match write {
        // Away from the canary is to safety, towards it is not.
        Write::Shares { split, shares } => canaries_of(state, split).any(|spec| {
            let wanted = shares.iter().find(|(arm, _)| *arm == spec.canary);
            let wanted = wanted.map(|(_, percent)| f64::from(*percent));
            let now = state.fleet.traffic.get(split);
            let now = now.and_then(|o| o.value.percent(spec.canary.as_str()));
            wanted.zip(now).is_some_and(|(wanted, now)| wanted < now)
        }),
        Write::Arm { split, arm, wish } => {
            let is_canary = canaries_of(state, split).any(|spec| spec.canary == *arm);
            let is_baseline = canaries_of(state, split).any(|spec| spec.baseline == *arm);
            match wish {
                ArmWish::Ready => false,
                // Without the old version everything goes to the new one.
                ArmWish::Drain | ArmWish::Maintenance => is_canary || !is_baseline,
                ArmWish::Weight(weight) => {
                    let now = state.fleet.traffic.get(split);
                    let now = now.and_then(|o| o.value.arm(arm.as_str()).map(|a| a.weight));
                    is_canary && now.is_some_and(|now| *weight < now)
                }
            }
        }
        other => other.is_to_safety(),
    }
}

/// Every service that `plan` concerns: its own, and all that own what it writes to.
pub(in crate::app::plan) fn concerned<'a>(state: &'a State, plan: &Plan) -> Vec<&'a Service> {
    let owners = plan.steps.iter().flat_map(|step| state.membership.owners(&step.write.target()));
    let ids: Vec<_> = plan.service.iter().chain(owners).collect();
    state.setup.services.iter().filter(|service| ids.contains(&&service.id)).collect()
}
