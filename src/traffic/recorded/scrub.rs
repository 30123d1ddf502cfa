//! Takes credentials out of what was recorded, before anything else sees it.

use std::collections::BTreeMap;

use serde_json::Value;

/// What stands where a credential stood, if something has to stand there.
pub const SCRUBBED: &str = "scrubbed";
/// A name longer than this may be a credential itself, and is not shown.
const LONGEST_NAME: usize = 40;
/// So many different names are counted one by one.
const MOST_NAMES: usize = 100;

/// A name that has one of these in it, its punctuation left out, names a credential.
const WITHIN: [&str; 21] = [
    "token",
    "secret",
    "passw",
    "passphrase",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
    "signingkey",
    "authkey",
    "subscriptionkey",
    "signature",
    "credential",
    "authoriz",
    "authentic",
    "bearer",
    "cookie",
    "csrf",
    "xsrf",
    "sessid",
    "sessionid",
];
/// A name that has one of these as a word of its own names a credential.
const WORDS: [&str; 14] = [
    "key",
    "sig",
    "pwd",
    "pass",
    "pw",
    "auth",
    "session",
    "sid",
    "otp",
    "pin",
    "jwt",
    "hmac",
    "sessionid",
    "assertion",
];
/// How well-known credentials begin.
const BEGINNINGS: [&str; 15] = [
    "bearer ",
    "basic ",
    "digest ",
    "negotiate ",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "sk_live_",
    "sk_test_",
    "xoxb-",
    "xoxp-",
    "akia",
    "asia",
];

/// How often each name was scrubbed, as `header cookie` or `query token`.
pub type Counts = BTreeMap<String, u64>;

/// Counts what is scrubbed.
#[derive(Clone, Debug, Default)]
pub struct Scrubber {
    /// How often, by place and name.
    pub counts: Counts,
}

/// Whether a header, parameter or field of this name holds a credential.
pub fn is_secret_name(name: &str) -> bool {
    let name = decoded(name);
    let compact: String =
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    WITHIN.iter().any(|part| compact.contains(part))
        || words(&name).iter().any(|word| WORDS.contains(&word.as_str()))
}

/// Whether a value looks like a credential, whatever its name.
pub fn is_secret_value(value: &str) -> bool {
    let value = decoded(value);
    let value = value.trim();
    let lower: String = value.chars().take(16).flat_map(char::to_lowercase).collect();
    if BEGINNINGS.iter().any(|b| lower.starts_with(b) && value.len() >= b.len() + 8) {
        // The two of AWS are words too: they are followed by sixteen capitals and digits.
        return !lower.starts_with('a')
            || (value.len() == 20
                && value.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()));
    }
    is_jwt(value)
}

/// Three parts of base64url, of which the first begins as `{"` does.
fn is_jwt(value: &str) -> bool {
    let parts: Vec<&str> = value.split('.').collect();
    let is_part =
        |p: &&str| p.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '='));
    value.starts_with("eyJ") && parts.len() >= 2 && value.len() >= 20 && parts.iter().all(is_part)
}

/// The words of `snake_case`, `kebab-case`, `a.b[c]` and `camelCase`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase() || c.is_numeric();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words
}

/// `%41` as `A`; what is not text then is replaced.
pub fn decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let pair = (byte == b'%').then(|| Some((hex(ahead.next()?)?, hex(ahead.next()?)?)));
        if let Some(Some((high, low))) = pair {
            bytes.push(high * 16 + low);
            rest = ahead;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

impl Scrubber {
    fn count(&mut self, place: &str, name: &str) {
        let name = decoded(name).to_lowercase();
        let showable = !name.is_empty() && name.len() <= LONGEST_NAME && !is_secret_value(&name);
        let full = self.counts.len() >= MOST_NAMES;
        let name = if showable && !full { name.as_str() } else { "(another)" };
        *self.counts.entry(format!("{place} {name}")).or_default() += 1;
    }

    /// A path with its query; without fragment.
    pub fn path(&mut self, raw: &str) -> String {
        let raw = raw.split('#').next().unwrap_or_default();
        let (path, query) = raw.split_once('?').map_or((raw, None), |(p, q)| (p, Some(q)));
        let mut before = String::new();
        let mut segments = Vec::new();
        for segment in path.split('/') {
            segments.push(self.segment(segment, &before));
            before = segment.to_owned();
        }
        let mut out = segments.join("/");
        if let Some(query) = query {
            let query = self.pairs(query, "query");
            if !query.is_empty() {
                out.push('?');
                out.push_str(&query);
            }
        }
        out
    }

    /// A segment of a path, after `before`: without `;jsessionid=…`, without what is a credential.
    fn segment(&mut self, segment: &str, before: &str) -> String {
        let mut parts = segment.split(';');
        let plain = parts.next().unwrap_or_default();
        let long = |text: &str| text.chars().count() >= 12;
        let mut out = if is_secret_value(plain) || (is_secret_name(before) && long(plain)) {
            self.count("path", "");
            SCRUBBED.to_owned()
        } else {
            plain.to_owned()
        };
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if is_secret_name(name) || is_secret_value(value) || is_secret_value(name) {
                self.count("path", name);
            } else {
                out.push(';');
                out.push_str(part);
            }
        }
        out
    }

    /// `a=1&b=2`, as in a query or a form.
    fn pairs(&mut self, raw: &str, place: &str) -> String {
        let name_of = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
        // `code` is an ordinary word, but beside `state` it is a sign-in (RFC 6749, section 4.1.2).
        let signs_in = raw.split('&').any(|pair| name_of(pair) == "state");
        let mut kept = Vec::new();
        for pair in raw.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let secret = is_secret_name(name)
                || is_secret_value(value)
                || is_secret_value(name)
                || (signs_in && name == "code");
            if secret {
                self.count(place, name);
            } else if value.contains("%3F") || value.contains("%3f") || value.contains('?') {
                // An address within an address: only its path tells something.
                let inner = decoded(value);
                let clean = self.url(&inner);
                if clean == inner {
                    kept.push(pair.to_owned());
                } else {
                    kept.push(format!("{name}={}", encoded(&clean)));
                }
            } else {
                kept.push(pair.to_owned());
            }
        }
        kept.join("&")
    }

    /// A whole address: without user, password and what is secret in its path and query.
    pub fn url(&mut self, raw: &str) -> String {
        let Some((scheme, rest)) = raw.split_once("://") else { return self.path(raw) };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let host = authority.rsplit('@').next().unwrap_or_default();
        if host != authority {
            self.count("address", "user");
        }
        format!("{scheme}://{host}{}", self.path(path))
    }

    /// The value of a header that may be sent again; none if it is a credential.
    pub fn header(&mut self, name: &str, value: &str) -> Option<String> {
        if is_secret_name(name) || is_secret_value(value) {
            self.count("header", name);
            return None;
        }
        let clean = |word: &str| {
            let is_address = word.contains("://") || word.contains('?');
            if is_address { self.url(word) } else { word.to_owned() }
        };
        Some(value.split(' ').map(clean).collect::<Vec<_>>().join(" "))
    }

    /// A body that may be sent again; none if it is of a kind whose credentials cannot be found.
    pub fn body(&mut self, media: &str, text: &str) -> Option<Vec<u8>> {
        let media = media.split(';').next().unwrap_or_default().trim().to_lowercase();
        if media == "application/x-www-form-urlencoded" {
            return Some(self.pairs(text, "form").into_bytes());
        }
        if media == "application/json" || media.ends_with("+json") || media.is_empty() {
            let mut value: Value = serde_json::from_str(text).ok()?;
            self.json(&mut value);
            return serde_json::to_vec(&value).ok();
        }
        None
    }

    /// A text of an answer, fit to be shown: addresses without credentials, and no word that is one.
    pub fn shown(&mut self, text: &str) -> String {
        let mut scheme = false;
        let words = text.split(' ').map(|word| {
            let bare = word.trim_matches(['"', '\'', ',', ';', '(', ')']);
            let follows = std::mem::replace(&mut scheme, is_scheme(bare)) && bare.len() >= 8;
            if follows || is_secret_value(bare) {
                word.replace(bare, "(withheld)")
            } else if bare.contains('?') || bare.contains("://") {
                word.replace(bare, &self.url(bare))
            } else {
                word.to_owned()
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn json(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    if is_secret_name(name) && !field.is_null() {
                        self.count("body", name);
                        *field = SCRUBBED.into();
                    } else {
                        self.json(field);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::String(text) if is_secret_value(text) => {
                self.count("body", "");
                *text = SCRUBBED.to_owned();
            }
            Value::String(text) if is_address(text) => *text = self.url(text),
            _ => {}
        }
    }
}

/// Whether a credential follows (RFC 9110, section 11.4).
fn is_scheme(word: &str) -> bool {
    ["bearer", "basic", "digest", "negotiate"].iter().any(|s| word.eq_ignore_ascii_case(s))
}

/// Whether this is an address with a query.
fn is_address(text: &str) -> bool {
    let begins = ["/", "http://", "https://"].iter().any(|begin| text.starts_with(begin));
    begins && (text.contains('?') || text.contains('@')) && !text.contains(char::is_whitespace)
}

/// Percent-encodes what may not stand in the value of a query.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
#[path = "scrub_tests.rs"]
mod tests;
