//! Entries of the event log as changes: what, when, by whom.

use jiff::Timestamp;
use serde_json::Value;

use super::wire::{Event, plain};
use crate::domain::change::{Change, ChangeKind};
use crate::domain::ids::{ChangeId, FlagId, ItemId, SourceId};
use crate::domain::text::SafeText;

/// Kinds of entry that alter nothing for anybody else.
const NOISE: [&str; 7] = [
    "application-",
    "features-exported",
    "feature-favorited",
    "feature-unfavorited",
    "project-favorited",
    "project-unfavorited",
    "feature-potentially-stale-on",
];

/// The entries of a page that can be understood.
pub(super) fn understand(page: Vec<Value>) -> Vec<Event> {
    page.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect()
}

/// The id of the flag `name` in `project`.
pub(super) fn flag_id(source: &SourceId, project: &str, name: &str) -> FlagId {
    FlagId::new(source, &format!("{project}:{name}"))
}

impl Event {
    /// When it happened.
    pub(super) fn at(&self) -> Option<Timestamp> {
        self.created_at.parse().ok()
    }

    /// Which flag it is about.
    pub(super) fn flag(&self, source: &SourceId) -> Option<FlagId> {
        Some(flag_id(source, self.project.as_deref()?, self.feature_name.as_deref()?))
    }

    /// The environment whose state it altered.
    pub(super) fn altered(&self) -> Option<&str> {
        let about = self.kind.starts_with("feature-") || self.kind.starts_with("change-request-");
        self.environment.as_deref().filter(|_| about && self.feature_name.is_some())
    }

    /// Who did it.
    pub(super) fn who(&self) -> Option<SafeText> {
        self.created_by.as_ref().filter(|who| !who.is_empty()).map(SafeText::from)
    }

    /// It as a change; `None` for noise and for what has no time.
    pub(super) fn change(&self, source: &SourceId, address: &str) -> Option<Change> {
        if NOISE.iter().any(|noise| self.kind.starts_with(noise)) {
            return None;
        }
        let target = self.flag(source);
        let link = target.as_ref().map(|_| {
            let part = |part: &Option<String>| part.clone().unwrap_or_default();
            let (project, name) = (part(&self.project), part(&self.feature_name));
            format!("{address}/projects/{project}/features/{name}").into()
        });
        Some(Change {
            id: ChangeId::new(source, &format!("event {}", self.id)),
            at: self.at()?,
            kind: if target.is_some() { ChangeKind::Flag } else { ChangeKind::Config },
            title: self.title().into(),
            who: self.who(),
            target: target.map(ItemId::Flag),
            environment: self.environment.as_ref().map(SafeText::from),
            detail: self.detail().map(SafeText::from),
            link,
        })
    }

    fn title(&self) -> String {
        let place = self.environment.as_ref().map(|e| format!(" in {e}")).unwrap_or_default();
        let what = match (self.kind.as_str(), self.shares()) {
            ("feature-environment-enabled", _) => "on".to_owned(),
            ("feature-environment-disabled", _) => "off".to_owned(),
            ("feature-archived", _) => "archived".to_owned(),
            ("feature-revived", _) => "revived".to_owned(),
            ("feature-created", _) => "created".to_owned(),
            ("feature-stale-on", _) => "marked stale".to_owned(),
            ("feature-stale-off", _) => "no longer stale".to_owned(),
            ("feature-strategy-add", (None, Some(new))) => format!("{new}% added"),
            ("feature-strategy-remove", (Some(old), None)) => format!("{old}% removed"),
            ("feature-strategy-update", (Some(old), Some(new))) if old != new => {
                format!("{new}%, before {old}%")
            }
            (kind, _) => kind.strip_prefix("feature-").unwrap_or(kind).replace('-', " "),
        };
        match &self.feature_name {
            Some(name) => format!("{name} {what}{place}"),
            None => match self.subject() {
                Some(subject) => format!("{what}: {subject}{place}"),
                None => format!("{what}{place}"),
            },
        }
    }

    /// The shares of a strategy before and after.
    fn shares(&self) -> (Option<String>, Option<String>) {
        let share = |data: &Option<Value>| {
            let parameters = data.as_ref()?.get("parameters")?;
            parameters.get("rollout").or(parameters.get("percentage")).map(plain)
        };
        (share(&self.pre_data), share(&self.data))
    }

    /// What an entry that is about no flag is about.
    fn subject(&self) -> Option<String> {
        let data = self.data.as_ref().or(self.pre_data.as_ref())?;
        ["name", "tokenName", "username", "id"]
            .iter()
            .filter_map(|member| data.get(member))
            .find(|value| value.is_string())
            .map(plain)
            .or_else(|| self.project.clone().filter(|p| p != "*"))
    }

    fn detail(&self) -> Option<String> {
        let title = self.data.as_ref().and_then(|d| d.get("title")).and_then(Value::as_str);
        match (&self.label, title) {
            (Some(label), Some(title)) => Some(format!("{label}: {title}")),
            (Some(label), None) => Some(label.clone()),
            (None, title) => title.map(str::to_owned),
        }
    }
}
