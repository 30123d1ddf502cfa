//! Approvals: answered, refused with who was faster, lost on the way, raced for.

use std::sync::Arc;

use flightdeck::backend::Source;
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::ids::{ExecutionId, PipelineId, SourceId};
use flightdeck::domain::pipeline::RunState;
use flightdeck::domain::write::{Outcome, Write};
use serde_json::json;

use crate::hands::{Breaker, carry_out, confirmed, context, losses, submit, submit_seen};
use crate::lab::address;
use crate::pipes::{World, pipeline, read};

async fn waiting(name: &str) -> (World, String) {
    let world = World::new(name).await;
    world.lab("pipelines", json!({ "pipelines": [{ "name": "checkout" }] })).await;
    let execution = world.run_to("checkout", "Production").await;
    (world, execution)
}

fn answer(execution: &str, approve: bool, comment: &str) -> Write {
    Write::Answer {
        pipeline: PipelineId::new(&SourceId::new("pipes"), "checkout"),
        stage: "Production".into(),
        action: "Approve".into(),
        execution: Some(ExecutionId::new(execution)),
        approve,
        comment: comment.into(),
    }
}

/// State of the approval and of the stage, with what is written beside the answer, and by whom.
async fn found(world: &World) -> (RunState, RunState, String, String) {
    let seen = read(&world.source(10), &["checkout"]).await.unwrap();
    let stage = pipeline(&seen, "checkout").stages.last().unwrap();
    let action = &stage.actions[0];
    let said = |text: &Option<flightdeck::domain::text::SafeText>| {
        text.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    (action.state, stage.state, said(&action.summary), said(&action.by))
}

async fn sent(world: &World) -> u64 {
    world.lab("calls", json!({})).await["count"]["PutApprovalResult"].as_u64().unwrap_or(0)
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn an_approval_and_a_rejection_do_what_they_say() {
    for (approve, action, stage) in [
        (true, RunState::Succeeded, RunState::Running),
        (false, RunState::Failed, RunState::Failed),
    ] {
        let (world, execution) = waiting(&format!("answer-{approve}")).await;
        let source = world.source(10);
        let receipt = submit(&source, answer(&execution, approve, "p99 is fine")).await.unwrap();
        assert!(receipt.note.unwrap().as_str().starts_with("answered at 20"));
        let expected = (action, stage, "p99 is fine".to_owned(), "alice".to_owned());
        assert_eq!(found(&world).await, expected);
        assert_eq!(world.violations().await, json!([]));
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn whoever_was_faster_is_named() {
    let (world, execution) = waiting("answer-faster").await;
    let source = world.source(10);
    let order = confirmed(&source, answer(&execution, true, "")).await.order(0).unwrap();
    submit(&world.source_of("LABBOB", 10), answer(&execution, false, "no")).await.unwrap();
    let fault = source.submit(&order, &context()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict, "{fault}");
    assert!(fault.message.as_str().starts_with("rejected by bob at 20"), "{fault}");

    // One that is nobody's any more: the request was stopped.
    let (world, execution) = waiting("answer-stopped").await;
    let source = world.source(10);
    let order = confirmed(&source, answer(&execution, true, "")).await.order(0).unwrap();
    let stop = json!({
        "pipelineName": "checkout", "pipelineExecutionId": execution, "abandon": true
    });
    assert_eq!(world.bob("StopPipelineExecution", stop).await.0, 200);
    let fault = source.submit(&order, &context()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict, "{fault}");
    assert!(fault.message.as_str().contains("abandoned"), "{fault}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn refused_calls_changed_nothing_and_are_not_repeated() {
    let (world, execution) = waiting("answer-refused").await;
    let source = world.source(10);
    for (kind, expected) in [
        ("throttle", FaultKind::Throttled { until: None }),
        ("expire", FaultKind::NotAuthenticated),
        (
            "deny",
            FaultKind::Forbidden { permission: Some("codepipeline:PutApprovalResult".into()) },
        ),
        // It failed after it had the request: nobody knows how far it came.
        ("fail", FaultKind::OutcomeUnknown),
    ] {
        let rule = json!({ "kind": kind, "operations": ["PutApprovalResult"] });
        world.lab("faults", json!({ "faults": [rule] })).await;
        let before = sent(&world).await;
        let fault = submit(&source, answer(&execution, true, "")).await.unwrap_err();
        assert_eq!(fault.kind, expected, "{kind}: {fault}");
        assert_eq!(sent(&world).await, before + 1, "{kind}: sent once");
        world.lab("faults", json!({ "faults": [] })).await;
        assert_eq!(found(&world).await.0, RunState::Waiting, "{kind}");
    }
    let long = submit(&source, answer(&execution, true, &"x".repeat(513))).await.unwrap_err();
    assert_eq!(long.kind, FaultKind::InvalidRequest);
    assert_eq!(sent(&world).await, 4);
    submit(&source, answer(&execution, true, &"ä".repeat(512))).await.unwrap();
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_lost_reply_is_unknown_and_was_done_once() {
    for (at, loss) in losses().iter().enumerate() {
        let (world, execution) = waiting(&format!("answer-lost-{at}")).await;
        let to = address("LAB_CODEPIPELINE_URL").replace("http://", "");
        let breaker = Breaker::new(&format!("answer-lost-{at}"), &to).await;
        let url = format!("http://127.0.0.1:{}/w/answer-lost-{at}", breaker.port);
        let far = World::at(url);
        let behind = far.source(1);
        // The state, the structure and the executions are read before.
        breaker.breaks(3, loss).await;
        let lost = submit_seen(&world.source(10), &behind, answer(&execution, true, "")).await;
        assert_eq!(lost.unwrap_err().kind, FaultKind::OutcomeUnknown, "{loss}");
        assert_eq!(found(&world).await.0, RunState::Succeeded, "{loss}");
        assert_eq!(sent(&world).await, 1, "{loss}");
    }
    // What was never connected has certainly not happened.
    let (world, execution) = waiting("answer-nowhere").await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = World::at(format!("http://{}", free.local_addr().unwrap()));
    drop(free);
    let write = answer(&execution, true, "");
    let fault = submit_seen(&world.source(10), &nowhere.source(1), write).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn the_gateway_finds_what_a_lost_reply_did_and_tells_who_was_faster() {
    let (world, execution) = waiting("answer-gateway").await;
    let source: Arc<dyn Source> = Arc::new(world.source(10));
    let cut = json!({ "kind": "cut", "operations": ["PutApprovalResult"], "times": 1 });
    world.lab("faults", json!({ "faults": [cut] })).await;
    let outcome = carry_out(&*source, &source, answer(&execution, true, "")).await;
    let Outcome::Done { note: Some(note) } = outcome else { panic!("{outcome:?}") };
    assert!(note.as_str().contains("lost"), "{note}");
    assert_eq!(sent(&world).await, 1);

    // A reply that was lost before anything was done stays unknown: it is never sent again.
    let (world, execution) = waiting("answer-undone").await;
    let source: Arc<dyn Source> = Arc::new(world.source(10));
    let fail = json!({ "kind": "fail", "operations": ["PutApprovalResult"], "times": 1 });
    world.lab("faults", json!({ "faults": [fail] })).await;
    let outcome = carry_out(&*source, &source, answer(&execution, true, "")).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(sent(&world).await, 1);
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn of_two_who_answer_at_once_exactly_one_wins_and_the_other_is_told() {
    for round in 0..20 {
        let (world, execution) = waiting(&format!("answer-race-{round}")).await;
        let (alice, bob) = (world.source(10), world.source_of("LABBOB", 10));
        let write = answer(&execution, true, "mine");
        let first = confirmed(&alice, write.clone()).await.order(0).unwrap();
        let second = confirmed(&bob, write).await.order(0).unwrap();
        let (context_a, context_b) = (context(), context());
        let (a, b) =
            tokio::join!(alice.submit(&first, &context_a), bob.submit(&second, &context_b));
        let winner = found(&world).await.3;
        let (won, lost) = if winner == "alice" { (a, b) } else { (b, a) };
        won.unwrap();
        let fault = lost.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Conflict);
        assert!(fault.message.as_str().starts_with(&format!("approved by {winner}")), "{fault}");
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn side_by_side_executions_are_answered_each_for_itself() {
    let world = World::new("answer-parallel").await;
    let sessions = json!({ "name": "checkout", "mode": "PARALLEL" });
    world.lab("pipelines", json!({ "pipelines": [sessions] })).await;
    let one = world.run_to("checkout", "Production").await;
    let other = world.run_to("checkout", "Production").await;
    let source: Arc<dyn Source> = Arc::new(world.source(10));
    let outcome = carry_out(&*source, &source, answer(&one, true, "")).await;
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    let seen = read(&*source, &["checkout"]).await.unwrap();
    let left: Vec<String> = pipeline(&seen, "checkout")
        .approvals()
        .filter_map(|(_, _, ask)| ask.execution.as_ref().map(ToString::to_string))
        .collect();
    assert_eq!(left, [other.as_str()]);

    let outcome = carry_out(&*source, &source, answer(&other, false, "no")).await;
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    let retry = Write::Retry {
        pipeline: PipelineId::new(&SourceId::new("pipes"), "checkout"),
        stage: "Production".into(),
        execution: ExecutionId::new(&other),
        all: true,
    };
    let outcome = carry_out(&*source, &source, retry).await;
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    let seen = read(&*source, &["checkout"]).await.unwrap();
    assert_eq!(pipeline(&seen, "checkout").approvals().count(), 1);
}
