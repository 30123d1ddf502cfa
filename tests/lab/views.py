"""The reply shapes of the read operations, made from what a pipeline remembers."""

from runs import RUNNING


def present(**members):
    """Leaves out what the service leaves out."""
    return {key: value for key, value in members.items() if value is not None}


def summary(pipeline):
    return present(
        name=pipeline.name,
        version=pipeline.version,
        pipelineType=pipeline.flavour,
        executionMode=pipeline.mode,
        created=pipeline.created,
        updated=pipeline.updated,
    )


def state(pipeline):
    return {
        "pipelineName": pipeline.name,
        "pipelineVersion": pipeline.version,
        "stageStates": [stage_state(pipeline, i) for i in range(len(pipeline.stages))],
        "created": pipeline.created,
        "updated": pipeline.updated,
    }


def stage_state(pipeline, index):
    declared = pipeline.stages[index]
    name = declared["name"]
    latest = pipeline.latest(name)
    inbound = [stage_execution(e, RUNNING) for e in pipeline.waiting(index)]
    way = pipeline.transitions[name]
    members = present(
        stageName=name,
        inboundExecution=inbound[-1] if inbound else None,
        inboundExecutions=inbound or None,
        inboundTransitionState=present(
            enabled=way.enabled, lastChangedBy=way.by, lastChangedAt=way.at, disabledReason=way.reason
        ),
        actionStates=[action_state(pipeline, name, action) for action in declared["actions"]],
    )
    if index == 0:
        members.pop("inboundTransitionState")
    if latest:
        members["latestExecution"] = stage_execution(latest.execution, latest.status)
        for kind, member in (
            ("BEFORE_ENTRY", "beforeEntryConditionState"),
            ("ON_SUCCESS", "onSuccessConditionState"),
            ("ON_FAILURE", "onFailureConditionState"),
        ):
            if kind in latest.conditions:
                members[member] = condition_state(latest.conditions[kind])
        if latest.last_retry:
            members["retryStageMetadata"] = present(
                autoStageRetryAttempt=latest.automatic_retries or None,
                manualStageRetryAttempt=latest.manual_retries or None,
                latestRetryTrigger=latest.last_retry,
            )
    return members


def stage_execution(execution, status):
    return {"pipelineExecutionId": execution.id, "status": status, "type": execution.kind}


def action_state(pipeline, stage, declared):
    """An action shows its latest run, also when that run belongs to an earlier execution."""
    members = {"actionName": declared["name"]}
    for passage in reversed(pipeline.passages[stage]):
        runs = [run for run in passage.attempts if run.name == declared["name"]]
        if runs:
            break
    else:
        return members
    run = runs[-1]
    token = run.token if run.status == RUNNING and pipeline.mode != "PARALLEL" else None
    members["latestExecution"] = present(
        actionExecutionId=run.id,
        status=run.status,
        summary=run.summary,
        lastStatusChange=run.changed,
        token=token,
        lastUpdatedBy=run.by,
        externalExecutionId=None if run.is_approval else f"lab-{run.id}",
        externalExecutionUrl=None if run.is_approval else f"https://example.org/runs/{run.id}",
        percentComplete=run.percent,
        errorDetails=run.error,
    )
    revision = run.execution.revisions.get(run.name)
    if revision and run.category == "Source":
        members["currentRevision"] = {
            "revisionId": revision["id"],
            "revisionChangeId": revision["id"][:40],
            "created": revision["at"],
        }
        members["revisionUrl"] = revision["url"]
    link = run.declared.get("configuration", {}).get("ExternalEntityLink")
    if link:
        members["entityUrl"] = link
    return members


def condition_state(run):
    return {
        "latestExecution": present(status=run.status, summary=run.summary),
        "conditionStates": [
            {
                "latestExecution": present(
                    status=run.status, summary=run.summary, lastStatusChange=run.changed
                ),
                "ruleStates": [rule_state(rule) for rule in group],
            }
            for group in run.groups
        ],
    }


def rule_state(rule):
    failed = {"code": "RuleFailed", "message": f"{rule.declared['name']} is in alarm"}
    return {
        "ruleName": rule.declared["name"],
        "latestExecution": present(
            ruleExecutionId=rule.id,
            status=rule.status,
            lastStatusChange=rule.changed,
            lastUpdatedBy=rule.by,
            errorDetails=failed if rule.status == "Failed" else None,
        ),
    }


def execution_summary(run):
    revisions = [
        {
            "actionName": action,
            "revisionId": revision["id"],
            "revisionSummary": revision["summary"],
            "revisionUrl": revision["url"],
        }
        for action, revision in run.revisions.items()
    ]
    return present(
        pipelineExecutionId=run.id,
        status=run.status,
        statusSummary=run.summary,
        startTime=run.started,
        lastUpdateTime=run.updated,
        sourceRevisions=revisions,
        trigger=run.trigger,
        stopTrigger={"reason": run.stop_reason} if run.stop_reason else None,
        executionMode=run.mode,
        executionType=run.kind,
        rollbackMetadata=rollback(run),
    )


def rollback(run):
    return {"rollbackTargetPipelineExecutionId": run.target} if run.target else None


def execution(pipeline, run):
    artifacts = [
        {
            "name": f"{action}Artifact",
            "revisionId": revision["id"],
            "revisionSummary": revision["summary"],
            "created": revision["at"],
            "revisionUrl": revision["url"],
        }
        for action, revision in run.revisions.items()
    ]
    return present(
        pipelineName=pipeline.name,
        pipelineVersion=run.version,
        pipelineExecutionId=run.id,
        status=run.status,
        statusSummary=run.summary,
        artifactRevisions=artifacts,
        variables=run.variables,
        trigger=run.trigger,
        executionMode=run.mode,
        executionType=run.kind,
        rollbackMetadata=rollback(run),
    )


def action_detail(run):
    """In PARALLEL mode this is the only place where an approval's token can be read."""
    result = present(
        externalExecutionId=run.token if run.is_approval else f"lab-{run.id}",
        externalExecutionSummary=run.summary,
        externalExecutionUrl=None if run.is_approval else f"https://example.org/runs/{run.id}",
        errorDetails=run.error,
    )
    return present(
        pipelineExecutionId=run.execution.id,
        actionExecutionId=run.id,
        pipelineVersion=run.execution.version,
        stageName=run.stage,
        actionName=run.name,
        startTime=run.started,
        lastUpdateTime=run.changed,
        updatedBy=run.by,
        status=run.status,
        input={
            "actionTypeId": run.declared["actionTypeId"],
            "configuration": run.declared.get("configuration", {}),
            "inputArtifacts": [],
        },
        output={"outputArtifacts": [], "executionResult": result},
    )


def rule_detail(rule):
    return present(
        pipelineExecutionId=rule.execution.id,
        ruleExecutionId=rule.id,
        pipelineVersion=rule.execution.version,
        stageName=rule.stage,
        ruleName=rule.declared["name"],
        startTime=rule.started,
        lastUpdateTime=rule.changed,
        updatedBy=rule.by,
        status=rule.status,
        input={
            "ruleTypeId": rule.declared["ruleTypeId"],
            "configuration": rule.declared.get("configuration", {}),
            "inputArtifacts": [],
        },
        output={"executionResult": {}},
    )
