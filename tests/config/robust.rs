//! Whatever the file holds, loading ends with a configuration or with faults, never otherwise.

use flightdeck::config::load_text;
use proptest::prelude::*;

use crate::fixtures::{files, variables};

fn full() -> String {
    let path = files("valid").into_iter().find(|path| path.ends_with("full.toml")).unwrap();
    std::fs::read_to_string(path).unwrap()
}

fn load(text: &str) {
    if let Err(report) = load_text("mutated.toml", text, &variables()) {
        assert!(!report.problems.is_empty());
        // The types and the schema agree: what passes the checks always becomes a configuration,
        // so every fault has a place.
        for problem in &report.problems {
            assert!(problem.origin.is_some(), "{problem}\n{text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn replaced_lines_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6),
    ) {
        let text = full();
        let mut lines: Vec<&str> = text.lines().collect();
        let originals = lines.clone();
        for (to, from) in edits {
            let to = to.index(lines.len());
            lines[to] = originals[from.index(originals.len())];
        }
        load(&lines.join("\n"));
    }

    #[test]
    fn replaced_values_never_panic(
        at in any::<prop::sample::Index>(),
        value in prop_oneof![
            Just("true"), Just("-1"), Just("0.5"), Just("nan"), Just("[]"), Just("{}"),
            Just("\"\""), Just("\"${\""), Just("\"*/\""), Just("1979-05-27"), Just("[[[1]]]"),
            Just("{ env = 1 }"), Just("99999999999999999999"), Just("\"\\u0000\""),
        ],
    ) {
        let text = full();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let settings: Vec<usize> =
            (0..lines.len()).filter(|i| lines[*i].contains(" = ")).collect();
        let line = settings[at.index(settings.len())];
        let key = lines[line].split(" = ").next().unwrap().to_owned();
        lines[line] = format!("{key} = {value}");
        load(&lines.join("\n"));
    }

    #[test]
    fn changed_characters_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..8),
    ) {
        let mut text: Vec<char> = full().chars().collect();
        for (at, sign) in edits {
            let at = at.index(text.len());
            text[at] = sign;
        }
        load(&text.into_iter().collect::<String>());
    }
}

#[test]
fn deep_nesting_is_a_fault_and_not_an_overflow() {
    load(&format!("[keys]\na = {}1{}\n", "[".repeat(20_000), "]".repeat(20_000)));
    load(&format!("{} = 1\n", vec!["a"; 20_000].join(".")));
}

#[test]
fn a_long_chain_of_needs_is_walked() {
    let mut text = String::new();
    for i in 0..5_000 {
        text += &format!("[services.s{i}]\nneeds = [\"s{}\"]\n", i + 1);
    }
    text += "[services.s5000]\nneeds = [\"s0\"]\n";
    let report = load_text("chain.toml", &text, &[]).unwrap_err();
    assert_eq!(report.problems.len(), 1);
}
