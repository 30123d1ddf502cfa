//! The checks behind the `format` words of the schema.

use super::freeze::{FreezeTime, ZoneName};
use super::names::KeyName;
use super::scalar::{Glob, HttpUrl, HumanDuration, ScopedGlob, SocketAddress};
use crate::domain::condition::Condition;

/// Whether `text` is of the format; otherwise what is wrong with it. Unknown formats are not
/// checked: those that the schema generator adds for numbers are covered by types and ranges.
pub(super) fn check(format: &str, text: &str) -> Result<(), String> {
    match format {
        "flightdeck-duration" => text.parse::<HumanDuration>().map(drop),
        "flightdeck-glob" => text.parse::<Glob>().map(drop),
        "flightdeck-scoped-glob" => text.parse::<ScopedGlob>().map(drop),
        "flightdeck-http-url" => text.parse::<HttpUrl>().map(drop),
        "flightdeck-socket" => text.parse::<SocketAddress>().map(drop),
        "flightdeck-freeze-time" => text.parse::<FreezeTime>().map(drop),
        "flightdeck-zone" => text.parse::<ZoneName>().map(drop),
        "flightdeck-key" => text.parse::<KeyName>().map(drop),
        "flightdeck-source-name" => source_name(text),
        "flightdeck-name" => name(text),
        "flightdeck-operand" => operand(text),
        "flightdeck-condition" => Condition::try_from(text.to_owned()).map(drop),
        "json-pointer" => json_pointer(text),
        _ => Ok(()),
    }
}

/// How a value of the format is written.
pub(super) fn hint(format: &str) -> Option<&'static str> {
    Some(match format {
        "flightdeck-duration" => "write a number and a unit, as in 15s, 2m, 1h30m or 2d",
        "flightdeck-glob" => "* stands for any run of characters, ? for one",
        "flightdeck-scoped-glob" => "write SOURCE/PATTERN, or PATTERN for any source",
        "flightdeck-http-url" => "write an address such as https://prometheus.example.com",
        "flightdeck-socket" => "write tcp://HOST:PORT or unix:///PATH",
        "flightdeck-key" => "write a sign or a name, as in a, ?, ctrl-r, alt-enter, f5",
        "flightdeck-freeze-time" => "write 16:00, 2026-12-20 or 2026-12-20T18:00",
        "flightdeck-zone" => "write an IANA name, as in Europe/Berlin or UTC",
        "json-pointer" => "write a JSON pointer, as in /build/version",
        _ => return None,
    })
}

fn source_name(text: &str) -> Result<(), String> {
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))) {
        _ if text.is_empty() => Err("a name cannot be empty".to_owned()),
        Some(odd) => {
            Err(format!("{odd:?} cannot be in the name of a source: use letters, digits, - _ ."))
        }
        None => Ok(()),
    }
}

fn name(text: &str) -> Result<(), String> {
    match text.chars().find(|c| c.is_control() || matches!(c, '/' | '*' | '?')) {
        _ if text.trim().is_empty() => Err("a name cannot be empty".to_owned()),
        Some(odd) => Err(format!("{odd:?} cannot be in the name of a service")),
        None => Ok(()),
    }
}

/// The names of CloudWatch metric maths, whose functions are written in capitals.
fn operand(text: &str) -> Result<(), String> {
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
    if begins && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        Ok(())
    } else {
        Err(format!(
            "`{text}` is no name in an expression: begin with a small letter, go on with letters, digits and _"
        ))
    }
}

/// RFC 6901: empty, or parts that each begin with a slash; ~ only as ~0 and ~1.
fn json_pointer(text: &str) -> Result<(), String> {
    let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if (text.is_empty() || text.starts_with('/')) && escapes {
        Ok(())
    } else {
        Err(format!("`{text}` is not a JSON pointer"))
    }
}
