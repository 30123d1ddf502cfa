//! Traffic that the operator shifts, and what follows: what is wrong with a canary reaches more or
//! fewer visitors.

use jiff::Timestamp;

use super::notice::{Turn, notice};
use super::operator::{YOU, invalid};
use super::script::{ArmName, ServiceScript, Shift};
use super::world::World;
use crate::domain::error::Fault;
use crate::domain::text::SafeText;
use crate::domain::write::{ArmWish, Receipt};

/// The most that a weight can be.
const MOST: u32 = 256;
/// From this share of a sick canary on, the alarms of the service notice it, in per cent.
const MANY: f64 = 50.0;
/// What becomes more than so many times as much is sick.
const SICK: f64 = 1.5;

/// Sets shares.
pub fn shares(
    world: &mut World,
    service: &ServiceScript,
    shares: &[(SafeText, u32)],
    now: Timestamp,
) -> Result<Receipt, Fault> {
    let split = world.split(&service.name, now);
    let (mut stable, mut canary) = (None, None);
    for (name, share) in shares {
        let arm = arm_of(name)?;
        let standing = split.of(arm);
        if *share > 0 && !standing.is_usable() {
            let state = standing.word();
            let why = format!("{name} takes no traffic ({state}), so it cannot get {share}%");
            return Err(invalid(why));
        }
        let own = match arm {
            ArmName::Stable => &mut stable,
            ArmName::Canary => &mut canary,
        };
        if own.replace(*share).is_some() {
            return Err(invalid(format!("{name} is named twice")));
        }
    }
    // Of two, what one does not get is the other's.
    let percent = match (stable, canary) {
        (Some(stable), Some(canary)) if stable + canary != 100 => {
            return Err(invalid(format!("the shares add up to {}%", stable + canary)));
        }
        (_, Some(canary)) => canary,
        (Some(stable), None) => 100_u32.saturating_sub(stable),
        (None, None) => return Err(invalid("say whose share")),
    };
    if percent > 100 {
        return Err(invalid(format!("{percent}% is more than everything")));
    }
    shift(world, service, f64::from(percent), None, now);
    Ok(Receipt::default())
}

/// Sets what is wanted of one version.
pub fn arm(
    world: &mut World,
    service: &ServiceScript,
    name: &SafeText,
    wish: ArmWish,
    now: Timestamp,
) -> Result<Receipt, Fault> {
    let arm = arm_of(name)?;
    if let ArmWish::Weight(weight) = wish {
        is_weight(weight)?;
    }
    let percent = world.percent(&service.name, now);
    shift(world, service, percent, Some((arm, wish)), now);
    Ok(Receipt::default())
}

/// Sets weights as they are.
pub fn weights(
    world: &mut World,
    service: &ServiceScript,
    weights: &[(SafeText, u32)],
    now: Timestamp,
) -> Result<Receipt, Fault> {
    let mut wishes = Vec::new();
    for (name, weight) in weights {
        is_weight(*weight)?;
        wishes.push((arm_of(name)?, ArmWish::Weight(*weight)));
    }
    let percent = world.percent(&service.name, now);
    for wish in wishes {
        shift(world, service, percent, Some(wish), now);
    }
    Ok(Receipt::default())
}

fn is_weight(weight: u32) -> Result<(), Fault> {
    if weight <= MOST {
        return Ok(());
    }
    Err(invalid(format!("a weight is between 0 and {MOST}, not {weight}")))
}

fn arm_of(name: &SafeText) -> Result<ArmName, Fault> {
    let mut all = [ArmName::Stable, ArmName::Canary].into_iter();
    let found = all.find(|arm| *name == *arm.word());
    found.ok_or_else(|| invalid(format!("there is no version {name}")))
}

fn shift(
    world: &mut World,
    service: &ServiceScript,
    percent: f64,
    wish: Option<(ArmName, ArmWish)>,
    now: Timestamp,
) {
    let before = world.split(&service.name, now);
    let (at, by) = (world.offset(now), YOU.to_owned());
    let (service_name, own) = (service.name.clone(), &service.name);
    world.script.shifts.push(Shift { at, service: service_name, percent, by, wish });
    let split = world.split(own, now);
    let sick = world
        .script
        .trends
        .iter()
        .any(|t| t.service == *own && t.arm == Some(ArmName::Canary) && t.factor > SICK);
    let share = split.percent(ArmName::Canary);
    let turn = if split.is_dark() {
        Turn::Dark("no version takes traffic")
    } else if sick && share >= MANY {
        Turn::Worse("errors rise with the canary's share")
    } else if before.is_dark() || (sick && share <= 0.0) {
        Turn::Better("back to usual")
    } else {
        return;
    };
    notice(world, service, turn, now);
}
