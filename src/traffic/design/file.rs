//! The file of a design, as it is written; its comments are what `config/examples/probe.toml` shows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::variable::Order;
use crate::config::Secret;
use crate::config::scalar::HumanDuration;

/// When requests are due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// At equal distances.
    #[default]
    Even,
    /// At random, as independent users come (a Poisson process).
    Random,
}

/// The whole file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct DesignFile {
    /// Requests a second, to each of the two sides.
    #[schemars(range(min = 0.01, max = 50_000.0))]
    pub rate: f64,
    /// How long is measured, after the warm-up.
    pub duration: HumanDuration,
    /// How long requests are sent before anything is judged.
    #[serde(default = "no_time")]
    pub warm_up: HumanDuration,
    /// How many requests may be under way at once, to each side; more wait, and the wait counts.
    #[serde(default = "concurrency")]
    #[schemars(range(min = 1, max = 10_000))]
    pub concurrency: u32,
    /// How long an answer may take from the moment its request is sent, and a request may wait for
    /// a free place.
    #[serde(default = "timeout")]
    pub timeout: HumanDuration,
    /// How much is judged at once.
    #[serde(default = "tick")]
    pub tick: HumanDuration,
    /// When requests are due: even or random.
    #[serde(default)]
    pub pace: Pace,
    /// The same seed gives the same requests in the same order.
    #[serde(default = "seed")]
    pub seed: u64,
    /// The latency limit of requests that have none of their own; without it, the p95 of the baseline
    /// in the warm-up, if there is one.
    #[serde(default)]
    pub latency: Option<HumanDuration>,
    /// Follow redirects, as long as they stay on the same host.
    #[serde(default)]
    pub follow_redirects: bool,
    /// Allow methods that may change something: POST, PUT, PATCH, DELETE.
    #[serde(default)]
    pub unsafe_methods: bool,
    /// The most requests that are sent to each side; a design that needs more is refused.
    #[serde(default = "max_requests")]
    #[schemars(range(min = 1))]
    pub max_requests: u64,
    /// A file with further certificate authorities to trust (PEM).
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Headers of all requests.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Variables, by name; `{{name}}` in a path, header, body or expectation.
    #[serde(default)]
    pub variables: BTreeMap<String, VariableShape>,
    /// The requests, by name.
    #[schemars(extend("minProperties" = 1))]
    pub requests: BTreeMap<String, RequestShape>,
    /// How the answers are judged.
    #[serde(default)]
    pub judge: JudgeShape,
}

/// A variable: exactly one of list, range and secret.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct VariableShape {
    /// These values.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub list: Option<Vec<Scalar>>,
    /// Whole numbers from the first to the last.
    #[serde(default)]
    pub range: Option<Vec<i64>>,
    /// A secret, by reference; it is never shown.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// Which value is next: random or turn.
    #[serde(default)]
    pub order: Order,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Number(f64),
    /// A text.
    Text(String),
}

/// One request.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct RequestShape {
    /// Its method.
    #[serde(default = "get")]
    pub method: String,
    /// Path and query, below the address of each side.
    pub path: String,
    /// Its headers, beside those of all requests.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Its body.
    #[serde(default)]
    pub body: Option<String>,
    /// How often it is sent, relative to the others.
    #[serde(default = "one")]
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub weight: f64,
    /// The status codes that are right.
    #[serde(default = "ok_status")]
    #[schemars(length(min = 1), inner(range(min = 100, max = 599)))]
    pub status: Vec<u16>,
    /// What the answer says, if it is JSON.
    #[serde(default)]
    pub expect: Vec<ExpectShape>,
    /// An answer that takes longer, from the time its request was due, is slow; without it, what is
    /// above the baseline's p95 in the warm-up, if there is one.
    #[serde(default)]
    pub latency: Option<HumanDuration>,
}

/// One expectation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct ExpectShape {
    /// Where, as a JSON pointer (RFC 6901).
    #[schemars(extend("format" = "json-pointer"))]
    pub at: String,
    /// It is this.
    #[serde(default)]
    pub equals: Option<Scalar>,
    /// It is there, or is not.
    #[serde(default)]
    pub exists: Option<bool>,
    /// It is at least this.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// It is at most this.
    #[serde(default)]
    pub at_most: Option<f64>,
}

/// How the answers are judged; fixed before the first request.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default)]
pub struct JudgeShape {
    /// Chance of ever failing a healthy canary.
    pub alpha: f64,
    /// Chance of ever passing a canary that is at its margin.
    pub beta: f64,
    /// Tolerated worsening of the share of errors: 0.5 is up to 1.5 times.
    pub errors_margin: f64,
    /// A share of errors that is fine whatever the baseline does; 0 for none.
    pub errors_floor: f64,
    /// Tolerated worsening of the share of slow answers.
    pub slow_margin: f64,
    /// A share of slow answers that is fine whatever the baseline does; 0 for none.
    pub slow_floor: f64,
    /// With a larger share of errors the baseline is no yardstick: nothing passes by comparison.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub baseline_errors: f64,
    /// Judge harm by the strict engine, which holds whatever errors come together in one tick.
    pub strict: bool,
}

impl Default for JudgeShape {
    fn default() -> Self {
        Self {
            alpha: 0.01,
            beta: 0.05,
            errors_margin: 0.5,
            errors_floor: 0.01,
            slow_margin: 0.5,
            slow_floor: 0.01,
            baseline_errors: 0.1,
            strict: false,
        }
    }
}

fn no_time() -> HumanDuration {
    HumanDuration::from_secs(0)
}

fn concurrency() -> u32 {
    64
}

fn timeout() -> HumanDuration {
    HumanDuration::from_secs(10)
}

fn tick() -> HumanDuration {
    HumanDuration::from_secs(1)
}

fn seed() -> u64 {
    1
}

fn max_requests() -> u64 {
    100_000
}

fn get() -> String {
    "GET".to_owned()
}

fn one() -> f64 {
    1.0
}

fn ok_status() -> Vec<u16> {
    vec![200]
}
