//! Bodies of answers: JSON by structure, text by lines, everything else as a whole.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::super::clean::Cleaner;
use super::{Body, Differences, Kind, Pair, Part, json, shown};
use crate::domain::text::SafeText;
use crate::traffic::target::Answer;

/// The body to compare.
pub fn prepare(answer: &Answer, cleaner: &Cleaner) -> Body {
    if answer.cut {
        return Body::Cut;
    }
    if answer.body.is_empty() {
        return Body::Empty;
    }
    let media = answer.headers.get("content-type").and_then(|value| value.to_str().ok());
    let says_json = media.is_some_and(|media| media.to_ascii_lowercase().contains("json"));
    let Ok(text) = std::str::from_utf8(&answer.body) else {
        return Body::Bytes(answer.body.clone());
    };
    let begin = text.trim_start().chars().next();
    if (says_json || matches!(begin, Some('{' | '[')))
        && let Ok(value) = serde_json::from_str(text)
    {
        return Body::Json(cleaned(value, cleaner));
    }
    Body::Text(cleaner.clean(text).into_owned())
}

/// A value with all its texts and names made comparable.
fn cleaned(value: Value, cleaner: &Cleaner) -> Value {
    match value {
        Value::String(text) => Value::String(cleaner.clean(&text).into_owned()),
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| cleaned(item, cleaner)).collect())
        }
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| (cleaner.clean(&name).into_owned(), cleaned(value, cleaner)))
                .collect::<Map<_, _>>(),
        ),
        other => other,
    }
}

/// Adds what differs; a body that was cut is not compared.
pub fn compare(before: &Body, after: &Body, found: &mut Differences) {
    match (before, after) {
        (Body::Cut, _) | (_, Body::Cut) | (Body::Empty, Body::Empty) => {}
        (Body::Json(old), Body::Json(new)) => json::compare(old, new, found),
        (Body::Text(old), Body::Text(new)) => lines(old, new, found),
        (Body::Bytes(old), Body::Bytes(new)) => {
            if old != new {
                whole(Kind::Value, before, after, found);
            }
        }
        (Body::Empty, _) => whole(Kind::Added, before, after, found),
        (_, Body::Empty) => whole(Kind::Missing, before, after, found),
        _ => whole(Kind::Type, before, after, found),
    }
}

fn whole(kind: Kind, before: &Body, after: &Body, found: &mut Differences) {
    let pair = || Pair { before: summary(before), after: summary(after) };
    found.add(Part::Body, "", kind, pair);
}

fn summary(body: &Body) -> Option<SafeText> {
    let text = match body {
        Body::Empty | Body::Cut => return None,
        Body::Json(value) => format!("JSON: {}", json::summary(value)),
        Body::Text(text) => format!("text: {text}"),
        Body::Bytes(bytes) => {
            let digest = Sha256::digest(bytes);
            let begin = digest.iter().take(4).fold(0_u32, |out, byte| out << 8 | u32::from(*byte));
            format!("{} bytes, SHA-256 {begin:08x}…", bytes.len())
        }
    };
    Some(shown("", &text))
}

/// Line by line, so that one line with a time in it does not hide the others.
fn lines(old: &str, new: &str, found: &mut Differences) {
    let (before, after): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    if before.len() != after.len() {
        let first = before.iter().zip(&after).position(|(a, b)| a != b);
        let at = first.unwrap_or(before.len().min(after.len()));
        let shown = |lines: &[&str]| {
            let line = lines.get(at).copied().unwrap_or("(end)");
            Some(shown("", &format!("{} lines; line {}: {line}", lines.len(), at + 1)))
        };
        let pair = || Pair { before: shown(&before), after: shown(&after) };
        found.add(Part::Body, "", Kind::Length, pair);
        return;
    }
    let mut differing = false;
    for (number, (old, new)) in before.iter().zip(&after).enumerate().filter(|(_, (a, b))| a != b) {
        differing = true;
        let name = format!("line {}", number + 1);
        let pair = || Pair { before: Some(shown("", old)), after: Some(shown("", new)) };
        found.add(Part::Body, &name, Kind::Value, pair);
    }
    if !differing && old != new {
        let told = |text: &str| Some(shown("", &format!("{} bytes", text.len())));
        let pair = || Pair { before: told(old), after: told(new) };
        found.add(Part::Body, "line ends", Kind::Value, pair);
    }
}
