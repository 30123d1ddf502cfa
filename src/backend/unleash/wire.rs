//! The shapes of the Admin API that are read, in versions 7 and 8; unknown members are ignored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `GET /api/admin/projects`.
#[derive(Debug, Deserialize)]
pub(super) struct Projects {
    pub projects: Vec<Project>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Project {
    pub id: String,
}

/// `GET /api/admin/projects/{project}/features`: all that are not archived, in one page. The
/// members are understood one by one, so that an odd one spoils no other.
#[derive(Debug, Deserialize)]
pub(super) struct Features {
    pub features: Vec<Value>,
}

/// A flag as the listing tells it: without its strategies.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub stale: bool,
    #[serde(default)]
    pub created_at: Option<String>,
    #[serde(default)]
    pub environments: Vec<ListedState>,
    #[serde(default)]
    pub tags: Option<Vec<Tag>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedState {
    pub name: String,
    pub enabled: bool,
    #[serde(default)]
    pub last_seen_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Tag {
    #[serde(rename = "type")]
    pub kind: String,
    pub value: String,
}

/// `GET /api/admin/projects/{project}/features/{name}`: a flag with its strategies.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Detail {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub stale: bool,
    #[serde(default)]
    pub archived: bool,
    #[serde(default)]
    pub created_at: Option<String>,
    #[serde(default)]
    pub environments: Vec<State>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    pub name: String,
    pub enabled: bool,
    #[serde(default)]
    pub last_seen_at: Option<String>,
    #[serde(default)]
    pub strategies: Vec<Strategy>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Strategy {
    pub id: String,
    pub name: String,
    pub title: Option<String>,
    pub disabled: Option<bool>,
    /// All of them texts today; numbers in older entries.
    pub parameters: Option<BTreeMap<String, Value>>,
    pub constraints: Option<Vec<Constraint>>,
    pub segments: Option<Vec<i64>>,
    pub variants: Option<Vec<Variant>>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Constraint {
    pub context_name: String,
    pub operator: String,
    pub value: Option<Value>,
    pub values: Option<Vec<Value>>,
    pub inverted: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Variant {
    pub name: String,
    /// In thousandths.
    pub weight: f64,
    pub payload: Option<Payload>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    pub value: Option<Value>,
}

/// `GET /api/admin/segments`.
#[derive(Debug, Deserialize)]
pub(super) struct Segments {
    pub segments: Vec<Segment>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Segment {
    pub id: i64,
    pub name: String,
}

/// `GET /api/admin/search/events`: the newest first, by `limit` and `offset`.
#[derive(Debug, Deserialize)]
pub(super) struct Events {
    pub events: Vec<Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub id: u64,
    #[serde(rename = "type")]
    pub kind: String,
    pub created_at: String,
    #[serde(default)]
    pub created_by: Option<String>,
    #[serde(default)]
    pub data: Option<Value>,
    #[serde(default)]
    pub pre_data: Option<Value>,
    #[serde(default)]
    pub feature_name: Option<String>,
    #[serde(default)]
    pub project: Option<String>,
    #[serde(default)]
    pub environment: Option<String>,
    #[serde(default)]
    pub label: Option<String>,
}

/// `GET /api/admin/user`. For an admin token it holds that token too, which is not read.
#[derive(Debug, Deserialize)]
pub(super) struct Me {
    pub user: User,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
    /// Only tokens have it: `admin`.
    #[serde(default, rename = "type")]
    pub token: Option<String>,
}

/// `GET /api/admin/ui-config`.
#[derive(Debug, Deserialize)]
pub(super) struct UiConfig {
    #[serde(default)]
    pub environment: Option<String>,
    #[serde(default)]
    pub version: Option<String>,
}

/// A text, number or truth value as text.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
