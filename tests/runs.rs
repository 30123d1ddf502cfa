//! What `probe` and `replay` write is a source: canaries are judged by it like by any other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "replay/server.rs"]
mod server;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use server::{Server, json};

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(desk.0.path().join("runs")).unwrap();
        desk
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_flightdeck"))
            .args(args)
            .env_clear()
            .env("HOME", self.0.path())
            .env("LANG", "C.UTF-8")
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    /// Runs `args` with what they write as the run `name`.
    fn record(&self, name: &str, args: &[&str]) -> Output {
        let output = self.run(args);
        let path = self.0.path().join("runs").join(format!("{name}.ndjson"));
        std::fs::write(path, &output.stdout).unwrap();
        output
    }

    /// The verdict of the canary of `config` and the whole of what is known.
    fn verdict(&self, config: &str) -> (String, Value) {
        self.write("deck.toml", config);
        let output = self.run(&["--config", "deck.toml", "canary", "status", "-o", "json"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        let picture: Value = serde_json::from_str(&text).unwrap_or_else(|why| {
            panic!("{why}: {text}{error}");
        });
        let verdict = picture["canaries"][0]["judged"]["verdict"].as_str();
        (verdict.unwrap_or("none").to_owned(), picture)
    }
}

fn fits(name: &str, text: &str) -> Value {
    let document: Value = serde_json::from_str(text).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/schema/{name}.json"));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    document
}

fn ok(body: &str) -> Option<String> {
    json("200 OK", body)
}

const PROBE: &str = "rate = 60\nduration = '6s'\ntick = '1s'\n[requests.home]\npath = '/'\n";

const DECK: &str = r#"
[sources.runs]
kind = "runs"
folder = "runs"

[[services.shop.canaries]]
name = "probe"
baseline = "old"
canary = "new"
tick = "1s"
warm_up = "0s"
"#;

#[test]
fn a_probe_is_what_a_canary_is_judged_by() {
    let desk = Desk::new();
    desk.write("p.toml", PROBE);
    let old = Server::start(|_, _| ok("{}"));
    let new = Server::start(|n, _| if n % 2 == 0 { json("500 Oops", "{}") } else { ok("{}") });
    let args = ["probe", "p.toml", "--baseline", &old.url, "--canary", &new.url, "-o", "ndjson"];
    let output = desk.record("shop", &args);
    assert_eq!(output.status.code(), Some(30), "{}", String::from_utf8_lossy(&output.stderr));
    let config = format!("{DECK}signals = {{ source = \"runs\", run = \"shop\" }}\n");
    let (verdict, picture) = desk.verdict(&config);
    assert_eq!(verdict, "fail", "{picture:#}");
    let errors = &picture["canaries"][0]["judged"]["metrics"][0];
    assert_eq!((&errors["name"], &errors["mark"]), (&"errors".into(), &"culprit".into()));
}

#[test]
fn a_replay_is_what_a_canary_is_judged_by() {
    let desk = Desk::new();
    let lines: Vec<String> = (0..150).map(|n| format!("{{\"path\":\"/items/{n}\"}}")).collect();
    desk.write("day.ndjson", &lines.join("\n"));
    let old = Server::start(|_, _| ok(r#"{"total":12}"#));
    let new = Server::start(|_, _| ok(r#"{"total":13}"#));
    let output = desk.record(
        "shop",
        &[
            "replay",
            "day.ndjson",
            "--baseline",
            &old.url,
            "--canary",
            &new.url,
            "--rate",
            "40",
            "--pace",
            "max",
            "-o",
            "ndjson",
        ],
    );
    assert_eq!(output.status.code(), Some(33), "the replay itself sees it");
    let written = String::from_utf8(output.stdout).unwrap();
    let mut compared = 0;
    for line in written.lines() {
        if line.contains("replay-tick") {
            let tick = fits("replay-tick", line);
            assert_eq!(tick["canary"]["sent"], tick["canary"]["differences"], "{tick}");
            assert_eq!(tick["baseline"]["differences"], 0, "{tick}");
            compared += tick["canary"]["sent"].as_u64().unwrap();
        } else {
            fits("replay", line);
        }
    }
    assert_eq!(compared, 150, "each request is in one tick");
    let metric = r#"
[[services.shop.canaries.metrics]]
name = "differences"
kind = "counts"
source = "runs"
events = { baseline = "shop/baseline/differences", canary = "shop/canary/differences" }
requests = { baseline = "shop/baseline/requests", canary = "shop/canary/requests" }
"#;
    let (verdict, picture) = desk.verdict(&format!("{DECK}{metric}"));
    assert_eq!(verdict, "fail", "{picture:#}");
}

#[test]
fn a_run_that_is_not_there_is_unknown() {
    let desk = Desk::new();
    let config = format!("{DECK}signals = {{ source = \"runs\", run = \"gone\" }}\n");
    let (verdict, picture) = desk.verdict(&config);
    assert_eq!(verdict, "none", "{picture:#}");
    let unread = picture["canaries"][0]["unread"].to_string();
    assert!(unread.contains("runs/gone.ndjson: No such file"), "{unread}");
    let output = desk.run(&["--config", "deck.toml", "canary", "status"]);
    assert_eq!(output.status.code(), Some(12), "unknown, not well");
}
