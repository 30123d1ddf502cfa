//! Killed at any step of a write: the next start accounts for it, and nothing is done twice.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::hands::Breaker;
use crate::haproxy::Edge;
use crate::script::{program, run};

/// The events of the journal with their plans, oldest first.
fn events(home: &Path) -> Vec<(String, Value)> {
    let folder = home.join(".local/state/flightdeck/journal");
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "jsonl"));
    files.sort();
    let text: String = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    // The last line may be half written.
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .map(|line| {
            let record = line.get("record").cloned().unwrap_or(line);
            (record["plan"].as_str().unwrap().to_owned(), record["event"].clone())
        })
        .collect()
}

fn word(event: &Value) -> &str {
    event["event"].as_str().unwrap()
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn killed_at_every_step_a_write_is_accounted_for_and_never_done_twice() {
    let edge = Edge::start().await;
    let breaker = Breaker::new("kill", &format!("127.0.0.1:{}", edge.admin)).await;
    // Each answer takes a while, so that every step can be seen.
    breaker.always(&json!({ "kind": "latency", "seconds": 0.15 })).await;
    let home = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
        polling = {{ fast = "1s", slow = "1s", budget_per_minute = 600 }}
        [sources.edge]
        kind = "haproxy"
        address = "tcp://127.0.0.1:{}"
        backends = ["shop"]
        [services.shop]
        traffic = ["edge/shop"]
        [[services.shop.canaries]]
        name = "production"
        traffic = "edge/shop"
        baseline = "blue"
        canary = "green"
        steps = [10, 25, 50, 100]
        "#,
        breaker.port
    );
    std::fs::write(home.path().join("lab.toml"), text).unwrap();
    let mut reached = BTreeSet::new();
    for lines in [0, 1, 2, 3, 4] {
        edge.set_weights("shop", 90, 10).await;
        let before = events(home.path()).len();
        // After a write of which the outcome is unknown, the next one wants a reason.
        let words = "traffic shop --percent 25 --yes --reason again";
        let mut child = program(home.path(), words).spawn().unwrap();
        let mut pace = tokio::time::interval(Duration::from_millis(2));
        while events(home.path()).len() < before + lines && child.try_wait().unwrap().is_none() {
            pace.tick().await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let left = events(home.path());
        reached
            .insert(left[before..].last().map_or("nothing", |(_, event)| word(event)).to_owned());
        // Nothing waits for approval here, but the start looks after what was left.
        let (code, told) = run(home.path(), "approve shop --yes --accept-current");
        assert_eq!(code, 20, "{told}");
        let now = events(home.path());
        let own: Vec<&Value> = now[before..].iter().map(|(_, event)| event).collect();
        let words: Vec<&str> = own.iter().map(|event| word(event)).collect();
        let sent = words.iter().filter(|word| **word == "sending").count();
        let ended = words.iter().filter(|word| **word == "ended").count();
        assert!(sent <= 1, "{words:?}");
        assert_eq!(ended, sent, "{words:?}");
        let done = own.iter().any(|event| event["outcome"]["outcome"] == "done");
        let weights = edge.weights("shop").await;
        assert_eq!(weights, if done { (75, 25) } else { (90, 10) }, "{own:?}");
    }
    for step in ["nothing", "confirmed", "sending", "reply", "ended"] {
        assert!(reached.contains(step), "no write was killed after {step}: {reached:?}");
    }
    let (code, told) = run(home.path(), "journal verify");
    assert_eq!(code, 0, "{told}");
}
