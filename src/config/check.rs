//! Compares a tree with the schema and finds every fault: unknown keys, wrong types, bad values.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::near::nearest;
use super::origin::Origin;
use super::problem::Problem;
use super::schema::{LEAST, allowed, choices, resolve, row, schema, section_of, tag};
use super::tree::{Entry, KeyPath, Node, Value};
use super::{check_secret, formats};

/// Every fault of `root` that the schema can tell.
pub(super) fn check(root: &Node) -> Vec<Problem> {
    let mut checker = Checker { root, section_of, problems: Vec::new() };
    checker.value(root, schema(), &KeyPath::default());
    checker.problems
}

/// Every fault of `root`, which is no configuration, that `schema` can tell; it refers to nothing.
pub(super) fn against(root: &Node, schema: &Json) -> Vec<Problem> {
    let mut checker = Checker { root, section_of: |_| None, problems: Vec::new() };
    checker.value(root, schema, &KeyPath::default());
    checker.problems
}

struct Checker<'t> {
    root: &'t Node,
    /// The section that a key of this name belongs into.
    section_of: fn(&str) -> Option<&'static str>,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn fault(&mut self, at: &Origin, path: &KeyPath, message: String, hint: Option<String>) {
        self.problems.push(Problem::new(at, path.to_string(), message, hint));
    }

    fn value(&mut self, node: &Node, schema: &Json, path: &KeyPath) {
        let choices = choices(schema);
        let secret = check_secret::is_only_secret(&choices);
        if (secret || check_secret::is_plain_credential(path, node.text()))
            && let Some((message, hint)) = check_secret::literal(node)
        {
            return self.fault(&node.origin, path, message, Some(hint));
        }
        let names = allowed(schema);
        if !names.is_empty() {
            return self.name(node, &names, path);
        }
        if let Some(choice) = self.choose(node, &choices, path) {
            self.one(node, choice, path);
        }
        if let Some(least) = schema.get(LEAST).and_then(Json::as_str) {
            self.at_least(node, least, path);
        }
    }

    fn at_least(&mut self, node: &Node, least: &str, path: &KeyPath) {
        let length = |text: &str| text.parse::<super::scalar::HumanDuration>().ok();
        if let (Some(told), Some(shortest)) = (node.text().and_then(length), length(least))
            && told < shortest
        {
            let message = format!("{told} is too short: {least} or more");
            self.fault(&node.origin, path, message, None);
        }
    }

    /// The alternative that the value is meant to be; none when that was a fault of its own.
    fn choose<'s>(
        &mut self,
        node: &Node,
        choices: &[&'s Json],
        path: &KeyPath,
    ) -> Option<&'s Json> {
        let fitting: Vec<&Json> =
            choices.iter().copied().filter(|choice| fits(&node.value, choice)).collect();
        match (fitting.as_slice(), node.table()) {
            ([], _) => {
                let message = format!("expected {}, got {}", wanted(choices), node.value.kind());
                // The arguments of a command that prints a secret may be secret themselves.
                let above = path.parent().and_then(|above| super::schema::at(&above));
                let quotable = !above.is_some_and(super::schema::is_secret);
                let hint = type_hint(node, choices).filter(|_| quotable);
                self.fault(&node.origin, path, message, hint);
                None
            }
            ([only], _) if tag(only).is_none() => Some(only),
            (several, Some(rows)) if several.iter().all(|choice| tag(choice).is_some()) => {
                self.by_kind(node, rows, several, path)
            }
            // Tables of different shapes: the one that knows most of the keys.
            (several, Some(rows)) => several
                .iter()
                .copied()
                .max_by_key(|choice| rows.keys().filter(|key| row(choice, key).is_some()).count()),
            (several, None) => several.first().copied(),
        }
    }

    fn by_kind<'s>(
        &mut self,
        node: &Node,
        rows: &BTreeMap<String, Entry>,
        choices: &[&'s Json],
        path: &KeyPath,
    ) -> Option<&'s Json> {
        let kinds: Vec<&str> = choices.iter().filter_map(|choice| tag(choice)).collect();
        let Some(entry) = rows.get("kind") else {
            let hint = format!("add `kind`, one of {}", list(&kinds));
            self.fault(&node.origin, path, "`kind` is missing".to_owned(), Some(hint));
            return None;
        };
        let name = entry.node.text();
        let found = choices.iter().copied().find(|choice| tag(choice) == name);
        if found.is_none() {
            self.name(&entry.node, &kinds, &path.key("kind"));
        }
        found
    }

    fn name(&mut self, node: &Node, names: &[&str], path: &KeyPath) {
        match node.text() {
            Some(text) if names.contains(&text) => {}
            Some(text) => {
                let message = format!("`{text}` is not one of {}", list(names));
                let hint =
                    nearest(text, names.iter().copied()).map(|n| format!("did you mean `{n}`?"));
                self.fault(&node.origin, path, message, hint);
            }
            None => {
                let message = format!("expected one of {}, got {}", list(names), node.value.kind());
                self.fault(&node.origin, path, message, None);
            }
        }
    }

    fn one(&mut self, node: &Node, schema: &Json, path: &KeyPath) {
        match &node.value {
            Value::Table(rows) => self.table(node, rows, schema, path),
            Value::List(nodes) => self.list(node, nodes, schema, path),
            Value::Text(text) => self.text(node, text, schema, path),
            Value::Integer(number) => self.number(node, *number as f64, schema, path),
            Value::Float(number) => self.number(node, *number, schema, path),
            Value::Bool(_) | Value::Date(_) => {}
        }
    }

    fn table(
        &mut self,
        node: &Node,
        rows: &BTreeMap<String, Entry>,
        schema: &Json,
        path: &KeyPath,
    ) {
        for (key, entry) in rows {
            let here = path.key(key);
            if let Some(format) = schema.pointer("/propertyNames/format").and_then(Json::as_str)
                && let Err(message) = formats::check(format, key)
            {
                self.fault(&entry.key_origin, &here, message, None);
            }
            match row(schema, key) {
                Some(inner) => self.value(&entry.node, inner, &here),
                None => self.unknown(key, entry, schema, &here),
            }
        }
        let missing: Vec<&str> =
            strings(schema, "required").filter(|key| !rows.contains_key(*key)).collect();
        for key in missing {
            let doc = schema
                .pointer(&format!("/properties/{key}"))
                .and_then(super::schema::doc)
                .map(|doc| format!("{key}: {}", first_sentence(doc)));
            self.fault(&node.origin, path, format!("`{key}` is missing"), doc);
        }
        let count = rows.len() as u64;
        if limit(schema, "minProperties").is_some_and(|least| count < least)
            || limit(schema, "maxProperties").is_some_and(|most| count > most)
        {
            let known: Vec<&str> = properties(schema).collect();
            let message = format!("needs exactly one of {}", list(&known));
            self.fault(&node.origin, path, message, None);
        }
    }

    fn unknown(&mut self, key: &str, entry: &Entry, schema: &Json, path: &KeyPath) {
        let known: Vec<&str> = properties(schema).collect();
        let hint = match nearest(key, known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => match (self.section_of)(key) {
                Some(section) => format!("`{key}` belongs into [{section}]"),
                None => format!("known here: {}", list(&known)),
            },
        };
        self.fault(&entry.key_origin, path, "unknown key".to_owned(), Some(hint));
    }

    fn list(&mut self, node: &Node, nodes: &[Node], schema: &Json, path: &KeyPath) {
        if limit(schema, "minItems").is_some_and(|least| (nodes.len() as u64) < least) {
            self.fault(&node.origin, path, "cannot be empty".to_owned(), None);
        }
        let Some(items) = schema.get("items") else { return };
        let mut names: BTreeMap<&str, &Node> = BTreeMap::new();
        for (index, element) in nodes.iter().enumerate() {
            let here = path.index(index);
            self.value(element, items, &here);
            let Some(name) = element.get("name") else { continue };
            let Some(text) = name.text() else { continue };
            match names.get(text) {
                Some(first) => {
                    let message = format!("`{text}` is there already");
                    let hint = format!("first at {}; names must differ", first.origin);
                    self.fault(&name.origin, &here.key("name"), message, Some(hint));
                }
                None => {
                    names.insert(text, name);
                }
            }
        }
    }

    fn text(&mut self, node: &Node, text: &str, schema: &Json, path: &KeyPath) {
        if limit(schema, "minLength").is_some_and(|least| (text.chars().count() as u64) < least) {
            return self.fault(&node.origin, path, "cannot be empty".to_owned(), None);
        }
        if let Some(format) = schema.get("format").and_then(Json::as_str) {
            if let Err(message) = formats::check(format, text) {
                let hint = formats::hint(format).map(str::to_owned);
                return self.fault(&node.origin, path, message, hint);
            }
            if format == "flightdeck-scoped-glob" {
                self.scope(node, text, path);
            }
        }
        if let Some(table) = schema.get("x-refers-to").and_then(Json::as_str) {
            self.reference(node, text, table, path);
        }
    }

    fn reference(&mut self, node: &Node, text: &str, table: &str, path: &KeyPath) {
        let names: Vec<&str> = self.root.rows(table).map(|(name, _)| name).collect();
        if names.contains(&text) {
            return;
        }
        let what = table.trim_end_matches('s');
        let hint = not_found(text, &names, table);
        self.fault(&node.origin, path, format!("there is no {what} `{text}`"), Some(hint));
    }

    /// The source in `SOURCE/PATTERN` exists, or fits at least one that does.
    fn scope(&mut self, node: &Node, text: &str, path: &KeyPath) {
        let Ok(scoped) = text.parse::<super::scalar::ScopedGlob>() else { return };
        let names: Vec<&str> = self.root.rows("sources").map(|(name, _)| name).collect();
        if scoped.source.as_str() == "*" || names.iter().any(|name| scoped.source.matches(name)) {
            return;
        }
        let hint = not_found(scoped.source.as_str(), &names, "sources");
        let message = format!("there is no source `{}`", scoped.source);
        self.fault(&node.origin, path, message, Some(hint));
    }

    fn number(&mut self, node: &Node, number: f64, schema: &Json, path: &KeyPath) {
        let bound = |word: &str| schema.get(word).and_then(Json::as_f64);
        let (least, most) = (bound("minimum"), bound("maximum"));
        if least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most) {
            return;
        }
        let range = match (least, most) {
            (Some(least), Some(most)) => format!("between {least} and {most}"),
            (Some(least), None) => format!("{least} or more"),
            (None, Some(most)) => format!("{most} or less"),
            (None, None) => return,
        };
        self.fault(&node.origin, path, format!("{number} is out of range: {range}"), None);
    }
}

fn not_found(text: &str, names: &[&str], table: &str) -> String {
    match nearest(text, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if names.is_empty() => format!("no {table} are configured"),
        None => format!("configured {table}: {}", list(names)),
    }
}

fn fits(value: &Value, schema: &Json) -> bool {
    let Some(kind) = resolve(schema).get("type") else { return true };
    let one = |name: &str| match value {
        Value::Text(_) | Value::Date(_) => name == "string",
        Value::Integer(_) => matches!(name, "integer" | "number"),
        Value::Float(_) => name == "number",
        Value::Bool(_) => name == "boolean",
        Value::List(_) => name == "array",
        Value::Table(_) => name == "object",
    };
    let is_date = matches!(value, Value::Date(_));
    !is_date && kind.as_str().is_some_and(one)
}

/// What would have been right, in words.
pub(super) fn wanted(choices: &[&Json]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for choice in choices {
        let word = match choice.get("format").and_then(Json::as_str) {
            Some("flightdeck-duration") => "a length of time such as \"30s\"",
            Some("flightdeck-secret") => "a reference to a secret",
            _ => match choice.get("type").and_then(Json::as_str) {
                Some("string") => "a string",
                Some("integer") => "a whole number",
                Some("number") => "a number",
                Some("boolean") => "true or false",
                Some("array") => "a list",
                _ => "a table",
            },
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" or ")
}

/// The likeliest slip behind a wrong type.
fn type_hint(node: &Node, choices: &[&Json]) -> Option<String> {
    let has = |name: &str| choices.iter().any(|c| c.get("type").is_some_and(|t| t == name));
    let has_format =
        |name: &str| choices.iter().any(|c| c.get("format").is_some_and(|format| format == name));
    let duration = has_format("flightdeck-duration");
    match &node.value {
        Value::Date(date) if has_format("flightdeck-freeze-time") => {
            Some(format!("write it in quotes: \"{date}\""))
        }
        Value::Integer(number) if duration => Some(format!("write \"{number}s\" for seconds")),
        Value::Text(text) if has("boolean") && matches!(text.as_str(), "true" | "false") => {
            Some(format!("write {text} without quotes"))
        }
        Value::Text(text)
            if (has("integer") || has("number")) && text.trim().parse::<f64>().is_ok() =>
        {
            Some(format!("write {} without quotes", text.trim()))
        }
        Value::Text(_) if has("array") && !has("string") => Some(format!("write a list: [{node}]")),
        _ => None,
    }
}

fn strings<'s>(schema: &'s Json, word: &str) -> impl Iterator<Item = &'s str> {
    schema.get(word).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
}

fn properties(schema: &Json) -> impl Iterator<Item = &str> {
    schema.get("properties").and_then(Json::as_object).into_iter().flatten().map(|(key, _)| &**key)
}

fn limit(schema: &Json, word: &str) -> Option<u64> {
    schema.get(word).and_then(Json::as_u64)
}

fn first_sentence(doc: &str) -> String {
    let line = doc.replace('\n', " ");
    line.split_once(". ").map_or(line.trim_end_matches('.'), |(first, _)| first).to_owned()
}

/// Names as in a sentence: `a`, `b` and `c`.
pub(super) fn list(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [only] => format!("`{only}`"),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(|name| format!("`{name}`")).collect();
            format!("{}, `{last}`", most.join(", "))
        }
    }
}
