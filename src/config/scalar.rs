//! The small value types of the configuration: durations, globs, scoped globs and addresses.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::pattern::{Pattern, glob};

/// A length of time as people write it: `15s`, `2m`, `1h30m`, `2d` (a day is 24 hours).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HumanDuration(Duration);

impl HumanDuration {
    /// A whole number of seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The same length as the standard library's type.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl FromStr for HumanDuration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a length of time");
        let span: jiff::Span = text.trim().parse().map_err(|_| wrong())?;
        let length = span
            .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
            .map_err(|_| format!("`{text}` uses months or years, whose length varies"))?;
        Duration::try_from(length).map(Self).map_err(|_| format!("`{text}` is negative"))
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::SignedDuration::try_from(self.0) {
            Ok(length) => f.write_str(&format!("{length:#}").replace(' ', "")),
            Err(_) => write!(f, "{}s", self.0.as_secs()),
        }
    }
}

impl fmt::Debug for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<HumanDuration> for Duration {
    fn from(value: HumanDuration) -> Self {
        value.0
    }
}

/// A pattern over names: `*` stands for any run of characters, `?` for exactly one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob(String);

impl Glob {
    /// Whether the whole of `text` fits the pattern. Case counts.
    pub fn matches(&self, text: &str) -> bool {
        glob(&self.0, text)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern can match more than one name.
    pub fn is_pattern(&self) -> bool {
        self.0.contains(['*', '?'])
    }
}

impl FromStr for Glob {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a pattern cannot be empty".to_owned());
        }
        if let Some(odd) = text.chars().find(|c| c.is_control()) {
            return Err(format!("a pattern cannot contain the control character {odd:?}"));
        }
        if let Some(odd) = text.chars().find(|c| matches!(c, '[' | ']' | '{' | '}' | '\\')) {
            return Err(format!("`{odd}` has no meaning in a pattern: only `*` and `?` have"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// A pattern over the resources of one source: `SOURCE/PATTERN`, or `PATTERN` for any source.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopedGlob {
    /// Which sources; `*` when the text names none.
    pub source: Glob,
    /// Which of their resources.
    pub name: Glob,
}

impl ScopedGlob {
    /// Whether the resource `name` of the source `source` is meant.
    pub fn matches(&self, source: &str, name: &str) -> bool {
        self.source.matches(source) && self.name.matches(name)
    }
}

impl From<&ScopedGlob> for Pattern {
    fn from(scoped: &ScopedGlob) -> Self {
        Self { source: scoped.source.as_str().into(), name: scoped.name.as_str().into() }
    }
}

impl FromStr for ScopedGlob {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (source, name) = text.split_once('/').unwrap_or(("*", text));
        if source.is_empty() || name.is_empty() {
            return Err(format!("`{text}` is not `SOURCE/PATTERN`"));
        }
        Ok(Self { source: source.parse()?, name: name.parse()? })
    }
}

impl fmt::Display for ScopedGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.source.as_str() == "*" && !self.name.as_str().contains('/') {
            write!(f, "{}", self.name)
        } else {
            write!(f, "{}/{}", self.source, self.name)
        }
    }
}

impl fmt::Debug for ScopedGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// An `http://` or `https://` address without credentials in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpUrl(String);

impl HttpUrl {
    /// The address as written, without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.trim_end_matches('/')
    }
}

impl FromStr for HttpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = reqwest::Url::parse(text).map_err(|why| format!("not an address: {why}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("`{}://` is not supported: use http or https", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("credentials do not belong into an address".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// Where a plain socket listens: `tcp://HOST:PORT` or `unix:///PATH`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SocketAddress {
    /// A host (name or address) and a port.
    Tcp {
        /// Name or address; an IPv6 address without its brackets.
        host: String,
        /// Port, 1 to 65535.
        port: u16,
    },
    /// The path of a Unix socket.
    Unix(std::path::PathBuf),
}

impl FromStr for SocketAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix://") {
            return if path.starts_with('/') {
                Ok(Self::Unix(path.into()))
            } else {
                Err(format!("`{text}` needs an absolute path: `unix:///run/…`"))
            };
        }
        let rest = text
            .strip_prefix("tcp://")
            .ok_or_else(|| format!("`{text}` is neither `tcp://HOST:PORT` nor `unix:///PATH`"))?;
        let (host, port) = rest.rsplit_once(':').ok_or_else(|| format!("`{text}` has no port"))?;
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let port: u16 = port.parse().map_err(|_| format!("`{port}` is not a port"))?;
        if host.is_empty() || port == 0 {
            return Err(format!("`{text}` is not `tcp://HOST:PORT`"));
        }
        Ok(Self::Tcp { host: host.to_owned(), port })
    }
}

impl fmt::Display for SocketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

impl fmt::Debug for SocketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Gives a type that is written as a string its serde and schema sides.
macro_rules! text_type {
    ($type:ty, $name:literal, $format:literal, $doc:literal, $example:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let text = String::deserialize(input)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
                output.collect_str(self)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "format": $format,
                    "description": $doc,
                    "examples": [$example],
                })
            }
        }
    };
}

pub(super) use text_type;

text_type!(
    HumanDuration,
    "Duration",
    "flightdeck-duration",
    "A length of time: a number and a unit, as in 15s, 2m, 1h30m or 2d.",
    "1h30m"
);
text_type!(
    Glob,
    "Glob",
    "flightdeck-glob",
    "A pattern over names: * stands for any run of characters, ? for one.",
    "checkout-*"
);
text_type!(
    ScopedGlob,
    "ScopedGlob",
    "flightdeck-scoped-glob",
    "SOURCE/PATTERN: resources of one source; without SOURCE/ of any source.",
    "aws-eu/checkout-*"
);
text_type!(
    HttpUrl,
    "HttpUrl",
    "flightdeck-http-url",
    "An http or https address without credentials.",
    "https://prometheus.example.com"
);
text_type!(
    SocketAddress,
    "SocketAddress",
    "flightdeck-socket",
    "tcp://HOST:PORT or unix:///PATH.",
    "unix:///run/haproxy/admin.sock"
);

#[cfg(test)]
#[path = "scalar_tests.rs"]
mod tests;
