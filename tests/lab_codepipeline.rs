//! The `CodePipeline` source against the lab's stand-in, which moves and refuses as the service does.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "support/lab.rs"]
mod lab;
#[path = "support/lab_pipelines.rs"]
mod pipes;

use flightdeck::domain::error::FaultKind;
use flightdeck::domain::observation::Topic;
use flightdeck::domain::pipeline::{ExecutionMode, Pipeline, RunState, Stage};
use lab::{address, post};
use pipes::{World, item, observe, pipeline, read};
use serde_json::{Value, json};

fn stage<'a>(pipeline: &'a Pipeline, name: &str) -> &'a Stage {
    pipeline.stages.iter().find(|stage| stage.name.as_str() == name).unwrap()
}

/// The token that the service would take now.
async fn token(world: &World, name: &str) -> String {
    let (_, state) = world.bob("GetPipelineState", json!({ "name": name })).await;
    let stages = state["stageStates"].as_array().unwrap();
    let action = &stages.last().unwrap()["actionStates"][0];
    action["latestExecution"]["token"].as_str().unwrap().to_owned()
}

async fn answer(world: &World, token: &str, status: &str) -> (u16, Value) {
    let body = json!({
        "pipelineName": "checkout", "stageName": "Production", "actionName": "Approve",
        "result": { "summary": "seen", "status": status }, "token": token
    });
    world.bob("PutApprovalResult", body).await
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn every_situation_of_the_seeded_world_is_told_apart() {
    let world = World::seeded();
    let source = world.source(10);
    let all = observe(&source, Topic::Overview, Vec::new()).await.unwrap();
    assert_eq!(
        all.identity.unwrap().as_str(),
        "arn:aws:iam::123456789012:user/alice · 123456789012 · eu-west-1"
    );
    let seen = observe(&source, Topic::Items, all.items.unwrap()).await.unwrap();
    assert!(seen.faults.is_empty(), "{:?}", seen.faults);

    let checkout = pipeline(&seen, "checkout");
    let production = stage(checkout, "Production");
    assert_eq!(production.state, RunState::Waiting);
    assert!(production.inbound.is_some());
    let states: Vec<RunState> = checkout.executions.iter().map(|e| e.state).collect();
    assert_eq!(states[..3], [RunState::Running, RunState::Superseded, RunState::Waiting]);

    let sessions = pipeline(&seen, "sessions");
    assert_eq!(sessions.mode, ExecutionMode::Parallel);
    assert_eq!(sessions.approvals().filter(|(_, _, ask)| ask.token.is_some()).count(), 2);
    assert_eq!(pipeline(&seen, "payments").mode, ExecutionMode::Queued);
    assert_eq!(pipeline(&seen, "mailer").flavour.as_ref().unwrap().as_str(), "V1");

    let search = stage(pipeline(&seen, "search"), "Production");
    assert_eq!(search.state, RunState::Failed);
    let held = stage(pipeline(&seen, "catalog"), "Production");
    assert!(held.is_held() && held.inbound.is_some());
    let way = held.transition.as_ref().unwrap();
    assert_eq!(way.reason.as_ref().unwrap().as_str(), "peak hours");
    assert_eq!(way.by.as_ref().unwrap().as_str(), "bob");
    assert_eq!(pipeline(&seen, "stock").executions[0].state, RunState::Stopped);
    assert_eq!(
        pipeline(&seen, "stock").executions[0].summary.as_ref().unwrap().as_str(),
        "wrong build"
    );
    let deploy = stage(pipeline(&seen, "mailer"), "Production").actions[0].clone();
    assert_eq!((deploy.state, deploy.percent), (RunState::Running, Some(40)));
    assert_eq!(world.violations().await, json!([]));
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn an_approval_carries_the_token_of_now_and_goes_when_it_is_answered() {
    let world = World::new("approval").await;
    world.lab("pipelines", json!({ "pipelines": [{ "name": "checkout" }] })).await;
    let source = world.source(10);
    let first = world.run_to("checkout", "Production").await;
    let made = json!({ "pipeline": "checkout", "stage": "Production" });
    let overtaken = world.lab("supersede", made).await;

    let seen = read(&source, &["checkout"]).await.unwrap();
    let (_, _, ask) = pipeline(&seen, "checkout").approvals().next().unwrap();
    let asked = token(&world, "checkout").await;
    assert_eq!(ask.execution.as_ref().unwrap().as_str(), first);
    assert_eq!(ask.token.as_ref().unwrap().reveal(), Some(asked.as_str()));

    // Someone else rejects it: the next execution enters, and its approval is another one.
    assert_eq!(answer(&world, &asked, "Rejected").await.0, 200);
    let seen = read(&source, &["checkout"]).await.unwrap();
    let (_, _, ask) = pipeline(&seen, "checkout").approvals().next().unwrap();
    assert_eq!(ask.execution.as_ref().unwrap().as_str(), overtaken["waiting"]);
    let now = token(&world, "checkout").await;
    assert_ne!(now, asked);
    assert_eq!(ask.token.as_ref().unwrap().reveal(), Some(now.as_str()));
    let (status, refusal) = answer(&world, &asked, "Approved").await;
    assert_eq!(
        (status, refusal["__type"].as_str()),
        (400, Some("ApprovalAlreadyCompletedException"))
    );

    assert_eq!(answer(&world, &now, "Approved").await.0, 200);
    let seen = read(&source, &["checkout"]).await.unwrap();
    assert_eq!(pipeline(&seen, "checkout").approvals().count(), 0);
    assert_eq!(stage(pipeline(&seen, "checkout"), "Production").state, RunState::Running);
    assert_eq!(world.violations().await, json!([]));
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_thousand_pipelines_come_by_pages() {
    let world = World::new("thousand").await;
    world.lab("reset", json!({ "page_size": 100 })).await;
    world.lab("pipelines", json!({ "pipelines": [{ "name": "service", "count": 1_000 }] })).await;
    let seen = observe(&world.source(10), Topic::Overview, Vec::new()).await.unwrap();
    assert_eq!(seen.items.unwrap().len(), 1_000);
    let calls = world.lab("calls", json!({})).await;
    assert_eq!(calls["count"]["ListPipelines"], 10);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn throttling_and_expiry_are_said_and_heal() {
    let world = World::new("faults").await;
    world.lab("pipelines", json!({ "pipelines": [{ "name": "checkout" }] })).await;
    let source = world.source(10);
    for (kind, expected) in [
        ("throttle", FaultKind::Throttled { until: None }),
        ("expire", FaultKind::NotAuthenticated),
        ("fail", FaultKind::ServerError),
    ] {
        world.lab("faults", json!({ "faults": [{ "kind": kind }] })).await;
        let fault = observe(&source, Topic::Overview, Vec::new()).await.unwrap_err();
        assert_eq!(
            std::mem::discriminant(&fault.kind),
            std::mem::discriminant(&expected),
            "{kind}: {fault:?}"
        );
        world.lab("faults", json!({ "faults": [] })).await;
        let seen = observe(&source, Topic::Overview, Vec::new()).await.unwrap();
        assert_eq!(seen.items.unwrap(), [item("checkout")]);
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_forbidden_pipeline_leaves_its_neighbours_alone() {
    let world = World::new("forbidden").await;
    world.lab("pipelines", json!({ "pipelines": [{ "name": "service", "count": 5 }] })).await;
    let rule = json!({ "kind": "deny", "pipelines": ["service-0002"] });
    world.lab("faults", json!({ "faults": [rule] })).await;
    let names: Vec<String> = (0..5).map(|n| format!("service-{n:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let seen = read(&world.source(10), &names).await.unwrap();
    assert_eq!(seen.faults.len(), 1);
    assert_eq!(seen.faults[0].0, item("service-0002"));
    let FaultKind::Forbidden { permission } = &seen.faults[0].1.kind else { panic!("{seen:?}") };
    assert_eq!(permission.as_ref().unwrap().as_str(), "codepipeline:GetPipelineState");
    assert!(pipeline(&seen, "service-0004").detail);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_broken_connection_is_a_fault_and_heals() {
    let world = World::new("broken").await;
    world.lab("pipelines", json!({ "pipelines": [{ "name": "checkout" }] })).await;
    let faults = address("LAB_FAULTS_URL");
    let to = address("LAB_CODEPIPELINE_URL").replace("http://", "");
    let body = json!({ "name": "broken-pipes", "to": to });
    let (_, proxy) = post(&format!("{faults}/proxies"), &[], &body).await;
    let behind = World::at(format!("http://127.0.0.1:{}/w/broken", proxy["port"]));
    let source = behind.source(1);
    for fault in [
        json!({ "kind": "refuse" }),
        json!({ "kind": "reset", "bytes": 200 }),
        json!({ "kind": "truncate", "bytes": 200 }),
        json!({ "kind": "hang" }),
        json!({ "kind": "garbage" }),
        json!({ "kind": "status", "status": 503 }),
    ] {
        let mut order = fault.clone();
        order["name"] = json!("broken-pipes");
        post(&format!("{faults}/fault"), &[], &order).await;
        let refused = observe(&source, Topic::Overview, Vec::new()).await.unwrap_err();
        assert!(refused.is_source_wide(), "{fault}: {refused:?}");
        let none = json!({ "name": "broken-pipes", "kind": "none" });
        post(&format!("{faults}/fault"), &[], &none).await;
        let seen = observe(&source, Topic::Overview, Vec::new()).await.unwrap();
        assert_eq!(seen.items.unwrap(), [item("checkout")], "after {fault}");
    }
}
