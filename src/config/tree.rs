//! A configuration as a tree of values, each with its origin and what it overrode.

use std::collections::BTreeMap;
use std::fmt;

use super::origin::Origin;

/// One value and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it came from; of a table, where it first appears.
    pub origin: Origin,
    /// What earlier layers said, the latest first. Tables are merged and override nothing.
    pub overrode: Vec<(toml::Value, Origin)>,
}

/// The value itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// A date, a time or both.
    Date(toml::value::Datetime),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(BTreeMap<String, Entry>),
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where the key is written.
    pub key_origin: Origin,
    /// What it is set to.
    pub node: Node,
}

impl Value {
    /// The kind of value, with its article.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Bool(_) => "true or false",
            Self::Date(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Node {
    /// A value that overrode nothing.
    pub fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin, overrode: Vec::new() }
    }

    /// The rows, if it is a table.
    pub fn table(&self) -> Option<&BTreeMap<String, Entry>> {
        match &self.value {
            Value::Table(rows) => Some(rows),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    pub fn list(&self) -> &[Node] {
        match &self.value {
            Value::List(nodes) => nodes,
            _ => &[],
        }
    }

    /// The text, if it is a string.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of `key`, if it is a table that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.table()?.get(key).map(|entry| &entry.node)
    }

    /// The rows of the table under `key`; nothing when there is none.
    pub fn rows(&self, key: &str) -> impl Iterator<Item = (&str, &Entry)> {
        self.get(key)
            .and_then(Node::table)
            .into_iter()
            .flatten()
            .map(|(name, entry)| (name.as_str(), entry))
    }

    /// Lays `over` on top: tables are merged row by row, everything else is replaced.
    pub fn merge(&mut self, over: Node) {
        match (&mut self.value, over.value) {
            (Value::Table(rows), Value::Table(new)) => {
                for (key, entry) in new {
                    match rows.get_mut(&key) {
                        Some(old) => old.node.merge(entry.node),
                        None => {
                            rows.insert(key, entry);
                        }
                    }
                }
            }
            (_, value) => {
                let was = (self.to_toml(), self.origin.clone());
                let earlier = std::mem::take(&mut self.overrode);
                *self = Self {
                    value,
                    origin: over.origin,
                    overrode: std::iter::once(was).chain(earlier).collect(),
                };
            }
        }
    }

    /// The same without origins.
    pub fn to_toml(&self) -> toml::Value {
        match &self.value {
            Value::Text(text) => toml::Value::String(text.clone()),
            Value::Integer(number) => toml::Value::Integer(*number),
            Value::Float(number) => toml::Value::Float(*number),
            Value::Bool(yes) => toml::Value::Boolean(*yes),
            Value::Date(date) => toml::Value::Datetime(*date),
            Value::List(nodes) => toml::Value::Array(nodes.iter().map(Self::to_toml).collect()),
            Value::Table(rows) => toml::Value::Table(
                rows.iter().map(|(key, entry)| (key.clone(), entry.node.to_toml())).collect(),
            ),
        }
    }
}

impl fmt::Display for Node {
    /// As it would be written after the equals sign, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_toml())
    }
}

/// The way to a value: `services.checkout.canaries[0].name`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPath(Vec<Step>);

/// One step of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To the row of a table.
    Key(String),
    /// To an element of a list, from 0.
    Index(usize),
}

impl KeyPath {
    /// The way to a row of the table at `self`.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Key(key.to_owned()));
        Self(steps)
    }

    /// The way to an element of the list at `self`.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Index(index));
        Self(steps)
    }

    /// The way to the table or list that the value is in; none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, above)| Self(above.to_vec()))
    }

    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Reads `services.checkout.canaries[0].name`; keys may be quoted as in TOML.
    pub fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text.trim();
        loop {
            let bare = rest.find(['.', '[', '"', '\'']).unwrap_or(rest.len());
            let (key, after) = match rest.chars().next()? {
                quote @ ('"' | '\'') => rest.get(1..)?.split_once(quote)?,
                _ => rest.split_at(bare),
            };
            if key.is_empty() {
                return None;
            }
            steps.push(Step::Key(key.trim().to_owned()));
            rest = after;
            while let Some(inside) = rest.strip_prefix('[') {
                let (number, after) = inside.split_once(']')?;
                steps.push(Step::Index(number.parse().ok()?));
                rest = after;
            }
            if rest.is_empty() {
                return Some(Self(steps));
            }
            rest = rest.strip_prefix('.')?;
        }
    }

    /// The value at this path under `root`.
    pub fn find<'t>(&self, root: &'t Node) -> Option<&'t Node> {
        self.0.iter().try_fold(root, |node, step| match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => node.list().get(*index),
        })
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) => {
                    let dot = if i == 0 { "" } else { "." };
                    let bare = !key.is_empty()
                        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
                    if bare {
                        write!(f, "{dot}{key}")?;
                    } else {
                        write!(f, "{dot}{}", toml::Value::String(key.clone()))?;
                    }
                }
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
