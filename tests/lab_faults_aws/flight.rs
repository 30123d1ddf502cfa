//! Two programs, one target: while the one has sent and waits for its answer, the other is refused, and
//! told which process has it in hands.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tokio::process::Command;
use tokio::time::{interval, timeout};

use crate::kill::through;
use crate::kinds::{Kind, Scene};
use crate::program::{run, settle};

async fn in_flight(kind: Kind, words: &str) {
    let scene = Scene::new(kind, "flight").await;
    let home = tempfile::tempdir().unwrap();
    settle(home.path(), "10s", "[sources.pipes]\nkind = \"codepipeline\"\n");
    let before = scene.counts().await;
    let hold = json!({ "kind": "hold", "operations": [scene.operation()], "times": 1 });
    scene.world.lab("faults", json!({ "faults": [hold] })).await;
    let words = format!("{words} --yes --break-glass drill");
    let program = || through(home.path(), &scene.world.url, &words);
    let first = Command::from(program()).kill_on_drop(true).spawn().unwrap();
    let process = first.id().unwrap();
    // The service has its call, and does not answer yet.
    let mut pace = interval(Duration::from_millis(20));
    let sent = async {
        while scene.counts().await.1 == before.1 {
            pace.tick().await;
        }
    };
    timeout(Duration::from_mins(1), sent).await.unwrap();
    let (code, told) = run(program()).await;
    assert_eq!(code, 20, "{words}: {told}");
    assert!(told.contains("is under way, by "), "{words}: {told}");
    assert!(told.contains(&format!("pid {process}")), "{words}: {told}");
    scene.world.lab("faults", json!({ "faults": [] })).await;
    let done = first.wait_with_output().await.unwrap();
    let text = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    assert_eq!(done.status.code(), Some(0), "{words}: {text}");
    assert_eq!(scene.counts().await, (before.0 + 1, before.1 + 1), "{words}");
    let (code, told) = run(through(home.path(), &scene.world.url, "journal verify")).await;
    assert_eq!(code, 0, "{told}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn while_one_program_writes_the_other_is_told_which_process_does() {
    let all = [
        (Kind::Approve, "approve shop --accept-current"),
        (Kind::Start, "start shop"),
        (Kind::Hold, "hold shop --stage Production"),
        (Kind::RollBack, "rollback shop --accept-current"),
    ];
    join_all(all.map(|(kind, words)| in_flight(kind, words))).await;
}
