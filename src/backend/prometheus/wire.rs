//! The replies of the Prometheus HTTP API that are read here, as the page "HTTP API" of its
//! documentation describes them. Members that are not used are left out; unknown ones are ignored.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

/// Names and values.
pub(super) type Labels = BTreeMap<String, String>;

/// What every reply is wrapped in.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<T> {
    pub status: Status,
    pub data: Option<T>,
    #[serde(default)]
    pub error: Option<String>,
    #[serde(default, deserialize_with = "or_none")]
    pub warnings: Vec<String>,
    #[serde(default, deserialize_with = "or_none")]
    pub infos: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Success,
    Error,
}

/// `data` of `/api/v1/query_range`.
#[derive(Debug, Deserialize)]
pub(super) struct QueryData {
    #[serde(rename = "resultType")]
    pub result_type: String,
    pub result: Vec<Matrix>,
}

/// One series of a range query.
#[derive(Debug, Deserialize)]
pub(super) struct Matrix {
    pub metric: Labels,
    #[serde(default)]
    pub values: Vec<(f64, String)>,
    /// Native histograms, which are no single number.
    #[serde(default)]
    pub histograms: Vec<serde::de::IgnoredAny>,
}

/// `data` of `/api/v1/query`.
#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(super) enum InstantData {
    Scalar((f64, String)),
    Vector(Vec<Sample>),
    Matrix(serde::de::IgnoredAny),
    String(serde::de::IgnoredAny),
}

/// One series of an instant query.
#[derive(Debug, Deserialize)]
pub(super) struct Sample {
    pub metric: Labels,
    /// None of a native histogram.
    #[serde(default)]
    pub value: Option<(f64, String)>,
}

/// `data` of `/api/v1/rules`.
#[derive(Debug, Deserialize)]
pub(super) struct RulesData {
    #[serde(default, deserialize_with = "or_none")]
    pub groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Group {
    pub name: String,
    #[serde(default, deserialize_with = "or_none")]
    pub rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Rule {
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    #[serde(default)]
    pub query: String,
    /// How long it must hold, in seconds.
    #[serde(default)]
    pub duration: f64,
    #[serde(default)]
    pub labels: Labels,
    #[serde(default, deserialize_with = "or_none")]
    pub alerts: Vec<Alert>,
    /// `ok`, `err` or `unknown`: whether it could be evaluated.
    #[serde(default)]
    pub health: String,
    #[serde(default, rename = "lastError")]
    pub last_error: Option<String>,
}

/// `data` of `/api/v1/alerts`.
#[derive(Debug, Deserialize)]
pub(super) struct AlertsData {
    #[serde(default, deserialize_with = "or_none")]
    pub alerts: Vec<Alert>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Alert {
    pub labels: Labels,
    #[serde(default)]
    pub annotations: Labels,
    /// `pending`, `firing` or `inactive`.
    pub state: String,
    #[serde(default, rename = "activeAt")]
    pub active_at: Option<Timestamp>,
    #[serde(default)]
    pub value: Option<String>,
}

/// `data` of `/api/v1/targets`.
#[derive(Debug, Deserialize)]
pub(super) struct TargetsData {
    #[serde(default, rename = "activeTargets", deserialize_with = "or_none")]
    pub active: Vec<Target>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Target {
    #[serde(default)]
    pub labels: Labels,
    #[serde(default, rename = "scrapePool")]
    pub scrape_pool: String,
    #[serde(default, rename = "scrapeUrl")]
    pub scrape_url: String,
    #[serde(default, rename = "lastError")]
    pub last_error: String,
    /// `up`, `down` or `unknown`.
    pub health: String,
}

/// Empty lists are written as `null` by some servers.
fn or_none<'de, D, T>(input: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

/// `{a="1", b="2"}`, as people write labels.
pub(super) fn label_text(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}
