//! Every kind of write to a pipeline: where it is made, what it is, and how somebody else is faster.

use flightdeck::domain::ids::{ExecutionId, PipelineId, SourceId};
use flightdeck::domain::write::Write;
use serde_json::{Value, json};

use crate::pipes::World;

/// A kind of write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Approve,
    Reject,
    Retry,
    RetryAll,
    Stop,
    Abandon,
    Start,
    Hold,
    Release,
    RollBack,
    Override,
}

pub const KINDS: [Kind; 11] = [
    Kind::Approve,
    Kind::Reject,
    Kind::Retry,
    Kind::RetryAll,
    Kind::Stop,
    Kind::Abandon,
    Kind::Start,
    Kind::Hold,
    Kind::Release,
    Kind::RollBack,
    Kind::Override,
];

impl Kind {
    /// Whether nothing that the service tells says who did it.
    pub fn is_untold(self) -> bool {
        matches!(self, Self::Retry | Self::RetryAll | Self::Override)
    }
}

/// A pipeline that waits for one kind of write.
pub struct Scene {
    pub world: World,
    kind: Kind,
    /// The execution that is written about.
    execution: ExecutionId,
    /// The execution that a stage goes back to.
    good: ExecutionId,
}

fn stages(kind: Kind) -> Value {
    let mut stage = match kind {
        Kind::Approve | Kind::Reject => {
            json!({ "name": "Production", "actions": ["Approve:Approval", "Deploy:Deploy"] })
        }
        _ => json!({ "name": "Production", "actions": ["Deploy:Deploy", "Check:Test@1"] }),
    };
    if kind == Kind::Override {
        let rule = json!({
            "name": "p99", "configuration": { "AlarmName": "p99" },
            "ruleTypeId": {
                "category": "Rule", "owner": "AWS", "provider": "CloudWatchAlarm", "version": "1"
            }
        });
        stage["onSuccess"] = json!({ "conditions": [{ "result": "FAIL", "rules": [rule] }] });
    }
    json!([{ "name": "Source", "actions": ["Code:Source"] }, stage])
}

impl Scene {
    /// A world of its own in which the write can be made.
    pub async fn new(kind: Kind, row: &str) -> Self {
        let world = World::new(&format!("faults-{kind:?}-{row}")).await;
        let shop = json!({ "name": "shop", "stages": stages(kind) });
        world.lab("pipelines", json!({ "pipelines": [shop] })).await;
        let mut good = String::new();
        match kind {
            Kind::RollBack => good = world.run_to("shop", "end").await,
            Kind::Override => {
                let fails = json!({
                    "pipeline": "shop", "stage": "Production", "type": "ON_SUCCESS",
                    "outcome": "Failed"
                });
                world.lab("condition", fails).await;
            }
            Kind::Release => {
                let closed = world.bob("DisableStageTransition", transition(Some("peak"))).await;
                assert_eq!(closed.0, 200, "{}", closed.1);
            }
            _ => {}
        }
        let to = if kind == Kind::Override { "end" } else { "Production" };
        let execution = ExecutionId::new(&world.run_to("shop", to).await);
        if matches!(kind, Kind::Retry | Kind::RetryAll | Kind::RollBack) {
            let ends = |action: &str, outcome: &str| json!({ "pipeline": "shop", "action": action, "outcome": outcome });
            world.lab("advance", ends("Deploy", "Succeeded")).await;
            world.lab("advance", ends("Check", "Failed")).await;
        }
        Self { world, kind, execution, good: ExecutionId::new(&good) }
    }

    /// The operation that does it.
    pub fn operation(&self) -> &'static str {
        match self.kind {
            Kind::Approve | Kind::Reject => "PutApprovalResult",
            Kind::Retry | Kind::RetryAll => "RetryStageExecution",
            Kind::Stop | Kind::Abandon => "StopPipelineExecution",
            Kind::Start => "StartPipelineExecution",
            Kind::Hold => "DisableStageTransition",
            Kind::Release => "EnableStageTransition",
            Kind::RollBack => "RollbackStage",
            Kind::Override => "OverrideStageCondition",
        }
    }

    /// How often somebody did it, and how often it was asked for.
    pub async fn counts(&self) -> (u64, u64) {
        let calls = self.world.lab("calls", json!({})).await;
        assert_eq!(calls["violations"], json!([]));
        let count = |what: &str| calls[what][self.operation()].as_u64().unwrap_or(0);
        (count("done"), count("count"))
    }

    pub fn write(&self) -> Write {
        let pipeline = PipelineId::new(&SourceId::new("pipes"), "shop");
        let (stage, execution) = ("Production".into(), self.execution.clone());
        match self.kind {
            Kind::Approve | Kind::Reject => Write::Answer {
                pipeline,
                stage,
                action: "Approve".into(),
                execution: Some(execution),
                approve: self.kind == Kind::Approve,
                comment: "as seen".into(),
            },
            Kind::Retry | Kind::RetryAll => {
                Write::Retry { pipeline, stage, execution, all: self.kind == Kind::RetryAll }
            }
            Kind::Stop | Kind::Abandon => Write::Stop {
                pipeline,
                execution,
                abandon: self.kind == Kind::Abandon,
                reason: "wrong build".into(),
            },
            Kind::Start => Write::Start { pipeline },
            Kind::Hold => Write::Hold { pipeline, stage, reason: "peak".into() },
            Kind::Release => Write::Release { pipeline, stage },
            Kind::RollBack => Write::RollBack { pipeline, stage, to: self.good.clone() },
            Kind::Override => {
                Write::Override { pipeline, stage, execution, condition: "on success".into() }
            }
        }
    }

    /// Somebody else does the same, or rejects, first.
    pub async fn overtake(&self) {
        self.by_bob("Rejected").await;
    }

    /// Somebody else does the same.
    pub async fn instead(&self) {
        self.by_bob(if self.kind == Kind::Approve { "Approved" } else { "Rejected" }).await;
    }

    async fn by_bob(&self, answer: &str) {
        let execution = self.execution.as_str();
        let mut body = json!({
            "pipelineName": "shop", "stageName": "Production", "pipelineExecutionId": execution
        });
        match self.kind {
            Kind::Approve | Kind::Reject => {
                let (_, state) =
                    self.world.bob("GetPipelineState", json!({ "name": "shop" })).await;
                let action = &state["stageStates"][1]["actionStates"][0];
                body = json!({
                    "pipelineName": "shop", "stageName": "Production", "actionName": "Approve",
                    "token": action["latestExecution"]["token"],
                    "result": { "summary": "no", "status": answer }
                });
            }
            Kind::Retry | Kind::RetryAll => body["retryMode"] = json!("FAILED_ACTIONS"),
            Kind::Stop | Kind::Abandon => {
                body = json!({
                    "pipelineName": "shop", "pipelineExecutionId": execution, "abandon": true
                });
            }
            Kind::Start => body = json!({ "name": "shop" }),
            Kind::Hold => body = transition(Some("his own")),
            Kind::Release => body = transition(None),
            Kind::RollBack => {
                body = json!({
                    "pipelineName": "shop", "stageName": "Production",
                    "targetPipelineExecutionId": self.good.as_str()
                });
            }
            Kind::Override => body["conditionType"] = json!("ON_SUCCESS"),
        }
        let (status, answer) = self.world.bob(self.operation(), body).await;
        assert_eq!(status, 200, "{:?}: {answer}", self.kind);
    }

    /// The execution that failed, which is no way back.
    pub fn failed(&self) -> ExecutionId {
        self.execution.clone()
    }

    /// Whether the service itself refuses what somebody else has done in the meantime.
    pub fn is_guarded(&self) -> bool {
        !matches!(self.kind, Kind::Start | Kind::Hold | Kind::Release)
    }
}

fn transition(reason: Option<&str>) -> Value {
    let mut body = json!({
        "pipelineName": "shop", "stageName": "Production", "transitionType": "Inbound"
    });
    if let Some(reason) = reason {
        body["reason"] = json!(reason);
    }
    body
}
