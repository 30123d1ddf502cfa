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
/// program in that folder. What it takes from the environment is refused where variables are
/// filled in.
pub(super) fn check(node: &Node, below: &Node) -> Vec<Problem> {
    let mut problems = Vec::new();
    check_secret::each(node, &KeyPath::default(), &mut |secret, path| {
        let message = "a project file cannot refer to secrets";
        problems.push(Problem::new(&secret.origin, path.to_string(), message, TRUSTED.to_owned()));
    });
    // A service also says when a canary steps forward and what is done at harm.
    for (table, what) in [("sources", "source"), ("services", "service")] {
        kept(table, what, node, below, &mut problems);
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
    for (section, message) in WHOLE {
        if let Some(part) = node.get(section) {
            let hint = TRUSTED.to_owned();
            problems.push(Problem::new(&part.origin, section, message, hint));
        }
    }
    problems
}

/// Sections that a project file has no say in at all.
const WHOLE: [(&str, &str); 3] = [
    // Lists are replaced: the freezes of other layers would end with it.
    ("freeze", "a project file cannot say when nothing may change"),
    // A key that always cancelled could confirm.
    ("keys", "a project file cannot say what a key does"),
    // No write relies on a stale fact, so that this is a protection.
    ("freshness", "a project file cannot say how old a fact may be"),
];

/// What lower layers wrote under `table` stays as they wrote it.
fn kept(table: &str, what: &str, node: &Node, below: &Node, problems: &mut Vec<Problem>) {
    for (name, entry) in node.rows(table) {
        let others = below.get(table).and_then(|rows| rows.get(name));
        if let Some(other) = others
            && other.origin.layer != Layer::BuiltIn
        {
            let key = KeyPath::default().key(table).key(name).to_string();
            let message =
                format!("a project file cannot change a {what} that is configured elsewhere");
            let hint = format!("configured at {}; use another name", other.origin);
            problems.push(Problem::new(&entry.key_origin, key, message, hint));
        }
    }
}
