//! Flags that the operator changes, and what follows: what a flag does, it does to those who get it.

use jiff::Timestamp;

use super::first_flips::ENVIRONMENTS;
use super::flags::{Strategy, strategy};
use super::notice::{Turn, notice};
use super::operator::{YOU, conflict, invalid};
use super::script::{FlagScript, Flip};
use super::settings::Standing;
use super::world::World;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::FlagId;
use crate::domain::text::SafeText;
use crate::domain::write::{FlagChange, Receipt};

/// Changes a flag in one environment.
pub fn change(
    world: &mut World,
    (flag, environment): (&FlagId, &SafeText),
    change: &FlagChange,
    wanted: Option<&SafeText>,
    now: Timestamp,
) -> Result<Receipt, Fault> {
    let missing = |what: String| Fault::new(FaultKind::NotFound, what);
    let mut flags = world.script.flags.iter();
    let own = flags.find(|own| flag.name == *own.key.as_str()).cloned();
    let own = own.ok_or_else(|| missing(format!("there is no flag {}", flag.name)))?;
    let mut places = ENVIRONMENTS.into_iter();
    let place = places.find(|name| *environment == **name);
    let place = place.ok_or_else(|| missing(format!("there is no environment {environment}")))?;
    let strategy = strategy(wanted).ok_or_else(|| {
        let name = wanted.map(ToString::to_string).unwrap_or_default();
        invalid(format!("there is no strategy {name}"))
    })?;
    let standing = world.standing(&own, place, now);
    let note = match change {
        FlagChange::Stale { stale } => {
            if let Some(own) = world.script.flags.iter_mut().find(|f| f.key == own.key) {
                own.stale = stale.then(|| "marked as stale by you".to_owned());
            }
            return Ok(Receipt::default());
        }
        FlagChange::Halt | FlagChange::Revert => {
            take_back(world, &own, place, (&standing, *change == FlagChange::Halt), now)?
        }
        _ => flip(world, &own, place, (&standing, change, strategy), now)?,
    };
    if place == "production" {
        follow(world, &own, &standing, now);
    }
    Ok(Receipt { id: None, note: Some(note.into()) })
}

/// Something new on its way to everybody.
fn flip(
    world: &mut World,
    flag: &FlagScript,
    environment: &str,
    (standing, change, strategy): (&Standing, &FlagChange, Strategy),
    now: Timestamp,
) -> Result<String, Fault> {
    if let Some((next, _)) = &standing.moving {
        let why = format!("version {} is under way", next.version);
        return Err(conflict(why).hint("wait until it is complete, or stop it"));
    }
    let live = &standing.live;
    let mut flip = Flip {
        at: world.offset(now),
        flag: flag.key.clone(),
        environment: environment.to_owned(),
        on: live.on,
        percent: live.percent,
        over: strategy.over,
        by: YOU.to_owned(),
        attribute: None,
        back: None,
    };
    match change {
        FlagChange::Enabled { on } => flip.on = *on,
        FlagChange::Percent { percent } if (0.0..=100.0).contains(percent) => {
            // The share is the way itself.
            (flip.percent, flip.over) = (*percent, super::span::Span::default());
        }
        FlagChange::Percent { percent } => {
            return Err(invalid(format!("a share is between 0 and 100, not {percent}")));
        }
        FlagChange::Attribute { name, value } => {
            if !live.attributes.iter().any(|(own, _)| *name == *own.as_str()) {
                return Err(invalid(format!("{} has no attribute {name}", flag.key)));
            }
            flip.attribute = Some((name.to_string(), value.to_string()));
        }
        FlagChange::Stale { .. } | FlagChange::Halt | FlagChange::Revert => {}
    }
    world.script.flips.push(flip);
    let version = world.flips(&flag.key, environment, now).len() + 1;
    Ok(format!("version {version}, {}", strategy.name))
}

/// What is on its way is stopped; or what came last is taken back.
fn take_back(
    world: &mut World,
    flag: &FlagScript,
    environment: &str,
    (standing, halt): (&Standing, bool),
    now: Timestamp,
) -> Result<String, Fault> {
    let at = world.offset(now);
    let version = match (&standing.moving, halt) {
        (Some((next, _)), true) => next.version,
        (None, true) => {
            let fault = conflict("nothing is under way any more");
            return Err(fault.hint("see how it ended; what is complete can be taken back"));
        }
        (Some((next, _)), false) => {
            let fault = conflict(format!("version {} is under way", next.version));
            return Err(fault.hint("stop it instead"));
        }
        (None, false) if standing.before.is_none() => {
            return Err(invalid("there was nothing before what is there now"));
        }
        (None, false) => standing.live.version,
    };
    let own = |f: &&mut Flip| {
        f.flag == flag.key && f.environment == environment && f.back.is_none() && f.at <= at
    };
    if let Some(last) = world.script.flips.iter_mut().filter(own).max_by_key(|flip| flip.at) {
        last.back = Some(at);
    }
    Ok(format!("version {version} is taken back"))
}

/// What the flag breaks, it breaks for those who get it; what it broke heals when nobody does.
fn follow(world: &mut World, flag: &FlagScript, before: &Standing, now: Timestamp) {
    let harms = world.script.trends.iter().any(|t| {
        t.flag.as_deref() == Some(flag.key.as_str())
            && t.from.after(world.start) <= now
            && (t.factor - 1.0).abs() > 0.01
    });
    if !harms {
        return;
    }
    let reach = |standing: &Standing| {
        standing.moving.as_ref().map_or(&standing.live, |(next, _)| next).reach()
    };
    let after = world.standing(flag, "production", now);
    let when = now + after.moving.as_ref().map(|(_, flip)| flip.over.0).unwrap_or_default();
    let Some(service) = world.script.service(&flag.service).cloned() else { return };
    if reach(&after) <= 0.0 {
        notice(world, &service, Turn::Better("back to usual since the flag is off"), when);
    } else if reach(before) <= 0.0 {
        notice(world, &service, Turn::Worse("errors rise since the flag is on"), now);
    }
}
