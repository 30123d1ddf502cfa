//! The shape of the code: layers, circles between modules, file sizes, a sentence on top.
#![allow(clippy::unwrap_used, reason = "a failing unwrap in a test is a failing test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Who may import whom. A layer not named here may not exist.
const LAYERS: [(&str, &[&str]); 11] = [
    ("domain", &[]),
    ("judge", &["domain"]),
    ("app", &["domain", "judge"]),
    ("ui", &["app", "domain"]),
    ("config", &["domain"]),
    ("backend", &["domain", "config"]),
    ("store", &["domain"]),
    ("runtime", &["app", "backend", "config", "domain", "judge", "store", "terminal"]),
    ("terminal", &[]),
    ("traffic", &["config", "domain", "judge"]),
    (
        "cli",
        &[
            "app", "backend", "config", "domain", "judge", "runtime", "store", "terminal",
            "traffic", "ui",
        ],
    ),
];

/// Longest source file, in lines.
const MAX_LINES: usize = 500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_of(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|e| e == extension) {
                found.push(entry);
            }
        }
    }
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// Every `crate::a::b` that a file names, without what stands in its comments.
fn crate_paths(text: &str) -> BTreeSet<Vec<String>> {
    let mut paths = BTreeSet::new();
    for line in text.lines().filter(|l| !l.trim_start().starts_with("//")) {
        for rest in line.split("crate::").skip(1) {
            let path: Vec<String> = rest
                .split("::")
                .map(|part| part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
                .take_while(|part: &String| !part.is_empty())
                .collect();
            paths.insert(path);
        }
    }
    paths
}

#[test]
fn no_layer_imports_upward() {
    let mut wrong = Vec::new();
    for file in files_of("src", "rs") {
        let shown = name(&file);
        let Some(layer) = shown.strip_prefix("src/").and_then(|p| p.split_once('/')) else {
            continue;
        };
        let (_, allowed) = LAYERS
            .iter()
            .find(|(l, _)| *l == layer.0)
            .unwrap_or_else(|| panic!("{shown}: {} is no layer of the plan", layer.0));
        for path in crate_paths(&fs::read_to_string(&file).unwrap()) {
            let Some(target) = path.first() else { continue };
            if *target != layer.0 && !allowed.contains(&target.as_str()) {
                wrong.push(format!("{shown} imports {}", path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the layers:\n{}", wrong.join("\n"));
}

#[test]
fn no_circles_between_the_modules_of_a_layer() {
    // A module is the first name under its layer; its folder belongs to it.
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files_of("src", "rs") {
        let shown = name(&file);
        let parts: Vec<&str> = shown.trim_end_matches(".rs").split('/').collect();
        let [_, layer, module, ..] = parts.as_slice() else { continue };
        // The layer's own mod.rs re-exports its modules; that is no dependency.
        if *module == "mod" {
            continue;
        }
        let own = format!("{layer}::{module}");
        let text = fs::read_to_string(&file).unwrap();
        for path in crate_paths(&text) {
            if let [to_layer, to_module, ..] = path.as_slice()
                && to_layer == layer
                && to_module.chars().next().is_some_and(char::is_lowercase)
            {
                edges.entry(own.clone()).or_default().insert(format!("{layer}::{to_module}"));
            }
        }
        // `super::x` of a file directly under the layer names a sibling.
        if parts.len() == 3 {
            for line in text.lines().filter(|l| !l.trim_start().starts_with("//")) {
                for rest in line.split("super::").skip(1) {
                    let sibling: String =
                        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    let is_file = root().join(format!("src/{layer}/{sibling}.rs")).exists()
                        || root().join(format!("src/{layer}/{sibling}/mod.rs")).exists();
                    if is_file {
                        edges.entry(own.clone()).or_default().insert(format!("{layer}::{sibling}"));
                    }
                }
            }
        }
    }
    let circles: Vec<String> = edges
        .keys()
        .filter(|from| reaches(&edges, from, from))
        .map(|from| {
            let back: Vec<&str> = edges
                .get(from)
                .into_iter()
                .flatten()
                .filter(|to| *to != from && (reaches(&edges, to, from)))
                .map(String::as_str)
                .collect();
            format!("{from} -> {}", back.join(", "))
        })
        .filter(|line| !line.ends_with("-> "))
        .collect();
    assert!(circles.is_empty(), "modules that import each other:\n{}", circles.join("\n"));
}

fn reaches(edges: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> =
        edges.get(from).into_iter().flatten().filter(|n| *n != from).map(String::as_str).collect();
    while let Some(next) = open.pop() {
        if next == to {
            return true;
        }
        if seen.insert(next) {
            open.extend(edges.get(next).into_iter().flatten().map(String::as_str));
        }
    }
    false
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut wrong = Vec::new();
    let rust = files_of("src", "rs").into_iter().chain(files_of("tests", "rs"));
    for file in rust.chain([root().join("build.rs")].into_iter().filter(|f| f.exists())) {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{}: {lines} lines, at most {MAX_LINES}", name(&file)));
        }
        if !text.starts_with("//! ") {
            wrong.push(format!("{}: does not begin with what it is for", name(&file)));
        }
    }
    for file in files_of("tests", "py") {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{}: {lines} lines, at most {MAX_LINES}", name(&file)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
