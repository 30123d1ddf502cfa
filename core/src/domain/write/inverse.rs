//! The way back: the write that undoes another, or why there is none.

use super::expectation::{known, stage_of};
use super::kind::{ArmWish, FlagChange, Write};
use crate::domain::fleet::Fleet;
use crate::domain::ids::TrafficId;
use crate::domain::text::SafeText;
use crate::domain::traffic::TrafficSplit;

/// What undoes `write`, from what is true before it is sent; or why nothing does.
pub fn inverse(write: &Write, fleet: &Fleet) -> Result<Write, String> {
    match write {
        Write::Answer { approve: true, .. } => {
            Err("an approval cannot be taken back; the stage can be rolled back".to_owned())
        }
        Write::Answer { approve: false, .. } => {
            Err("a rejection cannot be taken back; the stage can be retried".to_owned())
        }
        Write::Retry { .. } | Write::Start { .. } => {
            Err("what has started can only be stopped".to_owned())
        }
        Write::Stop { .. } => {
            Err("what was stopped stays stopped; a new execution can be started".to_owned())
        }
        Write::Override { .. } => Err("what has passed a condition has passed".to_owned()),
        Write::Hold { pipeline, stage, .. } => {
            Ok(Write::Release { pipeline: pipeline.clone(), stage: stage.clone() })
        }
        Write::Release { pipeline, stage } => {
            let held = stage_of(known(fleet, pipeline)?, stage)?;
            if held.inbound.is_some() {
                return Err("what waited before the stage has entered it".to_owned());
            }
            let reason = held.transition.as_ref().and_then(|t| t.reason.clone());
            Ok(Write::Hold {
                pipeline: pipeline.clone(),
                stage: stage.clone(),
                reason: reason.unwrap_or_else(|| "held again".into()),
            })
        }
        Write::RollBack { pipeline, stage, .. } => {
            let known = known(fleet, pipeline)?;
            let to = known.back_again(stage_of(known, stage)?)?;
            Ok(Write::RollBack { pipeline: pipeline.clone(), stage: stage.clone(), to })
        }
        Write::Shares { split, shares } => {
            let observed = fleet.traffic.get(split).ok_or("the shares before are not known")?;
            if observed.value.arms.iter().all(|arm| !arm.usable || arm.weight == 0) {
                return Err("the shares before are not known".to_owned());
            }
            // Shares are rounded; weights are exactly what was there.
            weights_of(split, &observed.value, shares)
        }
        Write::Weights { split, weights } => {
            let observed = fleet.traffic.get(split).ok_or("the weights before are not known")?;
            weights_of(split, &observed.value, weights)
        }
        Write::Arm { split, arm, wish } => {
            let observed = fleet.traffic.get(split).ok_or("its state before is not known")?;
            let before = observed.value.arm(arm.as_str()).ok_or("its state before is not known")?;
            let back = match wish {
                ArmWish::Weight(_) => Some(ArmWish::Weight(before.weight)),
                _ => ArmWish::of(before),
            };
            let back = back.ok_or_else(|| format!("it was {} before", before.state))?;
            Ok(Write::Arm { split: split.clone(), arm: arm.clone(), wish: back })
        }
        Write::Flag { flag, environment, change, strategy } => {
            let observed = fleet.flags.get(flag).ok_or("its state before is not known")?;
            let state = observed
                .value
                .environment(environment.as_str())
                .ok_or("its state before is not known")?;
            let back = match change {
                FlagChange::Enabled { .. } => FlagChange::Enabled {
                    on: state.enabled.ok_or("its state before is not known")?,
                },
                FlagChange::Percent { .. } => FlagChange::Percent {
                    percent: state.gradual.ok_or("its share before is not known")?,
                },
                FlagChange::Attribute { name, .. } => {
                    let before = state.attributes.iter().find(|(k, _)| k == name);
                    let (name, value) =
                        before.cloned().ok_or("the attribute was not there before")?;
                    FlagChange::Attribute { name, value }
                }
                FlagChange::Stale { .. } => FlagChange::Stale { stale: observed.value.marked },
                FlagChange::Halt | FlagChange::Revert => {
                    return Err("what was taken back has to be changed anew".to_owned());
                }
            };
            Ok(Write::Flag {
                flag: flag.clone(),
                environment: environment.clone(),
                change: back,
                strategy: strategy.clone(),
            })
        }
    }
}

/// The weights that these versions have; those left out keep theirs.
fn weights_of(
    split: &TrafficId,
    now: &TrafficSplit,
    named: &[(SafeText, u32)],
) -> Result<Write, String> {
    let mut weights = Vec::new();
    for (name, _) in named {
        let arm = now.arm(name.as_str());
        let arm = arm.ok_or_else(|| format!("the weight of {name} before is not known"))?;
        weights.push((name.clone(), arm.weight));
    }
    Ok(Write::Weights { split: split.clone(), weights })
}
