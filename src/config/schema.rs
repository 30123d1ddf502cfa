//! The JSON Schema of the configuration: made from the types, it drives checking and explaining.

use std::sync::LazyLock;

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Map, Value, json};

use super::model::Config;
use super::tree::{KeyPath, Step};

/// The word for the shortest length of time that makes sense for a key.
pub(super) const LEAST: &str = "x-at-least";

static SCHEMA: LazyLock<Value> = LazyLock::new(generate);

/// The schema (draft 2020-12) of a configuration file.
pub fn schema() -> &'static Value {
    &SCHEMA
}

/// The schema as it is committed in `config/flightdeck.schema.json`.
pub fn schema_text() -> String {
    format!("{:#}\n", schema())
}

fn generate() -> Value {
    let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut schema = generator.into_root_schema_for::<Config>();
    tidy(&mut schema);
    name_rules(schema.ensure_object());
    in_order(schema.ensure_object())
}

/// What a reader looks for first comes first.
fn in_order(root: &mut Map<String, Value>) -> Value {
    let mut ordered = Map::new();
    for word in ["$schema", "title", "description"] {
        if let Some(value) = root.shift_remove(word) {
            ordered.insert(word.to_owned(), value);
        }
    }
    ordered.append(root);
    Value::Object(ordered)
}

/// TOML has no null, and no table takes keys that it does not know.
pub(super) fn tidy(schema: &mut Schema) {
    if let Some(map) = schema.as_object_mut() {
        drop_null(map);
        if map.contains_key("properties") && !map.contains_key("additionalProperties") {
            map.insert("additionalProperties".to_owned(), json!(false));
        }
    }
    transform_subschemas(&mut Tidy, schema);
}

#[derive(Clone)]
struct Tidy;

impl Transform for Tidy {
    fn transform(&mut self, schema: &mut Schema) {
        tidy(schema);
    }
}

fn drop_null(map: &mut Map<String, Value>) {
    if map.get("default").is_some_and(Value::is_null) {
        map.remove("default");
    }
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            map.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            map.remove("anyOf");
            for (key, value) in only {
                map.entry(key).or_insert(value);
            }
        }
    }
}

/// The names of sources and services are parts of ids, so a few signs are not for them.
fn name_rules(root: &mut Map<String, Value>) {
    for (table, format) in [("sources", "flightdeck-source-name"), ("services", "flightdeck-name")]
    {
        if let Some(Value::Object(rows)) =
            root.get_mut("properties").and_then(|properties| properties.get_mut(table))
        {
            rows.insert("propertyNames".to_owned(), json!({ "format": format }));
        }
    }
}

/// The schema itself, or the definition that it refers to.
pub(super) fn resolve(schema: &Value) -> &Value {
    let target = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|name| name.strip_prefix("#/$defs/"))
        .and_then(|name| self::schema().get("$defs")?.get(name));
    target.unwrap_or(schema)
}

/// The alternatives of a schema: itself, or those of its `anyOf` and `oneOf`.
pub(super) fn choices(schema: &Value) -> Vec<&Value> {
    let schema = resolve(schema);
    let inner = ["anyOf", "oneOf"].iter().find_map(|word| schema.get(*word)?.as_array());
    match inner {
        Some(inner) => inner.iter().flat_map(choices).collect(),
        None => vec![schema],
    }
}

/// The documentation of a key: its own, else that of its type.
pub(super) fn doc(schema: &Value) -> Option<&str> {
    schema.get("description").or_else(|| resolve(schema).get("description")).and_then(Value::as_str)
}

/// The names allowed for a value, when only certain names are.
pub(super) fn allowed(schema: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for choice in choices(schema) {
        if let Some(name) = choice.get("const").and_then(Value::as_str) {
            names.push(name);
        }
        let listed = choice.get("enum").and_then(Value::as_array).into_iter().flatten();
        names.extend(listed.filter_map(Value::as_str));
    }
    names
}

/// The `const` of the property `kind`, by which one alternative is told from the others.
pub(super) fn tag(choice: &Value) -> Option<&str> {
    choice.get("properties")?.get("kind")?.get("const")?.as_str()
}

/// The schema of one row of a table.
pub(super) fn row<'s>(table: &'s Value, key: &str) -> Option<&'s Value> {
    if let Some(schema) = table.get("properties").and_then(|rows| rows.get(key)) {
        return Some(schema);
    }
    table.get("additionalProperties").filter(|schema| schema.is_object())
}

/// The schema of the value at `path`; where there are alternatives, the first that knows the key.
pub(super) fn at(path: &KeyPath) -> Option<&'static Value> {
    path.steps().iter().try_fold(schema(), |here, step| {
        choices(here).into_iter().find_map(|choice| match step {
            Step::Key(key) => row(choice, key),
            Step::Index(_) => choice.get("items"),
        })
    })
}

/// The section of fixed settings that has a key of this name, for one that was put elsewhere.
pub(super) fn section_of(key: &str) -> Option<&'static str> {
    let sections = schema().get("properties")?.as_object()?;
    let mut found = sections.iter().filter(|(_, section)| {
        resolve(section).get("properties").is_some_and(|rows| rows.get(key).is_some())
    });
    found.next().map(|(name, _)| name.as_str())
}

/// Whether a value of this schema is, or may be, a reference to a secret.
pub(super) fn is_secret(schema: &Value) -> bool {
    choices(schema)
        .iter()
        .any(|choice| choice.get("format").is_some_and(|format| format == "flightdeck-secret"))
}

/// Whether a value of this schema can only be a string.
pub(super) fn is_text(schema: &Value) -> bool {
    choices(schema).iter().all(|choice| {
        choice.get("type").is_some_and(|name| name == "string") || choice.get("const").is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_documented() {
        fn walk(schema: &Value, path: &str, missing: &mut Vec<String>) {
            for choice in choices(schema) {
                for (key, row) in
                    choice.get("properties").and_then(Value::as_object).into_iter().flatten()
                {
                    let path = format!("{path}.{key}");
                    if key != "kind" && doc(row).is_none() {
                        missing.push(path.clone());
                    }
                    walk(row, &path, missing);
                }
                for word in ["additionalProperties", "items"] {
                    if let Some(inner) = choice.get(word).filter(|inner| inner.is_object()) {
                        walk(inner, path, missing);
                    }
                }
            }
        }
        let mut missing = Vec::new();
        walk(schema(), "", &mut missing);
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn the_kinds_of_sources_are_those_of_the_type() {
        let one = at(&KeyPath::parse("sources.x").unwrap()).unwrap();
        let kinds: Vec<&str> = choices(one).into_iter().filter_map(tag).collect();
        assert_eq!(kinds, crate::config::sources::KINDS);
    }

    #[test]
    fn it_knows_no_null_and_takes_no_unknown_keys() {
        let text = schema_text();
        assert!(!text.contains("null"), "{text}");
        assert!(at(&KeyPath::parse("sources.x.pipelines").unwrap()).is_some());
        assert!(at(&KeyPath::parse("sources.x.piplines").unwrap()).is_none());
    }
}
