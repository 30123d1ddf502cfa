//! The guard of capacity: somebody must be there to take the traffic, after every step.

use std::collections::BTreeMap;

use super::{needs_reason, refused};
use crate::app::state::State;
use crate::domain::environment::Health;
use crate::domain::ids::{ItemId, TrafficId};
use crate::domain::text::SafeText;
use crate::domain::write::{ArmWish, GuardVerdict, Plan, Write};

/// One version, as it will be after the steps so far.
struct Version {
    name: SafeText,
    state: SafeText,
    health: Health,
    usable: bool,
    weight: u32,
}

/// Traffic goes only where it is taken, and somebody is left who takes it.
pub(super) fn capacity(state: &State, plan: &Plan) -> GuardVerdict {
    let mut splits: BTreeMap<TrafficId, Vec<Version>> = BTreeMap::new();
    let mut doubt = None;
    for step in &plan.steps {
        let ItemId::Traffic(split) = &step.write.target() else { continue };
        let versions = splits.entry(split.clone()).or_insert_with(|| versions(state, split));
        let taken = takes(versions);
        let verdict = match &step.write {
            Write::Shares { shares, .. } => shift(versions, split, shares),
            Write::Weights { weights, .. } => set(versions, split, weights),
            Write::Arm { arm, wish, .. } => change(versions, split, arm, *wish),
            _ => Ok(None),
        };
        match verdict {
            Err(why) => return refused(why),
            Ok(Some(why)) => doubt = Some(why),
            Ok(None) => {}
        }
        if taken && !takes(versions) {
            let name = &split.name;
            return refused(format!(
                "no version of {name} would take traffic; make another one take it first"
            ));
        }
    }
    doubt.map_or(GuardVerdict::Passed, needs_reason)
}

fn versions(state: &State, split: &TrafficId) -> Vec<Version> {
    let arms = state.fleet.traffic.get(split).map(|o| o.value.arms.clone()).unwrap_or_default();
    let version = |arm: crate::domain::traffic::Arm| Version {
        name: arm.name,
        state: arm.state,
        health: arm.health,
        usable: arm.usable,
        weight: arm.weight,
    };
    arms.into_iter().map(version).collect()
}

fn takes(versions: &[Version]) -> bool {
    versions.iter().any(|version| version.usable && version.weight > 0)
}

/// Refuses with an error, doubts with a sentence.
type Said = Result<Option<String>, String>;

fn shift(versions: &mut [Version], split: &TrafficId, shares: &[(SafeText, u32)]) -> Said {
    let sum: u64 = shares.iter().map(|(_, share)| u64::from(*share)).sum();
    if sum != 100 {
        return Err(format!("the shares make {sum}%, not 100%"));
    }
    set(versions, split, shares)
}

fn set(versions: &mut [Version], split: &TrafficId, shares: &[(SafeText, u32)]) -> Said {
    let mut doubt = None;
    for (name, share) in shares {
        let version = find(versions, split, name)?;
        if *share > 0 {
            if !version.usable {
                return Err(unusable(version));
            }
            if *share > version.weight && version.health == Health::Unhealthy {
                doubt = Some(format!("{name} is unhealthy"));
            }
        }
        version.weight = *share;
    }
    Ok(doubt)
}

fn change(versions: &mut [Version], split: &TrafficId, arm: &SafeText, wish: ArmWish) -> Said {
    let version = find(versions, split, arm)?;
    match wish {
        ArmWish::Ready => version.usable = true,
        ArmWish::Drain | ArmWish::Maintenance => version.usable = false,
        ArmWish::Weight(weight) if weight > 0 && !version.usable => return Err(unusable(version)),
        ArmWish::Weight(weight) => version.weight = weight,
    }
    Ok(None)
}

fn find<'a>(
    versions: &'a mut [Version],
    split: &TrafficId,
    name: &SafeText,
) -> Result<&'a mut Version, String> {
    let found = versions.iter_mut().find(|version| version.name == *name);
    found.ok_or_else(|| format!("{} has no version {name}", split.name))
}

fn unusable(version: &Version) -> String {
    let Version { name, state, .. } = version;
    format!("{name} takes no traffic, it is {state}; make it ready first")
}
