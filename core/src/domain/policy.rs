//! Policy: what counts as production, when nothing may change, and how fast things may.

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern::glob;
use super::source::Verb;
use super::text::SafeText;

/// The rules of this installation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Nothing may be written.
    pub read_only: bool,
    /// Names of environments that are production; `*` and `?` match, case does not count.
    pub production: Vec<SafeText>,
    /// Writes a minute at most.
    pub writes_per_minute: usize,
    /// When nothing may change.
    pub freezes: Vec<Freeze>,
}

impl Default for Policy {
    fn default() -> Self {
        let production = ["prod", "prod-*", "*-prod", "production", "production-*", "*-production"];
        Self {
            read_only: false,
            production: production.map(SafeText::new).to_vec(),
            writes_per_minute: 10,
            freezes: Vec::new(),
        }
    }
}

/// A time in which nothing may change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Freeze {
    /// What it is for.
    pub name: SafeText,
    /// When.
    pub window: Window,
    /// Only services whose name matches; all without one.
    pub services: Vec<SafeText>,
    /// Only environments whose name matches; all without one.
    pub environments: Vec<SafeText>,
    /// Only services of these owners; all without one.
    pub owners: Vec<SafeText>,
    /// Only these kinds of write; all without one.
    pub verbs: Vec<Verb>,
    /// Roll backs to safety wait as well.
    pub even_to_safety: bool,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "days have names")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

/// When a freeze lasts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// From one moment to another.
    Dated {
        /// Its first moment.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
    },
    /// Every week.
    Weekly {
        /// On these days.
        days: Vec<Day>,
        /// From this time on.
        from: Time,
        /// Until this time; of the next day, if it is not later than `from`.
        until: Time,
        /// In this time zone, by its IANA name.
        zone: String,
    },
}

impl Window {
    /// Whether it lasts at `now`. A time zone that is not known freezes: better too much than too
    /// little.
    pub fn lasts(&self, now: Timestamp) -> bool {
        match self {
            Self::Dated { from, until } => *from <= now && now < *until,
            Self::Weekly { days, from, until, zone } => {
                let Ok(zone) = TimeZone::get(zone) else { return true };
                let local = now.to_zoned(zone);
                let (day, time) = (local.weekday(), local.time());
                let is = |day: Weekday| days.contains(&Day::from(day));
                if from < until {
                    return is(day) && *from <= time && time < *until;
                }
                // Over midnight: the evening of a day, or the morning after one.
                (is(day) && *from <= time) || (is(day.previous()) && time < *until)
            }
        }
    }
}

impl Window {
    /// Its end, in words.
    pub fn until(&self) -> String {
        match self {
            Self::Dated { until, .. } => {
                let until = until.to_zoned(TimeZone::UTC);
                format!("until {} UTC", until.strftime("%Y-%m-%d %H:%M"))
            }
            Self::Weekly { until, zone, .. } => {
                format!("until {} {zone}", until.strftime("%H:%M"))
            }
        }
    }
}

/// What a freeze is asked about.
#[derive(Clone, Debug, Default)]
pub struct Frozen<'a> {
    /// The service.
    pub service: Option<&'a str>,
    /// Who owns it.
    pub owners: Vec<&'a str>,
    /// Names of the environment or stage.
    pub environments: Vec<&'a str>,
}

impl Freeze {
    /// Whether it holds up a write of this kind to `what` at `now`.
    pub fn holds(&self, what: &Frozen<'_>, verb: Verb, to_safety: bool, now: Timestamp) -> bool {
        let any = |patterns: &[SafeText], names: &[&str]| {
            patterns.is_empty()
                || patterns.iter().any(|pattern| names.iter().any(|name| matches(pattern, name)))
        };
        (self.even_to_safety || !to_safety)
            && (self.verbs.is_empty() || self.verbs.contains(&verb))
            && any(&self.services, what.service.as_slice())
            && any(&self.environments, &what.environments)
            && any(&self.owners, &what.owners)
            && self.window.lasts(now)
    }
}

impl Policy {
    /// Whether any of these names is production.
    pub fn is_production(&self, names: &[&str]) -> bool {
        self.production.iter().any(|pattern| names.iter().any(|name| matches(pattern, name)))
    }
}

fn matches(pattern: &SafeText, name: &str) -> bool {
    glob(&pattern.as_str().to_lowercase(), &name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn freeze(window: Window) -> Freeze {
        Freeze {
            name: "weekend".into(),
            window,
            services: Vec::new(),
            environments: vec!["prod*".into()],
            owners: Vec::new(),
            verbs: Vec::new(),
            even_to_safety: false,
        }
    }

    fn weekly(days: &[Day], from: &str, until: &str, zone: &str) -> Window {
        Window::Weekly {
            days: days.to_vec(),
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
            zone: zone.to_owned(),
        }
    }

    #[test]
    fn weekly_windows_know_zones_midnight_and_summer_time() {
        let friday = weekly(&[Day::Friday], "16:00", "09:00", "Europe/Berlin");
        for (moment, lasts) in [
            ("2026-11-20T14:59:59Z", false), // Friday 15:59:59 in Berlin
            ("2026-11-20T15:00:00Z", true),
            ("2026-11-21T07:59:00Z", true), // Saturday 08:59
            ("2026-11-21T08:00:00Z", false),
            ("2026-07-17T13:59:00Z", false), // Friday 15:59 in summer
            ("2026-07-17T14:00:00Z", true),
            ("2026-11-19T20:00:00Z", false), // Thursday
        ] {
            assert_eq!(friday.lasts(moment.parse().unwrap()), lasts, "{moment}");
        }
        assert!(weekly(&[], "00:00", "01:00", "Nowhere/Else").lasts(Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn a_freeze_holds_what_it_names_and_lets_safety_pass() {
        let dated = Window::Dated {
            from: "2026-12-20T00:00:00Z".parse().unwrap(),
            until: "2027-01-02T00:00:00Z".parse().unwrap(),
        };
        let now = "2026-12-24T12:00:00Z".parse().unwrap();
        let freeze = freeze(dated);
        let what = |environment| Frozen {
            service: Some("shop"),
            owners: vec!["team"],
            environments: vec![environment],
        };
        assert!(freeze.holds(&what("Prod-eu"), Verb::Approve, false, now));
        assert!(!freeze.holds(&what("staging"), Verb::Approve, false, now));
        assert!(!freeze.holds(&what("prod"), Verb::Rollback, true, now));
        let strict = Freeze { even_to_safety: true, ..freeze.clone() };
        assert!(strict.holds(&what("prod"), Verb::Rollback, true, now));
        let only = Freeze { verbs: vec![Verb::Flag], ..freeze.clone() };
        assert!(!only.holds(&what("prod"), Verb::Approve, false, now));
        let other = Freeze { services: vec!["search".into()], ..freeze };
        assert!(!other.holds(&what("prod"), Verb::Approve, false, now));
    }
}
