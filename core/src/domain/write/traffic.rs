//! What a write makes of the shares of a traffic split.

use super::kind::{ArmWish, Write};
use crate::domain::text::SafeText;
use crate::domain::traffic::TrafficSplit;

impl Write {
    /// The share of each version of `split` after it, 0–100; `None` if it is about something else, or no
    /// version would take traffic.
    pub fn shares_after(&self, split: &TrafficSplit) -> Option<Vec<(SafeText, f64)>> {
        let mut then = split.clone();
        match self {
            Self::Shares { shares, .. } => {
                let own = |arm: &SafeText| shares.iter().find(|(name, _)| name == arm);
                let share = |arm: &SafeText| match own(arm) {
                    Some((_, share)) => Some(f64::from(*share)),
                    None => split.percent(arm.as_str()),
                };
                let arms = split.arms.iter();
                return arms.map(|arm| Some((arm.name.clone(), share(&arm.name)?))).collect();
            }
            Self::Weights { weights, .. } => {
                for arm in &mut then.arms {
                    let own = weights.iter().find(|(name, _)| *name == arm.name);
                    arm.weight = own.map_or(arm.weight, |(_, weight)| *weight);
                }
            }
            Self::Arm { arm, wish, .. } => {
                for own in then.arms.iter_mut().filter(|own| own.name == *arm) {
                    match wish {
                        ArmWish::Ready => own.usable = true,
                        ArmWish::Drain | ArmWish::Maintenance => own.usable = false,
                        ArmWish::Weight(weight) => own.weight = *weight,
                    }
                }
            }
            _ => return None,
        }
        let share = |name: &SafeText| then.percent(name.as_str());
        then.arms.iter().map(|arm| Some((arm.name.clone(), share(&arm.name)?))).collect()
    }
}
