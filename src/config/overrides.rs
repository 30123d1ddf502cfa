//! The two layers without files: `FLIGHTDECK_SECTION__KEY` variables and `--set KEY=VALUE` flags.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::inputs::{Inputs, Setting};
use super::origin::{Layer, Origin, Place};
use super::problem::Problem;
use super::read::read_value;
use super::schema;
use super::tree::{Entry, KeyPath, Node, Step, Value};

/// What the variables of the environment layer begin with.
pub const PREFIX: &str = "FLIGHTDECK_";

/// The tree of one variable; none when its name is not one of a setting.
pub(super) fn variable(name: &str, value: &str, below: &Node) -> Option<Node> {
    let parts = name.strip_prefix(PREFIX)?;
    if !parts.contains("__") {
        return None;
    }
    let origin = Origin { layer: Layer::Environment, place: Place::Variable(Arc::from(name)) };
    // Names may have signs that variables cannot have: `my-prom` is MY_PROM.
    let mut here = Some(below);
    let mut path = KeyPath::default();
    for part in parts.split("__") {
        let wanted = part.to_lowercase();
        let known = here.and_then(Node::table).and_then(|rows| {
            rows.keys().find(|key| key.to_lowercase().replace(['-', '.', ' '], "_") == wanted)
        });
        path = path.key(known.unwrap_or(&wanted));
        here = here.and_then(|node| node.get(known?));
    }
    Some(grow(&path, value, &origin))
}

/// Variables that are meant as settings and would not become any: told rather than passed over,
/// for they may be what keeps production safe.
pub(super) fn ignored(inputs: &Inputs) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut fault = |name: &str, message: &str, hint: Option<String>| {
        let place = Place::Variable(Arc::from(name));
        let origin = Origin { layer: Layer::Environment, place };
        problems.push(Problem::new(&origin, "", message, hint));
    };
    for (name, _) in &inputs.variables {
        if let Some(meant) = name.strip_prefix(PREFIX).and_then(meant) {
            let hint = format!("write {PREFIX}{meant}: two underscores between section and key");
            fault(name, "sets nothing", Some(hint));
        }
    }
    for name in inputs.garbled.iter().filter(|name| {
        name.strip_prefix(PREFIX).is_some_and(|rest| rest.contains("__") || meant(rest).is_some())
    }) {
        fault(name, "is not UTF-8 text", None);
    }
    problems
}

/// How the name after the prefix should have been written, if a single underscore stands between
/// a section and what is in it.
fn meant(name: &str) -> Option<String> {
    if name.contains("__") {
        return None;
    }
    let lower = name.to_lowercase();
    let sections = schema::schema().get("properties")?.as_object()?;
    sections.iter().find_map(|(section, inner)| {
        let key = lower.strip_prefix(section.as_str())?.strip_prefix('_')?;
        let choices = schema::choices(inner);
        choices.iter().find(|choice| schema::row(choice, key).is_some())?;
        Some(format!("{}__{}", section.to_uppercase(), key.to_uppercase()))
    })
}

/// The tree of one setting of the command line.
pub(super) fn setting(setting: &Setting) -> Result<Node, Problem> {
    let origin =
        Origin { layer: Layer::Flag, place: Place::Flag(Arc::from(setting.flag.as_str())) };
    let path = KeyPath::parse(&setting.key)
        .filter(|path| path.steps().iter().all(|step| matches!(step, Step::Key(_))));
    match path {
        Some(path) => Ok(grow(&path, &setting.value, &origin)),
        None => Err(Problem::new(
            &origin,
            "",
            format!("`{}` is not a key", setting.key),
            "write --set SECTION.KEY=VALUE; lists are set as a whole".to_owned(),
        )),
    }
}

/// Tables down to the value of `text`.
fn grow(path: &KeyPath, text: &str, origin: &Origin) -> Node {
    let plain = || Node::new(Value::Text(text.to_owned()), origin.clone());
    let leaf = match schema::at(path) {
        Some(schema) if schema::is_text(schema) => plain(),
        _ => read_value(text, origin).unwrap_or_else(plain),
    };
    path.steps().iter().rev().fold(leaf, |node, step| {
        let key = match step {
            Step::Key(key) => key.clone(),
            Step::Index(index) => index.to_string(),
        };
        let entry = Entry { key_origin: origin.clone(), node };
        Node::new(Value::Table(BTreeMap::from([(key, entry)])), origin.clone())
    })
}
