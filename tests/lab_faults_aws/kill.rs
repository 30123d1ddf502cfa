//! Killed at every step of a write to a pipeline.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::edge::Edge;
use crate::hands::Breaker;
use crate::killing::{At, Victim, walk};
use crate::kinds::{Kind, Scene};
use crate::lab::address;
use crate::pipes::World;
use crate::program::{program, settle};

/// Each answer takes so long, in seconds.
const SLOWLY: f64 = 0.12;

/// The program that sees the service at `url`.
pub fn through(home: &Path, url: &str, words: &str) -> Command {
    let mut command = program(home, words.split(' '));
    command.env("AWS_ENDPOINT_URL_CODEPIPELINE", url).env("AWS_ENDPOINT_URL_STS", url);
    command
}

async fn killed(kind: Kind, words: &str) {
    let scene = Scene::new(kind, "kill").await;
    let to = address("LAB_CODEPIPELINE_URL").replace("http://", "");
    let breaker = Breaker::new(&format!("kill-{kind:?}"), &to).await;
    let url = format!("http://127.0.0.1:{}/w/faults-{kind:?}-kill", breaker.port);
    let home = tempfile::tempdir().unwrap();
    settle(home.path(), "5s", "[sources.pipes]\nkind = \"codepipeline\"\n");
    let program = |words: &str| through(home.path(), &url, words);
    let victim = Victim {
        home: home.path(),
        program: &program,
        words,
        steps: 1,
        ways: &[&breaker],
        slowly: SLOWLY,
    };
    // The world is made anew under the same name.
    let ready = async || drop(Scene::new(kind, "kill").await);
    let effects = async || usize::try_from(scene.counts().await.0).unwrap();
    let stories = walk(&victim, ready, effects).await;
    let end = |at| stories[&at].last().map(String::as_str);
    assert_eq!(end(At::Line(0)), None, "{words}");
    assert_eq!(end(At::Line(1)), Some("confirmed"), "{words}");
    assert!(matches!(end(At::Line(2)), Some("done" | "unknown")), "{words}: {stories:?}");
    // What the server said is in the journal then.
    for at in [At::Line(3), At::Line(4)] {
        assert_eq!(end(at), Some("done"), "{words}: {stories:?}");
    }
    assert!(end(At::Effect) == Some("done"), "{words}: {stories:?}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn killed_at_every_step_a_write_to_a_pipeline_is_accounted_for_and_never_done_twice() {
    tokio::join!(
        killed(
            Kind::Approve,
            "approve shop --yes --accept-current --comment again --break-glass again"
        ),
        killed(Kind::Reject, "reject shop --yes --comment again --break-glass again"),
        killed(
            Kind::Hold,
            "hold shop --stage Production --yes --comment again --break-glass again"
        ),
        killed(
            Kind::Release,
            "release shop --stage Production --yes --comment again --break-glass again"
        ),
        killed(Kind::Abandon, "stop shop --all --yes --comment again --break-glass again"),
        killed(Kind::Stop, "stop shop --yes --comment again --break-glass again"),
        killed(Kind::Start, "start shop --yes --comment again --break-glass again"),
        killed(
            Kind::Retry,
            "retry shop --stage Production --yes --comment again --break-glass again"
        ),
        killed(
            Kind::RetryAll,
            "retry shop --stage Production --all --yes --comment again --break-glass again"
        ),
        killed(
            Kind::RollBack,
            "rollback shop --yes --accept-current --comment again --break-glass again"
        ),
        killed(
            Kind::Override,
            "override shop --yes --accept-current --comment again --break-glass again"
        ),
    );
}

/// Traffic goes back, then the way in is closed: killed anywhere, also between the two.
#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn killed_at_every_step_a_plan_of_two_steps_is_accounted_for_and_never_done_twice() {
    let world = World::new("faults-two-kill").await;
    let edge = Edge::calm().await;
    let (home, settings) = (tempfile::tempdir().unwrap(), |url: &str, admin: u64| {
        format!(
            r#"
            [sources.pipes]
            kind = "codepipeline"
            endpoint = "{url}"
            [sources.edge]
            kind = "haproxy"
            address = "tcp://127.0.0.1:{admin}"
            backends = ["shop"]
            [services.shop]
            traffic = ["edge/shop"]
            pipelines = ["pipes/shop"]
            [[services.shop.canaries]]
            name = "production"
            traffic = "edge/shop"
            baseline = "blue"
            canary = "green"
            steps = [10, 25, 50, 100]
            signals = {{ source = "edge" }}
            "#
        )
    });
    let to = address("LAB_CODEPIPELINE_URL").replace("http://", "");
    let pipes = Breaker::new("kill-two-pipes", &to).await;
    let admin = Breaker::new("kill-two-edge", &format!("127.0.0.1:{}", edge.admin)).await;
    let url = format!("http://127.0.0.1:{}/w/faults-two-kill", pipes.port);
    let text = settings(&url, admin.port);
    settle(home.path(), "5s", &text);
    let program = |words: &str| program(home.path(), words.split(' '));
    let words = "rollback shop --yes --accept-current --comment again --break-glass again";
    let victim = Victim {
        home: home.path(),
        program: &program,
        words,
        steps: 2,
        ways: &[&pipes, &admin],
        slowly: SLOWLY,
    };
    let ready = async || {
        world.lab("reset", json!({})).await;
        let stages = json!([
            { "name": "Source", "actions": ["Code:Source"] },
            { "name": "Production", "actions": ["Deploy:Deploy"] }
        ]);
        let shop = json!({ "name": "shop", "stages": stages });
        world.lab("pipelines", json!({ "pipelines": [shop] })).await;
        world.run_to("shop", "end").await;
        edge.set_weights("shop", 90, 10).await;
    };
    let effects = async || {
        let calls = world.lab("calls", json!({})).await;
        let held = calls["done"]["DisableStageTransition"].as_u64().unwrap_or(0);
        let back = edge.split("shop").await.arm("green").unwrap().weight == 0;
        usize::from(back) + usize::try_from(held).unwrap()
    };
    let stories = walk(&victim, ready, effects).await;
    let told = |at: At, wanted: &str| stories[&at].iter().filter(|word| *word == wanted).count();
    // Between the steps: the first one is told, and the second one was never sent.
    assert_eq!((told(At::Line(4), "done"), told(At::Line(4), "sending")), (1, 1), "{stories:?}");
    assert_eq!(told(At::Line(7), "done"), 2, "{stories:?}");
}
