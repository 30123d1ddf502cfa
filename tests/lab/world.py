"""The stand-in's world: its pipelines, its clock, who calls, the faults asked for, the call log."""

import threading
import time
from collections import Counter

import declare
from flow import Pipeline
from wire import ApiError

ACCOUNT = "123456789012"
FAULTS = {
    "throttle": ApiError("ThrottlingException", "Rate exceeded"),
    "expire": ApiError("ExpiredTokenException", "The security token included in the request is expired"),
    "fail": ApiError("InternalFailure", "The lab was asked to fail", 500),
}


class World:
    """Guarded by `lock`: every request and every control call holds it."""

    def __init__(self, model, seed="lab", page_size=1000):
        self.lock = threading.RLock()
        self.model = model
        self.seed, self.page_size = seed, page_size
        self.shift = 0.0
        self.over = threading.Event()
        self.reset()

    def let_go(self):
        """Whoever is held goes on."""
        self.over.set()
        self.over = threading.Event()

    def reset(self):
        self.pipelines, self.faults = {}, []
        self.calls, self.done = Counter(), Counter()
        self.log, self.violations = [], []
        self.let_go()
        self.caller = f"arn:aws:iam::{ACCOUNT}:user/nobody"

    def now(self):
        """Seconds since 1970, to the millisecond as the service tells them."""
        return round(time.time() + self.shift, 3)

    def add(self, short, now):
        """One pipeline of a short or a full declaration; `count` makes many of a kind."""
        added = []
        for n in range(short.get("count", 1)):
            name = short["name"] + (f"-{n:04}" if "count" in short else "")
            declared = declare.declaration(short | {"name": name})
            faults = self.model.shape_faults("PipelineDeclaration", declared)
            if faults:
                raise ApiError("ValidationException", "; ".join(faults))
            pipeline = Pipeline(declared, now, self.seed, short.get("auto", False), short.get("tags"))
            self.pipelines[name] = pipeline
            added.append(name)
        return added

    def fault(self, operation, request):
        """The next fault for this call, counted down; None when it may run as usual."""
        pipeline = request.get("pipelineName", request.get("name"))
        for rule in self.faults:
            if rule.get("operations") and operation not in rule["operations"]:
                continue
            if rule.get("pipelines") and pipeline not in rule["pipelines"]:
                continue
            if rule.get("times") is not None:
                rule["times"] -= 1
                if rule["times"] <= 0:
                    self.faults.remove(rule)
            return rule
        return None

    def refuse(self, rule, operation):
        """The error that a fault stands for, if it stands for one."""
        if rule["kind"] == "deny":
            message = (
                f"User: {self.caller} is not authorized to perform: codepipeline:{operation} "
                f"on resource: arn:aws:codepipeline:eu-west-1:{ACCOUNT}:* because no "
                "identity-based policy allows the action"
            )
            raise ApiError("AccessDeniedException", message)
        if rule["kind"] in FAULTS:
            error = FAULTS[rule["kind"]]
            raise ApiError(error.code, error.message, rule.get("status", error.status))
