//! What a flag is set to in one environment at a moment, and what is on its way there.

use jiff::{SignedDuration, Timestamp};

use super::operator::YOU;
use super::script::{FlagScript, Flip};
use super::world::World;

/// Until a change at once is felt.
const FELT: SignedDuration = SignedDuration::from_secs(40);

/// One version of a flag in one environment.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its number, from 1.
    pub version: usize,
    /// On.
    pub on: bool,
    /// For how many per cent.
    pub percent: f64,
    /// Names and values.
    pub attributes: Vec<(String, String)>,
    /// Since when it is there.
    pub since: Timestamp,
    /// Who made it so.
    pub by: String,
}

impl Setting {
    fn first(flag: &FlagScript, environment: &str) -> Self {
        Self {
            version: 1,
            on: false,
            percent: if environment == "production" { flag.percent } else { 100.0 },
            attributes: flag.attributes.clone().into_iter().collect(),
            since: Timestamp::UNIX_EPOCH,
            by: flag.by.clone(),
        }
    }

    /// The share of all visitors that gets it, 0–1.
    pub fn reach(&self) -> f64 {
        if self.on { self.percent / 100.0 } else { 0.0 }
    }

    fn after(&self, flip: &Flip, version: usize, start: Timestamp) -> Self {
        let mut attributes = self.attributes.clone();
        if let Some((name, value)) = &flip.attribute
            && let Some(own) = attributes.iter_mut().find(|(own, _)| own == name)
        {
            own.1.clone_from(value);
        }
        Self {
            version,
            on: flip.on,
            percent: flip.percent,
            attributes,
            since: flip.at.after(start),
            by: flip.by.clone(),
        }
    }
}

/// What is there, what was there before it, and what is on its way.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What everybody has who has nothing newer.
    pub live: Setting,
    /// What comes back when that is taken back.
    pub before: Option<Setting>,
    /// On its way, with what brings it.
    pub moving: Option<(Setting, Flip)>,
}

impl World {
    /// Flips of a flag in one environment until `now`, the oldest first.
    pub fn flips(&self, flag: &str, environment: &str, now: Timestamp) -> Vec<&Flip> {
        let mut flips: Vec<&Flip> = self
            .script
            .flips
            .iter()
            .filter(|f| f.flag == flag && f.environment == environment)
            .filter(|f| f.at.after(self.start) <= now)
            .collect();
        flips.sort_by_key(|f| f.at);
        flips
    }

    /// How a flag stands in one environment at `now`.
    pub fn standing(&self, flag: &FlagScript, environment: &str, now: Timestamp) -> Standing {
        let mut all = vec![];
        let mut live = Setting::first(flag, environment);
        let mut moving = None;
        for (i, flip) in self.flips(&flag.key, environment, now).into_iter().enumerate() {
            let next = live.after(flip, i + 2, self.start);
            let back = flip.back.map(|back| back.after(self.start)).filter(|back| *back <= now);
            if let Some(back) = back {
                (live.since, live.by) = (back, YOU.to_owned());
                moving = None;
            } else if next.since + flip.over.0 > now {
                moving = Some((next, flip.clone()));
            } else {
                all.push(std::mem::replace(&mut live, next));
                moving = None;
            }
        }
        Standing { live, before: all.pop(), moving }
    }

    /// The share of the visitors that feel a flag in production at `now`, 0–1.
    pub fn exposure(&self, key: &str, now: Timestamp) -> f64 {
        let mut slope = Slope { from: 0.0, to: 0.0, since: self.start, over: FELT };
        let mut turns: Vec<(Timestamp, f64, SignedDuration)> = Vec::new();
        let mut before = Vec::from([0.0]);
        for flip in self.flips(key, "production", now) {
            let at = flip.at.after(self.start);
            let reach = if flip.on { flip.percent / 100.0 } else { 0.0 };
            turns.push((at, reach, flip.over.0.max(FELT)));
            match flip.back.map(|back| back.after(self.start)).filter(|back| *back <= now) {
                Some(back) => turns.push((back, before.last().copied().unwrap_or(0.0), FELT)),
                None => before.push(reach),
            }
        }
        turns.sort_by_key(|(at, ..)| *at);
        for (at, to, over) in turns {
            slope = Slope { from: slope.at(at), to, since: at, over };
        }
        slope.at(now)
    }
}

/// A way from one level to another.
struct Slope {
    from: f64,
    to: f64,
    since: Timestamp,
    over: SignedDuration,
}

impl Slope {
    fn at(&self, now: Timestamp) -> f64 {
        let passed = now.duration_since(self.since).as_secs_f64();
        let share = (passed / self.over.as_secs_f64().max(1.0)).clamp(0.0, 1.0);
        self.from + (self.to - self.from) * share
    }
}
