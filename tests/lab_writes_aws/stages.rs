//! Retries, stops, starts, transitions, rollbacks and conditions: done, refused, lost, each of them.

use std::sync::Arc;

use flightdeck::backend::Source;
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::ids::{ExecutionId, PipelineId, SourceId};
use flightdeck::domain::pipeline::{Pipeline, RunState, Stage};
use flightdeck::domain::write::{Outcome, Write};
use serde_json::{Value, json};

use crate::hands::{carry_out, confirmed, context};
use crate::pipes::{World, pipeline, read};

fn shop() -> PipelineId {
    PipelineId::new(&SourceId::new("pipes"), "shop")
}

/// A world with one pipeline of two stages, the second with these conditions.
async fn world(name: &str, conditions: &Value) -> World {
    let world = World::new(name).await;
    let mut stage = json!({ "name": "Production", "actions": ["Deploy:Deploy", "Check:Test@1"] });
    stage.as_object_mut().unwrap().extend(conditions.as_object().unwrap().clone());
    let stages = json!([{ "name": "Source", "actions": ["Code:Source"] }, stage]);
    world.lab("pipelines", json!({ "pipelines": [{ "name": "shop", "stages": stages }] })).await;
    world
}

async fn now(world: &World) -> Pipeline {
    pipeline(&read(&world.source(10), &["shop"]).await.unwrap(), "shop").clone()
}

fn last(pipeline: &Pipeline) -> &Stage {
    pipeline.stages.last().unwrap()
}

/// Carries `write` out, and gives what is there then.
async fn done(world: &World, write: Write) -> (Pipeline, String) {
    let source: Arc<dyn Source> = Arc::new(world.source(10));
    let outcome = carry_out(&*source, &source, write).await;
    let Outcome::Done { note: Some(note) } = outcome else { panic!("{outcome:?}") };
    assert_eq!(world.violations().await, json!([]));
    (now(world).await, note.to_string())
}

/// Submits `write` as it was seen before `meanwhile`, which somebody else does.
async fn late(world: &World, write: Write, meanwhile: (&str, Value)) -> Fault {
    let source = world.source(10);
    let order = confirmed(&source, write).await.order(0).unwrap();
    let (status, answer) = world.bob(meanwhile.0, meanwhile.1).await;
    assert_eq!(status, 200, "{answer}");
    source.submit(&order, &context()).await.unwrap_err()
}

/// Submits `write` while the answer to `operation` gets lost after it was done.
async fn lost(world: &World, write: Write, operation: &str) -> Outcome {
    let source: Arc<dyn Source> = Arc::new(world.source(10));
    let cut = json!({ "kind": "cut", "operations": [operation], "times": 1 });
    world.lab("faults", json!({ "faults": [cut] })).await;
    let outcome = carry_out(&*source, &source, write).await;
    let calls = world.lab("calls", json!({})).await;
    assert_eq!(calls["count"][operation], 1, "{operation} was sent once");
    outcome
}

fn is_found(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Done { note: Some(note) } if note.as_str().contains("lost"))
}

async fn failed(name: &str) -> (World, ExecutionId) {
    let world = world(name, &json!({})).await;
    let id = world.run_to("shop", "Production").await;
    let ends = |action: &str, outcome: &str| json!({ "pipeline": "shop", "action": action, "outcome": outcome });
    world.lab("advance", ends("Deploy", "Succeeded")).await;
    world.lab("advance", ends("Check", "Failed")).await;
    (world, ExecutionId::new(&id))
}

fn retry(execution: &ExecutionId, all: bool) -> Write {
    Write::Retry { pipeline: shop(), stage: "Production".into(), execution: execution.clone(), all }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_failed_stage_runs_again_in_part_or_whole() {
    for (all, deploy) in [(false, RunState::Succeeded), (true, RunState::Running)] {
        let (world, id) = failed(&format!("retry-{all}")).await;
        let (after, note) = done(&world, retry(&id, all)).await;
        assert!(note.contains("runs again"), "{note}");
        let states: Vec<RunState> = last(&after).actions.iter().map(|a| a.state).collect();
        assert_eq!(states, [deploy, RunState::Running]);
    }
    let (world, id) = failed("retry-late").await;
    let body = json!({
        "pipelineName": "shop", "stageName": "Production",
        "pipelineExecutionId": id.as_str(), "retryMode": "FAILED_ACTIONS"
    });
    let fault = late(&world, retry(&id, false), ("RetryStageExecution", body)).await;
    assert_eq!(fault.kind, FaultKind::Conflict);
    assert!(fault.message.as_str().contains("state was failed, is running"), "{fault}");
    let (world, id) = failed("retry-lost").await;
    let outcome = lost(&world, retry(&id, false), "RetryStageExecution").await;
    assert!(is_found(&outcome), "{outcome:?}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn an_execution_stops_after_what_runs_or_at_once() {
    let stop = |id: &str, abandon| Write::Stop {
        pipeline: shop(),
        execution: ExecutionId::new(id),
        abandon,
        reason: "wrong build".into(),
    };
    for (abandon, state) in [(false, RunState::Stopping), (true, RunState::Stopped)] {
        let world = world(&format!("stop-{abandon}"), &json!({})).await;
        let id = world.run_to("shop", "Production").await;
        let (after, _) = done(&world, stop(&id, abandon)).await;
        assert_eq!(after.executions[0].state, state);
        let said = after.executions[0].summary.as_ref().unwrap();
        assert_eq!(said.as_str(), "wrong build");
    }
    let late_world = world("stop-late", &json!({})).await;
    let id = late_world.run_to("shop", "Production").await;
    let body = json!({ "pipelineName": "shop", "pipelineExecutionId": id, "abandon": true });
    let fault = late(&late_world, stop(&id, false), ("StopPipelineExecution", body)).await;
    assert_eq!(fault.kind, FaultKind::Conflict);
    assert!(fault.message.as_str().contains("is stopped"), "{fault}");
    let world = world("stop-lost", &json!({})).await;
    let id = world.run_to("shop", "Production").await;
    let outcome = lost(&world, stop(&id, true), "StopPipelineExecution").await;
    assert!(is_found(&outcome), "{outcome:?}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_start_starts_one_execution_even_if_the_reply_is_lost() {
    let calm = world("start", &json!({})).await;
    let (after, note) = done(&calm, Write::Start { pipeline: shop() }).await;
    assert_eq!(after.executions.len(), 1);
    let execution = &after.executions[0];
    assert_eq!(execution.by.as_ref().unwrap().as_str(), "alice");
    assert!(note.contains(execution.id.as_str()), "{note}");
    let name = json!({ "name": "shop" });
    let write = Write::Start { pipeline: shop() };
    let fault = late(&calm, write.clone(), ("StartPipelineExecution", name)).await;
    assert_eq!(fault.kind, FaultKind::Conflict);
    assert!(fault.message.as_str().contains("newest execution was"), "{fault}");
    // Two hosts saw the same, know nothing of each other, and start at once.
    for turn in 0..10 {
        let both = world(&format!("start-both-{turn}"), &json!({})).await;
        let (one, other) = (both.source(10), both.source(10));
        let order = async |source| confirmed(source, write.clone()).await.order(0).unwrap();
        let (first, second) = (order(&one).await, order(&other).await);
        let (context, again) = (context(), context());
        let (a, b) = tokio::join!(one.submit(&first, &context), other.submit(&second, &again));
        assert!(a.is_ok() || b.is_ok(), "{a:?} {b:?}");
        assert_eq!(now(&both).await.executions.len(), 1, "{a:?} {b:?}");
    }
    let world = world("start-lost", &json!({})).await;
    let outcome = lost(&world, write, "StartPipelineExecution").await;
    assert!(is_found(&outcome), "{outcome:?}");
    assert_eq!(now(&world).await.executions.len(), 1);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_way_is_closed_with_a_reason_and_opened_for_what_was_seen_to_wait() {
    let hold = |reason: &str| Write::Hold {
        pipeline: shop(),
        stage: "Production".into(),
        reason: reason.into(),
    };
    let release = Write::Release { pipeline: shop(), stage: "Production".into() };
    let world = world("hold", &json!({})).await;
    let (after, note) = done(&world, hold("INC-7: errors > 5%, see #ops")).await;
    assert!(last(&after).is_held());
    let reason = last(&after).transition.as_ref().unwrap().reason.clone().unwrap();
    assert_eq!(reason.as_str(), "INC-7- errors over 5 percent see ops");
    assert!(note.contains(reason.as_str()), "{note}");

    // Another one comes to wait than the one that was seen.
    let first = world.run_to("shop", "Production").await;
    let waits = last(&now(&world).await).inbound.clone().unwrap();
    assert_eq!(waits.as_str(), first);
    let source = world.source(10);
    let order = confirmed(&source, release.clone()).await.order(0).unwrap();
    let second = world.run_to("shop", "Production").await;
    let fault = source.submit(&order, &context()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict);
    let expected = format!("waiting was {first}, is {second}");
    assert!(fault.message.as_str().contains(&expected), "{fault}");

    let (after, _) = done(&world, release).await;
    assert!(!last(&after).is_held());
    assert_eq!(last(&after).execution.as_ref().unwrap().as_str(), second);
    let outcome = lost_hold(&world, hold("peak")).await;
    assert!(is_found(&outcome), "{outcome:?}");
}

/// A way that is closed once more, its answer lost.
async fn lost_hold(world: &World, write: Write) -> Outcome {
    let cut = json!({ "kind": "cut", "operations": ["DisableStageTransition"], "times": 1 });
    world.lab("faults", json!({ "faults": [cut] })).await;
    let source: Arc<dyn Source> = Arc::new(world.source(10));
    carry_out(&*source, &source, write).await
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_stage_goes_back_to_an_execution_that_succeeded_in_it() {
    async fn bad(name: &str) -> (World, ExecutionId) {
        let world = world(name, &json!({})).await;
        let good = world.run_to("shop", "end").await;
        let id = world.run_to("shop", "Production").await;
        let fails = json!({ "pipeline": "shop", "execution": id, "outcome": "Failed" });
        world.lab("advance", fails).await;
        (world, ExecutionId::new(&good))
    }
    let back = |to: &ExecutionId| Write::RollBack {
        pipeline: shop(),
        stage: "Production".into(),
        to: to.clone(),
    };
    let (world, good) = bad("rollback").await;
    let (after, note) = done(&world, back(&good)).await;
    let newest = &after.executions[0];
    assert_eq!(newest.rollback_to.as_ref(), Some(&good));
    assert_eq!(last(&after).execution.as_ref(), Some(&newest.id));
    assert!(note.contains(newest.id.as_str()), "{note}");

    // What never went through this stage is no way back, and the service says why.
    let (world, good) = bad("rollback-refused").await;
    let failed = last(&now(&world).await).execution.clone().unwrap();
    let source = world.source(10);
    let order = confirmed(&source, back(&failed)).await.order(0).unwrap();
    let fault = source.submit(&order, &context()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidRequest, "{fault}");
    assert!(fault.message.as_str().contains("did not succeed in this stage"), "{fault}");
    world.lab("structure", json!({ "pipeline": "shop" })).await;
    let order = confirmed(&source, back(&good)).await.order(0).unwrap();
    let fault = source.submit(&order, &context()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict, "{fault}");

    let (world, good) = bad("rollback-lost").await;
    let outcome = lost(&world, back(&good), "RollbackStage").await;
    assert!(is_found(&outcome), "{outcome:?}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_condition_that_failed_is_overridden() {
    let rule = json!({
        "name": "p99", "configuration": { "AlarmName": "p99" },
        "ruleTypeId": {
            "category": "Rule", "owner": "AWS", "provider": "CloudWatchAlarm", "version": "1"
        }
    });
    for (member, kind, word) in
        [("beforeEntry", "BEFORE_ENTRY", "before entry"), ("onSuccess", "ON_SUCCESS", "on success")]
    {
        let conditions = json!({ "conditions": [{ "result": "FAIL", "rules": [rule] }] });
        let world =
            world(&format!("override-{word}").replace(' ', "-"), &json!({ member: conditions }))
                .await;
        let fails = json!({
            "pipeline": "shop", "stage": "Production", "type": kind, "outcome": "Failed"
        });
        world.lab("condition", fails).await;
        let id = world.run_to("shop", "end").await;
        assert_eq!(last(&now(&world).await).state, RunState::Failed, "{word}");
        let over = Write::Override {
            pipeline: shop(),
            stage: "Production".into(),
            execution: ExecutionId::new(&id),
            condition: word.into(),
        };
        let (after, _) = done(&world, over.clone()).await;
        assert_ne!(last(&after).state, RunState::Failed, "{word}");
        let source = world.source(10);
        let order = confirmed(&source, over).await.order(0).unwrap();
        let fault = source.submit(&order, &context()).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Conflict, "{word}: {fault}");
    }
}
