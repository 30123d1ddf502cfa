//! Other files in TOML, read like a configuration: every fault at once, with its line and a hint.

use std::path::Path;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;

use super::origin::Layer;
use super::problem::{Problem, Report};
use super::schema::tidy;
use super::tree::{KeyPath, Node, Step};
use super::{check, read};

/// A file without faults of form: its meaning is for its own reader to check.
#[derive(Debug, Clone, PartialEq)]
pub struct Document<T> {
    /// What it says.
    pub value: T,
    tree: Node,
}

impl<T> Document<T> {
    /// A fault of meaning at `key`, or, if that is left out in the file, at what it would be in.
    pub fn fault(
        &self,
        key: &KeyPath,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) -> Problem {
        let mut found = &self.tree;
        for step in key.steps() {
            let inner = match step {
                Step::Key(key) => found.get(key),
                Step::Index(index) => found.list().get(*index),
            };
            match inner {
                Some(node) => found = node,
                None => break,
            }
        }
        Problem::new(&found.origin, key.to_string(), message, hint)
    }
}

/// Reads `text`, the content of the file `path`, as the type says. Pure.
///
/// # Errors
/// What is no TOML, unknown, missing, of a wrong type or out of range.
pub fn read_document<T: DeserializeOwned + JsonSchema>(
    path: &Path,
    text: &str,
) -> Result<Document<T>, Report> {
    let (tree, mut problems) = read::read(Layer::Named, path, text);
    // What is read beyond a fault of syntax may not be what was meant.
    if problems.is_empty() {
        problems.extend(check::against(&tree, schema_of::<T>().as_value()));
    }
    if !problems.is_empty() {
        return Err(Report::new(problems));
    }
    match T::deserialize(tree.to_toml()) {
        Ok(value) => Ok(Document { value, tree }),
        Err(error) => Err(Report::new(vec![Problem::new(&tree.origin, "", error.message(), None)])),
    }
}

/// The schema by which such a file is checked, and by which an editor can help to write it.
pub fn schema_of<T: JsonSchema>() -> Schema {
    let mut settings = SchemaSettings::draft2020_12().for_deserialize();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    tidy(&mut schema);
    schema
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, JsonSchema)]
    struct Shop {
        /// How many at once.
        #[schemars(range(min = 1))]
        count: u32,
        /// Its parts.
        #[serde(default)]
        parts: BTreeMap<String, Part>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    struct Part {
        /// Its colour.
        #[serde(default)]
        colour: Option<String>,
    }

    fn faults(text: &str) -> String {
        let report = read_document::<Shop>(Path::new("shop.toml"), text).unwrap_err();
        report.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn faults_of_form_have_a_line_and_a_hint() {
        let text = faults("count = 0\n[parts.door]\ncolor = 'red'\n[parts.wall]\ncolour = 3\n");
        assert!(text.contains("shop.toml:1:9: count: 0 is out of range"), "{text}");
        assert!(text.contains("shop.toml:3:1: parts.door.color: unknown key"), "{text}");
        assert!(text.contains("did you mean `colour`?"), "{text}");
        assert!(text.contains("shop.toml:5:10: parts.wall.colour: expected a string"), "{text}");
        let text = faults("[parts]\n");
        assert!(text.contains("`count` is missing"), "{text}");
        let text = faults("count = = 3\n");
        assert!(text.starts_with("shop.toml:1:"), "{text}");
    }

    #[test]
    fn faults_of_meaning_are_placed_at_what_is_there() {
        let text = "count = 1\n[parts.door]\ncolour = 'red'\n";
        let document = read_document::<Shop>(Path::new("shop.toml"), text).unwrap();
        assert_eq!(document.value.count, 1);
        assert_eq!(document.value.parts["door"].colour.as_deref(), Some("red"));
        let door = KeyPath::default().key("parts").key("door");
        let at = |key: &KeyPath| document.fault(key, "is odd", None).to_string();
        assert!(at(&door.key("colour")).starts_with("shop.toml:3:10: parts.door.colour: is odd"));
        assert!(at(&door.key("size")).starts_with("shop.toml:2:"), "{}", at(&door.key("size")));
    }
}
