//! A value as it can be shown to anybody: a secret that was written out by mistake is not repeated.

use serde_json::Value as Json;
use toml::Value;

use super::check_secret;
use super::schema;
use super::tree::KeyPath;

/// What stands in the place of a secret.
pub(super) const SECRET: &str = "(secret written out)";

/// What stands in the place of a value whose key is none: it may be a secret under a wrong name.
const UNKNOWN: &str = "(not a setting)";

/// The value of the key at `path`, as it would be written after the equals sign.
pub(super) fn shown(value: &Value, path: &KeyPath) -> String {
    match clean(value, path) {
        Value::String(text) if text == SECRET || text == UNKNOWN => text,
        other => other.to_string(),
    }
}

fn clean(value: &Value, path: &KeyPath) -> Value {
    let Some(schema) = schema::at(path) else { return Value::String(UNKNOWN.to_owned()) };
    match value {
        Value::Table(rows) => {
            let rows = rows.iter().map(|(key, value)| (key.clone(), clean(value, &path.key(key))));
            Value::Table(rows.collect())
        }
        Value::Array(items) => {
            let items = items.iter().enumerate().map(|(i, item)| clean(item, &path.index(i)));
            Value::Array(items.collect())
        }
        other if is_written_out(other.as_str(), schema, path) => Value::String(SECRET.to_owned()),
        other => other.clone(),
    }
}

/// Whether the value, which is neither a table nor a list, is or holds a secret; `text` is its
/// text, if it is one.
fn is_written_out(text: Option<&str>, schema: &Json, path: &KeyPath) -> bool {
    let choices = schema::choices(schema);
    let takes_text = choices.iter().any(|choice| choice.get("type").is_some_and(|t| t == "string"));
    let of_reference =
        path.parent().and_then(|path| schema::at(&path)).is_some_and(schema::is_secret);
    let wrong_type = !(takes_text && text.is_some());
    (wrong_type && (of_reference || holds_secret(schema)))
        || check_secret::is_plain_credential(path, text)
        || text.is_some_and(has_user_info)
}

/// Whether a value of this schema has a secret somewhere: a text in its place is likely to be it.
fn holds_secret(schema: &Json) -> bool {
    schema::is_secret(schema)
        || schema::choices(schema).into_iter().any(|choice| {
            let rows = choice.get("properties").and_then(Json::as_object);
            let more = ["additionalProperties", "items"].map(|word| choice.get(word));
            rows.into_iter().flat_map(|rows| rows.values()).any(holds_secret)
                || more.into_iter().flatten().any(|inner| inner.is_object() && holds_secret(inner))
        })
}

/// Whether the text is an address with a user or a password in it.
fn has_user_info(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| {
        rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
    })
}
