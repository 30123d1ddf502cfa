"""The control endpoint of the stand-in: what a test may do to the world between two calls.

Every call is `POST /lab/NAME` with a JSON object and answers one; `ago` (seconds) lets it happen
in the past, so that a test starts with a history.
"""

from wire import ApiError

KINDS = ("throttle", "expire", "deny", "fail", "slow", "cut", "drop", "hold")


class Control:
    """One method per endpoint."""

    def __init__(self, world):
        self.world = world

    def run(self, name, body):
        method = getattr(self, name, None)
        if method is None or name.startswith("_") or name == "run":
            raise ApiError("UnknownOperation", f"no control named {name}", 404)
        try:
            return method(body, self.world.now() - body.get("ago", 0)) or {}
        except (KeyError, TypeError, ValueError) as error:
            raise ApiError("ValidationException", f"{type(error).__name__}: {error}") from error

    def _pipeline(self, body):
        return self.world.pipelines[body["pipeline"]]

    def reset(self, body, now):
        """Forgets everything; `page_size` makes pages shorter than what is asked for."""
        self.world.shift = 0.0
        self.world.page_size = body.get("page_size", 1000)
        self.world.reset()

    def pipelines(self, body, now):
        """Adds `pipelines: [...]`; see declare.py for the short form, `auto` lets actions succeed."""
        return {"added": [name for short in body["pipelines"] for name in self.world.add(short, now)]}

    def remove(self, body, now):
        del self.world.pipelines[body["pipeline"]]

    def structure(self, body, now):
        """Edits the pipeline: its structure version goes up."""
        pipeline = self._pipeline(body)
        pipeline.declared = pipeline.declared | {"version": pipeline.version + 1}
        pipeline.updated = now
        return {"version": pipeline.version}

    def start(self, body, now):
        """A new execution, by default of a push; `revisions` is {action: {id, summary, url}}."""
        pipeline = self._pipeline(body)
        trigger = body.get("trigger", {"triggerType": "WebhookV2", "triggerDetail": "push"})
        revisions = {
            action: {"summary": "a change", "url": "https://example.org/c", "at": now} | revision
            for action, revision in body.get("revisions", {}).items()
        }
        run = pipeline.start(now, trigger, revisions=revisions)
        pipeline.arrive(run, 0, now)
        return {"execution": run.id}

    def advance(self, body, now):
        """Ends running actions (`outcome`, `execution`, `stage`, `action`); approvals wait.

        `to` goes on until the execution has entered that stage or can go no further; then
        approvals on the way are answered by the lab. `to: "end"` goes through.
        """
        pipeline = self._pipeline(body)
        chosen = {key: body[key] for key in ("outcome", "execution", "stage", "action") if key in body}
        if "to" not in body:
            return {"ended": pipeline.step(now, **chosen)}
        run = pipeline.find(body["execution"])
        while body["to"] not in run.stages and not run.is_over:
            if not pipeline.step(now, execution=run.id, approve=True):
                break
        return {"status": run.status, "stages": list(run.stages)}

    def supersede(self, body, now):
        """Sends a second and a third execution after the first: one waits and is overtaken."""
        pipeline = self._pipeline(body)
        stage = pipeline.index(body["stage"])
        made = []
        for _ in range(2):
            made.append(self.start(body, now)["execution"])
            run = pipeline.find(made[-1])
            while run.waiting_at != stage and pipeline.step(now, execution=run.id, approve=True):
                pass
        return {"superseded": made[0], "waiting": made[1]}

    def progress(self, body, now):
        """Sets `percent` or `summary` of a running action."""
        pipeline = self._pipeline(body)
        run = pipeline.latest(body["stage"]).actions[body["action"]]
        run.percent, run.summary = body.get("percent", run.percent), body.get("summary", run.summary)

    def condition(self, body, now):
        """The outcome of a stage's conditions from now on; a running one ends with it."""
        pipeline, outcome = self._pipeline(body), body["outcome"]
        kind, stage = body["type"], body["stage"]
        pipeline.outcomes[stage, kind] = outcome
        passage = pipeline.latest(stage)
        run = passage.conditions.get(kind) if passage else None
        if run and run.status == "InProgress" and outcome != "InProgress":
            pipeline.conclude(passage, kind, outcome, now)

    def clock(self, body, now):
        """Moves the stand-in's clock forward by `add` seconds."""
        self.world.shift += body["add"]
        for pipeline in self.world.pipelines.values():
            pipeline.settle(self.world.now())
        return {"now": self.world.now()}

    def faults(self, body, now):
        """Replaces the faults: `kind`, and optionally `operations`, `pipelines`, `times`, `seconds`.

        throttle, expire, deny and fail refuse, with another HTTP `status` if wished, and only
        `after` they did what was asked if that is set; slow does it after `seconds`, and hold when
        the faults are replaced; cut does it and then closes the connection without a reply; drop
        closes it, after `seconds`, and nothing was done.
        """
        rules = [dict(rule) for rule in body["faults"]]
        for rule in rules:
            if rule["kind"] not in KINDS:
                raise ValueError(f"{rule['kind']} is none of {', '.join(KINDS)}")
        self.world.faults = rules
        self.world.let_go()

    def calls(self, body, now):
        """How often each operation was called, and was done; the last calls; broken replies."""
        return {
            "count": dict(self.world.calls),
            "done": dict(self.world.done),
            "log": self.world.log[-200:],
            "violations": self.world.violations,
        }
