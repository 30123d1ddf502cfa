//! Headers of answers: which are compared, and how.

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;

use super::super::clean::Cleaner;
use super::{Differences, Kind, Pair, Part, shown};

/// Headers of one connection, one moment or one cache, and those that follow from the body.
const IGNORED: [&str; 12] = [
    "age",
    "alt-svc",
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// The headers to compare, by name; several of one name are one text.
pub fn prepare(headers: &HeaderMap, cleaner: &Cleaner) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for name in headers.keys().filter(|name| !IGNORED.contains(&name.as_str())) {
        let values = headers.get_all(name).iter().map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            if name.as_str() == "set-cookie" { cookie(&text) } else { text.into_owned() }
        });
        let mut values: Vec<String> = values.collect();
        if name.as_str() == "set-cookie" {
            values.sort();
        }
        kept.insert(name.to_string(), cleaner.clean(&values.join(", ")).into_owned());
    }
    kept
}

/// A cookie without its value, which is a credential and new for each, and without its time.
fn cookie(text: &str) -> String {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().and_then(|pair| pair.split('=').next()).unwrap_or_default();
    let mut out = format!("{name}=(withheld)");
    for part in parts.filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').map_or((part, None), |(n, v)| (n, Some(v)));
        out.push_str("; ");
        out.push_str(name);
        if let Some(value) = value.filter(|_| !name.eq_ignore_ascii_case("expires")) {
            out.push('=');
            out.push_str(value);
        }
    }
    out
}

/// Adds what differs.
pub fn compare(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    found: &mut Differences,
) {
    for (name, old) in before {
        let visible = |value: &str| Some(value_of(name, value));
        match after.get(name) {
            None => found.add(Part::Header, name, Kind::Missing, || Pair {
                before: visible(old),
                after: None,
            }),
            Some(new) if new != old => found.add(Part::Header, name, Kind::Value, || Pair {
                before: visible(old),
                after: visible(new),
            }),
            Some(_) => {}
        }
    }
    for (name, new) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        found.add(Part::Header, name, Kind::Added, || Pair {
            before: None,
            after: Some(value_of(name, new)),
        });
    }
}

/// The values of cookies are left out already, and their names and attributes tell no secret.
fn value_of(name: &str, value: &str) -> crate::domain::text::SafeText {
    shown(if name == "set-cookie" { "" } else { name }, value)
}
