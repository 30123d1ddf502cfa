"""How executions move through one pipeline: locks, queues, supersession, conditions, approvals.

Sources: the CodePipeline user guide ("How pipeline executions work", "Configuring stage rollback",
"Stage conditions", "Set or change the pipeline execution mode") and the API reference.
"""

import hashlib
import uuid

from runs import RUNNING, ActionRun, ConditionRun, Execution, RuleRun, StageRun, Transition
from wire import ApiError

FAILS = ("Failed", "Errored")


class Pipeline:
    """One pipeline. Every method that takes `now` may move executions."""

    def __init__(self, declared, now, seed="lab", auto=False, tags=None):
        self.declared = declared
        self.auto = auto
        self.tags = tags or {}
        self.created = self.updated = now
        self.seed = seed
        self.counter = 0
        self.executions = []
        self.passages = {stage["name"]: [] for stage in self.stages}
        self.transitions = {stage["name"]: Transition() for stage in self.stages}
        self.outcomes = {}
        self.client_tokens = {}

    name = property(lambda self: self.declared["name"])
    stages = property(lambda self: self.declared["stages"])
    mode = property(lambda self: self.declared.get("executionMode", "SUPERSEDED"))
    flavour = property(lambda self: self.declared.get("pipelineType", "V1"))
    version = property(lambda self: self.declared["version"])
    arn = property(lambda self: f"arn:aws:codepipeline:eu-west-1:123456789012:{self.name}")

    def new_id(self):
        """Random to look at, the same in every run."""
        self.counter += 1
        digest = hashlib.sha256(f"{self.seed}/{self.name}/{self.counter}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))

    def find(self, execution_id):
        return next((run for run in self.executions if run.id == execution_id), None)

    def index(self, stage):
        names = [declared["name"] for declared in self.stages]
        if stage not in names:
            raise ApiError("StageNotFoundException", f"Stage {stage} not found in {self.name}")
        return names.index(stage)

    def latest(self, stage):
        return self.passages[stage][-1] if self.passages[stage] else None

    def waiting(self, index):
        return [run for run in self.executions if run.waiting_at == index and not run.is_over]

    def is_locked(self, stage):
        return self.mode != "PARALLEL" and any(p.is_busy for p in self.passages[stage])

    # Starting and moving on.

    def start(self, now, trigger, kind="STANDARD", target=None, variables=(), revisions=None):
        identity = self.new_id()
        execution = Execution(
            id=identity,
            number=len(self.executions) + 1,
            version=self.version,
            mode=self.mode,
            started=now,
            updated=now,
            trigger=trigger,
            revisions=dict(revisions or {}),
            kind=kind,
            target=target.id if target else None,
            variables=list(variables),
        )
        if target:
            execution.revisions, execution.variables = target.revisions, target.variables
        self.executions.append(execution)
        return execution

    def arrive(self, execution, index, now):
        """Waits in front of a stage; in superseded mode the one that waited there gives way."""
        if self.mode == "SUPERSEDED":
            for older in self.waiting(index):
                older.status, older.updated, older.waiting_at = "Superseded", now, None
                older.summary = f"Superseded by pipeline execution {execution.id}"
        execution.waiting_at, execution.updated = index, now
        self.settle(now)

    def settle(self, now):
        """Times out what has waited too long and lets in whoever may go on."""
        for passages in self.passages.values():
            for passage in passages[-1:] if self.mode != "PARALLEL" else passages:
                for run in passage.running():
                    if run.is_approval and run.deadline <= now:
                        run.expired = True
                        message = "The approval request timed out"
                        self.finish(passage, run, "Failed", run.deadline, error={"message": message})
        for index, stage in enumerate(self.stages):
            for execution in self.waiting(index):
                open_way = self.transitions[stage["name"]].enabled
                if open_way and execution.status == RUNNING and not self.is_locked(stage["name"]):
                    self.enter(execution, index, now)

    def enter(self, execution, index, now):
        stage = self.stages[index]
        passage = StageRun(execution, stage, now)
        execution.waiting_at, execution.updated = None, now
        execution.stages[stage["name"]] = passage
        self.passages[stage["name"]].append(passage)
        if self.check(passage, "BEFORE_ENTRY", now):
            self.begin(passage, now)

    def begin(self, passage, now):
        """Starts the next actions in run order, or ends the stage when none is left."""
        if passage.status != RUNNING:
            return
        todo = [
            declared
            for declared in passage.stage["actions"]
            if getattr(passage.actions.get(declared["name"]), "status", None) != "Succeeded"
        ]
        if not todo:
            if self.check(passage, "ON_SUCCESS", now):
                self.leave(passage, "Succeeded", now)
            return
        order = min(declared.get("runOrder", 1) for declared in todo)
        for declared in [d for d in todo if d.get("runOrder", 1) == order]:
            self.launch(passage, declared, now)
        for run in passage.running():
            if self.auto and not run.is_approval and run.status == RUNNING:
                self.finish(passage, run, "Succeeded", now)

    def launch(self, passage, declared, now):
        identity = self.new_id()
        run = ActionRun(identity, passage.name, declared, passage.execution, now, now)
        if run.is_approval:
            run.token = self.new_id()
        if run.category == "Source":
            chosen = passage.execution.revisions.get(run.name)
            words = f"{self.seed}/{self.name}/{passage.execution.number}/{run.name}"
            made = hashlib.sha1(words.encode()).hexdigest()
            passage.execution.revisions[run.name] = chosen or {
                "id": made,
                "summary": f"Change {passage.execution.number} of {self.name}",
                "url": f"https://example.org/{self.name}/commit/{made}",
                "at": now,
            }
        passage.actions[run.name] = run
        passage.attempts.append(run)

    def finish(self, passage, run, status, now, by=None, summary=None, error=None):
        """One action ends; the stage goes on, fails, or stops if it was asked to."""
        run.status, run.changed, run.by = status, now, by
        run.summary, run.error = summary or run.summary, error
        passage.execution.updated = now
        if passage.running():
            return
        if passage.status == "Stopping":
            self.stopped(passage, now)
        elif any(a.status == "Failed" for a in passage.actions.values()):
            self.fail(passage, now)
        else:
            self.begin(passage, now)

    def stopped(self, passage, now):
        execution = passage.execution
        passage.status = execution.status = "Stopped"
        execution.updated, execution.waiting_at = now, None
        self.settle(now)

    def leave(self, passage, status, now):
        execution = passage.execution
        passage.status, execution.updated = status, now
        after = self.index(passage.name) + 1
        if execution.kind == "ROLLBACK" or after == len(self.stages):
            execution.status = "Succeeded"
            self.settle(now)
        else:
            self.arrive(execution, after, now)

    def fail(self, passage, now):
        """The stage fails; its onFailure decides what follows."""
        then = passage.stage.get("onFailure", {})
        result = then.get("result", "FAIL")
        if then.get("conditions"):
            result = "FAIL" if self.check(passage, "ON_FAILURE", now) else result
        passage.status = passage.execution.status = "Failed"
        passage.execution.updated = now
        if result == "RETRY" and passage.automatic_retries == 0:
            passage.automatic_retries = 1
            mode = then.get("retryConfiguration", {}).get("retryMode", "ALL_ACTIONS")
            self.retry(passage, mode, "AutomatedStageRetry", now)
        elif result == "SKIP":
            passage.execution.status = RUNNING
            self.leave(passage, "Skipped", now)
        elif result == "ROLLBACK":
            self.roll_back_by_itself(passage, now)
        else:
            self.settle(now)

    def roll_back_by_itself(self, passage, now):
        good = [t for t in self.executions if not self.why_no_target(passage.name, t)]
        if good and passage.execution.kind != "ROLLBACK" and self.mode != "PARALLEL":
            detail = f"FailedPipelineExecutionId: {passage.execution.id}"
            trigger = {"triggerType": "AutomatedRollback", "triggerDetail": detail}
            self.roll_back(passage.name, good[-1], trigger, now)
        else:
            self.settle(now)

    def why_no_target(self, stage, target):
        """Why this execution cannot be the target of a rollback; nothing when it can."""
        passage = target.stages.get(stage)
        if target.kind == "ROLLBACK":
            return ("UnableToRollbackStageException", "the target is itself a rollback")
        if target.version != self.version:
            return ("PipelineExecutionOutdatedException", "the pipeline's structure has changed")
        if passage is None or passage.status != "Succeeded":
            return ("UnableToRollbackStageException", "the target did not succeed in this stage")
        return None

    def roll_back(self, stage, target, trigger, now):
        execution = self.start(now, trigger, kind="ROLLBACK", target=target)
        self.enter(execution, self.index(stage), now)
        return execution

    def retry(self, passage, mode, trigger, now):
        passage.last_retry = trigger
        passage.status = passage.execution.status = RUNNING
        passage.execution.updated = now
        for name, run in list(passage.actions.items()):
            if mode == "ALL_ACTIONS" or run.status != "Succeeded":
                del passage.actions[name]
        entry = passage.conditions.get("BEFORE_ENTRY")
        if entry and entry.status in FAILS and not self.check(passage, "BEFORE_ENTRY", now):
            return
        passage.conditions.pop("ON_SUCCESS", None)
        self.begin(passage, now)

    # Conditions.

    def check(self, passage, kind, now):
        """Runs the conditions of one kind; true when the stage may go on at once."""
        member = {"BEFORE_ENTRY": "beforeEntry", "ON_SUCCESS": "onSuccess", "ON_FAILURE": "onFailure"}
        groups = passage.stage.get(member[kind], {}).get("conditions", [])
        if not groups:
            return True
        status = self.outcomes.get((passage.name, kind), "Succeeded")
        rule_status = {"Errored": "Failed"}.get(status, status)
        made = [
            [self.rule(passage, declared, rule_status, now) for declared in group["rules"]]
            for group in groups
        ]
        result = groups[0].get("result", "FAIL")
        run = ConditionRun(kind, status, result, made, now)
        passage.conditions[kind] = run
        return self.judged(passage, run, status, now)

    def rule(self, passage, declared, status, now):
        run = RuleRun(self.new_id(), passage.name, declared, passage.execution, now, now, status)
        passage.rules.append(run)
        return run

    def judged(self, passage, run, status, now):
        run.status, run.changed = status, now
        failed = sum(rule.status == "Failed" for group in run.groups for rule in group)
        run.summary = f"{failed} rules failed" if status in FAILS else None
        if status == "Succeeded":
            return True
        if status in FAILS and run.kind != "ON_FAILURE":
            if run.result == "SKIP":
                self.leave(passage, "Skipped", now)
            elif run.result == "ROLLBACK" and run.kind == "ON_SUCCESS":
                passage.status = passage.execution.status = "Failed"
                self.roll_back_by_itself(passage, now)
            else:
                passage.status = passage.execution.status = "Failed"
                self.settle(now)
        return False

    def conclude(self, passage, kind, status, now):
        """A condition that was still running ends, by its rules or by a person's override."""
        run = passage.conditions[kind]
        if status == "Overridden":
            run.status, run.changed, run.summary = status, now, "Overridden by hand"
            for rule in [r for group in run.groups for r in group if r.status == RUNNING]:
                rule.status, rule.changed = "Abandoned", now
            passage.status = passage.execution.status = RUNNING
            passage.execution.updated = now
        else:
            for rule in [r for group in run.groups for r in group if r.status == RUNNING]:
                rule.status, rule.changed = {"Errored": "Failed"}.get(status, status), now
            if not self.judged(passage, run, status, now):
                return
        if kind == "BEFORE_ENTRY":
            self.begin(passage, now)
        elif kind == "ON_SUCCESS":
            self.leave(passage, "Succeeded", now)

    # For the control endpoint.

    def step(self, now, outcome="Succeeded", execution=None, stage=None, action=None, approve=False):
        """Ends the running actions that fit; gives their number."""
        ended = 0
        for passage in [p for all_of in self.passages.values() for p in all_of if p.is_busy]:
            if (execution and passage.execution.id != execution) or (stage and passage.name != stage):
                continue
            for run in passage.running():
                fits = run.name == action if action else (approve or not run.is_approval)
                if fits and run.status == RUNNING:
                    error = {"code": "JobFailed", "message": "The lab let this action fail"}
                    self.finish(
                        passage, run, outcome, now, error=error if outcome == "Failed" else None
                    )
                    ended += 1
        return ended
