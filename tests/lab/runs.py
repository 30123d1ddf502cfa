"""What a pipeline remembers: executions, their passage through stages, actions and conditions."""

from dataclasses import dataclass, field

RUNNING = "InProgress"


@dataclass
class ActionRun:
    """One attempt of one action. Times are seconds since 1970."""

    id: str
    stage: str
    declared: dict
    execution: "Execution"
    started: float
    changed: float
    status: str = RUNNING
    token: str | None = None
    summary: str | None = None
    by: str | None = None
    error: dict | None = None
    percent: int | None = None
    expired: bool = False

    @property
    def name(self):
        return self.declared["name"]

    @property
    def category(self):
        return self.declared["actionTypeId"]["category"]

    @property
    def is_approval(self):
        return self.category == "Approval"

    @property
    def deadline(self):
        """An approval waits seven days unless the action says otherwise."""
        return self.started + 60 * self.declared.get("timeoutInMinutes", 7 * 24 * 60)


@dataclass
class RuleRun:
    id: str
    stage: str
    declared: dict
    execution: "Execution"
    started: float
    changed: float
    status: str
    by: str | None = None


@dataclass
class ConditionRun:
    """All conditions of one kind at one passage; `result` is what a failure leads to."""

    kind: str
    status: str
    result: str
    groups: list
    changed: float
    summary: str | None = None


@dataclass
class StageRun:
    """One execution's passage through one stage."""

    execution: "Execution"
    stage: dict
    started: float
    status: str = RUNNING
    actions: dict = field(default_factory=dict)
    attempts: list = field(default_factory=list)
    conditions: dict = field(default_factory=dict)
    rules: list = field(default_factory=list)
    manual_retries: int = 0
    automatic_retries: int = 0
    last_retry: str | None = None

    @property
    def name(self):
        return self.stage["name"]

    @property
    def is_busy(self):
        return self.status in (RUNNING, "Stopping")

    def running(self):
        return [run for run in self.actions.values() if run.status == RUNNING]


@dataclass
class Execution:
    id: str
    number: int
    version: int
    mode: str
    started: float
    updated: float
    trigger: dict
    revisions: dict
    status: str = RUNNING
    kind: str = "STANDARD"
    target: str | None = None
    summary: str | None = None
    stop_reason: str | None = None
    variables: list = field(default_factory=list)
    waiting_at: int | None = None
    stages: dict = field(default_factory=dict)
    """Stage name to the latest StageRun of this execution."""

    @property
    def is_over(self):
        return self.status not in (RUNNING, "Stopping")


@dataclass
class Transition:
    enabled: bool = True
    reason: str | None = None
    by: str | None = None
    at: float | None = None
