//! Answers with one of their texts replaced by something hostile.

use serde_json::Value;

use crate::aws::Reply;
use crate::metrics;

/// Everything at once that a terminal could take for an order: OSC 52 and 8, CSI, DCS, their C1
/// forms, bidirectional and zero-width controls, CR, tab, bell and delete.
pub const EVIL: &str = "x\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}]8;;http://evil.example\u{1b}\\\u{1b}[31m\
    \u{1b}Pq\u{1b}\\\u{9d}52;c;ZXZpbA==\u{9c}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{feff}\r\t\u{7f}\u{8}y";

/// Members of a list that are altered.
const ALIKE: usize = 3;

/// The text of `shown` in which something hostile is left, if there is one.
pub fn survives(shown: &impl serde::Serialize) -> Option<String> {
    let mut found = None;
    every(&serde_json::to_value(shown).unwrap(), &mut |text| {
        let bidi = |c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if text.contains(|c: char| c.is_control() || bidi(c)) || text.len() > 20_000 {
            found = Some(text.chars().take(300).collect());
        }
    });
    found
}

fn every(value: &Value, each: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => each(text),
        Value::Array(values) => values.iter().for_each(|value| every(value, each)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            each(name);
            every(value, each);
        }),
        _ => {}
    }
}

/// How many texts an answer has: member names included, because labels and tags are such.
pub fn leaves(reply: &Reply) -> usize {
    let mut count = 0;
    match body(reply) {
        Body::Json(mut value) | Body::Cbor(mut value) => visit(&mut value, &mut |_| count += 1),
        Body::Text(text) => count = tokens(&text).len(),
    }
    count
}

/// `reply` with `evil` behind its text of this number.
pub fn poison(reply: &Reply, leaf: usize, evil: &[u8]) -> Reply {
    // Bytes that are no UTF-8 cannot stand in a JSON value: they are put in afterwards.
    const MARK: &str = "poisoned-here";
    let suffix = std::str::from_utf8(evil).unwrap_or(MARK);
    let mut at = 0;
    let mut alter = |text: &mut String| {
        if at == leaf {
            text.push_str(suffix);
        }
        at += 1;
    };
    let mut altered = match body(reply) {
        Body::Json(mut value) => {
            visit(&mut value, &mut alter);
            value.to_string().into_bytes()
        }
        Body::Cbor(mut value) => {
            visit(&mut value, &mut alter);
            metrics::cbor(&value).body
        }
        Body::Text(text) => {
            let (_, end) = tokens(&text)[leaf];
            format!("{}{suffix}{}", &text[..end], &text[end..]).into_bytes()
        }
    };
    if std::str::from_utf8(evil).is_err()
        && let Some(found) = altered.windows(MARK.len()).position(|part| part == MARK.as_bytes())
    {
        altered.splice(found..found + MARK.len(), evil.iter().copied());
    }
    Reply { body: altered, ..reply.clone() }
}

/// A body without any member, in the format of `reply`.
pub fn nothing(reply: &Reply) -> Vec<u8> {
    match body(reply) {
        Body::Cbor(_) => metrics::cbor(&serde_json::json!({})).body,
        Body::Json(_) | Body::Text(_) => b"{}".to_vec(),
    }
}

enum Body {
    Json(Value),
    Cbor(Value),
    Text(String),
}

fn body(reply: &Reply) -> Body {
    let is_cbor = reply.headers.iter().any(|(_, value)| value == "application/cbor");
    if is_cbor {
        return Body::Cbor(metrics::decode(&ciborium::from_reader(&reply.body[..]).unwrap()));
    }
    match serde_json::from_slice(&reply.body) {
        Ok(value) => Body::Json(value),
        Err(_) => Body::Text(String::from_utf8(reply.body.clone()).unwrap()),
    }
}

/// Calls `each` with every text in `value`, and with every name of a member.
fn visit(value: &mut Value, each: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => each(text),
        // The members of a list are of one kind.
        Value::Array(values) => values.iter_mut().take(ALIKE).for_each(|value| visit(value, each)),
        Value::Object(members) => {
            let old = std::mem::take(members);
            for (mut name, mut value) in old {
                each(&mut name);
                visit(&mut value, each);
                members.insert(name, value);
            }
        }
        _ => {}
    }
}

/// Where the words and cells of a text are, each different one once.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        if matches!(c, ' ' | ',' | '\n' | ':' | '<' | '>') {
            let number = text[start..at].chars().all(|c| c.is_ascii_digit());
            if !number && seen.insert(&text[start..at]) {
                found.push((start, at));
            }
            start = at + 1;
        }
    }
    found
}
