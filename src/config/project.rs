//! What a project file may not do: it comes with a checkout, which anybody may have written.

use super::check_secret;
use super::origin::Layer;
use super::problem::Problem;
use super::schema;
use super::tree::{KeyPath, Node, Value};

const TRUSTED: &str = "put it into the user configuration, which only you can write";

/// Faults of the project layer `node`, which is about to be laid over `below`.
///
/// A file that arrives with somebody's repository could otherwise run a command, send a secret
/// to an address of its own choice, or switch protections off, as soon as somebody starts the
/// program in that folder.
pub(super) fn check(node: &Node, below: &Node) -> Vec<Problem> {
    let mut problems = Vec::new();
    check_secret::each(node, &KeyPath::default(), &mut |secret, path| {
        let message = "a project file cannot refer to secrets";
        problems.push(Problem::new(&secret.origin, path.to_string(), message, TRUSTED.to_owned()));
    });
    for (name, entry) in node.rows("sources") {
        let others = below.get("sources").and_then(|sources| sources.get(name));
        if let Some(other) = others
            && other.origin.layer != Layer::BuiltIn
        {
            let key = KeyPath::default().key("sources").key(name).to_string();
            let message = "a project file cannot change a source that is configured elsewhere";
            let hint = format!("configured at {}; use another name", other.origin);
            problems.push(Problem::new(&entry.key_origin, key, message, hint));
        }
    }
    for (key, entry) in node.rows("safety") {
        let tightens = key == "read_only" && entry.node.value == Value::Bool(true);
        let known = schema::at(&KeyPath::default().key("safety").key(key)).is_some();
        if known && !tightens {
            let key = KeyPath::default().key("safety").key(key).to_string();
            let message = "a project file can only set read_only = true here";
            problems.push(Problem::new(&entry.key_origin, key, message, TRUSTED.to_owned()));
        }
    }
    if let Some(freeze) = node.get("freeze") {
        // Lists are replaced: the freezes of other layers would end with it.
        let message = "a project file cannot say when nothing may change";
        problems.push(Problem::new(&freeze.origin, "freeze", message, TRUSTED.to_owned()));
    }
    problems
}
