"""The operations of CodePipeline: what each checks, refuses and does, after its API reference."""

import base64
import json

import views
from runs import RUNNING
from wire import ApiError

PARALLEL_LIMIT = 50


class Operations:
    """One method per operation, named as the service names it; `request` has been validated."""

    def __init__(self, world):
        self.world = world

    def pipeline(self, name):
        pipeline = self.world.pipelines.get(name)
        if pipeline is None:
            message = f"Account '123456789012' does not have a pipeline with name '{name}'"
            raise ApiError("PipelineNotFoundException", message)
        pipeline.settle(self.world.now())
        return pipeline

    def page(self, request, kind, rows, most):
        """A page and the token of the next; a token of another list is refused."""
        start = 0
        if "nextToken" in request:
            try:
                of_kind, start = json.loads(base64.urlsafe_b64decode(request["nextToken"]))
            except ValueError:
                of_kind = None
            if of_kind != kind or not isinstance(start, int):
                raise ApiError("InvalidNextTokenException", "The next token is not valid")
        end = start + min(request.get("maxResults", 100), most, self.world.page_size)
        more = {}
        if end < len(rows):
            words = json.dumps([kind, end]).encode()
            more["nextToken"] = base64.urlsafe_b64encode(words).decode()
        return rows[start:end], more

    # Reading.

    def ListPipelines(self, request):
        names = sorted(self.world.pipelines)
        names, more = self.page(request, "pipelines", names, 1000)
        return {"pipelines": [views.summary(self.world.pipelines[n]) for n in names]} | more

    def GetPipeline(self, request):
        pipeline = self.pipeline(request["name"])
        if request.get("version", pipeline.version) != pipeline.version:
            raise ApiError("PipelineVersionNotFoundException", "No such version")
        metadata = {
            "pipelineArn": pipeline.arn,
            "created": pipeline.created,
            "updated": pipeline.updated,
        }
        return {"pipeline": pipeline.declared, "metadata": metadata}

    def GetPipelineState(self, request):
        return views.state(self.pipeline(request["name"]))

    def ListPipelineExecutions(self, request):
        pipeline = self.pipeline(request["pipelineName"])
        rows = list(reversed(pipeline.executions))
        stage = request.get("filter", {}).get("succeededInStage", {}).get("stageName")
        if stage and stage not in pipeline.passages:
            raise ApiError("ValidationException", f"The pipeline has no stage {stage}")
        if stage:
            rows = [r for r in rows if stage in r.stages and r.stages[stage].status == "Succeeded"]
        rows, more = self.page(request, f"executions {pipeline.name}", rows, 100)
        return {"pipelineExecutionSummaries": [views.execution_summary(r) for r in rows]} | more

    def GetPipelineExecution(self, request):
        pipeline = self.pipeline(request["pipelineName"])
        run = self.execution(pipeline, request["pipelineExecutionId"])
        return {"pipelineExecution": views.execution(pipeline, run)}

    def ListActionExecutions(self, request):
        pipeline, wanted = self.filtered(request)
        rows = self.attempts(pipeline, "attempts", wanted)
        rows, more = self.page(request, f"actions {pipeline.name}", rows, 100)
        return {"actionExecutionDetails": [views.action_detail(r) for r in rows]} | more

    def ListRuleExecutions(self, request):
        pipeline, wanted = self.filtered(request)
        rows = self.attempts(pipeline, "rules", wanted)
        rows, more = self.page(request, f"rules {pipeline.name}", rows, 100)
        return {"ruleExecutionDetails": [views.rule_detail(r) for r in rows]} | more

    def ListTagsForResource(self, request):
        by_arn = {p.arn: p for p in self.world.pipelines.values()}
        pipeline = by_arn.get(request["resourceArn"])
        if pipeline is None:
            raise ApiError("ResourceNotFoundException", f"No resource {request['resourceArn']}")
        tags = [{"key": key, "value": value} for key, value in sorted(pipeline.tags.items())]
        tags, more = self.page(request, f"tags {pipeline.name}", tags, 100)
        return {"tags": tags} | more

    def execution(self, pipeline, identity, code="PipelineExecutionNotFoundException"):
        run = pipeline.find(identity)
        if run is None:
            raise ApiError(code, f"The pipeline has no execution {identity}")
        return run

    def filtered(self, request):
        pipeline = self.pipeline(request["pipelineName"])
        chosen = request.get("filter", {})
        latest = chosen.get("latestInPipelineExecution", {})
        wanted = chosen.get("pipelineExecutionId") or latest.get("pipelineExecutionId")
        if wanted:
            self.execution(pipeline, wanted)
        return pipeline, wanted

    def attempts(self, pipeline, kind, wanted):
        rows = [
            row
            for passages in pipeline.passages.values()
            for passage in passages
            if wanted in (None, passage.execution.id)
            for row in getattr(passage, kind)
        ]
        return sorted(rows, key=lambda row: row.started, reverse=True)

    # Writing.

    def PutApprovalResult(self, request):
        pipeline, now = self.pipeline(request["pipelineName"]), self.world.now()
        stage = request["stageName"]
        declared = pipeline.stages[pipeline.index(stage)]
        name, token = request["actionName"], request["token"]
        if name not in [action["name"] for action in declared["actions"]]:
            raise ApiError("ActionNotFoundException", f"Action {name} not found in {stage}")
        passage, run = next(
            (
                (passage, run)
                for passage in reversed(pipeline.passages[stage])
                for run in passage.attempts
                if run.name == name and run.token == token
            ),
            (None, None),
        )
        if run is None or run.expired or run.status == "Abandoned":
            raise ApiError("InvalidApprovalTokenException", "The approval token is not valid")
        if run.status != RUNNING:
            message = f"The approval was already completed: {run.status} by {run.by}"
            raise ApiError("ApprovalAlreadyCompletedException", message)
        result = request["result"]
        status = "Succeeded" if result["status"] == "Approved" else "Failed"
        pipeline.finish(passage, run, status, now, by=self.world.caller, summary=result["summary"] or None)
        return {"approvedAt": now}

    def EnableStageTransition(self, request):
        self.transition(request, True, None)

    def DisableStageTransition(self, request):
        self.transition(request, False, request["reason"])

    def transition(self, request, enabled, reason):
        pipeline, now = self.pipeline(request["pipelineName"]), self.world.now()
        index = pipeline.index(request["stageName"])
        if request["transitionType"] == "Outbound":
            index += 1
        if not 0 < index < len(pipeline.stages):
            raise ApiError("ValidationException", "There is no transition on that side of the stage")
        way = pipeline.transitions[pipeline.stages[index]["name"]]
        way.enabled, way.reason, way.by, way.at = enabled, reason, self.world.caller, now
        pipeline.settle(now)

    def latest_passage(self, request):
        pipeline = self.pipeline(request["pipelineName"])
        stage = request["stageName"]
        pipeline.index(stage)
        run = pipeline.find(request["pipelineExecutionId"])
        passage = run.stages.get(stage) if run else None
        latest = passage if pipeline.mode == "PARALLEL" else pipeline.latest(stage)
        if passage is None or passage is not latest:
            message = f"{request['pipelineExecutionId']} is not the latest execution in {stage}"
            raise ApiError("NotLatestPipelineExecutionException", message)
        return pipeline, passage

    def RetryStageExecution(self, request):
        pipeline, passage = self.latest_passage(request)
        if passage.is_busy:
            raise ApiError("ConflictException", "The stage is in progress")
        if passage.status not in ("Failed", "Stopped"):
            raise ApiError("StageNotRetryableException", "The stage contains no failed actions")
        if passage.execution.version != pipeline.version:
            raise ApiError("StageNotRetryableException", "The pipeline structure has changed")
        passage.manual_retries += 1
        pipeline.retry(passage, request["retryMode"], "ManualStageRetry", self.world.now())
        return {"pipelineExecutionId": passage.execution.id}

    def RollbackStage(self, request):
        pipeline, stage = self.pipeline(request["pipelineName"]), request["stageName"]
        index = pipeline.index(stage)
        target = self.execution(pipeline, request["targetPipelineExecutionId"])
        refusal = pipeline.why_no_target(stage, target)
        unable = "UnableToRollbackStageException"
        if index == 0:
            refusal = (unable, "A source stage cannot be rolled back")
        elif pipeline.flavour != "V2" or pipeline.mode == "PARALLEL":
            refusal = (unable, "Rollback is not available for this type or execution mode")
        elif pipeline.is_locked(stage):
            refusal = (unable, "The stage is currently running")
        if refusal:
            raise ApiError(*refusal)
        trigger = {"triggerType": "ManualRollback", "triggerDetail": self.world.caller}
        run = pipeline.roll_back(stage, target, trigger, self.world.now())
        return {"pipelineExecutionId": run.id}

    def StopPipelineExecution(self, request):
        pipeline, now = self.pipeline(request["pipelineName"]), self.world.now()
        stuck = "PipelineExecutionNotStoppableException"
        run = self.execution(pipeline, request["pipelineExecutionId"], stuck)
        if run.is_over:
            raise ApiError(stuck, f"The execution is {run.status}")
        abandon = request.get("abandon", False)
        if run.status == "Stopping" and not abandon:
            raise ApiError("DuplicatedStopRequestException", "A stop was already requested")
        run.stop_reason, run.updated = request.get("reason"), now
        passage = next((p for p in run.stages.values() if p.is_busy), None)
        if passage is None:
            run.status, run.waiting_at = "Stopped", None
            pipeline.settle(now)
        else:
            passage.status = run.status = "Stopping"
            if abandon:
                for action in passage.running():
                    action.status, action.changed = "Abandoned", now
            if not passage.running():
                pipeline.stopped(passage, now)
        return {"pipelineExecutionId": run.id}

    def StartPipelineExecution(self, request):
        pipeline, now = self.pipeline(request["name"]), self.world.now()
        token = request.get("clientRequestToken")
        if token in pipeline.client_tokens:
            return {"pipelineExecutionId": pipeline.client_tokens[token]}
        given = request.get("variables", [])
        if given and pipeline.flavour != "V2":
            raise ApiError("ValidationException", "Variables need a pipeline of type V2")
        moving = [run for run in pipeline.executions if not run.is_over]
        if pipeline.mode == "PARALLEL" and len(moving) >= PARALLEL_LIMIT:
            code = "ConcurrentPipelineExecutionsLimitExceededException"
            raise ApiError(code, f"{PARALLEL_LIMIT} executions are running")
        variables = [{"name": v["name"], "resolvedValue": v["value"]} for v in given]
        revisions = {
            override["actionName"]: {
                "id": override["revisionValue"],
                "summary": f"{override['revisionType']} chosen by hand",
                "url": f"https://example.org/{pipeline.name}/commit/{override['revisionValue']}",
                "at": now,
            }
            for override in request.get("sourceRevisions", [])
        }
        trigger = {"triggerType": "StartPipelineExecution", "triggerDetail": self.world.caller}
        run = pipeline.start(now, trigger, variables=variables, revisions=revisions)
        if token:
            pipeline.client_tokens[token] = run.id
        pipeline.arrive(run, 0, now)
        return {"pipelineExecutionId": run.id}

    def OverrideStageCondition(self, request):
        pipeline, passage = self.latest_passage(request)
        kind = request["conditionType"]
        run = passage.conditions.get(kind)
        if run is None or run.status not in (RUNNING, "Failed", "Errored"):
            raise ApiError("ConditionNotOverridableException", "The condition waits for nothing")
        pipeline.conclude(passage, kind, "Overridden", self.world.now())
