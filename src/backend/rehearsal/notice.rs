//! Alarms and the health of production notice what the operator did.

use jiff::{SignedDuration, Timestamp};

use super::script::{AlarmScript, HealthScript, ServiceScript};
use super::world::World;
use crate::domain::alarm::AlarmState;
use crate::domain::environment::Health;

/// Until something that got better or worse is noticed.
const NOTICED: SignedDuration = SignedDuration::from_secs(45);
/// The environment that has visitors.
const PRODUCTION: &str = "prod";

/// A turn that things take, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is as usual again.
    Better(&'static str),
    /// More fails than usual.
    Worse(&'static str),
    /// Everything fails.
    Dark(&'static str),
}

/// Lets alarms and health notice what turns at `when`, a while later.
pub fn notice(world: &mut World, service: &ServiceScript, turn: Turn, when: Timestamp) {
    let at = world.offset(when + NOTICED);
    let (alarm, health, why) = match turn {
        Turn::Better(why) => (AlarmState::Ok, Health::Healthy, why),
        Turn::Worse(why) => (AlarmState::Firing, Health::Degraded, why),
        Turn::Dark(why) => (AlarmState::Firing, Health::Unhealthy, why),
    };
    let own = world.script.alarms.iter().filter(|a| a.service == service.name);
    let mut names: Vec<String> = own.map(|a| a.name.clone()).collect();
    names.sort();
    names.dedup();
    // What the scenario has in store for them does not come any more.
    let now = world.offset(when);
    world.script.alarms.retain(|a| a.service != service.name || a.at <= now);
    world.script.healths.retain(|h| h.service != service.name || h.at <= now);
    for name in names {
        let past = world.script.alarms.iter().filter(|a| a.name == name);
        let newest = past.max_by_key(|a| a.at).map_or(AlarmState::Ok, |a| a.state);
        if newest != alarm {
            world.script.alarms.push(AlarmScript {
                at,
                name,
                service: service.name.clone(),
                state: alarm,
                reason: why.to_owned(),
            });
        }
    }
    let past = world.script.healths.iter().filter(|h| h.service == service.name);
    let newest = past.filter(|h| h.environment == PRODUCTION).max_by_key(|h| h.at);
    if newest.map_or(Health::Healthy, |h| h.health) != health {
        world.script.healths.push(HealthScript {
            at,
            service: service.name.clone(),
            environment: PRODUCTION.to_owned(),
            health,
            summary: why.to_owned(),
        });
    }
}
