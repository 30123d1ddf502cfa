//! Refuses secrets that are written out in a configuration, without ever repeating them.

use serde_json::Value as Json;

use super::schema;
use super::tree::{KeyPath, Node, Step, Value};

/// Headers whose value is a credential.
const SECRET_HEADERS: [&str; 8] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "x-auth-token",
    "api-key",
    "x-vault-token",
    "private-token",
];

/// Whether only a secret can stand here.
pub(super) fn is_only_secret(choices: &[&Json]) -> bool {
    matches!(choices, [only] if only.get("format").is_some_and(|f| f == "flightdeck-secret"))
}

/// The message and hint for a value that stands where a reference to a secret should; none for
/// tables, which are checked like every other.
pub(super) fn literal(node: &Node) -> Option<(String, String)> {
    let explanation = "a secret is never written into a configuration".to_owned();
    let hint = match &node.value {
        Value::Table(_) => return None,
        Value::Text(text) => match variable(text) {
            Some(name) => format!("write {{ env = \"{name}\" }}"),
            None => REFERENCES.to_owned(),
        },
        _ => REFERENCES.to_owned(),
    };
    Some((explanation, hint))
}

const REFERENCES: &str =
    "say where it is: { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", …] }";

/// The name in a text that is nothing but `${NAME}` or `$NAME`.
fn variable(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix('$')?;
    let name = name.strip_prefix('{').and_then(|n| n.strip_suffix('}')).unwrap_or(name);
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}

/// Whether this text is the plain value of a header that carries a credential.
pub(super) fn is_plain_credential(path: &KeyPath, text: Option<&str>) -> bool {
    match path.steps() {
        [.., Step::Key(table), Step::Key(header)] => {
            // `{{…}}` is filled in elsewhere: what is filled in is checked there.
            table == "headers"
                && text.is_some_and(|text| !text.contains("{{"))
                && SECRET_HEADERS.contains(&header.to_lowercase().as_str())
        }
        _ => false,
    }
}

/// Calls `visit` with every reference to a secret under `node`.
pub(super) fn each(node: &Node, path: &KeyPath, visit: &mut dyn FnMut(&Node, &KeyPath)) {
    match &node.value {
        Value::Table(_) if schema::at(path).is_some_and(schema::is_secret) => visit(node, path),
        Value::Table(rows) => {
            for (key, entry) in rows {
                each(&entry.node, &path.key(key), visit);
            }
        }
        Value::List(nodes) => {
            for (index, node) in nodes.iter().enumerate() {
                each(node, &path.index(index), visit);
            }
        }
        _ => {}
    }
}
