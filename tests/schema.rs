//! What is written for scripts fits its published schema, and the published schema is the current one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const NAMES: [&str; 15] = [
    "act",
    "canary",
    "canary-event",
    "canary-judge",
    "event",
    "journal",
    "pilot",
    "probe",
    "probe-design",
    "probe-tick",
    "replay",
    "replay-tick",
    "source",
    "sources",
    "status",
];

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_flightdeck"))
            .args(args)
            .env("HOME", self.0.path())
            .env("FLIGHTDECK_STATE", self.0.path().join("state"))
            .env_remove("XDG_CONFIG_HOME")
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    /// Standard output of a run with this exit code.
    fn json(&self, args: &[&str], exit: &[i32]) -> String {
        let output = self.run(args);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(exit.contains(&output.status.code().unwrap()), "{args:?}: {output:?} {error}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn published(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/schema/{name}.json"))
}

fn fits(name: &str, text: &str) {
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(published(name)).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let value: Value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}");
}

#[test]
fn published_schemas_are_the_current_ones() {
    let home = Home::new();
    for name in NAMES {
        let current = home.json(&["schema", name], &[0]);
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(published(name), &current).unwrap();
        }
        let kept = std::fs::read_to_string(published(name)).unwrap_or_default();
        assert!(
            kept == current,
            "assets/schema/{name}.json is old: UPDATE_SCHEMAS=1 writes it anew"
        );
    }
}

#[test]
fn every_scenario_fits_the_schema_of_status() {
    let home = Home::new();
    for scenario in [
        "bad-canary",
        "good-canary",
        "silent-canary",
        "flapping-metrics",
        "quiet-day",
        "flag-flip",
        "superseded-approval",
        "dead-backends",
    ] {
        let text =
            home.json(&["--scenario", scenario, "status", "-o", "json"], &[0, 10, 11, 12, 13]);
        fits("status", &text);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(!value["pipelines"].as_array().unwrap().is_empty(), "{scenario}");
    }
}

#[test]
fn who_answers_fits_its_schemas() {
    let home = Home::new();
    for scenario in ["quiet-day", "dead-backends"] {
        let run = |format| {
            home.json(
                &["--scenario", scenario, "sources", "-o", format, "--wait", "5"],
                &[0, 12, 13],
            )
        };
        fits("sources", &run("json"));
        let lines = run("ndjson");
        assert!(lines.lines().count() > 3, "{lines}");
        lines.lines().for_each(|line| fits("source", line));
    }
}

/// A reader may rely on the name: something else does not fit.
#[test]
fn every_schema_names_its_format() {
    for name in NAMES.into_iter().filter(|name| *name != "probe-design") {
        let text = std::fs::read_to_string(published(name)).unwrap();
        let schema: Value = serde_json::from_str(&text).unwrap();
        let format = &schema["properties"]["format"]["const"];
        assert_eq!(*format, format!("flightdeck/{name}/1"));
    }
}

#[test]
fn what_was_done_and_the_journal_of_it_fit_their_schemas() {
    let home = Home::new();
    let plan = ["promote", "sessions", "--dry-run", "-o", "json"];
    fits("act", &home.json(&plan, &[0]));
    let doing = ["promote", "sessions", "--accept-current", "--yes", "-o", "json"];
    let done = home.json(&doing, &[0]);
    fits("act", &done);
    let value: Value = serde_json::from_str(&done).unwrap();
    assert_eq!(value["steps"][0]["outcome"], "done");
    let journal = home.json(&["journal", "-o", "json"], &[0]);
    fits("journal", &journal);
    let value: Value = serde_json::from_str(&journal).unwrap();
    let words: Vec<&str> = value["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["record"]["event"]["event"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["confirmed", "sending", "reply", "ended"]);
}

#[test]
fn events_fit_their_schema() {
    let home = Home::new();
    let text = home.json(&["watch", "--for", "2"], &[0]);
    for line in text.lines() {
        fits("event", line);
    }
    assert!(text.lines().count() > 0);
}

#[test]
fn a_flight_fits_its_schema() {
    let home = Home::new();
    let fast = ["--scenario", "bad-canary", "--set", "rehearsal.speed=60"];
    let text = home.json(&[&fast[..], &["pilot", "checkout", "--yes"]].concat(), &[11]);
    for line in text.lines() {
        fits("pilot", line);
    }
    assert!(text.contains("rolled back, and held"), "{text}");
}

#[test]
fn canaries_fit_their_schemas() {
    let home = Home::new();
    let world = ["--scenario", "bad-canary", "--set", "rehearsal.speed=240"];
    fits("canary", &home.json(&[&["canary", "list", "-o", "json"], &world[..]].concat(), &[0]));
    let status = ["canary", "status", "-o", "json"];
    fits("canary", &home.json(&[&status, &world[..]].concat(), &[0, 30, 31, 32]));
    let watch = ["canary", "watch", "--until-verdict", "--for", "60"];
    // Good when it is first judged, and bad soon after.
    let text = home.json(&[&watch, &world[..]].concat(), &[0, 30, 31]);
    for line in text.lines() {
        fits("canary-event", line);
    }
    let file = std::env::temp_dir().join(format!("flightdeck-schema-{}.csv", std::process::id()));
    std::fs::write(&file, "requests,errors\n100,1\n100,2\n").unwrap();
    let path = file.to_str().unwrap();
    let judge = ["canary", "judge", "--baseline", path, "--canary", path, "-o", "json"];
    fits("canary-judge", &home.json(&judge, &[32]));
    fits("canary-judge", &home.json(&[&judge[..], &["--mode", "kayenta"]].concat(), &[0]));
    std::fs::remove_file(&file).unwrap();
}
