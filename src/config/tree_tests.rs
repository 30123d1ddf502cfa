//! Trees keep origins through reading and merging.

use std::path::Path;

use super::super::origin::Layer;
use super::super::read::read;
use super::*;

fn tree(layer: Layer, name: &str, text: &str) -> Node {
    let (node, problems) = read(layer, Path::new(name), text);
    assert_eq!(problems, vec![]);
    node
}

#[test]
fn merging_keeps_what_was_overridden_and_where() {
    let mut base = tree(Layer::BuiltIn, "a", "[view]\ntheme = \"default\"\nmouse = false\n");
    base.merge(tree(Layer::User, "b", "[view]\n\ntheme = \"light\"\n"));
    base.merge(tree(Layer::Project, "c", "view.theme = \"mono\"\n"));
    let theme = base.get("view").unwrap().get("theme").unwrap();
    assert_eq!(theme.text(), Some("mono"));
    assert_eq!(theme.origin.to_string(), "c:1:14");
    let chain: Vec<String> =
        theme.overrode.iter().map(|(was, origin)| format!("{was} {origin}")).collect();
    assert_eq!(chain, ["\"light\" b:3:9", "\"default\" a:2:9"]);
    assert_eq!(base.get("view").unwrap().get("mouse").unwrap().origin.to_string(), "a:3:9");
}

#[test]
fn lists_replace_lists() {
    let mut base = tree(Layer::BuiltIn, "a", "x = [1, 2, 3]\n");
    base.merge(tree(Layer::User, "b", "x = [4]\n"));
    assert_eq!(base.get("x").unwrap().to_string(), "[4]");
}

#[test]
fn paths_are_written_as_they_are_read() {
    for text in ["a", "a.b", "a.b[0].c", "sources.\"my.prom\".url", "a[1][2]"] {
        assert_eq!(KeyPath::parse(text).unwrap().to_string(), text);
    }
    for text in ["", ".", "a.", "a..b", "a[", "a[x]", "\"a", "a b\"c\""] {
        assert_eq!(KeyPath::parse(text), None, "{text:?}");
    }
}

#[test]
fn several_syntax_faults_are_found_at_once() {
    let (_, problems) = read(Layer::User, Path::new("x"), "a = \nb = 1\nc = \"open\nd = [1,\n");
    assert!(problems.len() >= 2, "{problems:?}");
}
