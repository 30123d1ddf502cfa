//! `${NAME}` and `${NAME:-default}` in strings, from the environment.

use super::origin::Origin;
use super::problem::Problem;
use super::schema;
use super::tree::{KeyPath, Node, Value};

/// What a variable is set to.
pub type Lookup<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Replaces every variable in the strings under `root`; without `lookup` a variable is a fault.
/// Where a secret is expected nothing is replaced: a secret in a variable is referred to by
/// `{ env = "NAME" }` instead.
pub(super) fn substitute(root: &mut Node, lookup: Option<Lookup<'_>>) -> Vec<Problem> {
    let mut problems = Vec::new();
    walk(root, &KeyPath::default(), lookup, &mut problems);
    problems
}

fn walk(node: &mut Node, path: &KeyPath, lookup: Option<Lookup<'_>>, problems: &mut Vec<Problem>) {
    let may_be_secret = schema::at(path).is_some_and(schema::is_secret);
    match &mut node.value {
        Value::Text(text) if text.contains("${") && !may_be_secret => match fill(text, lookup) {
            Ok(filled) => *text = filled,
            Err(fault) => problems.push(fault.at(&node.origin, path)),
        },
        Value::List(nodes) => {
            for (index, node) in nodes.iter_mut().enumerate() {
                walk(node, &path.index(index), lookup, problems);
            }
        }
        Value::Table(rows) if !may_be_secret => {
            for (key, entry) in rows {
                walk(&mut entry.node, &path.key(key), lookup, problems);
            }
        }
        _ => {}
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Unset(String),
    Untrusted,
    Malformed,
}

impl Fault {
    fn at(&self, origin: &Origin, path: &KeyPath) -> Problem {
        let (message, hint) = match self {
            Self::Unset(name) => (
                format!("the environment variable {name} is not set"),
                format!("set it, or give a default: ${{{name}:-…}}; $${{ stands for ${{ itself"),
            ),
            Self::Untrusted => (
                "a project file cannot take anything from the environment".to_owned(),
                "write the value itself, or put it into the user configuration; \
                 $${ stands for ${ itself"
                    .to_owned(),
            ),
            Self::Malformed => (
                "`${` without a variable's name and `}`".to_owned(),
                "write ${NAME} or ${NAME:-default}; $${ stands for ${ itself".to_owned(),
            ),
        };
        Problem::new(origin, path.to_string(), message, hint)
    }
}

fn fill(text: &str, lookup: Option<Lookup<'_>>) -> Result<String, Fault> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            filled.push_str(before);
            filled.push_str("${");
            rest = after;
            continue;
        }
        filled.push_str(before);
        let lookup = lookup.ok_or(Fault::Untrusted)?;
        let (inside, after) = after.split_once('}').ok_or(Fault::Malformed)?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        let is_name = !name.starts_with(|c: char| c.is_ascii_digit())
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            return Err(Fault::Malformed);
        }
        // As in a shell, `:-` also stands in for a variable that is set to nothing.
        let value = lookup(name).filter(|value| !(value.is_empty() && default.is_some()));
        match (value, default) {
            (Some(value), _) => filled.push_str(&value),
            (None, Some(default)) => filled.push_str(default),
            (None, None) => return Err(Fault::Unset(name.to_owned())),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in() {
        let lookup = |name: &str| match name {
            "A" => Some("1".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, filled) in [
            ("plain $A", Ok("plain $A")),
            ("x${A}y${A}", Ok("x1y1")),
            ("${B:-two}", Ok("two")),
            ("${EMPTY:-two}", Ok("two")),
            ("${EMPTY}", Ok("")),
            ("${B:-}", Ok("")),
            ("$${A}", Ok("${A}")),
            ("${B}", Err(Fault::Unset("B".to_owned()))),
            ("${A", Err(Fault::Malformed)),
            ("${}", Err(Fault::Malformed)),
            ("${1A}", Err(Fault::Malformed)),
            ("${A B}", Err(Fault::Malformed)),
        ] {
            assert_eq!(fill(text, Some(&lookup)), filled.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn nothing_is_filled_in_where_nobody_is_trusted_with_it() {
        for (text, filled) in [
            ("plain $A", Ok("plain $A")),
            ("$${A}", Ok("${A}")),
            ("${A}", Err(Fault::Untrusted)),
            ("$${A}${B:-two}", Err(Fault::Untrusted)),
            ("${A", Err(Fault::Untrusted)),
        ] {
            assert_eq!(fill(text, None), filled.map(str::to_owned), "{text}");
        }
    }
}
