//! A change of one flag, as an edit of the raw document of its profile.

use serde_json::{Map, Value};

use super::document::share;
use super::edit::{Step, remove, set};
use crate::domain::text::SafeText;
use crate::domain::write::FlagChange;

/// The document `text` with `change` made to the flag `key`; none if it is so already. The error says
/// why it cannot be.
pub(super) fn changed(
    text: &str,
    key: &SafeText,
    change: &FlagChange,
) -> Result<Option<String>, String> {
    let document: Value =
        serde_json::from_str(text).map_err(|why| format!("no JSON document: {why}"))?;
    let flag = Flag::find(&document, key).ok_or_else(|| format!("there is no flag {key}"))?;
    let new = match change {
        FlagChange::Enabled { on } => flag.switch(text, *on)?,
        FlagChange::Attribute { name, value } => flag.attribute(text, name, value.as_str())?,
        FlagChange::Percent { percent } => flag.share(text, *percent)?,
        FlagChange::Stale { stale } => flag.mark(text, *stale)?,
        FlagChange::Halt | FlagChange::Revert => {
            return Err("that is no change of the document".to_owned());
        }
    };
    // It must still be a document, and another one.
    let after: Value =
        serde_json::from_str(&new).map_err(|why| format!("the edit went wrong: {why}"))?;
    Ok((after != document).then_some(new))
}

/// One flag of a document.
struct Flag<'a> {
    /// Its key as it is written.
    key: &'a str,
    has_values: bool,
    definition: Option<&'a Map<String, Value>>,
    value: Option<&'a Map<String, Value>>,
}

impl<'a> Flag<'a> {
    fn find(document: &'a Value, key: &SafeText) -> Option<Self> {
        let part = |name: &str| document.get(name).and_then(Value::as_object);
        let (definitions, values) = (part("flags"), part("values"));
        let mut keys = [definitions, values].into_iter().flatten().flat_map(Map::keys);
        let raw = keys.find(|raw| SafeText::new(raw) == *key)?;
        let of = |part: Option<&'a Map<String, Value>>| part?.get(raw)?.as_object();
        Some(Self {
            key: raw,
            has_values: values.is_some(),
            definition: of(definitions),
            value: of(values),
        })
    }

    fn variants(&self) -> Option<&'a Vec<Value>> {
        self.value?.get("_variants")?.as_array()
    }

    fn value_path<'b>(&'b self, more: &[Step<'b>]) -> Vec<Step<'b>> {
        [Step::Key("values"), Step::Key(self.key)].into_iter().chain(more.iter().copied()).collect()
    }

    /// On or off. The variants of a flag are all turned off together; which of them to turn on again
    /// is not ours to guess.
    fn switch(&self, text: &str, on: bool) -> Result<String, String> {
        if let Some(variants) = self.variants() {
            if on {
                return Err("it has variants, each with a switch of its own: turn them on in \
                            AppConfig, or take the last deployment back"
                    .to_owned());
            }
            return (0..variants.len()).try_fold(text.to_owned(), |text, index| {
                let path = [Step::Key("_variants"), Step::Index(index), Step::Key("enabled")];
                set(&text, &self.value_path(&path), "false")
            });
        }
        let word = if on { "true" } else { "false" };
        if self.value.is_some() {
            return set(text, &self.value_path(&[Step::Key("enabled")]), word);
        }
        let value = format!("{{\"enabled\":{word}}}");
        if self.has_values {
            return set(text, &self.value_path(&[]), &value);
        }
        set(text, &[Step::Key("values")], &format!("{{{}:{value}}}", Value::from(self.key)))
    }

    fn attribute(&self, text: &str, name: &SafeText, value: &str) -> Result<String, String> {
        if self.variants().is_some() {
            return Err(
                "it has variants, each with attributes of its own: change them in AppConfig"
                    .to_owned(),
            );
        }
        let defined = self.definition.and_then(|d| d.get("attributes")?.as_object());
        let values = self.value.ok_or("it has no value yet: turn it on or off first")?;
        let of_value = values.keys().filter(|k| *k != "enabled" && !k.starts_with('_'));
        let mut known = defined.into_iter().flat_map(Map::keys).chain(of_value);
        let Some(raw) = known.find(|raw| SafeText::new(raw) == *name) else {
            return Err(format!("it has no attribute {name}"));
        };
        let kind = defined
            .and_then(|d| d.get(raw)?.get("constraints")?.get("type")?.as_str())
            .or_else(|| values.get(raw).map(kind));
        let json = typed(value, kind.unwrap_or("string"))
            .map_err(|wanted| format!("{name} is {wanted}, not `{value}`"))?;
        set(text, &self.value_path(&[Step::Key(raw)]), &json)
    }

    /// The share of the one variant that is on by a split alone.
    fn share(&self, text: &str, percent: f64) -> Result<String, String> {
        if !(0.0..=100.0).contains(&percent) {
            return Err(format!("a share is between 0 and 100, not {percent}"));
        }
        let split = self.variants().and_then(|variants| {
            share(variants)?;
            variants.first()?.get("rule")?.as_str()
        });
        let rule = split.ok_or("it has no rule that is a share and nothing else")?;
        let (head, tail) = rule.split_once("pct::").ok_or("its rule has no share")?;
        let rest = tail.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let rule = format!("{head}pct::{percent}{rest}");
        let path = [Step::Key("_variants"), Step::Index(0), Step::Key("rule")];
        set(text, &self.value_path(&path), &Value::from(rule).to_string())
    }

    fn mark(&self, text: &str, stale: bool) -> Result<String, String> {
        let Some(definition) = self.definition else {
            return Err("it has a value and no definition to mark".to_owned());
        };
        let path = [Step::Key("flags"), Step::Key(self.key), Step::Key("_deprecation")];
        match (stale, definition.contains_key("_deprecation")) {
            (true, false) => set(text, &path, r#"{"status":"planned"}"#),
            (false, true) => remove(text, &path),
            _ => Ok(text.to_owned()),
        }
    }
}

/// The type of a value, as constraints name it.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::Array(_) => "array",
        Value::Null | Value::String(_) | Value::Object(_) => "string",
    }
}

/// `value` as JSON of this type; the error says what is wanted.
fn typed(value: &str, kind: &str) -> Result<String, &'static str> {
    let value = value.trim();
    let parsed = || serde_json::from_str::<Value>(value).ok();
    match kind {
        "boolean" if matches!(value, "true" | "false") => Ok(value.to_owned()),
        "boolean" => Err("true or false"),
        "number" => parsed().filter(Value::is_number).map(|_| value.to_owned()).ok_or("a number"),
        "array" => {
            parsed().filter(Value::is_array).map(|_| value.to_owned()).ok_or("a list in JSON")
        }
        _ => Ok(Value::from(value).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"version":"1","_ours":{"keep":1.50},
 "flags":{"tax":{"name":"Tax","attributes":{"rate":{"constraints":{"type":"number"}},
   "who":{"constraints":{"type":"string"}},"eu":{"constraints":{"type":"boolean"}}}},
  "bare":{"name":"Bare"},"old":{"name":"Old","_deprecation":{"status":"planned"}},
  "split":{"name":"Split"},"many":{"name":"Many"}},
 "values":{"tax":{"enabled":false,"rate":5,"_updatedAt":"2026-01-01T00:00:00Z"},"old":{"enabled":true},
  "split":{"_variants":[{"name":"some","enabled":true,"rule":"(split by::$id pct::10 seed::\"x\")"},
   {"name":"rest","enabled":false}]},
  "many":{"_variants":[{"name":"qa","enabled":true,"rule":"(eq $q \"1\")"},{"name":"rest","enabled":true}]}}}"#;

    fn made(key: &str, change: &FlagChange) -> Result<Option<String>, String> {
        changed(TEXT, &key.into(), change)
    }

    fn attribute(name: &str, value: &str) -> FlagChange {
        FlagChange::Attribute { name: name.into(), value: value.into() }
    }

    #[test]
    fn each_change_is_one_edit() {
        for (key, change, from, to) in [
            (
                "tax",
                FlagChange::Enabled { on: true },
                r#"{"enabled":false,"rate":5"#,
                r#"{"enabled":true,"rate":5"#,
            ),
            (
                "bare",
                FlagChange::Enabled { on: true },
                r#""enabled":true}]}}}"#,
                r#""enabled":true}]},"bare":{"enabled":true}}}"#,
            ),
            ("tax", attribute("rate", "7.50"), r#""rate":5"#, r#""rate":7.50"#),
            ("tax", attribute("who", "a \"b\""), r#":00Z"}"#, r#":00Z","who":"a \"b\""}"#),
            ("tax", attribute("eu", "true"), r#":00Z"}"#, r#":00Z","eu":true}"#),
            ("split", FlagChange::Percent { percent: 25.0 }, "pct::10", "pct::25"),
            ("split", FlagChange::Percent { percent: 0.5 }, "pct::10", "pct::0.5"),
            (
                "bare",
                FlagChange::Stale { stale: true },
                r#"{"name":"Bare"}"#,
                r#"{"name":"Bare","_deprecation":{"status":"planned"}}"#,
            ),
            (
                "old",
                FlagChange::Stale { stale: false },
                r#","_deprecation":{"status":"planned"}"#,
                "",
            ),
        ] {
            let new = made(key, &change).unwrap().unwrap();
            assert_eq!(new, TEXT.replacen(from, to, 1), "{key} {change:?}");
        }
        let off = made("many", &FlagChange::Enabled { on: false }).unwrap().unwrap();
        let off: Value = serde_json::from_str(&off).unwrap();
        let variants = off["values"]["many"]["_variants"].as_array().unwrap();
        assert!(variants.iter().all(|variant| variant["enabled"] == false));
    }

    #[test]
    fn what_is_so_already_is_no_change() {
        for (key, change) in [
            ("tax", FlagChange::Enabled { on: false }),
            ("tax", attribute("rate", "5")),
            ("old", FlagChange::Stale { stale: true }),
            ("bare", FlagChange::Stale { stale: false }),
        ] {
            assert_eq!(made(key, &change), Ok(None), "{key} {change:?}");
        }
    }

    #[test]
    fn what_cannot_be_says_why() {
        for (key, change, why) in [
            ("none", FlagChange::Enabled { on: true }, "no flag none"),
            ("many", FlagChange::Enabled { on: true }, "variants"),
            ("many", attribute("rate", "1"), "variants"),
            ("many", FlagChange::Percent { percent: 5.0 }, "no rule"),
            ("tax", FlagChange::Percent { percent: 5.0 }, "no rule"),
            ("split", FlagChange::Percent { percent: 101.0 }, "between 0 and 100"),
            ("tax", attribute("size", "1"), "no attribute size"),
            ("tax", attribute("enabled", "true"), "no attribute enabled"),
            ("tax", attribute("rate", "much"), "rate is a number"),
            ("tax", attribute("eu", "yes"), "true or false"),
            ("bare", attribute("rate", "1"), "no value yet"),
        ] {
            let said = made(key, &change).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        assert!(changed("[", &"tax".into(), &FlagChange::Enabled { on: true }).is_err());
    }

    #[test]
    fn a_document_without_values_gets_them() {
        let text = r#"{"flags":{"tax":{"name":"Tax"}}}"#;
        let new = changed(text, &"tax".into(), &FlagChange::Enabled { on: true }).unwrap();
        let expected = r#"{"flags":{"tax":{"name":"Tax"}},"values":{"tax":{"enabled":true}}}"#;
        assert_eq!(new.as_deref(), Some(expected));
    }
}
