//! Shares of a traffic split: what some versions are given, and what that leaves the others.

use super::lookup::canaries_of;
use crate::app::state::State;
use crate::domain::canary::Purpose;
use crate::domain::text::SafeText;
use crate::domain::traffic::TrafficSplit;
use crate::domain::write::Write;

/// The canaries of `split` other than `arm`, each with the share that it has, never a bit more.
pub(super) fn other_canaries(
    state: &State,
    split: &TrafficSplit,
    arms: &[(SafeText, u32)],
) -> Vec<(SafeText, u32)> {
    let mut found: Vec<(SafeText, u32)> = Vec::new();
    for spec in canaries_of(state, &split.id).filter(|spec| spec.purpose == Purpose::Canary) {
        let name = &spec.canary;
        let known = arms.iter().chain(&found).any(|(own, _)| own == name);
        let usable = split.arm(name.as_str()).is_some_and(|arm| arm.usable);
        if !known && usable {
            // Between 0 and 100.
            let share = split.percent(name.as_str()).unwrap_or(0.0).floor() as u32;
            found.push((name.clone(), share));
        }
    }
    found
}

/// Whether a version that `fixed` does not name takes traffic.
pub(super) fn has_other(split: &TrafficSplit, fixed: &[(SafeText, u32)]) -> bool {
    split.arms.iter().any(|arm| arm.usable && fixed.iter().all(|(name, _)| *name != arm.name))
}

/// One version gets `percent`. On the way down, other canaries do not get what it gives up.
pub(super) fn shift(
    state: &State,
    split: &TrafficSplit,
    arm: &SafeText,
    percent: u32,
) -> Result<Write, String> {
    let mut fixed = vec![(arm.clone(), percent.min(100))];
    if split.percent(arm.as_str()).is_some_and(|now| f64::from(percent) < now) {
        let mut kept = fixed.clone();
        kept.extend(other_canaries(state, split, &fixed));
        if has_other(split, &kept) {
            fixed = kept;
        }
    }
    let own = canaries_of(state, &split.id).filter(|spec| spec.canary == *arm);
    let home: Vec<SafeText> = own.map(|spec| spec.baseline.clone()).collect();
    spread(split, fixed, &home)
}

/// Those in `fixed` get what they are given; the others that take traffic share the rest in
/// proportion to what they have now. Where they have nothing, it goes `home`.
pub(super) fn spread(
    split: &TrafficSplit,
    fixed: Vec<(SafeText, u32)>,
    home: &[SafeText],
) -> Result<Write, String> {
    let name = &split.id.name;
    if let Some((arm, _)) = fixed.iter().find(|(arm, _)| split.arm(arm.as_str()).is_none()) {
        return Err(format!("{name} has no version {arm}"));
    }
    let mut left = 100_u32.saturating_sub(fixed.iter().map(|(_, share)| share).sum());
    let rest = left;
    let mut others: Vec<(&SafeText, f64)> = split
        .arms
        .iter()
        // Those that take no traffic keep what they would get.
        .filter(|own| own.usable && fixed.iter().all(|(arm, _)| *arm != own.name))
        .map(|own| (&own.name, split.percent(own.name.as_str()).unwrap_or(0.0)))
        .collect();
    if others.is_empty() && left > 0 {
        return Err(format!("no other version of {name} takes the rest of the traffic"));
    }
    if others.iter().all(|(_, share)| *share <= 0.0) {
        for (arm, share) in &mut others {
            if home.contains(arm) {
                *share = 1.0;
            }
        }
    }
    let sum: f64 = others.iter().map(|(_, share)| share).sum();
    let count = others.len();
    let given = fixed.len();
    let mut shares = fixed;
    for (i, (arm, share)) in others.into_iter().enumerate() {
        let own = if sum > 0.0 {
            // At most 100.
            ((f64::from(rest) * share / sum).round() as u32).min(left)
        } else {
            left / u32::try_from(count - i).unwrap_or(1)
        };
        left -= own;
        shares.push((arm.clone(), own));
    }
    // What rounding has left goes to the largest.
    let largest = shares.iter_mut().skip(given).max_by_key(|(_, own)| *own);
    if let Some((_, own)) = largest {
        *own += left;
    }
    Ok(Write::Shares { split: split.id.clone(), shares })
}
