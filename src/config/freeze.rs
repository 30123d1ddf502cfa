//! Freezes: times in which nothing may change, as they are written in the configuration.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::near::nearest;
use super::scalar::{Glob, text_type};
use crate::domain::policy::{Day, Freeze, Window};
use crate::domain::source::Verb;
use crate::domain::text::SafeText;

/// A time in which nothing may change. With `days` it comes every week, without them it comes once.
/// A reason breaks the glass; it is recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FreezeConfig {
    /// What it is for, as it is shown where it holds something up.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The days of the week on which it begins.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub days: Option<Vec<Day>>,
    /// When it begins: a time of day with `days`, else a date, or a date and a time. A date alone is
    /// the beginning of that day.
    pub from: FreezeTime,
    /// When it ends. A time of day that is not later than `from` is one of the next day.
    pub until: FreezeTime,
    /// The time zone of both, by its IANA name. Times that tell their offset need none.
    #[serde(default)]
    pub zone: Option<ZoneName>,
    /// Only services of these names; all when left out.
    #[serde(default)]
    pub services: Vec<Glob>,
    /// Only environments and stages of these names; all when left out. Case does not count.
    #[serde(default)]
    pub environments: Vec<Glob>,
    /// Only services of these owners; all when left out.
    #[serde(default)]
    pub owners: Vec<Glob>,
    /// Only these kinds of write; all when left out.
    #[serde(default)]
    pub verbs: Vec<Verb>,
    /// Whether what leads back to safety waits as well: rolling back, rejecting, stopping, holding,
    /// switching off.
    #[serde(default)]
    pub even_to_safety: bool,
}

/// A time of day, or a moment.
#[derive(Clone, PartialEq)]
pub enum FreezeTime {
    /// A time of every day it is meant for.
    Daily(Time),
    /// A date and a time in a time zone that is told elsewhere.
    Local(DateTime),
    /// A moment.
    Exact(Timestamp),
}

impl FromStr for FreezeTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // A date and a time can be read as the time alone, so that comes last.
        if let Ok(moment) = text.parse() {
            return Ok(Self::Exact(moment));
        }
        if let Ok(local) = text.parse() {
            return Ok(Self::Local(local));
        }
        text.parse().map(Self::Daily).map_err(|_| format!("`{text}` is neither a time nor a date"))
    }
}

impl fmt::Display for FreezeTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daily(time) => write!(f, "{}", time.strftime("%H:%M:%S")),
            Self::Local(local) => write!(f, "{local}"),
            Self::Exact(moment) => write!(f, "{moment}"),
        }
    }
}

impl fmt::Debug for FreezeTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// The IANA name of a time zone that this machine knows.
#[derive(Clone, PartialEq, Eq)]
pub struct ZoneName(String);

impl ZoneName {
    /// The zone.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.0).unwrap_or(TimeZone::UTC)
    }
}

impl FromStr for ZoneName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if TimeZone::get(text).is_ok() {
            return Ok(Self(text.to_owned()));
        }
        let known = jiff::tz::db();
        if known.is_definitively_empty() {
            return Err("this machine knows no time zones: install its package tzdata".to_owned());
        }
        let names: Vec<String> = known.available().map(|name| name.to_string()).collect();
        Err(match nearest(text, names.iter().map(String::as_str)) {
            Some(name) => format!("`{text}` is no time zone: did you mean `{name}`?"),
            None => format!("`{text}` is no time zone"),
        })
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

text_type!(
    FreezeTime,
    "FreezeTime",
    "flightdeck-freeze-time",
    "A time of day as in 16:00, a date as in 2026-12-20, or both as in 2026-12-20T18:00 or \
     2026-12-20T18:00+01:00.",
    "16:00"
);
text_type!(
    ZoneName,
    "ZoneName",
    "flightdeck-zone",
    "A time zone by its IANA name.",
    "Europe/Berlin"
);

impl FreezeConfig {
    /// The same in the vocabulary; `None` for what the checks refuse: times that do not go together.
    pub fn describe(&self) -> Option<Freeze> {
        Some(Freeze {
            name: SafeText::from(&self.name),
            window: window(self)?,
            services: texts(&self.services),
            environments: texts(&self.environments),
            owners: texts(&self.owners),
            verbs: self.verbs.clone(),
            even_to_safety: self.even_to_safety,
        })
    }
}

fn texts(globs: &[Glob]) -> Vec<SafeText> {
    globs.iter().map(|glob| SafeText::new(glob.as_str())).collect()
}

fn window(freeze: &FreezeConfig) -> Option<Window> {
    match (&freeze.days, &freeze.from, &freeze.until) {
        (Some(days), FreezeTime::Daily(from), FreezeTime::Daily(until)) => Some(Window::Weekly {
            days: days.clone(),
            from: *from,
            until: *until,
            zone: freeze.zone.as_ref()?.to_string(),
        }),
        (None, from, until) => {
            let zone = freeze.zone.as_ref().map_or(TimeZone::UTC, ZoneName::zone);
            Some(Window::Dated { from: begin(from, &zone)?, until: end(until, &zone)? })
        }
        _ => None,
    }
}

/// The first moment that can be meant: where clocks go back an hour comes twice.
pub(super) fn begin(time: &FreezeTime, zone: &TimeZone) -> Option<Timestamp> {
    match time {
        FreezeTime::Daily(_) => None,
        FreezeTime::Local(local) => zone.to_ambiguous_timestamp(*local).earlier().ok(),
        FreezeTime::Exact(moment) => Some(*moment),
    }
}

/// The last moment that can be meant.
pub(super) fn end(time: &FreezeTime, zone: &TimeZone) -> Option<Timestamp> {
    match time {
        FreezeTime::Daily(_) => None,
        FreezeTime::Local(local) => zone.to_ambiguous_timestamp(*local).later().ok(),
        FreezeTime::Exact(moment) => Some(*moment),
    }
}
