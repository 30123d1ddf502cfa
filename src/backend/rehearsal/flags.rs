//! Flags of the world at a moment.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::script::FlagScript;
use super::world::{World, flag_id};
use crate::domain::flag::{Flag, FlagState};

/// The flag at `now`.
pub fn flag(world: &World, script: &FlagScript, now: Timestamp) -> Flag {
    let set = script.at.after(world.start);
    let set = if script.at.seconds() < 0.0 {
        set
    } else {
        world.start - SignedDuration::from_hours(24 * 9)
    };
    let state =
        |environment: &str, on: bool, percent: f64, changed: Timestamp, by: &str| FlagState {
            environment: environment.into(),
            enabled: Some(on),
            percent: Some(percent),
            gradual: Some(percent),
            rules: script.rules.iter().map(|r| r.as_str().into()).collect(),
            attributes: Vec::new(),
            version: None,
            changed: Some(changed),
            by: (!by.is_empty()).then(|| by.into()),
            last_seen: script.stale.is_none().then(|| now - SignedDuration::from_secs(20)),
            rollout: None,
            paces: Vec::new(),
        };
    let production = match world.flips(&script.key, now).last() {
        Some(flip) => {
            state("production", flip.on, flip.percent, flip.at.after(world.start), &flip.by)
        }
        None => state("production", script.on, script.percent, set, &script.by),
    };
    let staging = state("staging", true, 100.0, set - SignedDuration::from_hours(5), &script.by);
    Flag {
        id: flag_id(&script.key),
        key: script.key.as_str().into(),
        project: script.service.as_str().into(),
        description: (!script.description.is_empty()).then(|| script.description.as_str().into()),
        kind: Some(script.kind.as_str().into()),
        stale: script.stale.as_deref().map(Into::into),
        marked: script.stale.is_some(),
        environments: vec![staging, production],
        link: Some(format!("https://flags.example.com/{}", script.key).into()),
        tags: BTreeMap::from([("service".into(), script.service.as_str().into())]),
    }
}
