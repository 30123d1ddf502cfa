//! JSON by structure: the order of fields does not count, `1` is `1.0`, lists are told by index or order.

use std::collections::BTreeSet;

use serde_json::{Number, Value};

use super::super::normalise::{ID, key};
use super::super::scrub::{SCRUBBED, is_secret_name};
use super::{Differences, Kind, Pair, Part, shown};
use crate::domain::text::SafeText;

/// Adds what differs.
pub fn compare(before: &Value, after: &Value, found: &mut Differences) {
    walk(before, after, &Pointer::default(), found);
}

/// Where in a document.
#[derive(Clone, Default)]
struct Pointer {
    /// RFC 6901, but list indexes and ids are `{}`.
    text: String,
    /// The name of the innermost field.
    name: String,
    /// Whether a field on the way says that it is a credential.
    secret: bool,
}

impl Pointer {
    fn field(&self, name: &str) -> Self {
        let escaped = key(name).replace('~', "~0").replace('/', "~1");
        Self {
            text: format!("{}/{escaped}", self.text),
            name: name.to_owned(),
            secret: self.secret || is_secret_name(name),
        }
    }

    fn item(&self) -> Self {
        Self { text: format!("{}/{ID}", self.text), ..self.clone() }
    }

    fn show(&self, value: &Value) -> SafeText {
        shown(if self.secret { "secret" } else { &self.name }, &summary(value))
    }
}

/// A value in one line, without credentials.
pub fn summary(value: &Value) -> String {
    let mut value = value.clone();
    withhold(&mut value);
    value.to_string()
}

fn withhold(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if is_secret_name(name) && !field.is_null() {
                    *field = SCRUBBED.into();
                } else {
                    withhold(field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(withhold),
        _ => {}
    }
}

fn walk(old: &Value, new: &Value, at: &Pointer, found: &mut Differences) {
    let pair = || Pair { before: Some(at.show(old)), after: Some(at.show(new)) };
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            for (name, value) in before {
                let inner = at.field(name);
                match after.get(name) {
                    Some(other) => walk(value, other, &inner, found),
                    None => found.add(Part::Json, &inner.text, Kind::Missing, || Pair {
                        before: Some(inner.show(value)),
                        after: None,
                    }),
                }
            }
            for (name, value) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
                let inner = at.field(name);
                found.add(Part::Json, &inner.text, Kind::Added, || Pair {
                    before: None,
                    after: Some(inner.show(value)),
                });
            }
        }
        (Value::Array(before), Value::Array(after)) => list(before, after, at, found),
        (Value::Number(before), Value::Number(after)) if same_number(before, after) => {}
        _ if type_of(old) != type_of(new) => found.add(Part::Json, &at.text, Kind::Type, pair),
        _ if old != new => found.add(Part::Json, &at.text, Kind::Value, pair),
        _ => {}
    }
}

fn list(before: &[Value], after: &[Value], at: &Pointer, found: &mut Differences) {
    if before.len() != after.len() {
        found.add(Part::Json, &at.text, Kind::Length, || Pair {
            before: Some(shown("", &format!("{} items", before.len()))),
            after: Some(shown("", &format!("{} items", after.len()))),
        });
        shapes(before, after, &at.item(), found);
        return;
    }
    let differing = before.iter().zip(after).any(|(old, new)| !same(old, new));
    if !differing {
        return;
    }
    if is_reordered(before, after) {
        let listed = |items: &[Value]| Some(at.show(&Value::Array(items.to_vec())));
        found.add(Part::Json, &at.text, Kind::Order, || Pair {
            before: listed(before),
            after: listed(after),
        });
        return;
    }
    for (old, new) in before.iter().zip(after) {
        walk(old, new, &at.item(), found);
    }
}

/// Whether both lists have the same items, in whatever order.
fn is_reordered(before: &[Value], after: &[Value]) -> bool {
    let sorted = |items: &[Value]| {
        let mut texts: Vec<String> = items.iter().map(canonical).collect();
        texts.sort_unstable();
        texts
    };
    sorted(before) == sorted(after)
}

/// The same text for the same value, whatever the order of its fields and the form of its numbers.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut parts: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)))
                .collect();
            parts.sort_unstable();
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        Value::Number(number) => {
            integer(number).map_or_else(|| number.to_string(), |i| i.to_string())
        }
        other => other.to_string(),
    }
}

fn same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            before.len() == after.len()
                && before
                    .iter()
                    .all(|(name, value)| after.get(name).is_some_and(|other| same(value, other)))
        }
        (Value::Array(before), Value::Array(after)) => {
            before.len() == after.len() && before.iter().zip(after).all(|(a, b)| same(a, b))
        }
        (Value::Number(before), Value::Number(after)) => same_number(before, after),
        _ => old == new,
    }
}

/// `1` and `1.0` are one number: JSON has one type of them.
fn same_number(before: &Number, after: &Number) -> bool {
    match (integer(before), integer(after)) {
        (Some(old), Some(new)) => old == new,
        (None, None) => before.as_f64() == after.as_f64(),
        _ => false,
    }
}

/// A whole number within 2^63, exactly.
fn integer(number: &Number) -> Option<i128> {
    let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    whole.or_else(|| {
        let float = number.as_f64()?;
        (float.fract() == 0.0 && float.abs() < 9e18).then_some(float as i128)
    })
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Of lists with different lengths, the fields that the items of one have and those of the other have
/// not: a renamed field is not hidden by a list that grows.
fn shapes(before: &[Value], after: &[Value], at: &Pointer, found: &mut Differences) {
    if before.is_empty() || after.is_empty() {
        return;
    }
    let fields = |items: &[Value]| {
        let mut fields = BTreeSet::new();
        for item in items {
            paths(item, at, &mut fields);
        }
        fields
    };
    let (old, new) = (fields(before), fields(after));
    for gone in old.difference(&new) {
        let pair = || Pair { before: Some(shown("", "(present)")), after: None };
        found.add(Part::Json, gone, Kind::Missing, pair);
    }
    for come in new.difference(&old) {
        let pair = || Pair { before: None, after: Some(shown("", "(present)")) };
        found.add(Part::Json, come, Kind::Added, pair);
    }
}

fn paths(value: &Value, at: &Pointer, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let inner = at.field(name);
                into.insert(inner.text.clone());
                paths(value, &inner, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| paths(item, &at.item(), into)),
        _ => {}
    }
}
