//! Two control rooms at once, many times; and executions that come to wait meanwhile.

use std::sync::Arc;

use flightdeck::backend::port::Source;
use flightdeck::domain::ids::{ExecutionId, PipelineId, SourceId};
use flightdeck::domain::write::{Outcome, Write};
use flightdeck::store::journal::Journal;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::hands::confirmed;
use crate::kinds::{KINDS, Kind, Scene};
use crate::pipes::World;
use crate::table::pass;

/// How often two approve at once.
const ROUNDS: usize = 20;

/// One round: of two hosts, each with a journal of its own, or of one.
async fn round(number: usize, one_host: bool) {
    let scene = Scene::new(Kind::Approve, &format!("race-{number}-{one_host}")).await;
    let names = ["alice", "bob"];
    let [alice, bob] = ["LABALICE", "LABBOB"]
        .map(|key| Arc::new(scene.world.source_of(key, 20)) as Arc<dyn Source>);
    let (mine, theirs) =
        (confirmed(&*alice, scene.write()).await, confirmed(&*bob, scene.write()).await);
    let before = scene.counts().await;
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [here, there] = [folders[0].path(), folders[usize::from(!one_host)].path()];
    let (a, b) = tokio::join!(pass(&alice, &mine, here), pass(&bob, &theirs, there));
    let outcomes = [a, b];
    let done = |outcome: &Outcome| matches!(outcome, Outcome::Done { .. });
    assert_eq!(outcomes.iter().filter(|o| done(o)).count(), 1, "{number}: {outcomes:?}");
    let winner = usize::from(done(&outcomes[1]));
    match &outcomes[1 - winner] {
        Outcome::Answered { approved: Some(true), by: Some(by), .. } => {
            assert_eq!(by.as_str(), names[winner], "{number}: {outcomes:?}");
        }
        // The lock of the host was taken first.
        Outcome::Refused { why, .. } if one_host => {
            assert!(why.as_str().contains("another process of this host"), "{number}: {why}");
        }
        other => panic!("{number}: {other:?}"),
    }
    assert_eq!(scene.counts().await.0, before.0 + 1, "{number}: once");
    for folder in [here, there] {
        let known = Journal::new(folder.join("journal")).read(None).unwrap();
        assert!(known.findings.is_empty() && known.unresolved().is_empty());
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn of_two_who_approve_at_once_exactly_one_wins_and_the_other_is_told_who() {
    for one_host in [false, true] {
        for first in (0..ROUNDS).step_by(5) {
            join_all((first..first + 5).map(|number| round(number, one_host))).await;
        }
    }
}

/// Side by side a stage has no execution of its own: who was faster is told all the same.
#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn side_by_side_a_lost_race_for_an_approval_tells_who_won_it() {
    let world = World::new("faults-parallel").await;
    let stages = json!([
        { "name": "Source", "actions": ["Code:Source"] },
        { "name": "Production", "actions": ["Approve:Approval", "Deploy:Deploy"] }
    ]);
    let shop = json!({ "name": "shop", "mode": "PARALLEL", "stages": stages });
    world.lab("pipelines", json!({ "pipelines": [shop] })).await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        runs.push(world.run_to("shop", "Production").await);
    }
    let source: Arc<dyn Source> = Arc::new(world.source(20));
    let write = |execution: &str| Write::Answer {
        pipeline: PipelineId::new(&SourceId::new("pipes"), "shop"),
        stage: "Production".into(),
        action: "Approve".into(),
        execution: Some(ExecutionId::new(execution)),
        approve: true,
        comment: "as seen".into(),
    };
    for (execution, answer) in runs.iter().zip(["Rejected", "Approved"]) {
        let confirmed = confirmed(&*source, write(execution)).await;
        let filter = json!({ "pipelineExecutionId": execution });
        let asked = json!({ "pipelineName": "shop", "filter": filter });
        let (_, told) = world.bob("ListActionExecutions", asked).await;
        let details: &[Value] = told["actionExecutionDetails"].as_array().unwrap();
        let own = details.iter().find(|run| run["actionName"] == "Approve").unwrap();
        let token = &own["output"]["executionResult"]["externalExecutionId"];
        let body = json!({
            "pipelineName": "shop", "stageName": "Production", "actionName": "Approve",
            "token": token, "result": { "summary": "seen", "status": answer }
        });
        let (status, said) = world.bob("PutApprovalResult", body).await;
        assert_eq!(status, 200, "{said}");
        let folder = tempfile::tempdir().unwrap();
        let outcome = pass(&source, &confirmed, folder.path()).await;
        let Outcome::Answered { approved, by, at } = &outcome else { panic!("{outcome:?}") };
        assert_eq!(*approved, Some(answer == "Approved"), "{outcome:?}");
        assert!(by.as_ref().is_some_and(|by| *by == "bob") && at.is_some(), "{outcome:?}");
    }
}

/// Two executions come after the one that was seen; one overtakes the other and waits.
#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn what_comes_to_wait_meanwhile_stops_exactly_the_writes_that_it_changes() {
    let one = async |kind: Kind| {
        let scene = Scene::new(kind, "superseded").await;
        let source: Arc<dyn Source> = Arc::new(scene.world.source(20));
        let confirmed = confirmed(&*source, scene.write()).await;
        let wanted = json!({ "pipeline": "shop", "stage": "Production" });
        scene.world.lab("supersede", wanted).await;
        let before = scene.counts().await;
        let folder = tempfile::tempdir().unwrap();
        let outcome = pass(&source, &confirmed, folder.path()).await;
        let asked = scene.counts().await.1 - before.1;
        match kind {
            // What is in the stage is still what was seen.
            Kind::Approve | Kind::Reject | Kind::Stop | Kind::Abandon | Kind::Hold => {
                assert!(matches!(outcome, Outcome::Done { .. }), "{kind:?}: {outcome:?}");
                assert_eq!(asked, 1, "{kind:?}");
            }
            // Another execution would be let in, was started, or is in the stage by now.
            _ => {
                let Outcome::Moved { moved, .. } = &outcome else {
                    panic!("{kind:?}: {outcome:?}")
                };
                assert!(!moved.is_empty() && asked == 0, "{kind:?}: {outcome:?}");
            }
        }
    };
    join_all(KINDS.map(one)).await;
}
