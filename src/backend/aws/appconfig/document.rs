//! One version of a flag document: the definitions, values and variants of its flags.
//!
//! <https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-type-reference-feature-flags.html>

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::backend::aws::convert::text;
use crate::domain::text::SafeText;

/// One version of the flags of one profile. It never changes.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Document {
    pub(super) flags: BTreeMap<SafeText, Entry>,
}

/// A flag in one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    pub(super) description: Option<SafeText>,
    /// Why it should be cleaned up.
    pub(super) stale: Option<SafeText>,
    /// None where the version defines the flag but gives it no value.
    pub(super) setting: Option<Setting>,
    /// When it was last edited.
    pub(super) edited: Option<Timestamp>,
}

/// What a flag says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Setting {
    /// Whether anybody gets it.
    pub(super) enabled: bool,
    /// Share of callers who get it, where that is all its rules say.
    pub(super) percent: Option<f64>,
    pub(super) rules: Vec<SafeText>,
    pub(super) attributes: Vec<(SafeText, SafeText)>,
    pub(super) has_variants: bool,
}

impl Document {
    /// Reads a document; the error says what is wrong with it.
    pub(super) fn parse(content: &[u8]) -> Result<Self, String> {
        let value: Value =
            serde_json::from_slice(content).map_err(|why| format!("no JSON document: {why}"))?;
        let Value::Object(document) = value else { return Err("no JSON object".to_owned()) };
        let part = |name: &str| match document.get(name) {
            Some(Value::Object(part)) => Ok(Some(part)),
            None => Ok(None),
            Some(_) => Err(format!("`{name}` is no JSON object")),
        };
        let (definitions, values) = (part("flags")?, part("values")?);
        let keys: BTreeSet<&String> =
            [definitions, values].into_iter().flatten().flat_map(Map::keys).collect();
        let flags = keys.into_iter().map(|key| {
            let entry = Entry::of(
                definitions.and_then(|part| part.get(key)),
                values.and_then(|part| part.get(key)),
            );
            (SafeText::new(key), entry)
        });
        Ok(Self { flags: flags.collect() })
    }
}

impl Entry {
    fn of(definition: Option<&Value>, value: Option<&Value>) -> Self {
        let defined = |name: &str| definition.and_then(|d| d.get(name));
        let words = |name: &str| text(defined(name).and_then(Value::as_str));
        let edited = [value.and_then(|v| v.get("_updatedAt")), defined("_updatedAt")];
        Self {
            description: words("description").or_else(|| words("name")),
            stale: defined("_deprecation").map(stale),
            setting: value.and_then(Value::as_object).map(Setting::of),
            edited: edited.into_iter().flatten().filter_map(|at| at.as_str()?.parse().ok()).max(),
        }
    }

    /// What became of it from `before`, in a word or two; none if nothing did.
    pub(super) fn difference(before: Option<&Self>, after: Option<&Self>) -> Option<String> {
        let word = |entry: &Self| entry.setting.as_ref().map_or("without a value", Setting::word);
        match (before, after) {
            (None, None) => None,
            (None, Some(new)) => Some(format!("added, {}", word(new))),
            (Some(_), None) => Some("removed".to_owned()),
            (Some(old), Some(new)) if old.setting == new.setting => None,
            (Some(old), Some(new)) if word(old) != word(new) => Some(word(new).to_owned()),
            (Some(old), Some(new)) => match (&old.setting, &new.setting) {
                (Some(old), Some(new)) => Some(old.changed_to(new)),
                _ => Some("changed".to_owned()),
            },
        }
    }
}

impl Setting {
    fn of(value: &Map<String, Value>) -> Self {
        let mut setting = Self {
            enabled: value.get("enabled").and_then(Value::as_bool).unwrap_or_default(),
            attributes: attributes(value, ""),
            ..Self::default()
        };
        // The first variant whose rule holds counts; the last one has none.
        if let Some(variants) = value.get("_variants").and_then(Value::as_array) {
            setting.has_variants = true;
            setting.enabled = variants.iter().any(is_on);
            setting.percent = share(variants);
            setting.rules = variants.iter().map(rule).collect();
            for variant in variants {
                let name = variant.get("name").and_then(Value::as_str).unwrap_or_default();
                if let Some(values) = variant.get("attributeValues").and_then(Value::as_object) {
                    setting.attributes.extend(attributes(values, name));
                }
            }
        }
        setting
    }

    /// On or off.
    pub(super) fn word(&self) -> &'static str {
        if self.enabled { "on" } else { "off" }
    }

    fn changed_to(&self, new: &Self) -> String {
        let attribute = new.attributes.iter().find(|new| !self.attributes.contains(new));
        match attribute {
            Some((name, value)) => format!("{name} = {value}"),
            None if self.rules != new.rules => "rules changed".to_owned(),
            None => "changed".to_owned(),
        }
    }
}

fn stale(deprecation: &Value) -> SafeText {
    match deprecation.get("date").and_then(Value::as_str) {
        Some(date) => SafeText::from(format!("deprecated, to be removed by {date}")),
        None => "deprecated".into(),
    }
}

fn is_on(variant: &Value) -> bool {
    variant.get("enabled").and_then(Value::as_bool).unwrap_or_default()
}

/// One variant in a line: `QA on: (ends_with $email "@example.org")`.
fn rule(variant: &Value) -> SafeText {
    let member = |name: &str| variant.get(name).and_then(Value::as_str);
    let name = member("name").unwrap_or("unnamed");
    let word = if is_on(variant) { "on" } else { "off" };
    SafeText::from(match member("rule") {
        Some(rule) => format!("{name} {word}: {rule}"),
        None => format!("{name} {word}"),
    })
}

/// The share of one variant that is on by a split alone while the default is off.
pub(super) fn share(variants: &[Value]) -> Option<f64> {
    let [one, default] = variants else { return None };
    if !is_on(one) || is_on(default) || default.get("rule").is_some() {
        return None;
    }
    let rule = one.get("rule")?.as_str()?.trim();
    let inside = rule.strip_prefix("(split")?.strip_suffix(')')?;
    if inside.contains('(') {
        return None;
    }
    let (_, share) = inside.split_once("pct::")?;
    let share: f64 = share.split_whitespace().next()?.parse().ok()?;
    (0.0..=100.0).contains(&share).then_some(share)
}

fn attributes(values: &Map<String, Value>, of: &str) -> Vec<(SafeText, SafeText)> {
    let own = values.iter().filter(|(name, _)| *name != "enabled" && !name.starts_with('_'));
    own.map(|(name, value)| {
        let name = if of.is_empty() { name.clone() } else { format!("{of}: {name}") };
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (SafeText::from(name), SafeText::from(value))
    })
    .collect()
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
