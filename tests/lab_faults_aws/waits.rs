//! `--wait`: what was written is followed to its end, by what is read after it.

use std::process::Stdio;
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tokio::process::Command;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::kill::through;
use crate::killing::{events, word};
use crate::kinds::{Kind, Scene};
use crate::program::settle;

/// How `words` end, if every action that then runs has this outcome. The write itself is held while
/// the picture from before it is read again and again.
async fn waited(kind: Kind, words: &str, outcome: Option<&str>) -> i32 {
    let row = format!("wait-{}", outcome.unwrap_or("none"));
    let scene = Scene::new(kind, &row).await;
    let home = tempfile::tempdir().unwrap();
    settle(home.path(), "10s", "[sources.pipes]\nkind = \"codepipeline\"\n");
    let hold = json!({ "kind": "hold", "operations": [scene.operation()], "times": 1 });
    scene.world.lab("faults", json!({ "faults": [hold] })).await;
    let before = scene.counts().await;
    let mut command = Command::from(through(home.path(), &scene.world.url, words));
    let seconds = if outcome.is_some() { "60" } else { "4" };
    command.args(["--yes", "--break-glass", "again", "--wait", "--timeout", seconds]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut pace = interval(Duration::from_millis(50));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let reads = async || {
        let calls = scene.world.lab("calls", json!({})).await;
        calls["count"]["GetPipelineState"].as_u64().unwrap()
    };
    let story = async {
        while scene.counts().await.1 == before.1 {
            pace.tick().await;
        }
        let first = reads().await;
        while reads().await < first + 2 {
            pace.tick().await;
        }
        scene.world.lab("faults", json!({ "faults": [] })).await;
        while !events(home.path()).iter().any(|event| word(event) == "ended") {
            pace.tick().await;
        }
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status.code().unwrap();
            }
            if let Some(outcome) = outcome {
                let step = json!({ "pipeline": "shop", "outcome": outcome });
                scene.world.lab("advance", step).await;
            }
            pace.tick().await;
        }
    };
    timeout(Duration::from_mins(2), story).await.unwrap()
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn what_was_written_is_followed_to_its_own_end_and_not_to_that_of_a_picture_before_it() {
    let kinds = [
        (Kind::Approve, "approve shop --accept-current"),
        (Kind::Retry, "retry shop --stage Production"),
        (Kind::Start, "start shop"),
        (Kind::RollBack, "rollback shop --accept-current"),
    ];
    let ends = [(Some("Succeeded"), 0), (Some("Failed"), 11), (None, 25)];
    for (outcome, wanted) in ends {
        let all = kinds.map(async |(kind, words)| {
            assert_eq!(waited(kind, words, outcome).await, wanted, "{words}: {outcome:?}");
        });
        join_all(all).await;
    }
}
