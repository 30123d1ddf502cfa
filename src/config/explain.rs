//! What a setting is, what it is set to, and which layers said so.

use super::near::nearest;
use super::origin::Origin;
use super::problem::Problem;
use super::redact::shown;
use super::schema;
use super::tree::{KeyPath, Node, Step};

/// Everything there is to say about one key.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The key.
    pub key: String,
    /// Its value as it would be written; none when nothing sets it, or for a table.
    pub value: Option<String>,
    /// Who set it.
    pub origin: Option<Origin>,
    /// What earlier layers said, the latest first.
    pub overrode: Vec<(String, Origin)>,
    /// What it is for.
    pub doc: Option<String>,
    /// What kind of value it takes, in words.
    pub takes: String,
    /// The names it can be set to, when only certain ones are possible.
    pub allowed: Vec<String>,
    /// The value when nothing sets it, where the types know one.
    pub default: Option<String>,
    /// For a table: its rows with their values, and who set them.
    pub rows: Vec<Row>,
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The key of the row, from the top.
    pub key: String,
    /// The value; none when nothing sets it.
    pub value: Option<String>,
    /// Who set it.
    pub origin: Option<Origin>,
}

/// Explains `key`; the problem names the nearest key when there is none of this name.
pub fn explain(tree: &Node, key: &str) -> Result<Explanation, Problem> {
    let path = KeyPath::parse(key).ok_or_else(|| {
        let hint = "a key is written as in view.theme or services.checkout.canaries[0].name";
        Problem::general(format!("`{key}` is not a key"), hint.to_owned())
    })?;
    let schema = known(&path)?;
    let node = path.find(tree);
    let leaf = node.filter(|node| node.table().is_none());
    Ok(Explanation {
        key: path.to_string(),
        value: leaf.map(|node| shown(&node.to_toml(), &path)),
        origin: node.map(|node| node.origin.clone()),
        overrode: node.map(|node| earlier(node, &path)).unwrap_or_default(),
        doc: schema::doc(schema).map(|doc| doc.replace('\n', " ")),
        takes: super::check::wanted(&schema::choices(schema)),
        allowed: schema::allowed(schema).into_iter().map(str::to_owned).collect(),
        default: schema.get("default").filter(|d| !d.is_object()).map(ToString::to_string),
        rows: rows(schema, node, &path),
    })
}

fn earlier(node: &Node, path: &KeyPath) -> Vec<(String, Origin)> {
    node.overrode.iter().map(|(was, origin)| (shown(was, path), origin.clone())).collect()
}

/// The schema of the key, or what its name should have been.
fn known(path: &KeyPath) -> Result<&'static serde_json::Value, Problem> {
    let mut here = KeyPath::default();
    for step in path.steps() {
        let known = keys_at(&here);
        let next = match step {
            Step::Key(key) => here.key(key),
            Step::Index(index) => here.index(*index),
        };
        if schema::at(&next).is_none() {
            let hint = match step {
                Step::Key(key) => match nearest(key, known.iter().copied()) {
                    Some(name) => Some(format!("did you mean `{}`?", here.key(name))),
                    None if known.is_empty() => None,
                    None => Some(format!("known here: {}", super::check::list(&known))),
                },
                Step::Index(_) => Some(format!("`{here}` is not a list")),
            };
            return Err(Problem::general(format!("there is no setting `{next}`"), hint));
        }
        here = next;
    }
    schema::at(path).ok_or_else(|| Problem::general(format!("there is no setting `{path}`"), None))
}

fn keys_at(path: &KeyPath) -> Vec<&'static str> {
    let mut keys: Vec<&str> = schema::at(path)
        .map(schema::choices)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|choice| choice.get("properties")?.as_object())
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The rows of a table: those that are set, and those that could be.
fn rows(schema: &serde_json::Value, node: Option<&Node>, path: &KeyPath) -> Vec<Row> {
    let is_table = schema::choices(schema)
        .iter()
        .any(|choice| choice.get("properties").is_some() || schema::row(choice, "").is_some());
    if !is_table || node.is_some_and(|node| node.table().is_none()) {
        return Vec::new();
    }
    let kind = node.and_then(|node| node.get("kind")?.text());
    let mut keys: Vec<String> = schema::choices(schema)
        .into_iter()
        .filter(|choice| kind.is_none() || schema::tag(choice) == kind)
        .filter_map(|choice| choice.get("properties")?.as_object())
        .flatten()
        .map(|(key, _)| key.clone())
        .chain(node.and_then(Node::table).into_iter().flatten().map(|(key, _)| key.clone()))
        .collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .map(|key| {
            let set = node.and_then(|node| node.get(&key));
            let key = path.key(&key);
            Row {
                key: key.to_string(),
                value: set.map(|node| summary(node, &key)),
                origin: set.map(|node| node.origin.clone()),
            }
        })
        .collect()
}

/// A table by the number of its rows, everything else as it is written.
fn summary(node: &Node, path: &KeyPath) -> String {
    match node.table().map(std::collections::BTreeMap::len) {
        Some(1) => "(1 row)".to_owned(),
        Some(count) => format!("({count} rows)"),
        None => shown(&node.to_toml(), path),
    }
}

/// Every value that is set, table by table.
pub fn settings(tree: &Node) -> Vec<Row> {
    let mut found = Vec::new();
    leaves(tree, &KeyPath::default(), &mut found);
    found
}

fn leaves(node: &Node, path: &KeyPath, found: &mut Vec<Row>) {
    match node.table() {
        Some(rows) => {
            for (key, entry) in rows {
                leaves(&entry.node, &path.key(key), found);
            }
        }
        None => found.push(Row {
            key: path.to_string(),
            value: Some(shown(&node.to_toml(), path)),
            origin: Some(node.origin.clone()),
        }),
    }
}
