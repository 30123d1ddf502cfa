//! Lays the layers over each other, finds every fault, and makes the typed configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;

use super::inputs::Inputs;
use super::model::Config;
use super::near::nearest;
use super::origin::{Layer, Place};
use super::overrides;
use super::problem::{Problem, Report};
use super::secret::Secret;
use super::substitute::{Lookup, substitute};
use super::tree::{KeyPath, Node};
use super::{check, check_freeze, check_secret, meaning, project, read};
use crate::domain::service::UNCLAIMED;

/// `config/default.toml`: the documented defaults are the defaults.
pub const DEFAULT_TOML: &str = include_str!("../../config/default.toml");

/// The name that the built-in layer goes by.
pub const DEFAULT_NAME: &str = "default.toml";

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

impl Loaded {
    /// Secrets in files that every user of the machine can read. Looks at the files.
    pub fn warnings(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        check_secret::each(&self.tree, &KeyPath::default(), &mut |node, path| {
            let secret = Secret::deserialize(node.to_toml()).ok();
            if let Some(warning) = secret.and_then(|secret| secret.warning()) {
                found.push(Problem::new(&node.origin, path.to_string(), warning, None));
            }
        });
        found.extend(self.tags_without_effect());
        found
    }

    /// Services that claim by tags where a source tells none: what is there would not be found.
    fn tags_without_effect(&self) -> Vec<Problem> {
        let untagged = |kind: &str| matches!(kind, "haproxy");
        let mut found = Vec::new();
        for (name, service) in self.tree.rows("services") {
            let Some(tags) = service.node.get("tags") else { continue };
            let claims = |source: &str| {
                let traffic = self.config.services.get(name).map(|service| &service.traffic);
                traffic.is_some_and(|globs| globs.iter().any(|glob| glob.source.matches(source)))
            };
            for (source, settings) in &self.config.sources {
                if untagged(settings.kind()) && !claims(source) {
                    let key = KeyPath::default().key("services").key(name).key("tags").to_string();
                    let kind = settings.kind();
                    let message = format!(
                        "they claim nothing of `{source}`: a source of kind {kind} has no tags"
                    );
                    let hint = format!("name what belongs to it: traffic = [\"{source}/…\"]");
                    found.push(Problem::new(&tags.origin, key, message, hint));
                }
            }
        }
        found
    }

    /// Keys that are given to commands which do not exist; `commands` are all that do.
    pub fn unknown_commands(&self, commands: &[&str]) -> Vec<Problem> {
        self.tree
            .rows("keys")
            .filter(|(name, _)| !commands.contains(name))
            .map(|(name, entry)| {
                let key = KeyPath::default().key("keys").key(name).to_string();
                let hint = nearest(name, commands.iter().copied())
                    .map(|name| format!("did you mean `{name}`?"));
                Problem::new(&entry.key_origin, key, "there is no such command", hint)
            })
            .collect()
    }
}

/// Reads the files and assembles the configuration.
pub fn load(inputs: &Inputs) -> Result<Loaded, Report> {
    let (tree, files, problems) = gather(inputs);
    finish(tree, files, problems)
}

/// The merged tree even when it has faults, and the faults: for explaining a broken configuration.
pub fn inspect(inputs: &Inputs) -> (Node, Option<Report>) {
    let (tree, files, problems) = gather(inputs);
    let report = finish(tree.clone(), files, problems).err();
    (tree, report)
}

fn gather(inputs: &Inputs) -> (Node, Vec<(Layer, PathBuf)>, Vec<Problem>) {
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
    (tree, files, problems)
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
        let trusted = *layer != Layer::Project;
        problems.extend(substitute(&mut node, trusted.then_some(lookup)));
        if !trusted {
            problems.extend(project::check(&node, &tree));
        }
        tree.merge(node);
    }
    let mut named: Vec<&(String, String)> =
        variables.iter().filter(|(name, _)| name.starts_with(overrides::PREFIX)).collect();
    named.sort();
    problems.extend(overrides::ignored(inputs));
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
    let broken = first_breaks(&problems);
    let found = check::check(&tree)
        .into_iter()
        .chain(meaning::check(&tree))
        .chain(check_freeze::check(&tree))
        .chain(unclaimed(&tree));
    problems.extend(found.filter(|problem| !follows(problem, &broken)));
    if !problems.is_empty() {
        return Err(Report::new(problems));
    }
    match Config::deserialize(tree.to_toml()) {
        Ok(config) => Ok(Loaded { config, tree, files }),
        Err(error) => Err(Report::new(vec![Problem::general(error.message(), None)])),
    }
}

/// A service that has the name of what no service claims.
fn unclaimed(tree: &Node) -> Option<Problem> {
    let (_, entry) = tree.rows("services").find(|(name, _)| *name == UNCLAIMED)?;
    let key = KeyPath::default().key("services").key(UNCLAIMED).to_string();
    let message = "this is the name of what no service claims";
    Some(Problem::new(&entry.key_origin, key, message, "give the service another name".to_owned()))
}

/// Where the syntax of each file first breaks: what is read beyond may not be what was meant.
fn first_breaks(problems: &[Problem]) -> BTreeMap<PathBuf, usize> {
    let mut breaks = BTreeMap::new();
    for problem in problems.iter().filter(|problem| problem.key.is_empty()) {
        if let Some(Place::File { path, line, .. }) = problem.origin.as_ref().map(|o| &o.place) {
            let first = breaks.entry(path.as_ref().clone()).or_insert(*line);
            *first = (*first).min(*line);
        }
    }
    breaks
}

fn follows(problem: &Problem, breaks: &BTreeMap<PathBuf, usize>) -> bool {
    match problem.origin.as_ref().map(|origin| &origin.place) {
        Some(Place::File { path, line, .. }) => {
            breaks.get(path.as_ref()).is_some_and(|first| line > first)
        }
        _ => false,
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
