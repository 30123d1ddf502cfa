//! Stands of the AWS sources that can be written to, in the shapes of their API references.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use flightdeck::backend::aws::{AppConfig, CodePipeline};
use flightdeck::config::sources::{AppConfigSource, CodePipelineSource};
use flightdeck::domain::ids::{ExecutionId, FlagId, PipelineId};
use flightdeck::domain::write::{FlagChange, Write};
use serde_json::{Value, json};

use crate::account::{Account, deployment, in_state, refusal};
use crate::aws::{Reply, Request};
use crate::pipes;
use crate::stands::{access, aws_refusals, aws_server, id, sessions, stand};
use crate::writing::Hand;

/// The operations that change something.
const WRITES: [&str; 8] = [
    "PutApprovalResult",
    "RetryStageExecution",
    "StopPipelineExecution",
    "StartPipelineExecution",
    "DisableStageTransition",
    "EnableStageTransition",
    "RollbackStage",
    "OverrideStageCondition",
];

pub async fn codepipeline() -> Hand {
    let told: Mutex<BTreeMap<String, Reply>> = Mutex::default();
    let server = aws_server(move |request| match request.operation().as_str() {
        "PutApprovalResult" => Reply::json(&json!({ "approvedAt": 1_763_891_000.5 })),
        "DisableStageTransition" | "EnableStageTransition" | "OverrideStageCondition" => {
            Reply::status(200, "")
        }
        write if WRITES.contains(&write) => Reply::json(&json!({ "pipelineExecutionId": "e9" })),
        "ListActionExecutions" => Reply::json(&json!({ "actionExecutionDetails": [] })),
        read => {
            let mut told = told.lock().unwrap();
            told.entry(read.to_owned()).or_insert_with(|| listed(request)).clone()
        }
    })
    .await;
    let stand = stand(server, Vec::new(), aws_refusals(Reply::error), |given| {
        let settings = CodePipelineSource { aws: access(given), ..CodePipelineSource::default() };
        Arc::new(CodePipeline::new(id(), &settings, given.schedule, &sessions(given)))
    });
    let pipeline = || PipelineId::new(&id(), "checkout");
    let answer = |approve| Write::Answer {
        pipeline: pipeline(),
        stage: "Staging".into(),
        action: "Approve".into(),
        execution: Some(ExecutionId::new("e2")),
        approve,
        comment: "p99 is fine".into(),
    };
    let retry = |all| Write::Retry {
        pipeline: pipeline(),
        stage: "Production".into(),
        execution: ExecutionId::new("e1"),
        all,
    };
    let writes = vec![
        answer(true),
        answer(false),
        retry(true),
        retry(false),
        Write::Stop {
            pipeline: pipeline(),
            execution: ExecutionId::new("e2"),
            abandon: true,
            reason: "wrong branch".into(),
        },
        Write::Start { pipeline: pipeline() },
        Write::Hold { pipeline: pipeline(), stage: "Staging".into(), reason: "50% ; peak".into() },
        Write::Release { pipeline: pipeline(), stage: "Production".into() },
        Write::RollBack {
            pipeline: pipeline(),
            stage: "Production".into(),
            to: ExecutionId::new("e0"),
        },
        Write::Override {
            pipeline: pipeline(),
            stage: "Staging".into(),
            execution: ExecutionId::new("e2"),
            condition: "before entry".into(),
        },
    ];
    let is_write = |request: &Request| WRITES.contains(&request.operation().as_str());
    Hand { stand, writes, is_write }
}

/// The answers of `checkout`, with every execution that a stage speaks of in the listing: what is
/// told of older ones is decoration.
fn listed(request: &Request) -> Reply {
    let mut reply = pipes::checkout(request);
    if request.operation() == "ListPipelineExecutions" {
        let mut body: Value = serde_json::from_slice(&reply.body).unwrap();
        let first = json!({ "pipelineExecutionId": "e1", "status": "Failed" });
        body["pipelineExecutionSummaries"].as_array_mut().unwrap().push(first);
        reply.body = body.to_string().into_bytes();
    }
    reply
}

/// `shop` with one environment, in which the deployment of long ago is the last.
async fn appconfig_with(changes: &[FlagChange], last: Value) -> Hand {
    let account = Account::shop();
    let application = "/applications/app1";
    let environment = json!({ "ApplicationId": "app1", "Id": "env1", "Name": "prod" });
    account.put(&format!("{application}/environments"), &json!({ "Items": [environment] }));
    account.deployments("env1", &[last, deployment(1, 1, 964_000)]);
    let versions = json!({ "Items": [{ "VersionNumber": 2 }, { "VersionNumber": 1 }] });
    let of_profile = format!("{application}/configurationprofiles/prof1");
    account.put(&format!("{of_profile}/hostedconfigurationversions"), &versions);
    let strategy = json!({
        "Id": "AppConfig.AllAtOnce", "Name": "AppConfig.AllAtOnce", "GrowthFactor": 100.0,
        "DeploymentDurationInMinutes": 0, "FinalBakeTimeInMinutes": 10
    });
    account.put("/deploymentstrategies", &json!({ "Items": [strategy] }));
    let server = aws_server(move |request| match request.method.as_str() {
        "POST" if request.path.ends_with("/hostedconfigurationversions") => {
            // The latest version is what the new one was made after.
            match request.headers.get("latest-version-number").map(String::as_str) {
                Some("2") => Reply::status(201, &String::from_utf8_lossy(&request.body))
                    .header("version-number", "3"),
                other => refusal(409, "ConflictException", &format!("{other:?}")),
            }
        }
        "POST" => match request.json()["LatestDeploymentNumber"].as_i64() {
            Some(2) => {
                let begun = json!({ "DeploymentNumber": 3, "State": "DEPLOYING" });
                Reply::status(201, &begun.to_string())
            }
            other => refusal(409, "ConflictException", &format!("{other:?}")),
        },
        "DELETE" => {
            let stopped = json!({ "DeploymentNumber": 2, "State": "ROLLED_BACK" });
            Reply::status(202, &stopped.to_string())
        }
        _ => account.answer(request),
    })
    .await;
    let stand = stand(server, Vec::new(), aws_refusals(refusal), |given| {
        let settings = AppConfigSource { aws: access(given), ..AppConfigSource::default() };
        Arc::new(AppConfig::new(id(), &settings, given.schedule, &sessions(given)))
    });
    let flag = FlagId::new(&id(), "shop/flags:tax");
    let write = |change: &FlagChange| Write::Flag {
        flag: flag.clone(),
        environment: "prod".into(),
        change: change.clone(),
        strategy: None,
    };
    // A version that is not deployed is nothing yet.
    let is_write = |request: &Request| {
        let deploys = request.method == "POST" && request.path.ends_with("/deployments");
        deploys || request.method == "DELETE"
    };
    Hand { stand, writes: changes.iter().map(write).collect(), is_write }
}

pub async fn appconfig() -> Hand {
    let changes = [
        FlagChange::Enabled { on: false },
        FlagChange::Attribute { name: "rate".into(), value: "7".into() },
        FlagChange::Stale { stale: true },
        FlagChange::Revert,
    ];
    appconfig_with(&changes, deployment(2, 2, 864_000)).await
}

/// The same while a deployment is under way.
pub async fn deploying() -> Hand {
    let running = in_state(deployment(2, 2, 864_000), "DEPLOYING", 30.0);
    appconfig_with(&[FlagChange::Halt], running).await
}
