//! The shape of the code: layers, circles between modules, file sizes, a sentence on top.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

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

/// Where the layers stand: what decides and draws, and what waits for the world.
const SOURCES: [&str; 2] = ["core/src", "src"];

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

fn sources() -> impl Iterator<Item = PathBuf> {
    SOURCES.into_iter().flat_map(|folder| files_of(folder, "rs"))
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// The name of a source file within its crate.
fn within(shown: &str) -> &str {
    shown.trim_start_matches("core/").trim_start_matches("src/")
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
    for file in sources() {
        let shown = name(&file);
        let Some(layer) = within(&shown).split_once('/') else { continue };
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

/// Paths of modules, without the crate.
type Module = Vec<String>;

/// Every module of both crates, with its file.
fn modules() -> BTreeMap<Module, PathBuf> {
    let mut modules = BTreeMap::new();
    for file in sources() {
        let shown = name(&file);
        let path = within(&shown).trim_end_matches(".rs");
        let mut module: Module = path.split('/').map(str::to_owned).collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        modules.insert(module, file);
    }
    modules
}

/// The code of a file without comments and without its tests, which import what they like.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Every path in `code` that begins with `crate`, `super` or `self`, groups written out.
fn paths(code: &str) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let before = code.get(..at).and_then(|b| b.chars().next_back());
            if before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':') {
                tree(code.get(at..).unwrap_or_default(), &[], &mut found);
            }
        }
    }
    found
}

/// Takes in the path, or the tree of paths, at the beginning of `rest`; returns what follows it.
fn tree<'a>(rest: &'a str, prefix: &[String], found: &mut BTreeSet<Vec<String>>) -> &'a str {
    let mut path = prefix.to_vec();
    let mut rest = rest.trim_start();
    loop {
        if let Some(mut group) = rest.strip_prefix('{') {
            loop {
                group = tree(group, &path, found).trim_start();
                match group.strip_prefix(',') {
                    Some(more) => group = more,
                    None => return group.strip_prefix('}').unwrap_or(group),
                }
            }
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if !word.is_empty() {
            path.push(word.to_owned());
        }
        match after.strip_prefix("::") {
            Some(more) if !word.is_empty() => rest = more.trim_start(),
            _ => {
                found.insert(path);
                // `as` and the new name are of no interest.
                let next = after.find([',', '}', ';', '(', ')', '\n']).unwrap_or(after.len());
                return after.get(next..).unwrap_or_default();
            }
        }
    }
}

/// The module that `path` names, or is in, when `own` says it.
fn resolved(own: &Module, path: &[String], modules: &BTreeMap<Module, PathBuf>) -> Module {
    let mut module = own.clone();
    for part in path {
        match part.as_str() {
            "crate" => module.clear(),
            "super" => {
                module.pop();
            }
            "self" => {}
            part => {
                module.push(part.to_owned());
                if !modules.contains_key(&module) {
                    module.pop();
                    break;
                }
            }
        }
    }
    module
}

#[test]
fn no_circles_between_modules_that_stand_side_by_side() {
    let modules = modules();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (own, file) in &modules {
        for path in paths(&code(&fs::read_to_string(file).unwrap())) {
            let target = resolved(own, &path, &modules);
            // Where their ways part, one depends on the other; what is within a module is its own.
            let common = own.iter().zip(&target).take_while(|(a, b)| a == b).count();
            if common < own.len() && common < target.len() {
                let side = |module: &Module| module[..=common].join("::");
                edges.entry(side(own)).or_default().insert(side(&target));
            }
        }
    }
    let circles: Vec<String> = edges
        .iter()
        .filter_map(|(from, to)| {
            let back = to.iter().filter(|to| *to != from && reaches(&edges, to, from));
            let back: Vec<&str> = back.map(String::as_str).collect();
            (!back.is_empty()).then(|| format!("{from} -> {}", back.join(", ")))
        })
        .collect();
    assert!(circles.is_empty(), "modules that import each other:\n{}", circles.join("\n"));
}

#[test]
fn groups_and_supers_are_written_out() {
    let text =
        "use super::{a, b::{C, d as e}};\nlet x = crate::m::f(self::y);\nuse super::super::z;";
    let found: Vec<String> = paths(text).iter().map(|path| path.join("::")).collect();
    let expected =
        ["crate::m::f", "self::y", "super::a", "super::b::C", "super::b::d", "super::super::z"];
    assert_eq!(found, expected);
}

/// What a layer that is pure may not name: it is given the time, and asks for what is to be done.
const IMPURE: [&str; 6] =
    ["tokio::", "std::fs", "std::net", "std::process", "Instant::now", "SystemTime"];

#[test]
fn what_decides_and_what_draws_touches_nothing_outside() {
    let mut wrong = Vec::new();
    for layer in ["domain", "judge", "app", "ui"] {
        for file in files_of(&format!("core/src/{layer}"), "rs") {
            let code = code(&fs::read_to_string(&file).unwrap());
            let named = IMPURE.iter().filter(|it| code.contains(**it));
            wrong.extend(named.map(|it| format!("{} names {it}", name(&file))));
            if code.contains("Timestamp::now") {
                wrong.push(format!("{} reads the clock", name(&file)));
            }
        }
    }
    assert!(wrong.is_empty(), "a pure layer that is not:\n{}", wrong.join("\n"));
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
    let rust = sources().chain(files_of("tests", "rs"));
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
