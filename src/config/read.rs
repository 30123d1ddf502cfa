//! Reads TOML text into a tree of values with their places.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::origin::{Layer, Lines, Origin, Place};
use super::problem::Problem;
use super::tree::{Entry, Node, Value};

/// A file larger than this is not a configuration.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Reads the text of one file. What can be read despite syntax faults is still returned, so that
/// the faults beyond are found in the same run.
pub fn read(layer: Layer, path: &std::path::Path, text: &str) -> (Node, Vec<Problem>) {
    let reader = Reader { layer, path: Arc::new(path.to_owned()), lines: Lines::new(text) };
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = errors
        .iter()
        .map(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            Problem::new(&reader.at(offset), "", error.message(), None)
        })
        .collect();
    let node = Node::new(reader.table(document.into_inner(), &mut problems), reader.at(0));
    (node, problems)
}

/// Reads one value as it stands after an equals sign; none if it is not TOML.
pub fn read_value(text: &str, origin: &Origin) -> Option<Node> {
    let value = DeValue::parse(text).ok()?.into_inner();
    let reader =
        Reader { layer: origin.layer, path: Arc::new(PathBuf::new()), lines: Lines::new(text) };
    let mut problems = Vec::new();
    let mut node = Node::new(reader.value(value, &origin.clone(), &mut problems)?, origin.clone());
    relocate(&mut node, origin);
    problems.is_empty().then_some(node)
}

fn relocate(node: &mut Node, origin: &Origin) {
    node.origin = origin.clone();
    match &mut node.value {
        Value::List(nodes) => nodes.iter_mut().for_each(|node| relocate(node, origin)),
        Value::Table(rows) => {
            for entry in rows.values_mut() {
                entry.key_origin = origin.clone();
                relocate(&mut entry.node, origin);
            }
        }
        _ => {}
    }
}

struct Reader<'t> {
    layer: Layer,
    path: Arc<PathBuf>,
    lines: Lines<'t>,
}

impl Reader<'_> {
    fn at(&self, offset: usize) -> Origin {
        let (line, column) = self.lines.locate(offset);
        Origin { layer: self.layer, place: Place::File { path: self.path.clone(), line, column } }
    }

    fn table(&self, table: DeTable<'_>, problems: &mut Vec<Problem>) -> Value {
        let mut rows = BTreeMap::new();
        for (key, value) in table {
            let key_origin = self.at(key.span().start);
            if let Some(node) = self.node(value, problems) {
                // A table's own span may be empty; the place of its key says more.
                let node = match node.value {
                    Value::Table(_) => Node { origin: key_origin.clone(), ..node },
                    _ => node,
                };
                rows.insert(key.into_inner().into_owned(), Entry { key_origin, node });
            }
        }
        Value::Table(rows)
    }

    fn node(&self, value: Spanned<DeValue<'_>>, problems: &mut Vec<Problem>) -> Option<Node> {
        let origin = self.at(value.span().start);
        Some(Node::new(self.value(value.into_inner(), &origin, problems)?, origin))
    }

    fn value(
        &self,
        value: DeValue<'_>,
        origin: &Origin,
        problems: &mut Vec<Problem>,
    ) -> Option<Value> {
        let mut fail = |what: &str| {
            problems.push(Problem::new(origin, "", what, None));
            None
        };
        Some(match value {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(number) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => Value::Integer(number),
                    Err(_) => return fail("this whole number is too large"),
                }
            }
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => Value::Float(number),
                _ => return fail("this number is not finite"),
            },
            DeValue::Boolean(yes) => Value::Bool(yes),
            DeValue::Datetime(date) => Value::Date(date),
            DeValue::Array(values) => Value::List(
                values.into_iter().filter_map(|value| self.node(value, problems)).collect(),
            ),
            DeValue::Table(table) => self.table(table, problems),
        })
    }
}
