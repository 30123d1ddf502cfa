//! Flags of the world at a moment.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::first_flips::ENVIRONMENTS;
use super::script::{FlagScript, Flip};
use super::settings::Setting;
use super::span::Span;
use super::world::{World, flag_id};
use crate::domain::flag::{Flag, FlagRollout, FlagState, Pace};
use crate::domain::text::SafeText;

/// A way in which a change reaches everybody.
#[derive(Clone, Copy, Debug)]
pub struct Strategy {
    /// Its name.
    pub name: &'static str,
    /// How it grows.
    growth: &'static str,
    /// How long it takes.
    pub over: Span,
}

/// The strategies, the usual one first.
pub const STRATEGIES: [Strategy; 2] = [
    Strategy { name: "AllAtOnce", growth: "all at once", over: Span::secs(0) },
    Strategy { name: "Linear", growth: "linear 20 % over 5m", over: Span::secs(300) },
];
/// How much more gets it at each step of one that is not at once, in per cent.
const STEP: f64 = 20.0;

/// The strategy of this name; the usual one if none is said.
pub fn strategy(name: Option<&SafeText>) -> Option<Strategy> {
    match name {
        Some(name) => STRATEGIES.into_iter().find(|own| *name == *own.name),
        None => STRATEGIES.into_iter().next(),
    }
}

fn words(strategy: Strategy) -> SafeText {
    format!("{}: {}", strategy.name, strategy.growth).into()
}

/// The flag at `now`.
pub fn flag(world: &World, script: &FlagScript, now: Timestamp) -> Flag {
    Flag {
        id: flag_id(&script.key),
        key: script.key.as_str().into(),
        project: script.service.as_str().into(),
        description: (!script.description.is_empty()).then(|| script.description.as_str().into()),
        kind: Some(script.kind.as_str().into()),
        stale: script.stale.as_deref().map(Into::into),
        marked: script.stale.is_some(),
        environments: ENVIRONMENTS.map(|name| state(world, script, name, now)).to_vec(),
        link: Some(format!("https://flags.example.com/{}", script.key).into()),
        tags: BTreeMap::from([("service".into(), script.service.as_str().into())]),
    }
}

fn state(world: &World, script: &FlagScript, environment: &str, now: Timestamp) -> FlagState {
    let standing = world.standing(script, environment, now);
    let live = standing.live;
    FlagState {
        environment: environment.into(),
        enabled: Some(live.on),
        percent: Some(live.percent),
        gradual: Some(live.percent),
        rules: script.rules.iter().map(|r| r.as_str().into()).collect(),
        attributes: attributes(&live),
        version: Some(live.version.to_string().into()),
        changed: Some(live.since),
        by: (!live.by.is_empty()).then(|| live.by.as_str().into()),
        last_seen: script.stale.is_none().then(|| now - SignedDuration::from_secs(20)),
        rollout: standing.moving.map(|(next, flip)| rollout(&next, &flip, now)),
        paces: STRATEGIES.map(|own| Pace { name: own.name.into(), words: words(own) }).to_vec(),
    }
}

fn attributes(setting: &Setting) -> Vec<(SafeText, SafeText)> {
    let own = setting.attributes.iter();
    own.map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect()
}

fn rollout(next: &Setting, flip: &Flip, now: Timestamp) -> FlagRollout {
    let whole = flip.over.seconds().max(1.0);
    let done = now.duration_since(next.since).as_secs_f64() * 100.0 / whole;
    let strategy = STRATEGIES.into_iter().find(|own| own.over == flip.over);
    FlagRollout {
        state: "DEPLOYING".into(),
        strategy: strategy.map_or_else(|| format!("{}m", flip.over.0.as_mins()).into(), words),
        percent: (done / STEP).floor().clamp(0.0, 5.0) * STEP,
        version: next.version.to_string().into(),
        started: Some(next.since),
        enabled: Some(next.on),
        attributes: attributes(next),
    }
}
