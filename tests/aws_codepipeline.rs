//! `CodePipeline` as a source: replies in the shapes of its API reference, decoded by the real SDK.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "support/aws.rs"]
mod aws;
#[path = "support/aws_pipelines.rs"]
mod pipes;
#[path = "aws_codepipeline/tags.rs"]
mod tags;
#[path = "aws_codepipeline/unread.rs"]
mod unread;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use aws::{Cloud, Reply, Request, context, schedule, scope};
use flightdeck::backend::Source;
use flightdeck::backend::aws::CodePipeline;
use flightdeck::config::sources::CodePipelineSource;
use flightdeck::domain::change::ChangeKind;
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::fact::{Fact, FactKind};
use flightdeck::domain::ids::{ExecutionId, SourceId};
use flightdeck::domain::observation::{Observation, Topic};
use flightdeck::domain::pipeline::{ExecutionMode, RunState};
use pipes::{action, ago, changes, checkout, item, overview, page, pipelines, read, source};
use serde_json::json;

#[tokio::test]
async fn a_thousand_pipelines_are_ten_pages_and_one_identity() {
    let cloud = Cloud::start(|request| page(request, 1_000)).await;
    let source = source(&cloud, &[]);
    let (context, meter) = context();
    let seen = source.observe(&scope(Topic::Overview, Vec::new()), &context).await.unwrap();
    assert_eq!(seen.items.as_ref().unwrap().len(), 1_000);
    assert_eq!(seen.complete, [FactKind::Pipelines]);
    assert_eq!(
        seen.identity.unwrap().as_str(),
        "arn:aws:iam::123456789012:user/Alice · 123456789012 · eu-west-1"
    );
    assert_eq!(meter.calls(), 11);
    assert_eq!(cloud.count("ListPipelines"), 10);
    let first = &seen.facts[0];
    let Fact::Pipeline(first) = first else { panic!("{first:?}") };
    assert_eq!(first.mode, ExecutionMode::Queued);
    assert_eq!(first.flavour.as_ref().unwrap().as_str(), "V2");
    assert_eq!(first.updated.unwrap().to_string(), "2025-11-23T09:43:20.5Z");
    assert!(!first.detail && first.stages.is_empty());
    // Who we are does not change from read to read.
    source.observe(&scope(Topic::Overview, Vec::new()), &context).await.unwrap();
    assert_eq!(cloud.count("GetCallerIdentity"), 1);
}

#[tokio::test]
async fn only_the_named_pipelines_are_read() {
    let cloud = Cloud::start(|request| page(request, 20)).await;
    let seen = overview(&source(&cloud, &["*-0003", "service-001?"])).await.unwrap();
    assert_eq!(seen.items.unwrap().len(), 11);
}

#[tokio::test]
async fn a_page_that_fails_leaves_the_known_pipelines_alone() {
    let cloud = Cloud::start(|request| match request.text("nextToken").as_str() {
        "300" => Reply::error(500, "InternalFailure", "try again"),
        _ => page(request, 1_000),
    })
    .await;
    let fault = overview(&source(&cloud, &[])).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::ServerError);
}

#[tokio::test]
async fn a_state_becomes_stages_actions_and_an_approval() {
    let cloud = Cloud::start(checkout).await;
    let source = source(&cloud, &[]);
    let seen = read(&source, &["checkout"]).await.unwrap();
    assert!(seen.faults.is_empty() && seen.complete.is_empty() && seen.warnings.is_empty());
    let pipeline = pipelines(&seen)[0];
    assert!(pipeline.detail);
    assert_eq!(pipeline.version, Some(4));
    assert_eq!(pipeline.mode, ExecutionMode::Superseded);
    let states: Vec<_> = pipeline.stages.iter().map(|s| (s.name.as_str(), s.state)).collect();
    assert_eq!(
        states,
        [
            ("Source", RunState::Succeeded),
            ("Staging", RunState::Waiting),
            ("Production", RunState::Failed),
            ("Later", RunState::NotRun),
        ]
    );

    let code = &pipeline.stages[0];
    assert!(code.transition.is_none(), "there is no way into the first stage");
    let revision = code.revision.as_ref().unwrap();
    assert_eq!(revision.short(), "333333");
    assert_eq!(revision.message.as_ref().unwrap().as_str(), "Faster cart");

    let staging = &pipeline.stages[1];
    assert_eq!(staging.execution, Some(ExecutionId::new("e2")));
    assert_eq!(staging.inbound, Some(ExecutionId::new("e3")));
    let [approve, deploy] = &staging.actions[..] else { panic!("{:?}", staging.actions) };
    assert_eq!((approve.name.as_str(), approve.state), ("Approve", RunState::Waiting));
    let ask = approve.approval.as_ref().unwrap();
    assert_eq!(ask.token.as_ref().and_then(|t| t.reveal()), Some("1a2b3c4d-token"));
    assert_eq!(ask.execution, Some(ExecutionId::new("e2")));
    assert_eq!(ask.message.as_ref().unwrap().as_str(), "look at the graphs");
    assert_eq!(ask.link.as_ref().unwrap().as_str(), "https://example.org/graphs");
    let hour = jiff::SignedDuration::from_hours(1);
    assert_eq!(ask.deadline.unwrap(), ask.requested.unwrap() + hour);
    // The deployment behind the approval is of an earlier run: in this one it did not run.
    assert_eq!((deploy.name.as_str(), deploy.state), ("Deploy", RunState::NotRun));
    assert_eq!((&deploy.summary, deploy.at), (&None, None));
    let condition = &staging.conditions[0];
    assert_eq!((condition.when.as_str(), condition.state), ("before entry", RunState::Failed));
    let said = condition.summary.as_ref().unwrap().as_str();
    assert_eq!(said, "alarms Failed: RuleFailed: p99 fires");

    let production = &pipeline.stages[2];
    let way = production.transition.as_ref().unwrap();
    assert!(production.is_held());
    assert_eq!(way.reason.as_ref().unwrap().as_str(), "peak hours");
    assert_eq!(way.by.as_ref().unwrap().as_str(), "bob");
    assert_eq!(production.revision.as_ref().unwrap().short(), "111111", "beyond the history");
    let deploy = &production.actions[0];
    assert_eq!(deploy.error.as_ref().unwrap().as_str(), "JobFailed: no hosts");
    assert_eq!(deploy.percent, Some(100));

    let states: Vec<_> = pipeline.executions.iter().map(|e| (e.id.as_str(), e.state)).collect();
    assert_eq!(
        states,
        [
            ("e3", RunState::Running),
            ("e2", RunState::Waiting),
            ("e0", RunState::Stopped),
            ("ex", RunState::Unknown),
        ]
    );
    let started = &pipeline.executions[1];
    assert_eq!(started.by.as_ref().unwrap().as_str(), "carol@example.org");
    assert_eq!(started.trigger.as_ref().unwrap().as_str(), "manual start");
    let stopped = &pipeline.executions[2];
    assert_eq!(stopped.summary.as_ref().unwrap().as_str(), "wrong branch");
    assert_eq!(stopped.rollback_to, Some(ExecutionId::new("e1")));
    assert_eq!(stopped.trigger.as_ref().unwrap().as_str(), "BrandNewTrigger");
}

#[tokio::test]
async fn what_happened_is_told_once() {
    let cloud = Cloud::start(checkout).await;
    let source = source(&cloud, &[]);
    let seen = read(&source, &["checkout"]).await.unwrap();
    let told = changes(&seen);
    let of = |kind| told.iter().filter(|c| c.kind == kind).map(|c| c.title.as_str()).collect();
    let deploys: Vec<&str> = of(ChangeKind::Deploy);
    assert_eq!(deploys, ["checkout Production/Deploy failed to deploy: 111111"]);
    let rollbacks: Vec<&str> = of(ChangeKind::Rollback);
    assert_eq!(rollbacks, ["checkout rollback started: e0"]);
    let closed = told.iter().find(|c| c.title.as_str().contains("closed")).unwrap();
    assert_eq!(closed.title.as_str(), "checkout: way into Production closed");
    assert_eq!(closed.who.as_ref().unwrap().as_str(), "bob");
    let again = read(&source, &["checkout"]).await.unwrap();
    let ids = |seen: &Observation| changes(seen).iter().map(|c| c.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&seen).len(), ids(&again).len());
}

#[tokio::test]
async fn an_unmoved_pipeline_costs_one_call() {
    let fixed: Vec<(String, Reply)> =
        ["GetPipelineState", "GetPipeline", "ListPipelineExecutions", "GetPipelineExecution"]
            .into_iter()
            .map(|operation| {
                let headers =
                    [("x-amz-target".to_owned(), format!("CodePipeline_20150709.{operation}"))];
                let headers = headers.into_iter().collect();
                let (method, path) = ("POST".to_owned(), "/".to_owned());
                (
                    operation.to_owned(),
                    checkout(&Request { method, path, headers, body: Vec::new() }),
                )
            })
            .collect();
    let cloud = Cloud::start(move |request| {
        let operation = request.operation();
        fixed.iter().find(|(name, _)| *name == operation).unwrap().1.clone()
    })
    .await;
    let source = source(&cloud, &[]);
    let (context, meter) = context();
    let scope = scope(Topic::Items, vec![item("checkout")]);
    let first = source.observe(&scope, &context).await.unwrap();
    assert_eq!(meter.calls(), 4);
    let second = source.observe(&scope, &context).await.unwrap();
    assert_eq!(meter.calls(), 5, "{:?}", cloud.counts());
    assert_eq!(first.facts, second.facts);
}

#[tokio::test]
async fn a_forbidden_pipeline_does_not_blank_the_others() {
    let cloud = Cloud::start(|request| {
        if request.text("name") == "secret" {
            let message = "User: arn:aws:iam::123456789012:user/Alice is not authorized to \
                           perform: codepipeline:GetPipelineState on resource: secret";
            return Reply::error(400, "AccessDeniedException", message);
        }
        if request.text("name") == "gone" {
            return Reply::error(400, "PipelineNotFoundException", "no such pipeline");
        }
        checkout(request)
    })
    .await;
    let seen = read(&source(&cloud, &[]), &["secret", "checkout", "gone"]).await.unwrap();
    assert_eq!(pipelines(&seen).len(), 1);
    let faults: Vec<_> = seen.faults.iter().map(|(i, f)| (i.name().as_str(), &f.kind)).collect();
    let permission = Some("codepipeline:GetPipelineState".into());
    assert_eq!(
        faults,
        [("secret", &FaultKind::Forbidden { permission }), ("gone", &FaultKind::NotFound)]
    );
}

#[tokio::test]
async fn without_the_structure_an_approval_is_still_seen() {
    let cloud = Cloud::start(|request| match request.operation().as_str() {
        "GetPipeline" => Reply::error(400, "AccessDeniedException", "no"),
        _ => checkout(request),
    })
    .await;
    let seen = read(&source(&cloud, &[]), &["checkout"]).await.unwrap();
    assert!(seen.warnings[0].as_str().contains("codepipeline:GetPipeline"));
    let pipeline = pipelines(&seen)[0];
    let (stage, _, ask) = pipeline.approvals().next().unwrap();
    assert_eq!(stage.name.as_str(), "Staging");
    assert_eq!(ask.token.as_ref().and_then(|t| t.reveal()), Some("1a2b3c4d-token"));
}

#[tokio::test]
async fn throttling_keeps_what_was_read_and_pauses() {
    let calls = Arc::new(AtomicUsize::new(0));
    let seen_by_server = Arc::clone(&calls);
    let cloud = Cloud::start(move |request| {
        let states = request.operation() == "GetPipelineState";
        if states && seen_by_server.fetch_add(1, Ordering::SeqCst) >= 5 {
            let reply = Reply::error(400, "ThrottlingException", "Rate exceeded");
            return reply.header("retry-after", "30");
        }
        checkout(request)
    })
    .await;
    let source = source(&cloud, &[]);
    let names: Vec<String> = (0..16).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let seen = read(&source, &names).await.unwrap();
    assert_eq!(pipelines(&seen).len(), 5);
    assert_eq!(seen.faults.len(), 11);
    assert!(seen.faults.iter().all(|(_, f)| matches!(f.kind, FaultKind::Throttled { .. })));
    let asked = calls.load(Ordering::SeqCst);
    assert!(asked <= 5 + 4, "after the first refusal no more are asked: {asked}");
    let fault = read(&source, &names).await.unwrap_err();
    assert!(matches!(fault.kind, FaultKind::Throttled { until: Some(_) }));
    assert_eq!(calls.load(Ordering::SeqCst), asked, "asked for a pause, it is left alone");
}

#[tokio::test]
async fn expired_credentials_heal_without_a_restart() {
    let expired = Arc::new(AtomicBool::new(false));
    let is_expired = Arc::clone(&expired);
    let cloud = Cloud::start(move |request| {
        if is_expired.load(Ordering::SeqCst) && request.key() != "AKIDNEW" {
            let message = "The security token included in the request is expired";
            return Reply::error(400, "ExpiredTokenException", message);
        }
        if request.operation() == "ListPipelines" { page(request, 3) } else { checkout(request) }
    })
    .await;
    let source = source(&cloud, &[]);
    assert!(overview(&source).await.is_ok());
    expired.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let fault = overview(&source).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::NotAuthenticated);
        assert!(fault.hint.as_str().contains("profile lab"), "{}", fault.hint);
    }
    let fault = read(&source, &["checkout", "other"]).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotAuthenticated, "the whole source, not two pipelines");
    let identities = cloud.count("GetCallerIdentity");
    cloud.sign_in_as("AKIDNEW");
    assert!(overview(&source).await.is_ok());
    assert!(read(&source, &["checkout"]).await.is_ok());
    assert_eq!(cloud.count("GetCallerIdentity"), identities + 1, "new keys, perhaps a new person");
}

#[tokio::test]
async fn a_profile_that_does_not_exist_says_what_to_do() {
    let cloud = Cloud::start(checkout).await;
    let mut settings = CodePipelineSource { aws: cloud.access(), ..Default::default() };
    settings.aws.profile = Some("nobody".to_owned());
    settings.aws.region = Some("eu-west-1".to_owned());
    let id = SourceId::new("pipes");
    let source = CodePipeline::new(id, &settings, schedule(), &cloud.sessions());
    let fault = overview(&source).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotAuthenticated, "{fault:?}");
    assert!(fault.hint.as_str().contains("profile nobody"), "{}", fault.hint);
}

#[tokio::test]
async fn a_dead_address_and_nonsense_are_told_apart() {
    let cloud = Cloud::start(|_| Reply::status(200, "<html>hello</html>")).await;
    let fault = overview(&source(&cloud, &[])).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidReply, "{fault:?}");
    let fault = read(&source(&cloud, &[]), &["checkout"]).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidReply);

    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let mut settings = CodePipelineSource { aws: cloud.access(), ..Default::default() };
    settings.aws.endpoint = Some(format!("http://{address}").parse().unwrap());
    let id = SourceId::new("pipes");
    let source = CodePipeline::new(id, &settings, schedule(), &cloud.sessions());
    let fault = overview(&source).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable, "{fault:?}");
}

/// `ListActionExecutions` as its API reference shows it; in `PARALLEL` mode the state has no token.
fn web(request: &Request) -> Reply {
    let body = match request.operation().as_str() {
        "GetPipelineState" => json!({
            "pipelineName": "web", "pipelineVersion": 1,
            "stageStates": [
                { "stageName": "Source", "actionStates": [{ "actionName": "Code" }] },
                { "stageName": "Prod", "actionStates": [{ "actionName": "Approve" }] }
            ]
        }),
        "GetPipeline" => json!({ "pipeline": {
            "name": "web", "roleArn": "arn:aws:iam::123456789012:role/p", "version": 1,
            "pipelineType": "V2", "executionMode": "PARALLEL",
            "stages": [
                { "name": "Source", "actions": [action("Code", "Source", "S3", 1)] },
                { "name": "Prod", "actions": [action("Approve", "Approval", "Manual", 1)] }
            ]
        } }),
        "ListPipelineExecutions" => json!({ "pipelineExecutionSummaries": [
            { "pipelineExecutionId": "b", "status": "InProgress" },
            { "pipelineExecutionId": "a", "status": "InProgress" },
            { "pipelineExecutionId": "z", "status": "Succeeded" }
        ] }),
        "ListActionExecutions" => {
            let filter = request.json()["filter"]["pipelineExecutionId"].clone();
            let id = filter.as_str().unwrap();
            let (approval, age) = if id == "a" { ("ask-a", 900) } else { ("ask-b", 300) };
            json!({ "actionExecutionDetails": [
                {
                    "pipelineExecutionId": id, "stageName": "Prod", "actionName": "Approve",
                    "startTime": ago(age), "lastUpdateTime": ago(age), "status": "InProgress",
                    "input": {
                        "actionTypeId": {
                            "category": "Approval", "owner": "AWS",
                            "provider": "Manual", "version": "1"
                        },
                        "resolvedConfiguration": { "CustomData": format!("ship {id}?") }
                    },
                    "output": { "executionResult": { "externalExecutionId": approval } }
                },
                {
                    "pipelineExecutionId": id, "stageName": "Source", "actionName": "Code",
                    "startTime": ago(age + 60), "lastUpdateTime": ago(age + 50),
                    "status": "Succeeded"
                }
            ] })
        }
        other => panic!("{other}"),
    };
    Reply::json(&body)
}

#[tokio::test]
async fn parallel_executions_each_wait_with_their_own_token() {
    let cloud = Cloud::start(web).await;
    let seen = read(&source(&cloud, &[]), &["web"]).await.unwrap();
    assert_eq!(cloud.count("ListActionExecutions"), 2, "only the running ones");
    let pipeline = pipelines(&seen)[0];
    assert_eq!(pipeline.mode, ExecutionMode::Parallel);
    let asks: Vec<_> = pipeline
        .approvals()
        .map(|(_, _, ask)| {
            let message = ask.message.as_ref().unwrap().as_str();
            (
                ask.execution.as_ref().unwrap().as_str(),
                ask.token.as_ref().unwrap().reveal().unwrap(),
                message,
            )
        })
        .collect();
    assert_eq!(asks, [("a", "ask-a", "ship a?"), ("b", "ask-b", "ship b?")], "oldest first");
    assert_eq!(pipeline.stages[0].state, RunState::Succeeded);
    assert_eq!(pipeline.stages[1].state, RunState::Waiting);
    assert_eq!(pipeline.stages[1].execution, None);
    let states: Vec<_> = pipeline.executions.iter().map(|e| e.state).collect();
    assert_eq!(states, [RunState::Waiting, RunState::Waiting, RunState::Succeeded]);
}

#[tokio::test]
async fn without_the_structure_the_listing_tells_the_mode() {
    let cloud = Cloud::start(|request| match request.operation().as_str() {
        "GetPipeline" => Reply::error(400, "AccessDeniedException", "no"),
        "ListPipelines" => Reply::json(&json!({ "pipelines": [
            { "name": "web", "version": 1, "executionMode": "PARALLEL" }
        ] })),
        _ => web(request),
    })
    .await;
    let source = source(&cloud, &[]);
    overview(&source).await.unwrap();
    for _ in 0..3 {
        let seen = read(&source, &["web"]).await.unwrap();
        let pipeline = pipelines(&seen)[0];
        assert_eq!(pipeline.mode, ExecutionMode::Parallel);
        assert_eq!(pipeline.approvals().count(), 2);
        assert!(seen.warnings[0].as_str().contains("codepipeline:GetPipeline"));
    }
    assert_eq!(cloud.count("GetPipeline"), 1, "a refusal is remembered for a while");
}

/// `count` running executions, a hundred a page; the action that asks is on a second page.
fn crowd(request: &Request, count: usize) -> Reply {
    let from: usize = request.text("nextToken").parse().unwrap_or(0);
    match request.operation().as_str() {
        "ListPipelineExecutions" => {
            let to = (from + 100).min(count);
            let page: Vec<_> = (from..to)
                .map(|n| {
                    json!({ "pipelineExecutionId": format!("e{n}"), "status":
                    if n % 100 == 99 { "InProgress" } else { "Succeeded" } })
                })
                .collect();
            let mut body = json!({ "pipelineExecutionSummaries": page });
            if to < count {
                body["nextToken"] = json!(to.to_string());
            }
            Reply::json(&body)
        }
        "ListActionExecutions" if from == 0 => {
            Reply::json(&json!({ "actionExecutionDetails": [], "nextToken": "1" }))
        }
        _ => web(request),
    }
}

#[tokio::test]
async fn every_page_of_parallel_executions_is_read_or_told_to_be_cut() {
    for (count, asks, warned) in [(300, 3, false), (700, 5, true)] {
        let cloud = Cloud::start(move |request| crowd(request, count)).await;
        let seen = read(&source(&cloud, &[]), &["web"]).await.unwrap();
        assert_eq!(pipelines(&seen)[0].approvals().count(), asks);
        let said: Vec<_> =
            seen.warnings.iter().map(flightdeck::domain::text::SafeText::as_str).collect();
        let expected: &[&str] =
            if warned { &["web: only its newest 500 executions are read"] } else { &[] };
        assert_eq!(said, expected);
    }
    let cloud = Cloud::start(|request| match request.operation().as_str() {
        "ListPipelineExecutions" => {
            let all: Vec<_> = (0..60)
                .map(|n| json!({ "pipelineExecutionId": format!("e{n}"), "status": "InProgress" }))
                .collect();
            Reply::json(&json!({ "pipelineExecutionSummaries": all }))
        }
        _ => web(request),
    })
    .await;
    let seen = read(&source(&cloud, &[]), &["web"]).await.unwrap();
    assert_eq!(
        seen.warnings[0].as_str(),
        "web: 60 executions run; approvals of the newest 50 alone are read"
    );
}
