"""The stand-in, seen through botocore's own client: reads, writes, refusals, modes, faults."""

import json
import threading
import unittest
import urllib.error
import urllib.request

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

import declare
from codepipeline import Server


class Lab(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        threading.Thread(target=cls.server.serve_forever, args=(0.02,), daemon=True).start()
        cls.url = f"http://127.0.0.1:{cls.server.server_address[1]}"

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def setUp(self):
        self.lab("reset")
        self.api = self.client("codepipeline")

    def tearDown(self):
        self.assertEqual(self.lab("calls")["violations"], [])

    def client(self, service, key="LABALICE"):
        return botocore.session.get_session().create_client(
            service,
            "eu-west-1",
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key="secret",
            config=Config(retries={"max_attempts": 0}),
        )

    def lab(self, name, **body):
        request = urllib.request.Request(f"{self.url}/lab/{name}", json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def add(self, name="checkout", **short):
        self.lab("pipelines", pipelines=[{"name": name} | short])
        return name

    def run_to(self, stage, name="checkout", **more):
        run = self.lab("start", pipeline=name, **more)["execution"]
        self.lab("advance", pipeline=name, execution=run, to=stage)
        return run

    def stage(self, stage, name="checkout"):
        states = self.api.get_pipeline_state(name=name)["stageStates"]
        return next(state for state in states if state["stageName"] == stage)

    def ask(self, stage="Production", name="checkout"):
        """The token of the approval that waits."""
        return self.stage(stage, name)["actionStates"][0]["latestExecution"]["token"]

    def answer(self, token, status="Approved", api=None):
        return (api or self.api).put_approval_result(
            pipelineName="checkout",
            stageName="Production",
            actionName="Approve",
            result={"summary": "seen", "status": status},
            token=token,
        )

    def status(self, run, name="checkout"):
        answer = self.api.get_pipeline_execution(pipelineName=name, pipelineExecutionId=run)
        return answer["pipelineExecution"]["status"]

    def refused(self, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response["Error"]["Message"]


class Reading(Lab):
    def test_pages_hold_every_pipeline_once(self):
        self.lab("pipelines", pipelines=[{"name": "p", "count": 230}])
        pages = list(self.api.get_paginator("list_pipelines").paginate())
        self.assertEqual([len(page["pipelines"]) for page in pages], [100, 100, 30])
        names = {entry["name"] for page in pages for entry in page["pipelines"]}
        self.assertEqual(len(names), 230)
        self.refused("InvalidNextTokenException", self.api.list_pipelines, nextToken="nonsense")

    def test_executions_come_newest_first_and_by_page(self):
        self.add(auto=True, stages=[{"name": "Source", "actions": ["Code:Source"]}])
        runs = [self.lab("start", pipeline="checkout")["execution"] for _ in range(5)]
        answer = self.api.list_pipeline_executions(pipelineName="checkout", maxResults=2)
        seen = [run["pipelineExecutionId"] for run in answer["pipelineExecutionSummaries"]]
        self.assertEqual(seen, runs[:2:-1])
        self.assertIn("nextToken", answer)

    def test_who_calls_is_told_and_tags_are_kept(self):
        self.add(tags={"team": "shop"})
        self.assertTrue(self.client("sts").get_caller_identity()["Arn"].endswith(":user/alice"))
        arn = self.api.get_pipeline(name="checkout")["metadata"]["pipelineArn"]
        tags = self.api.list_tags_for_resource(resourceArn=arn)["tags"]
        self.assertEqual(tags, [{"key": "team", "value": "shop"}])

    def test_worlds_do_not_meet(self):
        self.add()
        answer = urllib.request.urlopen(f"{self.url}/w/other/lab/calls").read()
        self.assertEqual(json.loads(answer)["count"], {})
        other = botocore.session.get_session().create_client(
            "codepipeline",
            "eu-west-1",
            endpoint_url=f"{self.url}/w/other",
            aws_access_key_id="LABALICE",
            aws_secret_access_key="secret",
        )
        self.assertEqual(other.list_pipelines()["pipelines"], [])
        self.assertEqual(len(self.api.list_pipelines()["pipelines"]), 1)

    def test_what_the_model_forbids_is_refused(self):
        self.refused("PipelineNotFoundException", self.api.get_pipeline_state, name="nowhere")
        self.refused("ValidationException", self.api.get_pipeline_state, name="no spaces please")
        with self.assertRaises(urllib.error.HTTPError):
            self.lab("pipelines", pipelines=[{"name": "x", "mode": "SIDEWAYS"}])


class Approving(Lab):
    def test_an_approval_lets_the_execution_go_on(self):
        self.add()
        run = self.run_to("Production")
        token = self.ask()
        self.assertIn("approvedAt", self.answer(token))
        approve, deploy = self.stage("Production")["actionStates"]
        self.assertTrue(approve["latestExecution"]["lastUpdatedBy"].endswith("user/alice"))
        self.assertNotIn("token", approve["latestExecution"])
        self.assertEqual(deploy["latestExecution"]["status"], "InProgress")
        self.lab("advance", pipeline="checkout")
        self.assertEqual(self.status(run), "Succeeded")

    def test_the_second_answer_is_refused_with_who_was_faster(self):
        self.add()
        self.run_to("Production")
        token = self.ask()
        self.answer(token, "Rejected", self.client("codepipeline", "LABBOB"))
        message = self.refused("ApprovalAlreadyCompletedException", self.answer, token=token)
        self.assertIn("user/bob", message)
        self.assertEqual(self.stage("Production")["latestExecution"]["status"], "Failed")

    def test_a_token_that_expired_or_never_was_is_invalid(self):
        self.add()
        run = self.run_to("Production")
        token = self.ask()
        wrong = "00000000-0000-4000-8000-000000000000"
        self.refused("InvalidApprovalTokenException", self.answer, token=wrong)
        self.lab("clock", add=7 * 86_400 + 1)
        self.refused("InvalidApprovalTokenException", self.answer, token=token)
        self.assertEqual(self.status(run), "Failed")

    def test_parallel_runs_keep_their_tokens_in_the_action_list(self):
        self.add(mode="PARALLEL")
        runs = [self.run_to("Production") for _ in range(2)]
        self.assertNotIn("token", self.stage("Production")["actionStates"][0]["latestExecution"])
        details = self.api.list_action_executions(
            pipelineName="checkout", filter={"pipelineExecutionId": runs[0]}
        )["actionExecutionDetails"]
        ask = next(detail for detail in details if detail["actionName"] == "Approve")
        self.answer(ask["output"]["executionResult"]["externalExecutionId"])
        self.lab("advance", pipeline="checkout")
        self.assertEqual([self.status(run) for run in runs], ["Succeeded", "InProgress"])


class Modes(Lab):
    def test_superseded_keeps_only_the_newest_that_waits(self):
        self.add()
        first = self.run_to("Production")
        made = self.lab("supersede", pipeline="checkout", stage="Production")
        states = [self.status(run) for run in (first, made["superseded"], made["waiting"])]
        self.assertEqual(states, ["InProgress", "Superseded", "InProgress"])
        inbound = self.stage("Production")["inboundExecution"]
        self.assertEqual(inbound["pipelineExecutionId"], made["waiting"])
        before = self.ask()
        self.answer(before, "Rejected")
        self.assertNotEqual(self.ask(), before)
        latest = self.stage("Production")["latestExecution"]["pipelineExecutionId"]
        self.assertEqual(latest, made["waiting"])

    def test_queued_lets_everyone_through_in_order(self):
        self.add(mode="QUEUED")
        first = self.run_to("Production")
        second, third = (self.run_to("Production") for _ in range(2))
        waiting = [e["pipelineExecutionId"] for e in self.stage("Production")["inboundExecutions"]]
        self.assertEqual(waiting, [second, third])
        self.answer(self.ask())
        self.lab("advance", pipeline="checkout", stage="Production")
        self.assertEqual(self.status(first), "Succeeded")
        latest = self.stage("Production")["latestExecution"]["pipelineExecutionId"]
        self.assertEqual(latest, second)

    def test_a_closed_transition_holds_and_an_opened_one_releases_the_latest(self):
        self.add()
        way = {"pipelineName": "checkout", "stageName": "Staging", "transitionType": "Inbound"}
        self.api.disable_stage_transition(reason="peak hours", **way)
        self.run_to("Staging")
        newest = self.run_to("Staging")
        closed = self.stage("Staging")["inboundTransitionState"]
        self.assertEqual((closed["enabled"], closed["disabledReason"]), (False, "peak hours"))
        self.refused("ValidationException", self.api.disable_stage_transition, reason="no; way", **way)
        self.api.enable_stage_transition(**way)
        latest = self.stage("Staging")["latestExecution"]["pipelineExecutionId"]
        self.assertEqual(latest, newest)


class Mending(Lab):
    def test_a_failed_stage_is_retried_unless_it_was_overtaken(self):
        self.add()
        run = self.run_to("Staging")
        self.lab("advance", pipeline="checkout", outcome="Failed")
        self.assertEqual(self.status(run), "Failed")
        retry = {
            "pipelineName": "checkout",
            "stageName": "Staging",
            "pipelineExecutionId": run,
            "retryMode": "FAILED_ACTIONS",
        }
        self.api.retry_stage_execution(**retry)
        self.assertEqual(self.stage("Staging")["retryStageMetadata"]["manualStageRetryAttempt"], 1)
        self.refused("ConflictException", self.api.retry_stage_execution, **retry)
        self.lab("advance", pipeline="checkout", outcome="Failed")
        self.run_to("Staging")
        self.refused("NotLatestPipelineExecutionException", self.api.retry_stage_execution, **retry)

    def test_a_stage_goes_back_to_what_succeeded_in_it(self):
        self.add()
        good = self.run_to("end")
        back = {"pipelineName": "checkout", "targetPipelineExecutionId": good}
        made = self.api.rollback_stage(stageName="Staging", **back)["pipelineExecutionId"]
        latest = self.stage("Staging")["latestExecution"]
        self.assertEqual((latest["pipelineExecutionId"], latest["type"]), (made, "ROLLBACK"))
        busy = "UnableToRollbackStageException"
        self.refused(busy, self.api.rollback_stage, stageName="Staging", **back)
        self.lab("advance", pipeline="checkout")
        self.assertEqual(self.status(made), "Succeeded")
        self.refused(busy, self.api.rollback_stage, stageName="Source", **back)
        again = back | {"targetPipelineExecutionId": made}
        self.refused(busy, self.api.rollback_stage, stageName="Staging", **again)
        self.lab("structure", pipeline="checkout")
        old = "PipelineExecutionOutdatedException"
        self.refused(old, self.api.rollback_stage, stageName="Staging", **back)

    def test_a_stop_waits_for_actions_and_is_asked_for_once(self):
        self.add()
        run = self.run_to("Staging")
        stop = {"pipelineName": "checkout", "pipelineExecutionId": run}
        self.api.stop_pipeline_execution(reason="wrong build", **stop)
        self.assertEqual(self.status(run), "Stopping")
        self.refused("DuplicatedStopRequestException", self.api.stop_pipeline_execution, **stop)
        self.lab("advance", pipeline="checkout")
        self.assertEqual(self.status(run), "Stopped")
        over = "PipelineExecutionNotStoppableException"
        self.refused(over, self.api.stop_pipeline_execution, **stop)
        listed = self.api.list_pipeline_executions(pipelineName="checkout")
        reason = listed["pipelineExecutionSummaries"][0]["stopTrigger"]["reason"]
        self.assertEqual(reason, "wrong build")

    def test_an_abandoned_approval_frees_its_stage(self):
        self.add()
        first, second = self.run_to("Production"), self.run_to("Production")
        self.api.stop_pipeline_execution(
            pipelineName="checkout", pipelineExecutionId=first, abandon=True
        )
        self.assertEqual(self.status(first), "Stopped")
        latest = self.stage("Production")["latestExecution"]["pipelineExecutionId"]
        self.assertEqual(latest, second)

    def test_a_start_with_the_same_token_starts_once(self):
        self.add()
        once = {"name": "checkout", "clientRequestToken": "same"}
        ids = [self.api.start_pipeline_execution(**once)["pipelineExecutionId"] for _ in range(2)]
        self.assertEqual(ids[0], ids[1])


class Conditions(Lab):
    def gated(self, **gates):
        stages = [
            {"name": "Source", "actions": ["Code:Source"]},
            {"name": "Staging", "actions": ["Deploy:Deploy"]} | gates,
        ]
        self.add(stages=stages)

    def override(self, run, kind):
        return {
            "pipelineName": "checkout",
            "stageName": "Staging",
            "pipelineExecutionId": run,
            "conditionType": kind,
        }

    def test_a_failed_entry_condition_is_overridden(self):
        self.gated(beforeEntry=declare.conditions("FAIL", "p99"))
        self.lab("condition", pipeline="checkout", stage="Staging", type="BEFORE_ENTRY", outcome="Failed")
        run = self.run_to("Staging")
        self.assertEqual(self.status(run), "Failed")
        state = self.stage("Staging")["beforeEntryConditionState"]
        self.assertEqual(state["latestExecution"]["status"], "Failed")
        self.api.override_stage_condition(**self.override(run, "BEFORE_ENTRY"))
        self.assertEqual(self.status(run), "InProgress")
        rules = self.api.list_rule_executions(pipelineName="checkout")["ruleExecutionDetails"]
        self.assertEqual([rule["ruleName"] for rule in rules], ["p99"])
        no = "ConditionNotOverridableException"
        self.refused(no, self.api.override_stage_condition, **self.override(run, "ON_SUCCESS"))

    def test_a_skip_goes_on_without_the_stage(self):
        self.gated(beforeEntry=declare.conditions("SKIP", "night"))
        self.lab("condition", pipeline="checkout", stage="Staging", type="BEFORE_ENTRY", outcome="Failed")
        run = self.run_to("Staging")
        self.assertEqual(self.stage("Staging")["latestExecution"]["status"], "Skipped")
        self.assertEqual(self.status(run), "Succeeded")

    def test_a_failed_exit_condition_rolls_back(self):
        self.gated(onSuccess=declare.conditions("ROLLBACK", "errors"))
        good = self.run_to("end")
        self.lab("condition", pipeline="checkout", stage="Staging", type="ON_SUCCESS", outcome="Failed")
        bad = self.run_to("end")
        self.assertEqual(self.status(bad), "Failed")
        newest = self.api.list_pipeline_executions(pipelineName="checkout")
        newest = newest["pipelineExecutionSummaries"][0]
        self.assertEqual(newest["trigger"]["triggerType"], "AutomatedRollback")
        self.assertEqual(newest["rollbackMetadata"]["rollbackTargetPipelineExecutionId"], good)


class Faults(Lab):
    def test_throttling_lasts_as_long_as_asked(self):
        self.add()
        self.lab("faults", faults=[{"kind": "throttle", "times": 1, "operations": ["GetPipelineState"]}])
        self.api.list_pipelines()
        self.refused("ThrottlingException", self.api.get_pipeline_state, name="checkout")
        self.api.get_pipeline_state(name="checkout")

    def test_expired_and_forbidden_calls_say_so(self):
        self.lab("faults", faults=[{"kind": "expire"}])
        self.refused("ExpiredTokenException", self.api.list_pipelines)
        self.refused("ExpiredToken", self.client("sts").get_caller_identity)
        self.lab("faults", faults=[{"kind": "deny", "operations": ["ListPipelines"]}])
        message = self.refused("AccessDeniedException", self.api.list_pipelines)
        self.assertIn("codepipeline:ListPipelines", message)

    def runs(self):
        answer = self.api.list_pipeline_executions(pipelineName="checkout")
        return len(answer["pipelineExecutionSummaries"])

    def test_a_refusal_can_come_after_it_was_done_and_with_another_status(self):
        self.add()
        for after in (False, True):
            fault = {"kind": "throttle", "status": 429, "after": after, "times": 1}
            self.lab("faults", faults=[fault])
            self.refused("ThrottlingException", self.api.start_pipeline_execution, name="checkout")
            self.assertEqual(self.runs(), int(after))
        calls = self.lab("calls")
        self.assertEqual(
            (calls["count"]["StartPipelineExecution"], calls["done"]["StartPipelineExecution"]), (2, 1)
        )

    def test_a_dropped_call_was_not_done(self):
        self.add()
        self.lab("faults", faults=[{"kind": "drop", "times": 1}])
        with self.assertRaises((ConnectionClosedError, HTTPClientError)):
            self.api.start_pipeline_execution(name="checkout")
        self.assertEqual(self.runs(), 0)

    def test_a_held_call_is_done_when_it_is_let_go(self):
        self.add()
        hold = {"kind": "hold", "operations": ["StartPipelineExecution"], "times": 1}
        self.lab("faults", faults=[hold])
        begin = threading.Thread(
            target=self.api.start_pipeline_execution, kwargs={"name": "checkout"}, daemon=True
        )
        begin.start()
        begin.join(0.3)
        self.assertEqual((begin.is_alive(), self.runs()), (True, 0))
        self.lab("faults", faults=[])
        begin.join(5)
        self.assertEqual((begin.is_alive(), self.runs()), (False, 1))

    def test_a_lost_reply_was_still_done(self):
        self.add()
        self.lab("faults", faults=[{"kind": "cut", "times": 1}])
        with self.assertRaises((ConnectionClosedError, HTTPClientError)):
            self.api.start_pipeline_execution(name="checkout")
        runs = self.api.list_pipeline_executions(pipelineName="checkout")
        self.assertEqual(len(runs["pipelineExecutionSummaries"]), 1)


if __name__ == "__main__":
    unittest.main()
