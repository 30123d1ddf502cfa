"""Fills the stand-in of CodePipeline with pipelines in every state a person has to deal with."""

import json
import urllib.request

HOUR = 3600
QUICK = [
    {"name": "Source", "actions": ["Code:Source"]},
    {"name": "Build", "actions": ["Package:Build", "Test:Test@1"]},
    {"name": "Production", "actions": ["Deploy:Deploy"]},
]
PIPELINES = [
    {"name": "checkout", "tags": {"service": "checkout", "owner": "payments-core"}},
    {"name": "payments", "mode": "QUEUED", "tags": {"service": "payments"}},
    {"name": "search", "stages": QUICK},
    {"name": "sessions", "mode": "PARALLEL"},
    {"name": "mailer", "stages": QUICK, "type": "V1"},
    {"name": "catalog"},
    {"name": "stock", "stages": QUICK},
]


def seed(url):
    def lab(name, **body):
        request = urllib.request.Request(f"{url}/lab/{name}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def run(pipeline, to, ago, **more):
        started = lab("start", pipeline=pipeline, ago=ago, **more)["execution"]
        lab("advance", pipeline=pipeline, execution=started, to=to, ago=ago - 300)
        return started

    lab("reset")
    lab("pipelines", pipelines=PIPELINES, ago=90 * 24 * HOUR)
    for pipeline in PIPELINES:
        run(pipeline["name"], "end", 26 * HOUR)
    # An approval that waits, and a newer execution behind it that has overtaken another.
    run("checkout", "Production", 3 * HOUR)
    lab("supersede", pipeline="checkout", stage="Production", ago=HOUR)
    # A queue of two behind an approval; two approvals side by side.
    for ago in (5 * HOUR, 4 * HOUR, 2 * HOUR):
        run("payments", "Production", ago)
    for ago in (2 * HOUR, HOUR):
        run("sessions", "Production", ago)
    # One that failed, one that still runs, one that a closed transition holds.
    run("search", "Production", 2 * HOUR)
    lab("advance", pipeline="search", outcome="Failed", ago=HOUR)
    run("mailer", "Production", 900)
    lab("progress", pipeline="mailer", stage="Production", action="Deploy", percent=40)
    call(url, "DisableStageTransition", {
        "pipelineName": "catalog",
        "stageName": "Production",
        "transitionType": "Inbound",
        "reason": "peak hours",
    })
    run("catalog", "Production", HOUR)
    stopped = run("stock", "Production", HOUR)
    call(url, "StopPipelineExecution", {
        "pipelineName": "stock",
        "pipelineExecutionId": stopped,
        "abandon": True,
        "reason": "wrong build",
    })


def call(url, operation, body):
    """One signed-looking call; the stand-in reads only the access key."""
    headers = {
        "X-Amz-Target": f"CodePipeline_20150709.{operation}",
        "Authorization": "AWS4-HMAC-SHA256 Credential=LABBOB/lab",
    }
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()
