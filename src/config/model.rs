//! The whole configuration as types; their defaults are those of `config/default.toml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::freeze::FreezeConfig;
use super::names::KeyName;
use super::scalar::{Glob, HumanDuration};
use super::services::ServiceConfig;
use super::sources::SourceConfig;

/// The settings of the control room.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(title = "flightdeck configuration")]
pub struct Config {
    /// What the screen looks like.
    pub view: View,
    /// When a fact is too old to be trusted.
    pub freshness: Freshness,
    /// How often and how hard sources are read.
    pub polling: Polling,
    /// What protects production.
    pub safety: Safety,
    /// Times in which nothing may change.
    pub freeze: Vec<FreezeConfig>,
    /// The embedded practice world.
    pub rehearsal: Rehearsal,
    /// Other keys for commands: command name = key or list of keys; an empty list takes the keys
    /// away.
    pub keys: BTreeMap<String, KeyBinding>,
    /// The backends, each under a name of your choice.
    pub sources: BTreeMap<String, SourceConfig>,
    /// The services, each under its name.
    pub services: BTreeMap<String, ServiceConfig>,
}

impl Config {
    /// How the source `name` is read: its own settings, else the general ones.
    pub fn schedule(&self, name: &str) -> Schedule {
        let own = self.sources.get(name).map(SourceConfig::reading).cloned().unwrap_or_default();
        Schedule {
            fast: self.polling.fast.min(own.every.unwrap_or(self.polling.fast)),
            slow: own.every.unwrap_or(self.polling.slow),
            budget_per_minute: own.budget_per_minute.unwrap_or(self.polling.budget_per_minute),
            deadline: own.deadline.unwrap_or(self.polling.deadline),
            stale_after: own.stale_after.unwrap_or(self.freshness.stale_after),
            lost_after: own.lost_after.unwrap_or(self.freshness.lost_after),
            jitter: self.polling.jitter,
            back_off_max: self.polling.back_off_max,
        }
    }

    /// Whether nothing is configured to be looked at, so that the rehearsal world opens.
    pub fn is_rehearsal(&self) -> bool {
        self.sources.values().all(|source| matches!(source, SourceConfig::Rehearsal(_)))
    }
}

/// How one source is read, with every default filled in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// How often while it is visible or something moves.
    pub fast: HumanDuration,
    /// How often otherwise.
    pub slow: HumanDuration,
    /// Calls a minute at most.
    pub budget_per_minute: u32,
    /// How long one call may take.
    pub deadline: HumanDuration,
    /// The age at which its facts count as stale.
    pub stale_after: HumanDuration,
    /// The age at which its facts count as lost.
    pub lost_after: HumanDuration,
    /// The share by which each wait varies.
    pub jitter: f64,
    /// The longest wait between two attempts while it fails.
    pub back_off_max: HumanDuration,
}

/// What the screen looks like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct View {
    /// The theme: default, light, high-contrast, colour-blind, mono, or one of your own from the
    /// themes folder beside the user configuration.
    #[schemars(length(min = 1))]
    pub theme: String,
    /// The signs for states: auto takes ascii where the locale is not UTF-8.
    pub glyphs: Glyphs,
    /// Whether colours are used: auto leaves them out when `NO_COLOR` is set or the output is no
    /// terminal.
    pub color: Color,
    /// Whether the mouse selects and scrolls; it takes away the terminal's own copy and paste.
    pub mouse: bool,
    /// The pane that opens first.
    pub pane: StartPane,
    /// Whether the board groups services by owner.
    pub group_by_owner: bool,
    /// In which time zone times are shown.
    pub clock: Clock,
}

impl Default for View {
    fn default() -> Self {
        Self {
            theme: "default".to_owned(),
            glyphs: Glyphs::Auto,
            color: Color::Auto,
            mouse: false,
            pane: StartPane::Board,
            group_by_owner: false,
            clock: Clock::Utc,
        }
    }
}

/// The signs for states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Glyphs {
    /// By the locale.
    #[default]
    Auto,
    /// Check marks, arrows and boxes.
    Unicode,
    /// Letters and punctuation only.
    Ascii,
}

/// Whether colours are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// By the terminal and `NO_COLOR`.
    #[default]
    Auto,
    /// Also where the output is no terminal.
    Always,
    /// Not at all.
    Never,
}

/// The pane that opens first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are those on the screen")]
pub enum StartPane {
    #[default]
    Board,
    Inbox,
    Pipelines,
    Environments,
    Canaries,
    Flags,
    Timeline,
    Activity,
    Sources,
}

/// In which time zone times are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// Coordinated universal time.
    #[default]
    Utc,
    /// The time zone of this machine.
    Local,
}

/// When a fact is too old to be trusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Freshness {
    /// The age at which a fact counts as stale: it is marked, and no write relies on it. At least
    /// twice the time that reading every item of the source once takes within its budget.
    #[schemars(extend("x-at-least" = "1s"))]
    pub stale_after: HumanDuration,
    /// The age at which a fact counts as lost: it is shown as unknown, with its last value. At least
    /// four times the time that reading every item of the source once takes.
    #[schemars(extend("x-at-least" = "1s"))]
    pub lost_after: HumanDuration,
}

impl Default for Freshness {
    fn default() -> Self {
        Self {
            stale_after: HumanDuration::from_secs(150),
            lost_after: HumanDuration::from_secs(900),
        }
    }
}

/// How often and how hard sources are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Polling {
    /// How often what is visible or moving is read.
    #[schemars(extend("x-at-least" = "1s"))]
    pub fast: HumanDuration,
    /// How often the rest is read.
    #[schemars(extend("x-at-least" = "1s"))]
    pub slow: HumanDuration,
    /// The share by which each wait is made longer or shorter at random, so that many control
    /// rooms do not ask at the same moment.
    #[schemars(range(min = 0.0, max = 0.5))]
    pub jitter: f64,
    /// How long one call may take.
    #[schemars(extend("x-at-least" = "1s"))]
    pub deadline: HumanDuration,
    /// Calls a minute to one source at most; retries count.
    #[schemars(range(min = 1))]
    pub budget_per_minute: u32,
    /// The longest wait between two attempts while a source fails. Where it says itself when to
    /// come back, that is honoured even when longer.
    #[schemars(extend("x-at-least" = "1s"))]
    pub back_off_max: HumanDuration,
}

impl Default for Polling {
    fn default() -> Self {
        Self {
            fast: HumanDuration::from_secs(5),
            slow: HumanDuration::from_secs(60),
            jitter: 0.1,
            deadline: HumanDuration::from_secs(10),
            budget_per_minute: 120,
            back_off_max: HumanDuration::from_secs(30),
        }
    }
}

/// What protects production.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Safety {
    /// Whether every command that would change something is refused.
    pub read_only: bool,
    /// The names of environments that count as production where the source does not tell.
    pub production: Vec<Glob>,
    /// Writes a minute at most, all sources together. What leads back to safety only asks for a
    /// reason beyond that.
    #[schemars(range(min = 1))]
    pub writes_per_minute: u32,
    /// How long the effect of a write is looked for, before its outcome is told as unknown.
    #[schemars(extend("x-at-least" = "1s"))]
    pub patience: HumanDuration,
}

impl Safety {
    /// Whether an environment of this name counts as production. Case does not count.
    pub fn is_production(&self, environment: &str) -> bool {
        let name = environment.to_lowercase();
        self.production.iter().any(|glob| glob.matches(&name) || glob.matches(environment))
    }
}

impl Default for Safety {
    fn default() -> Self {
        let patterns = ["prod", "prod-*", "*-prod", "production", "production-*", "*-production"];
        Self {
            read_only: false,
            production: patterns.iter().filter_map(|text| text.parse().ok()).collect(),
            writes_per_minute: 10,
            patience: HumanDuration::from_secs(60),
        }
    }
}

/// The embedded practice world. It opens when no other source is configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Rehearsal {
    /// The scenario that is played: quiet-day, bad-canary, good-canary, silent-canary,
    /// flapping-metrics, flag-flip, superseded-approval, dead-backends, or the path of a scenario file.
    #[schemars(length(min = 1))]
    pub scenario: String,
    /// How many times faster than real time its clock runs.
    #[schemars(range(min = 0.1, max = 1000.0))]
    pub speed: f64,
    /// The seed of its randomness: the same seed plays the same day.
    pub seed: u64,
}

impl Default for Rehearsal {
    fn default() -> Self {
        Self { scenario: "bad-canary".to_owned(), speed: 1.0, seed: 1 }
    }
}

/// One key, or several keys that do the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum KeyBinding {
    /// One key.
    One(KeyName),
    /// Several; none takes the keys away.
    Many(Vec<KeyName>),
}

impl KeyBinding {
    /// The keys, in the order written.
    pub fn keys(&self) -> &[KeyName] {
        match self {
            Self::One(key) => std::slice::from_ref(key),
            Self::Many(keys) => keys,
        }
    }
}
