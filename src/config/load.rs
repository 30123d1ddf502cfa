//! Lays the layers over each other, finds every fault, and makes the typed configuration.

use std::path::{Path, PathBuf};

use serde::Deserialize as _;

use super::model::Config;
use super::origin::Layer;
use super::overrides::{self, Setting};
use super::problem::{Problem, Report};
use super::substitute::{Lookup, substitute};
use super::tree::Node;
use super::{check, meaning, project, read};

/// `config/default.toml`: the documented defaults are the defaults.
pub const DEFAULT_TOML: &str = include_str!("../../config/default.toml");

/// The name that the built-in layer goes by.
pub const DEFAULT_NAME: &str = "default.toml";

/// Everything a configuration is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// The files, from the lowest layer to the highest. One that does not exist counts as empty,
    /// except for [`Layer::Named`].
    pub files: Vec<(Layer, PathBuf)>,
    /// The environment variables: for the environment layer and for `${NAME}`.
    pub variables: Vec<(String, String)>,
    /// The settings of the command line, in their order.
    pub settings: Vec<Setting>,
}

/// A configuration without faults, and where everything in it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The same with origins, for [`explain`](super::explain::explain).
    pub tree: Node,
    /// The files that were read, in the order of their layers.
    pub files: Vec<(Layer, PathBuf)>,
}

/// Reads the files and assembles the configuration.
pub fn load(inputs: &Inputs) -> Result<Loaded, Report> {
    let mut problems = Vec::new();
    let mut texts = Vec::new();
    for (layer, path) in &inputs.files {
        match read_file(*layer, path) {
            Ok(Some(text)) => texts.push((*layer, path.clone(), text)),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    let (tree, found) = assemble(&texts, inputs);
    problems.extend(found);
    let files = texts.into_iter().map(|(layer, path, _)| (layer, path)).collect();
    finish(tree, files, problems)
}

fn read_file(layer: Layer, path: &Path) -> Result<Option<String>, Problem> {
    let fail = |why: String| Err(Problem::general(format!("{}: {why}", path.display()), None));
    match std::fs::metadata(path) {
        Ok(meta) if meta.len() > read::MAX_BYTES as u64 => {
            return fail("is too large for a configuration".to_owned());
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && layer != Layer::Named => {
            return Ok(None);
        }
        _ => {}
    }
    match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => Ok(Some(text)),
        Ok(Err(_)) => fail("is not UTF-8 text".to_owned()),
        Err(e) => fail(e.to_string()),
    }
}

/// The merged tree of all layers, and the faults found on the way. Pure.
fn assemble(texts: &[(Layer, PathBuf, String)], inputs: &Inputs) -> (Node, Vec<Problem>) {
    let variables = &inputs.variables;
    let lookup = |name: &str| {
        variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let lookup: Lookup<'_> = &lookup;
    let (mut tree, mut problems) =
        read::read(Layer::BuiltIn, Path::new(DEFAULT_NAME), DEFAULT_TOML);
    for (layer, path, text) in texts {
        let (mut node, found) = read::read(*layer, path, text);
        problems.extend(found);
        problems.extend(substitute(&mut node, lookup));
        if *layer == Layer::Project {
            problems.extend(project::check(&node, &tree));
        }
        tree.merge(node);
    }
    let mut named: Vec<&(String, String)> =
        variables.iter().filter(|(name, _)| name.starts_with(overrides::PREFIX)).collect();
    named.sort();
    for (name, value) in named {
        if let Some(node) = overrides::variable(name, value, &tree) {
            tree.merge(node);
        }
    }
    for setting in &inputs.settings {
        match overrides::setting(setting) {
            Ok(node) => tree.merge(node),
            Err(problem) => problems.push(problem),
        }
    }
    (tree, problems)
}

/// Checks the merged tree and makes the typed configuration of it.
fn finish(
    tree: Node,
    files: Vec<(Layer, PathBuf)>,
    mut problems: Vec<Problem>,
) -> Result<Loaded, Report> {
    problems.extend(check::check(&tree));
    problems.extend(meaning::check(&tree));
    if !problems.is_empty() {
        return Err(Report::new(problems));
    }
    match Config::deserialize(tree.to_toml()) {
        Ok(config) => Ok(Loaded { config, tree, files }),
        Err(error) => Err(Report::new(vec![Problem::general(error.message(), None)])),
    }
}

/// Assembles a configuration from one text over the built-in layer, as if it were the named file
/// `name`. Pure; for tests and for checking what is about to be written.
pub fn load_text(name: &str, text: &str, variables: &[(String, String)]) -> Result<Loaded, Report> {
    let texts = [(Layer::Named, PathBuf::from(name), text.to_owned())];
    let inputs = Inputs { variables: variables.to_vec(), ..Inputs::default() };
    let (tree, problems) = assemble(&texts, &inputs);
    finish(tree, vec![(Layer::Named, PathBuf::from(name))], problems)
}
