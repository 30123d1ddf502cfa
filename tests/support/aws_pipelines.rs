//! A `CodePipeline` for tests: replies in the shapes of its API reference, and short ways to read it.

use flightdeck::backend::Source;
use flightdeck::backend::aws::CodePipeline;
use flightdeck::config::sources::CodePipelineSource;
use flightdeck::domain::change::Change;
use flightdeck::domain::error::Fault;
use flightdeck::domain::fact::Fact;
use flightdeck::domain::ids::{ItemId, PipelineId, SourceId};
use flightdeck::domain::observation::{Observation, Topic};
use flightdeck::domain::pipeline::Pipeline;
use serde_json::{Value, json};

use super::aws::{Cloud, Reply, Request, context, schedule, scope};

pub fn source(cloud: &Cloud, globs: &[&str]) -> CodePipeline {
    let settings = CodePipelineSource {
        aws: cloud.access(),
        pipelines: globs.iter().map(|g| g.parse().unwrap()).collect(),
        ..CodePipelineSource::default()
    };
    CodePipeline::new(SourceId::new("pipes"), &settings, schedule(), &cloud.sessions())
}

pub fn item(name: &str) -> ItemId {
    ItemId::Pipeline(PipelineId::new(&SourceId::new("pipes"), name))
}

pub async fn read(source: &CodePipeline, names: &[&str]) -> Result<Observation, Fault> {
    let (context, _) = context();
    let items = names.iter().map(|name| item(name)).collect();
    source.observe(&scope(Topic::Items, items), &context).await
}

pub async fn overview(source: &CodePipeline) -> Result<Observation, Fault> {
    let (context, _) = context();
    source.observe(&scope(Topic::Overview, Vec::new()), &context).await
}

pub fn pipelines(observation: &Observation) -> Vec<&Pipeline> {
    let facts = observation.facts.iter();
    facts.filter_map(|fact| if let Fact::Pipeline(it) = fact { Some(it) } else { None }).collect()
}

pub fn changes(observation: &Observation) -> Vec<&Change> {
    let facts = observation.facts.iter();
    facts.filter_map(|fact| if let Fact::Change(it) = fact { Some(it) } else { None }).collect()
}

/// Seconds before now, as the JSON protocol writes times.
pub fn ago(seconds: i64) -> f64 {
    (jiff::Timestamp::now().as_second() - seconds) as f64
}

/// The response syntax of `ListPipelines`, a hundred a page.
pub fn page(request: &Request, count: usize) -> Reply {
    let from: usize = request.text("nextToken").parse().unwrap_or(0);
    let to = (from + 100).min(count);
    let list: Vec<Value> = (from..to)
        .map(|n| {
            json!({
                "name": format!("service-{n:04}"), "version": 3, "pipelineType": "V2",
                "executionMode": "QUEUED", "created": 1.7e9, "updated": 1_763_891_000.5
            })
        })
        .collect();
    let mut body = json!({ "pipelines": list });
    if to < count {
        body["nextToken"] = json!(to.to_string());
    }
    Reply::json(&body)
}

/// The sample responses of `GetPipelineState`, `GetPipeline` and `ListPipelineExecutions` in the
/// API reference, with an approval that waits and everything else that a state can carry.
pub fn checkout(request: &Request) -> Reply {
    let body = match request.operation().as_str() {
        "GetPipelineState" => json!({
            "pipelineName": "checkout", "pipelineVersion": 4,
            "created": 1.7e9, "updated": 1.7e9,
            "stageStates": [
                {
                    "stageName": "Source",
                    "inboundTransitionState": { "enabled": true },
                    "actionStates": [{
                        "actionName": "Code",
                        "currentRevision": {
                            "revisionId": "3333333333333333333333333333333333333333",
                            "revisionChangeId": "x", "created": 1.7e9
                        },
                        "latestExecution": { "status": "Succeeded", "lastStatusChange": ago(500) },
                        "entityUrl": "https://example.org/repo", "revisionUrl": "https://example.org/c/3"
                    }],
                    "latestExecution": { "pipelineExecutionId": "e3", "status": "Succeeded" }
                },
                {
                    "stageName": "Staging",
                    "inboundTransitionState": { "enabled": true },
                    "actionStates": [
                        {
                            "actionName": "Approve",
                            "latestExecution": {
                                "status": "InProgress", "lastStatusChange": ago(600),
                                "token": "1a2b3c4d-token"
                            },
                            "entityUrl": "https://example.org/look"
                        },
                        {
                            "actionName": "Deploy",
                            "latestExecution": {
                                "status": "Succeeded", "lastStatusChange": ago(9_000),
                                "summary": "of an earlier run"
                            }
                        }
                    ],
                    "latestExecution": { "pipelineExecutionId": "e2", "status": "InProgress" },
                    "inboundExecution": { "pipelineExecutionId": "e3", "status": "InProgress" },
                    "beforeEntryConditionState": {
                        "latestExecution": { "status": "Failed", "summary": "1 of 1 failed" },
                        "conditionStates": [{
                            "latestExecution": { "status": "Failed", "lastStatusChange": ago(700) },
                            "ruleStates": [{
                                "ruleName": "alarms",
                                "latestExecution": {
                                    "status": "Failed",
                                    "errorDetails": { "code": "RuleFailed", "message": "p99 fires" }
                                }
                            }]
                        }]
                    }
                },
                {
                    "stageName": "Production",
                    "inboundTransitionState": {
                        "enabled": false, "disabledReason": "peak hours",
                        "lastChangedBy": "arn:aws:iam::123456789012:user/bob",
                        "lastChangedAt": ago(4_000)
                    },
                    "actionStates": [{
                        "actionName": "Deploy",
                        "latestExecution": {
                            "status": "Failed", "lastStatusChange": ago(5_000), "percentComplete": 140,
                            "externalExecutionUrl": "https://example.org/d/1",
                            "errorDetails": { "code": "JobFailed", "message": "no \u{1b}[31mhosts" }
                        }
                    }],
                    "latestExecution": { "pipelineExecutionId": "e1", "status": "Failed" }
                },
                { "stageName": "Later", "actionStates": [{ "actionName": "Deploy" }] }
            ]
        }),
        "GetPipeline" => json!({
            "pipeline": {
                "name": "checkout", "roleArn": "arn:aws:iam::123456789012:role/p", "version": 4,
                "pipelineType": "V2", "executionMode": "SUPERSEDED",
                "artifactStore": { "type": "S3", "location": "b" },
                "stages": [
                    { "name": "Source", "actions": [action("Code", "Source", "CodeCommit", 1)] },
                    { "name": "Staging", "actions": [
                        action("Deploy", "Deploy", "ECS", 2),
                        {
                            "name": "Approve", "runOrder": 1, "timeoutInMinutes": 60,
                            "actionTypeId": {
                                "category": "Approval", "owner": "AWS",
                                "provider": "Manual", "version": "1"
                            },
                            "configuration": {
                                "CustomData": "look at the graphs",
                                "ExternalEntityLink": "https://example.org/graphs"
                            }
                        }
                    ] },
                    { "name": "Production", "actions": [action("Deploy", "Deploy", "ECS", 1)] },
                    { "name": "Later", "actions": [action("Deploy", "Deploy", "ECS", 1)] }
                ]
            },
            "metadata": { "pipelineArn": "arn:aws:codepipeline:eu-west-1:123456789012:checkout" }
        }),
        "ListPipelineExecutions" => json!({ "pipelineExecutionSummaries": [
            {
                "pipelineExecutionId": "e3", "status": "InProgress",
                "startTime": ago(510), "lastUpdateTime": ago(500),
                "sourceRevisions": [{
                    "actionName": "Code", "revisionId": "3333333333333333333333333333333333333333",
                    "revisionSummary": "{\"ProviderType\":\"GitHub\",\"CommitMessage\":\"Faster cart\\n\\nMore\"}",
                    "revisionUrl": "https://example.org/c/3"
                }],
                "trigger": { "triggerType": "WebhookV2", "triggerDetail": "{}" }
            },
            {
                "pipelineExecutionId": "e2", "status": "InProgress",
                "startTime": ago(1_000), "lastUpdateTime": ago(600),
                "sourceRevisions": [{
                    "actionName": "Code", "revisionId": "2222222222222222222222222222222222222222",
                    "revisionSummary": "Fix tax", "revisionUrl": "https://example.org/c/2"
                }],
                "trigger": {
                    "triggerType": "StartPipelineExecution",
                    "triggerDetail": "arn:aws:sts::123456789012:assumed-role/dev/carol@example.org"
                }
            },
            {
                "pipelineExecutionId": "e0", "status": "Stopped",
                "startTime": ago(9_000), "lastUpdateTime": ago(8_000),
                "stopTrigger": { "reason": "wrong branch" },
                "executionType": "ROLLBACK",
                "rollbackMetadata": { "rollbackTargetPipelineExecutionId": "e1" },
                "trigger": { "triggerType": "BrandNewTrigger" }
            },
            { "pipelineExecutionId": "ex", "status": "BrandNewStatus" }
        ] }),
        "GetPipelineExecution" => json!({ "pipelineExecution": {
            "pipelineName": "checkout", "pipelineExecutionId": "e1", "status": "Failed",
            "artifactRevisions": [{
                "name": "Code", "revisionId": "1111111111111111111111111111111111111111",
                "revisionSummary": "First", "created": 1.7e9
            }]
        } }),
        other => panic!("{other}"),
    };
    Reply::json(&body)
}

pub fn action(name: &str, category: &str, provider: &str, order: i32) -> Value {
    json!({
        "name": name, "runOrder": order,
        "actionTypeId": {
            "category": category, "owner": "AWS", "provider": provider, "version": "1"
        }
    })
}
