//! Names that refer to something else: a source, a service, a key of the keyboard.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// The keys that have a name instead of a sign.
pub const NAMED_KEYS: [&str; 28] = [
    "enter",
    "esc",
    "tab",
    "shift-tab",
    "backspace",
    "delete",
    "up",
    "down",
    "left",
    "right",
    "pageup",
    "pagedown",
    "home",
    "end",
    "space",
    "minus",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "f6",
    "f7",
    "f8",
    "f9",
    "f10",
    "f11",
    "f12",
];

/// Declares a name that must exist in another table of the configuration.
macro_rules! reference {
    ($(#[$doc:meta])* $type:ident, $table:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(String);

        impl Deref for $type {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "x-refers-to": $table })
            }
        }
    };
}

reference! {
    /// The name of a source in `[sources]`.
    SourceName, "sources"
}
reference! {
    /// The name of a service in `[services]`.
    ServiceName, "services"
}

/// A key of the keyboard with its modifiers: `a`, `A`, `?`, `ctrl-r`, `alt-enter`, `f5`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct KeyName(String);

impl Deref for KeyName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl FromStr for KeyName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let mut seen = Vec::new();
        while let Some((modifier, after)) = rest.split_once('-') {
            if modifier == "shift" && after.chars().count() == 1 {
                return Err(format!("write `{}` for shift and `{after}`", after.to_uppercase()));
            }
            if after.is_empty() || !matches!(modifier, "ctrl" | "alt") {
                break;
            }
            if seen.contains(&modifier) {
                return Err(format!("`{text}` names {modifier} twice"));
            }
            seen.push(modifier);
            rest = after;
        }
        let mut signs = rest.chars();
        let one_sign = matches!((signs.next(), signs.next()), (Some(sign), None)
            if !sign.is_whitespace() && !sign.is_control());
        if one_sign || NAMED_KEYS.contains(&rest) {
            return Ok(Self(text.to_owned()));
        }
        Err(match super::near::nearest(rest, NAMED_KEYS) {
            Some(name) => format!("`{rest}` is not a key: did you mean `{name}`?"),
            None => format!("`{rest}` is not a key"),
        })
    }
}

impl<'de> Deserialize<'de> for KeyName {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for KeyName {
    fn schema_name() -> Cow<'static, str> {
        "Key".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "flightdeck-key",
            "description": "A key: one sign, or a name such as enter, esc, space, up, pagedown, \
                            f5, shift-tab; with ctrl- or alt- before it.",
            "examples": ["ctrl-r"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_signs_or_names_with_modifiers() {
        for text in
            ["a", "A", "?", "-", "ctrl-r", "ctrl--", "alt-enter", "ctrl-alt-f5", "é", "shift-tab"]
        {
            assert!(text.parse::<KeyName>().is_ok(), "{text}");
        }
        for text in [
            "",
            " ",
            "ab",
            "ctrl-",
            "ctrl-ctrl-a",
            "super-a",
            "shift-up",
            "shift-a",
            "\u{1b}",
            "Enter ",
        ] {
            assert!(text.parse::<KeyName>().is_err(), "{text:?}");
        }
        let hint = "pgdown".parse::<KeyName>().unwrap_err();
        assert_eq!(hint, "`pgdown` is not a key: did you mean `pagedown`?");
    }
}
