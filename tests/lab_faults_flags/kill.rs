//! Killed at every step of a write to a flag, and between the version and its deployment.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use crate::killing::{At, Victim, events, outcome, walk};
use crate::kinds::{KINDS, Kind, Scene};
use crate::program::{program, run, settle};
use crate::table::Target;

/// Each answer takes so long, in seconds.
const SLOWLY: f64 = 0.1;

fn write_settings(home: &Path, scene: &Scene) {
    settle(home, "2s", &scene.settings(&scene.through()));
}

fn words(kind: Kind) -> String {
    let (flag, words) = (kind.flag(), kind.words());
    format!("flag {flag} {words} --environment production --yes --break-glass again")
}

async fn killed(kind: Kind) {
    let scene = Scene::new(kind, "kill").await;
    let home = tempfile::tempdir().unwrap();
    write_settings(home.path(), &scene);
    let program = |words: &str| program(home.path(), words.split(' '));
    let words = words(kind);
    let victim = Victim {
        home: home.path(),
        program: &program,
        words: &words,
        steps: 1,
        ways: &[&scene.breaker],
        slowly: SLOWLY,
    };
    let stories = walk(&victim, async || scene.ready().await, async || scene.effects().await).await;
    let end = |at| stories[&at].last().map(String::as_str);
    assert_eq!(end(At::Line(0)), None, "{words}");
    assert_eq!(end(At::Line(1)), Some("confirmed"), "{words}");
    assert!(matches!(end(At::Line(2)), Some("done" | "unknown")), "{words}: {stories:?}");
    // What the server said is in the journal then.
    for at in [At::Line(3), At::Line(4)] {
        assert_eq!(end(at), Some("done"), "{words}: {stories:?}");
    }
    assert!(end(At::Effect) == Some("done"), "{words}: {stories:?}");
    scene.close().await;
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn killed_at_every_step_a_write_to_a_flag_is_accounted_for_and_never_done_twice() {
    futures::future::join_all(KINDS.map(killed)).await;
}

/// The version is made, and nobody lives to deploy it: it is told as not known to be done, nothing
/// follows by itself, and the same write can be made again.
#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn killed_between_the_version_and_its_deployment_nothing_ships() {
    let scene = Scene::new(Kind::Off, "between").await;
    let home = tempfile::tempdir().unwrap();
    write_settings(home.path(), &scene);
    let shop = scene.shop().await;
    // The answer to the new version takes longer than the one who asked lives.
    let slow = json!({
        "kind": "latency", "seconds": 20, "match": "^POST \\S+/hostedconfigurationversions "
    });
    scene.breaker.breaks(0, &slow).await;
    let mut command =
        tokio::process::Command::from(program(home.path(), words(Kind::Off).split(' ')));
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    let made = async {
        while shop.versions().await < 2 {
            pace.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), made).await.unwrap();
    child.kill().await.unwrap();
    scene.breaker.breaks(0, &json!({ "kind": "none" })).await;

    let (code, told) = run(program(home.path(), "undo no-such-plan --yes".split(' '))).await;
    assert_eq!(code, 20, "{told}");
    let all = events(home.path());
    assert_eq!(all.last().and_then(outcome), Some("unknown"), "{all:#?}");
    assert_eq!((shop.versions().await, scene.effects().await), (2, 0), "nothing was deployed");

    let (code, told) = run(program(home.path(), words(Kind::Off).split(' '))).await;
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("(version 2) is not in it"), "what was left over is told: {told}");
    assert_eq!((shop.versions().await, scene.effects().await), (3, 1));
    let (code, told) = run(program(home.path(), ["journal", "verify"])).await;
    assert_eq!(code, 0, "{told}");
    scene.close().await;
}
