//! The program itself against the lab: init, check, sources, status and watch from end to end.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "support/lab.rs"]
mod lab;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use lab::{address, post};
use serde_json::{Value, json};

/// The program with an environment of its own; AWS is where `aws` says.
fn flightdeck(home: &Path, pipelines: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flightdeck"));
    let others = address("LAB_AWS_URL");
    command.env_clear().current_dir(home).env("HOME", home).env("LANG", "C.UTF-8").envs([
        ("AWS_ACCESS_KEY_ID", "LABALICE"),
        ("AWS_SECRET_ACCESS_KEY", "lab"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ENDPOINT_URL_CODEPIPELINE", pipelines),
        ("AWS_ENDPOINT_URL_STS", pipelines),
        ("AWS_ENDPOINT_URL_CLOUDWATCH", &others),
        ("AWS_ENDPOINT_URL_APPCONFIG", &others),
        ("UNLEASH_TOKEN", &address("LAB_UNLEASH_TOKEN")),
    ]);
    command
}

/// Its exit code and what it printed.
fn run(command: &mut Command) -> (i32, String, String) {
    let done = command.stdin(Stdio::null()).output().unwrap();
    let text = |raw: Vec<u8>| String::from_utf8(raw).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

/// A world of pipelines of this test's own: its address, and its control endpoint.
async fn world(name: &str) -> String {
    let url = format!("{}/w/{name}", address("LAB_CODEPIPELINE_URL"));
    control(&url, "reset", json!({})).await;
    control(&url, "pipelines", json!({ "pipelines": [{ "name": "checkout" }] })).await;
    url
}

async fn control(world: &str, name: &str, body: Value) -> Value {
    let (status, answer) = post(&format!("{world}/lab/{name}"), &[], &body).await;
    assert_eq!(status, 200, "{name}: {answer}");
    answer
}

/// A configuration that reads pipelines only.
fn only_pipelines(home: &Path) -> std::path::PathBuf {
    let file = home.join("pipelines.toml");
    let text =
        "[polling]\nfast = \"1s\"\nslow = \"1s\"\n[sources.pipes]\nkind = \"codepipeline\"\n";
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
#[ignore = "needs the lab: bash tests/run"]
fn what_init_writes_is_valid_and_every_source_of_it_answers() {
    let home = tempfile::tempdir().unwrap();
    let pipelines = address("LAB_CODEPIPELINE_URL");
    let file = home.path().join("made.toml");
    let mut init = flightdeck(home.path(), &pipelines);
    init.arg("init").arg("--output").arg(&file);
    init.args(["--prometheus", &address("LAB_PROMETHEUS_URL")]);
    init.args(["--unleash", &address("LAB_UNLEASH_URL")]);
    init.args(["--haproxy", &address("LAB_HAPROXY_ADDRESS")]);
    init.args(["--http", &format!("{}/health", address("LAB_WEB_BLUE_URL"))]);
    let (code, _, said) = run(&mut init);
    assert_eq!(code, 0, "{said}");
    let made = std::fs::read_to_string(&file).unwrap();
    assert!(made.contains("pipelines = [\"pipelines/checkout\"]"), "{made}");
    assert!(!made.contains(&address("LAB_UNLEASH_TOKEN")), "a secret in the file: {made}");
    // It never overwrites what a person may have mended.
    assert_ne!(run(&mut init).0, 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), made);

    let check = run(flightdeck(home.path(), &pipelines).arg("config").arg("check").arg(&file));
    assert_eq!(check.0, 0, "{}{}", check.1, check.2);
    let mut sources = flightdeck(home.path(), &pipelines);
    let (_, told, _) = run(sources.arg("--config").arg(&file).args(["sources", "-o", "json"]));
    let told: Value = serde_json::from_str(&told).unwrap();
    let all = told["sources"].as_array().unwrap();
    assert_eq!(all.len(), 7, "{told:#}");
    assert!(all.iter().all(|source| source["health"] == "answering"), "{told:#}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_person_who_is_needed_and_credentials_that_expired_have_exit_codes() {
    let home = tempfile::tempdir().unwrap();
    let url = world("program").await;
    let file = only_pipelines(home.path());
    let mut status = flightdeck(home.path(), &url);
    status.arg("--config").arg(&file).args(["status", "-o", "json"]);
    assert_eq!(run(&mut status).0, 0);

    let started = control(&url, "start", json!({ "pipeline": "checkout" })).await;
    let id = &started["execution"];
    let further = json!({ "pipeline": "checkout", "execution": id, "to": "Production" });
    control(&url, "advance", further).await;
    let (code, told, _) = run(&mut status);
    assert_eq!(code, 10, "{told}");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["settled"], true);
    assert_eq!(told["inbox"].as_array().unwrap().len(), 1);

    control(&url, "faults", json!({ "faults": [{ "kind": "expire" }] })).await;
    let mut sources = flightdeck(home.path(), &url);
    let (code, told, _) = run(sources.arg("--config").arg(&file).arg("sources"));
    assert_eq!(code, 13, "{told}");
    assert!(told.contains("not authenticated"), "{told}");
    control(&url, "faults", json!({ "faults": [] })).await;
    assert_eq!(run(&mut status).0, 10);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn watch_tells_of_an_approval_while_it_runs() {
    let home = tempfile::tempdir().unwrap();
    let url = world("watched").await;
    let file = only_pipelines(home.path());
    let mut watch = flightdeck(home.path(), &url);
    watch.arg("--config").arg(&file).args(["watch", "-o", "ndjson", "--for", "60"]);
    let mut child = watch.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let (out, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let reader = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        for line in reader.lines().map_while(Result::ok) {
            if out.send(line).is_err() {
                return;
            }
        }
    });
    let mut seen = Vec::new();
    // The first line says that it knows the pipeline; then something happens to it.
    seen.push(lines.recv().await.unwrap());
    let started = control(&url, "start", json!({ "pipeline": "checkout" })).await;
    let id = started["execution"].clone();
    let further = json!({ "pipeline": "checkout", "execution": id, "to": "Production" });
    control(&url, "advance", further).await;
    while let Some(line) = lines.recv().await {
        serde_json::from_str::<Value>(&line).unwrap();
        seen.push(line);
        if seen.last().unwrap().contains("waits for approval") {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(seen.last().unwrap().contains("waits for approval"), "{seen:#?}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_condition_that_failed_is_overridden_with_a_reason_and_as_it_was_seen() {
    let home = tempfile::tempdir().unwrap();
    let url = world("overridden").await;
    let file = only_pipelines(home.path());
    let rule = json!({
        "name": "p99", "configuration": { "AlarmName": "p99" },
        "ruleTypeId": {
            "category": "Rule", "owner": "AWS", "provider": "CloudWatchAlarm", "version": "1"
        }
    });
    let stages = json!([
        { "name": "Source", "actions": ["Code:Source"] },
        {
            "name": "Production", "actions": ["Deploy:Deploy"],
            "beforeEntry": { "conditions": [{ "result": "FAIL", "rules": [rule] }] }
        }
    ]);
    let pipeline = json!({ "pipelines": [{ "name": "shop", "stages": stages }] });
    control(&url, "pipelines", pipeline).await;
    let act = |more: &[&str]| {
        let mut act = flightdeck(home.path(), &url);
        act.arg("--config").arg(&file).args(["override", "shop"]).args(more);
        run(&mut act)
    };
    let (code, _, why) = act(&[]);
    assert_eq!(code, 20, "{why}");
    assert!(why.contains("no condition has failed in shop"), "{why}");

    let fails = json!({
        "pipeline": "shop", "stage": "Production", "type": "BEFORE_ENTRY", "outcome": "Failed"
    });
    control(&url, "condition", fails).await;
    let started = control(&url, "start", json!({ "pipeline": "shop" })).await;
    let id = started["execution"].as_str().unwrap();
    let end = json!({ "pipeline": "shop", "execution": id, "to": "end" });
    control(&url, "advance", end).await;
    let (code, told, _) = act(&["--expect-execution", id, "--yes"]);
    assert_eq!(code, 20, "a reason is wanted: {told}");
    let reason = ["--break-glass", "known flake", "--yes"];
    let (code, told, _) = act(&reason);
    assert_eq!(code, 2, "what was seen is wanted: {told}");
    let (code, told, _) = act(&[&["--expect-execution", "another"], &reason[..]].concat());
    assert_eq!(code, 22, "{told}");
    let (code, told, why) = act(&[&["--expect-execution", id], &reason[..]].concat());
    assert_eq!(code, 0, "{told}{why}");
}
