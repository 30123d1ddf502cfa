//! A release day in the rehearsal, as a newcomer tries it from a script.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "rehearsal_story/script.rs"]
mod script;

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The program with these words in `home`: its exit code, and what it printed.
fn run(home: &Path, words: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flightdeck"));
    command.env_clear().current_dir(home).env("HOME", home).env("LANG", "C.UTF-8");
    let done = command.args(words).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    (done.status.code().unwrap(), text)
}

/// What the journal tells, the oldest first: each plan and how its steps ended.
fn story(home: &Path) -> Vec<String> {
    let (code, text) = run(home, &["journal", "-o", "json"]);
    assert_eq!(code, 0, "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    let mut plans: Vec<(String, String, Vec<String>)> = Vec::new();
    for entry in report["entries"].as_array().unwrap() {
        let record = &entry["record"];
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let plan = word(&record["plan"]);
        if !plans.iter().any(|(known, ..)| *known == plan) {
            plans.push((plan.clone(), word(&record["title"]), Vec::new()));
        }
        if record["event"]["event"] == "ended" {
            let own = plans.iter_mut().find(|(known, ..)| *known == plan).unwrap();
            own.2.push(word(&record["event"]["outcome"]["outcome"]));
        }
    }
    let line =
        |(_, title, ends): (String, String, Vec<String>)| format!("{title}: {}", ends.join(", "));
    plans.into_iter().map(line).collect()
}
