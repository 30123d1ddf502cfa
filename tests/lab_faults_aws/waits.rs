//! `--wait`: what was written is followed to its end, by what is read after it.

use std::process::Stdio;
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tokio::process::Command;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::killing::{events, word};
use crate::kinds::{Kind, Scene};

const SETTINGS: &str = "[polling]\nfast = \"1s\"\nslow = \"1s\"\nbudget_per_minute = 6000\n\
                        [safety]\nwrites_per_minute = 1000\npatience = \"10s\"\n\
                        [sources.pipes]\nkind = \"codepipeline\"\n";

/// How `words` end, if every action that then runs has this outcome. The write itself is held while
/// the picture from before it is read again and again.
async fn waited(kind: Kind, words: &str, outcome: Option<&str>) -> i32 {
    let row = format!("wait-{}", outcome.unwrap_or("none"));
    let scene = Scene::new(kind, &row).await;
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("lab.toml"), SETTINGS).unwrap();
    let hold = json!({ "kind": "hold", "operations": [scene.operation()], "times": 1 });
    scene.world.lab("faults", json!({ "faults": [hold] })).await;
    let before = scene.counts().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_flightdeck"));
    command.env_clear().current_dir(home.path()).env("HOME", home.path()).envs([
        ("AWS_ACCESS_KEY_ID", "LABALICE"),
        ("AWS_SECRET_ACCESS_KEY", "lab"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ENDPOINT_URL_CODEPIPELINE", &scene.world.url),
        ("AWS_ENDPOINT_URL_STS", &scene.world.url),
    ]);
    let seconds = if outcome.is_some() { "60" } else { "4" };
    command.args(["--config", "lab.toml"]).args(words.split(' '));
    command.args(["--yes", "--break-glass", "again", "--wait", "--timeout", seconds]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
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
