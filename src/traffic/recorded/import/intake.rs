//! What goes in: chooses what may be sent again, scrubs it, and counts what is left out, and why.

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::super::Recorded;
use super::super::scrub::Scrubber;
use super::{Raw, Why};
use crate::domain::text::SafeText;
use crate::traffic::target::is_safe;

/// So many of what could not be read are kept as examples.
const FIRST: usize = 5;
/// So many reasons, hosts or methods are counted one by one.
const MOST_NAMES: usize = 50;

/// Headers that belong to one connection or host, or make the answer hard to compare: an encoding
/// that would have to be undone, a condition that would leave out the body.
const LEFT_OUT: [&str; 20] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "x-forwarded-host",
];
/// Headers by which a request says that it means another method.
const OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// Headers that may name the host itself: what they then say of it is kept without the host, and each
/// side puts its own before it.
const AT_HOME: [&str; 2] = ["origin", "referer"];

/// What may be sent again.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Methods beside the safe ones.
    pub methods: Vec<Method>,
    /// Only what was recorded for one of these hosts; empty: for any.
    pub hosts: Vec<String>,
    /// So many requests at most.
    pub limit: usize,
}

impl Default for Selection {
    fn default() -> Self {
        Self { methods: Vec::new(), hosts: Vec::new(), limit: usize::MAX }
    }
}

/// A line or entry that could not be read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Unread {
    /// Which line, or entry of a HAR file; counted from 1.
    pub place: u64,
    /// What is wrong with it.
    pub why: SafeText,
}

/// What could not be read.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Unreadable {
    /// How many lines or entries.
    pub count: u64,
    /// The first of them.
    pub first: Vec<Unread>,
}

/// What was read from a recording.
#[derive(Clone, Debug)]
pub struct Intake {
    selection: Selection,
    scrubber: Scrubber,
    /// Lines or entries that were read, good or not.
    pub read: u64,
    /// Those that could not be read.
    pub unreadable: Unreadable,
    /// Requests that are not sent again, by the reason.
    pub skipped: BTreeMap<String, u64>,
    /// Requests by the host they were recorded for.
    pub hosts: BTreeMap<String, u64>,
    /// What is sent again, in the order of its times.
    pub requests: Vec<Recorded>,
}

impl Intake {
    /// Nothing yet.
    pub fn new(selection: Selection) -> Self {
        Self {
            selection,
            scrubber: Scrubber::default(),
            read: 0,
            unreadable: Unreadable::default(),
            skipped: BTreeMap::new(),
            hosts: BTreeMap::new(),
            requests: Vec::new(),
        }
    }

    /// What was scrubbed, as `header cookie` or `query token`, and how often.
    pub fn scrubbed(&self) -> &BTreeMap<String, u64> {
        &self.scrubber.counts
    }

    /// Puts the requests into the order of their times; those without one stay behind the one before.
    pub fn sort(&mut self) {
        let mut last = None;
        let mut keyed: Vec<_> = std::mem::take(&mut self.requests)
            .into_iter()
            .map(|request| {
                last = request.at.or(last);
                (last, request)
            })
            .collect();
        keyed.sort_by_key(|(at, _)| *at);
        self.requests = keyed.into_iter().map(|(_, request)| request).collect();
    }

    /// Notes a line or entry that cannot be read.
    pub(super) fn unreadable(&mut self, place: u64, why: String) {
        self.read += 1;
        self.unreadable.count += 1;
        if self.unreadable.first.len() < FIRST {
            self.unreadable.first.push(Unread { place, why: SafeText::from(why) });
        }
    }

    /// Takes one line or entry.
    pub(super) fn take(&mut self, place: u64, raw: Result<Raw, Why>) {
        match raw.and_then(|raw| self.sift(&raw)) {
            Ok(kept) => {
                self.read += 1;
                match kept {
                    Ok(request) => self.requests.push(request),
                    Err(reason) => count(&mut self.skipped, &reason),
                }
            }
            Err(why) => self.unreadable(place, why),
        }
    }

    /// The request to send; or, within, why it is not to be sent; or why it cannot be read.
    fn sift(&mut self, raw: &Raw) -> Result<Result<Recorded, String>, Why> {
        let method = Method::from_bytes(raw.method.to_ascii_uppercase().as_bytes())
            .map_err(|_| "its method is none of HTTP")?;
        let (host, path) = match parted(&raw.url) {
            Ok(parts) => parts,
            Err(Odd::Scheme) => return Ok(Err("not http or https".to_owned())),
            Err(Odd::Path) => return Err("its path does not begin with a slash".to_owned()),
        };
        let host = host.or_else(|| header(raw, "host"));
        if let Some(host) = &host {
            count(&mut self.hosts, host);
        }
        let wanted = &self.selection.hosts;
        let is_wanted =
            |host: &String| wanted.iter().any(|w| w == host || Some(w.as_str()) == name(host));
        if !wanted.is_empty() && !host.as_ref().is_some_and(is_wanted) {
            return Ok(Err("another host".to_owned()));
        }
        for meant in [Some(method.clone()), overridden(raw)].into_iter().flatten() {
            if !is_safe(&meant) && !self.selection.methods.contains(&meant) {
                return Ok(Err(format!("method {meant} is not allowed")));
            }
        }
        if self.requests.len() >= self.selection.limit {
            return Ok(Err("beyond the limit".to_owned()));
        }
        let mut scrubber = self.scrubber.clone();
        let path = scrubber.path(&path);
        let mut headers = HeaderMap::new();
        for (name, value) in &raw.headers {
            let lower = name.to_ascii_lowercase();
            if lower.starts_with(':') || LEFT_OUT.contains(&lower.as_str()) {
                continue;
            }
            let Some(mut value) = scrubber.header(name, value) else { continue };
            if AT_HOME.contains(&lower.as_str())
                && let Ok((from, path)) = parted(&value)
                && from.is_some()
                && from == host
            {
                value = if lower == "origin" { "/".to_owned() } else { path };
            }
            // What no header may have was never sent like this.
            let parsed = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(&value));
            let (Ok(name), Ok(value)) = parsed else {
                return Err("a header that no request can have".to_owned());
            };
            headers.append(name, value);
        }
        let body = match &raw.body {
            None => None,
            Some(text) => {
                let media = header(raw, "content-type").unwrap_or_default();
                let Some(body) = scrubber.body(&media, text) else {
                    return Ok(Err("credentials in a body of its kind cannot be found".to_owned()));
                };
                Some(body)
            }
        };
        self.scrubber = scrubber;
        Ok(Ok(Recorded { place: raw.place, at: raw.at, method, path, headers, body }))
    }
}

/// Counts by a name from outside.
fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    let name = SafeText::new(name).fit(80);
    let name = if counts.len() >= MOST_NAMES && !counts.contains_key(&name) {
        "(others)".to_owned()
    } else {
        name
    };
    *counts.entry(name).or_default() += 1;
}

fn header(raw: &Raw, wanted: &str) -> Option<String> {
    let found = raw.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    found.map(|(_, value)| value.trim().to_ascii_lowercase())
}

/// The method that a request means, if it says that it means another than its own.
fn overridden(raw: &Raw) -> Option<Method> {
    let by_header = OVERRIDES.iter().find_map(|name| header(raw, name));
    let by_query = || {
        let mut query = raw.url.split(['?', '&']).skip(1);
        query.find_map(|pair| pair.strip_prefix("_method=")).map(str::to_owned)
    };
    let by_body = || raw.body.as_deref().and_then(override_in);
    let meant = by_header.or_else(by_query).or_else(by_body)?.to_ascii_uppercase();
    // What is no method at all is not sent either.
    Some(Method::from_bytes(meant.as_bytes()).unwrap_or(Method::CONNECT))
}

/// The `_method` of a form or of a JSON object.
fn override_in(body: &str) -> Option<String> {
    if let Ok(Value::Object(fields)) = serde_json::from_str(body) {
        let method = fields.get("_method")?;
        return Some(method.as_str().map_or_else(|| method.to_string(), str::to_owned));
    }
    let form = Url::parse(&format!("http://form/?{body}")).ok()?;
    let by_form = form.query_pairs().find(|(name, _)| name == "_method");
    by_form.map(|(_, value)| value.into_owned()).or_else(|| {
        // A form in several parts: the value stands after an empty line.
        let (_, rest) = body.split_once("name=\"_method\"")?;
        Some(rest.split_once("\r\n\r\n")?.1.lines().next()?.trim().to_owned())
    })
}

enum Odd {
    Scheme,
    Path,
}

/// The host with its port, and the path with its query.
fn parted(url: &str) -> Result<(Option<String>, String), Odd> {
    let url = url.trim();
    if url.starts_with('/') {
        return Ok((None, url.to_owned()));
    }
    let Some((scheme, rest)) = url.split_once(':') else { return Err(Odd::Path) };
    if scheme.is_empty() || !scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '+') {
        return Err(Odd::Path);
    }
    let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let Some(rest) = rest.strip_prefix("//").filter(|_| is_http) else { return Err(Odd::Scheme) };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok((Some(host), path))
}

/// A host without its port.
fn name(host: &str) -> Option<&str> {
    let (name, port) = host.rsplit_once(':')?;
    port.chars().all(|c| c.is_ascii_digit()).then_some(name)
}

#[cfg(test)]
#[path = "intake_tests.rs"]
mod tests;
