//! An account that is larger than the budget, or not all ours to read: never told as good.

use std::sync::Arc;
use std::time::Duration;

use flightdeck::app::report::{Status, Wanted, status};
use flightdeck::app::{Setup, State};
use flightdeck::backend::Source;
use flightdeck::backend::aws::CodePipeline;
use flightdeck::backend::clock::WallClock;
use flightdeck::cli::exit::Exit;
use flightdeck::cli::{headless, sources};
use flightdeck::config::Schedule;
use flightdeck::config::sources::CodePipelineSource;
use flightdeck::domain::Timestamp;
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::ids::SourceId;
use flightdeck::domain::pattern::Pattern;
use flightdeck::domain::service::Service;
use flightdeck::runtime::headless::Headless;
use flightdeck::runtime::pool::Configured;
use serde_json::{Value, json};

use super::aws::{Cloud, Reply, Request, schedule};
use super::pipes::page;

/// A pipeline of one stage that went well.
fn calm(request: &Request) -> Value {
    let name = request.text("name");
    match request.operation().as_str() {
        "GetPipelineState" => json!({
            "pipelineName": name, "pipelineVersion": 3,
            "stageStates": [{
                "stageName": "Prod",
                "actionStates": [],
                "latestExecution": { "pipelineExecutionId": "e1", "status": "Succeeded" }
            }]
        }),
        "GetPipeline" => json!({
            "pipeline": {
                "name": name, "version": 3, "roleArn": "arn:aws:iam::123456789012:role/r",
                "stages": [{ "name": "Prod", "actions": [] }]
            }
        }),
        _ => json!({
            "pipelineExecutionSummaries": [{ "pipelineExecutionId": "e1", "status": "Succeeded" }]
        }),
    }
}

/// What a script is told after `limit`, of a service that claims every pipeline.
async fn picture(cloud: &Cloud, budget_per_minute: u32, limit: Duration) -> Status {
    let settings = CodePipelineSource { aws: cloud.access(), ..CodePipelineSource::default() };
    let schedule = Schedule { budget_per_minute, ..schedule() };
    let id = SourceId::new("pipes");
    let source = Arc::new(CodePipeline::new(id, &settings, schedule, &cloud.sessions()));
    let mut service = Service::named("all");
    service.claims.pipelines = vec![Pattern::parse("pipes/*")];
    let setup = Setup {
        services: vec![service],
        sources: vec![source.meta()],
        ..Setup::empty(Timestamp::now())
    };
    let configured = Configured { source, series: Vec::new() };
    let mut room = Headless::start(setup, vec![configured], Arc::new(WallClock));
    room.settle(limit).await;
    let state: State = room.into_state();
    status(&state, &Wanted::default())
}

fn answers(request: &Request) -> Reply {
    match request.operation().as_str() {
        "ListPipelines" | "GetCallerIdentity" => page(request, 50),
        _ => Reply::json(&calm(request)),
    }
}

#[tokio::test]
async fn what_the_budget_left_unread_is_never_called_good() {
    let cloud = Cloud::start(answers).await;
    let seen = picture(&cloud, 30, Duration::from_secs(2)).await;
    assert!(!seen.settled);
    let read = seen.pipelines.iter().filter(|p| p.value.detail).count();
    assert_eq!((seen.pipelines.len(), seen.unknown.len()), (50, 50 - read));
    assert!(read < 50);
    assert!(seen.unknown.iter().all(|it| it.fault.kind == FaultKind::NotReadYet));
    assert_eq!(seen.sources[0].unread_items as usize, 50 - read);
    assert_eq!(headless::exit(&seen), Exit::Unknown);
    assert_eq!(sources::exit(&seen.sources), Exit::Unknown);
    let told = &seen.services[0].explained;
    assert!(told.iter().any(|line| line.as_str().contains("unknown: not read yet")), "{told:?}");
}

#[tokio::test]
async fn an_account_that_was_read_whole_is_good() {
    let cloud = Cloud::start(answers).await;
    let seen = picture(&cloud, 60_000, Duration::from_secs(30)).await;
    assert!(seen.settled && seen.unknown.is_empty(), "{:?}", seen.unknown);
    assert_eq!(headless::exit(&seen), Exit::Good, "{:?}", seen.summary);
    assert_eq!(sources::exit(&seen.sources), Exit::Good);
}

#[tokio::test]
async fn pipelines_that_may_not_be_read_name_the_missing_permission() {
    let cloud = Cloud::start(|request| match request.operation().as_str() {
        "GetPipelineState" if request.text("name").ends_with('1') => Reply::error(
            400,
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/Alice is not authorized to perform: \
             codepipeline:GetPipelineState on resource: arn:aws:codepipeline:eu-west-1:1:x",
        ),
        _ => answers(request),
    })
    .await;
    let seen = picture(&cloud, 60_000, Duration::from_secs(30)).await;
    assert!(seen.settled);
    assert_eq!(seen.unknown.len(), 5);
    assert_eq!(headless::exit(&seen), Exit::Unknown);
    assert_eq!(sources::exit(&seen.sources), Exit::Unknown);
    let mut told = Vec::new();
    sources::told(&seen.sources[0], &mut told).unwrap();
    let told = String::from_utf8(told).unwrap();
    let line = "5 pipelines: forbidden, missing codepipeline:GetPipelineState (service-0001";
    assert!(told.contains(line), "{told}");
    let [failing] = &seen.sources[0].failing_items[..] else { panic!("{:?}", seen.sources) };
    let missing = failing.missing_permission.as_ref().unwrap();
    assert_eq!(missing.as_str(), "codepipeline:GetPipelineState");
}
