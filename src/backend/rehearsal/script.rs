//! Scenario files as they are written: who is there, and what happens when.
//!
//! Times are offsets from the moment the world opens; negative ones lie before it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::deeds::Deed;
use super::span::Span;

/// A scenario file, or several joined.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// What it shows, in one sentence.
    pub story: String,
    /// Services.
    #[serde(rename = "service")]
    pub services: Vec<ServiceScript>,
    /// Flags.
    #[serde(rename = "flag")]
    pub flags: Vec<FlagScript>,
    /// Executions of pipelines.
    #[serde(rename = "run")]
    pub runs: Vec<Run>,
    /// Flags that somebody sets.
    #[serde(rename = "flip")]
    pub flips: Vec<Flip>,
    /// Traffic that somebody shifts.
    #[serde(rename = "shift")]
    pub shifts: Vec<Shift>,
    /// Metrics that drift.
    #[serde(rename = "trend")]
    pub trends: Vec<Trend>,
    /// Alarms that change.
    #[serde(rename = "alarm")]
    pub alarms: Vec<AlarmScript>,
    /// Transitions that are closed.
    #[serde(rename = "hold")]
    pub holds: Vec<Hold>,
    /// Environments that fall ill or recover.
    #[serde(rename = "health")]
    pub healths: Vec<HealthScript>,
    /// Sources that do not answer.
    #[serde(rename = "outage")]
    pub outages: Vec<Outage>,
    /// What was done by hand since the world opened.
    #[serde(skip)]
    pub deeds: Vec<Deed>,
}

/// A service with its pipeline, its environments and its figures.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceScript {
    /// Its name.
    pub name: String,
    /// Who owns it.
    pub owner: String,
    /// How important it is; 1 is the most.
    pub tier: u8,
    /// What it does.
    #[serde(default)]
    pub description: String,
    /// Services that it calls.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Where it runs: `eu` or `us`.
    pub region: String,
    /// Stages of its pipeline.
    #[serde(default = "usual_stages")]
    pub stages: Vec<String>,
    /// Superseded, queued or parallel.
    #[serde(default)]
    pub mode: crate::domain::pipeline::ExecutionMode,
    /// Its last stage waits for approval.
    #[serde(default)]
    pub approval: bool,
    /// How it goes to production.
    #[serde(default)]
    pub release: Release,
    /// Requests a second.
    #[serde(default = "usual_rate")]
    pub rate: f64,
    /// Errors, per cent of the requests.
    #[serde(default = "usual_errors")]
    pub errors: f64,
    /// Latency at the 99th percentile, in milliseconds.
    #[serde(default = "usual_p99")]
    pub p99: f64,
    /// The revision that ran before anything happens.
    pub runs: String,
}

/// How a service goes to production.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Release {
    /// All at once.
    #[default]
    Rolling,
    /// Two slots that swap.
    BlueGreen,
    /// A share of the traffic first.
    Canary,
}

/// A flag.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagScript {
    /// Its key.
    pub key: String,
    /// Whose it is.
    pub service: String,
    /// What it does.
    #[serde(default)]
    pub description: String,
    /// Release, experiment, kill switch …
    #[serde(default = "usual_kind")]
    pub kind: String,
    /// On in production at first.
    #[serde(default)]
    pub on: bool,
    /// For how many per cent.
    #[serde(default = "all")]
    pub percent: f64,
    /// Who set it, and when.
    #[serde(default)]
    pub by: String,
    /// When it was set.
    #[serde(default)]
    pub at: Span,
    /// Why it should go away.
    pub stale: Option<String>,
    /// Who gets it.
    #[serde(default)]
    pub rules: Vec<String>,
    /// What else it says.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

/// An execution of a pipeline.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// When it starts.
    pub at: Span,
    /// Whose pipeline.
    pub service: String,
    /// What it ships.
    pub revision: String,
    /// Who wrote that.
    pub author: String,
    /// What that is.
    pub message: String,
    /// The stage that fails, and why.
    pub fails: Option<Failure>,
    /// The stage in which somebody stops it.
    pub stopped: Option<Stopped>,
    /// The stage whose condition does not let it in, and why.
    pub refused: Option<Failure>,
    /// Who approves it, and after which wait; without it, it waits.
    pub approved: Option<Approved>,
    /// It was begun by hand since the world opened, not by the scenario.
    #[serde(skip)]
    pub by_hand: bool,
    /// The stage that it goes straight to, and the execution that it puts back there.
    #[serde(skip)]
    pub puts_back: Option<(String, String)>,
}

/// A stage that fails, or does not let something in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Which.
    pub stage: String,
    /// What it says.
    pub error: String,
}

/// Somebody stops an execution.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stopped {
    /// In which stage.
    pub stage: String,
    /// Who.
    pub by: String,
}

/// Somebody approves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// Who.
    pub by: String,
    /// How long after it was asked for.
    pub after: Span,
}

/// Somebody sets a flag.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flip {
    /// When.
    pub at: Span,
    /// Which.
    pub flag: String,
    /// In which of [`super::flags::ENVIRONMENTS`].
    #[serde(default = "production")]
    pub environment: String,
    /// To what.
    pub on: bool,
    /// For how many per cent.
    #[serde(default = "all")]
    pub percent: f64,
    /// Until everybody has it.
    #[serde(default)]
    pub over: Span,
    /// Who.
    pub by: String,
    /// What else is set with it.
    #[serde(skip)]
    pub attribute: Option<(String, String)>,
    /// When it was stopped or taken back.
    #[serde(skip)]
    pub back: Option<Span>,
}

/// Somebody shifts traffic to the canary.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// When.
    pub at: Span,
    /// Whose traffic.
    pub service: String,
    /// The canary's share from then on.
    pub percent: f64,
    /// Who.
    pub by: String,
    /// Instead of a share: what is wanted of one version.
    #[serde(skip)]
    pub wish: Option<(ArmName, crate::domain::write::ArmWish)>,
}

/// A metric drifts to a multiple of itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trend {
    /// Whose.
    pub service: String,
    /// Which.
    pub metric: Metric,
    /// Only that of this arm.
    pub arm: Option<ArmName>,
    /// When it begins.
    pub from: Span,
    /// How long it takes.
    pub over: Span,
    /// What it becomes, as a multiple.
    pub factor: f64,
    /// The flag that it comes from: the more get that, the worse it is.
    pub flag: Option<String>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Requests.
    Requests,
    /// Failed requests.
    Errors,
    /// Latency at the 99th percentile.
    P99,
    /// Orders that were placed.
    Orders,
}

/// Which of the two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArmName {
    /// The version that ran before.
    Stable,
    /// The new version.
    Canary,
}

impl ArmName {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Canary => "canary",
        }
    }
}

/// An alarm changes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmScript {
    /// When.
    pub at: Span,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub service: String,
    /// Its state from then on.
    pub state: crate::domain::alarm::AlarmState,
    /// Why.
    pub reason: String,
}

/// A transition is closed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// When.
    pub at: Span,
    /// When it is opened again; never without it.
    pub until: Option<Span>,
    /// Whose pipeline.
    pub service: String,
    /// The stage that cannot be entered.
    pub stage: String,
    /// Who closed it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// An environment falls ill or recovers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthScript {
    /// When.
    pub at: Span,
    /// Whose environment.
    pub service: String,
    /// `staging` or `prod`.
    pub environment: String,
    /// Its health from then on.
    pub health: crate::domain::environment::Health,
    /// What it says.
    pub summary: String,
}

/// A source does not answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// Which.
    pub source: String,
    /// From when.
    pub from: Span,
    /// Until when; for ever without it.
    pub until: Option<Span>,
    /// After so long it begins again, and again.
    pub every: Option<Span>,
    /// How.
    pub kind: OutageKind,
}

impl Outage {
    /// Whether it lasts at `now`, in a world that opened at `start`.
    pub fn lasts(&self, now: Timestamp, start: Timestamp) -> bool {
        let mut since = now.duration_since(self.from.after(start)).as_secs_f64();
        if since < 0.0 {
            return false;
        }
        if let Some(every) = self.every.map(Span::seconds).filter(|every| *every > 0.0) {
            since %= every;
        }
        self.until.is_none_or(|until| since < until.seconds() - self.from.seconds())
    }
}

/// How a source does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutageKind {
    /// Nobody is there.
    Dead,
    /// The credentials ran out.
    SignedOut,
    /// It asks for fewer calls.
    Throttled,
}

fn usual_stages() -> Vec<String> {
    ["Source", "Build", "Test", "Staging", "Prod"].map(str::to_owned).to_vec()
}

fn usual_rate() -> f64 {
    40.0
}

fn usual_errors() -> f64 {
    0.3
}

fn usual_p99() -> f64 {
    180.0
}

fn usual_kind() -> String {
    "release".to_owned()
}

fn production() -> String {
    "production".to_owned()
}

fn all() -> f64 {
    100.0
}

impl Script {
    /// Adds what `other` has.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        if !other.story.is_empty() {
            self.story = other.story;
        }
        self.services.extend(other.services);
        self.flags.extend(other.flags);
        self.runs.extend(other.runs);
        self.flips.extend(other.flips);
        self.shifts.extend(other.shifts);
        self.trends.extend(other.trends);
        self.alarms.extend(other.alarms);
        self.holds.extend(other.holds);
        self.healths.extend(other.healths);
        self.outages.extend(other.outages);
        self.deeds.extend(other.deeds);
        self
    }

    /// The service of this name.
    pub fn service(&self, name: &str) -> Option<&ServiceScript> {
        self.services.iter().find(|s| s.name == name)
    }
}
