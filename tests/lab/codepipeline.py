#!/usr/bin/env python3
"""A stateful stand-in of AWS CodePipeline (JSON 1.1) and STS GetCallerIdentity on loopback.

Run it with the port to listen on (0 for any); it prints the port it got. Under /w/NAME/ every
NAME is a world of its own, so that tests do not meet; the control endpoint of it is /w/NAME/lab/.
"""

import json
import re
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from control import Control
from operations import Operations
from wire import ApiError, Model
from world import ACCOUNT, World

TARGET = "CodePipeline_20150709."
IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\
<GetCallerIdentityResult><Arn>{arn}</Arn><UserId>{user}</UserId><Account>{account}</Account>\
</GetCallerIdentityResult><ResponseMetadata><RequestId>{request}</RequestId></ResponseMetadata>\
</GetCallerIdentityResponse>"""
STS_ERROR = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>\
<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
<RequestId>{request}</RequestId></ErrorResponse>"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.choose()
        if self.path.startswith("/lab/"):
            self.control(body)
        elif self.headers.get("X-Amz-Target", "").startswith(TARGET):
            self.json_call(self.headers["X-Amz-Target"].removeprefix(TARGET), body)
        elif b"Action=GetCallerIdentity" in body:
            self.sts(parse_qs(body.decode()))
        else:
            self.error(ApiError("UnknownOperationException", "No such operation", 404))

    def do_GET(self):
        self.choose()
        self.control(b"")

    def choose(self):
        """Finds the world by the path, and leaves the rest of the path."""
        name = ""
        if self.path.startswith("/w/"):
            name, _, rest = self.path.removeprefix("/w/").partition("/")
            self.path = f"/{rest}"
        self.room = self.server.room(name)

    def control(self, body):
        world = self.room.world
        try:
            with world.lock:
                name = self.path.removeprefix("/lab/")
                answer = self.room.control.run(name, json.loads(body or b"{}"))
            self.reply(200, answer)
        except ApiError as error:
            self.error(error)

    def json_call(self, operation, body):
        world, rule = self.room.world, None
        try:
            request = self.parse(body)
            with world.lock:
                rule, over = self.begin(operation, request), world.over
            if rule and rule["kind"] in ("slow", "drop"):
                time.sleep(rule.get("seconds", 5 if rule["kind"] == "slow" else 0))
            if rule and rule["kind"] == "hold":
                over.wait()
            if rule and rule["kind"] == "drop":
                self.close_connection = True
                return
            with world.lock:
                world.caller = self.user()
                self.validate(operation, request)
                answer = getattr(self.room.operations, operation)(request)
                faults = world.model.output_faults(operation, answer)
                if faults:
                    world.violations.append({"operation": operation, "faults": faults})
                    raise ApiError("InternalFailure", "; ".join(faults), 500)
                # Serialised under the lock: views may point into the living state.
                raw = json.dumps(answer).encode() if answer is not None else b""
                world.done[operation] += 1
                if rule and rule.get("after"):
                    world.refuse(rule, operation)
            if rule and rule["kind"] == "cut":
                self.close_connection = True
                return
            self.send(200, raw, "application/x-amz-json-1.1")
        except ApiError as error:
            self.judge(operation, error)
            self.error(error)

    def parse(self, body):
        try:
            request = json.loads(body or b"{}")
        except ValueError as error:
            raise ApiError("SerializationException", str(error)) from error
        if not isinstance(request, dict):
            raise ApiError("SerializationException", "The body is no object")
        return request

    def begin(self, operation, request):
        """Counts the call, knows the caller, and meets the faults that were asked for."""
        world = self.room.world
        world.calls[operation] += 1
        world.log.append({"operation": operation, "request": request, "at": world.now()})
        del world.log[:-1000]
        if operation not in world.model.operations() or not hasattr(Operations, operation):
            raise ApiError("UnknownOperationException", f"No operation {operation} in the lab")
        world.caller = self.user()
        rule = world.fault(operation, request)
        if rule and not rule.get("after"):
            world.refuse(rule, operation)
        return rule

    def validate(self, operation, request):
        faults = self.room.world.model.input_faults(operation, request)
        if faults:
            raise ApiError("ValidationException", "; ".join(faults))

    def judge(self, operation, error):
        """An exception that the model does not list for the operation is a mistake of the lab."""
        world = self.room.world
        common = {
            "ThrottlingException",
            "ExpiredTokenException",
            "AccessDeniedException",
            "MissingAuthenticationTokenException",
            "SerializationException",
            "UnknownOperationException",
            "InternalFailure",
        }
        known = operation in world.model.operations() and world.model.errors(operation)
        if error.code not in common and known and error.code not in known:
            world.violations.append({"operation": operation, "faults": [f"answers {error.code}"]})

    def user(self):
        """The access key names the caller: `LABALICE` is the user alice."""
        found = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
        if not found:
            raise ApiError("MissingAuthenticationTokenException", "Request is missing a token")
        name = found[1].lower().removeprefix("lab")
        return f"arn:aws:iam::{ACCOUNT}:user/{name or 'nobody'}"

    def sts(self, form):
        world, request = self.room.world, str(uuid.uuid4())
        operation = form.get("Action", [""])[0]
        try:
            with world.lock:
                world.calls[operation] += 1
                arn = world.caller = self.user()
                rule = world.fault(operation, {})
                if rule:
                    world.refuse(rule, operation)
            words = IDENTITY.format(arn=arn, user="AIDALAB", account=ACCOUNT, request=request)
            self.send(200, words.encode(), "text/xml")
        except ApiError as error:
            # STS says ExpiredToken where the JSON services say ExpiredTokenException.
            code = error.code.removesuffix("Exception")
            words = STS_ERROR.format(code=code, message=error.message, request=request)
            self.send(error.status if error.status != 400 else 403, words.encode(), "text/xml")

    def error(self, error):
        body = {"__type": error.code, "message": error.message}
        self.reply(error.status, body)

    def reply(self, status, value):
        self.send(status, json.dumps(value).encode(), "application/x-amz-json-1.1")

    def send(self, status, raw, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.end_headers()
        self.wfile.write(raw)
        self.wfile.flush()

    def log_message(self, *_):
        pass


class Room:
    """A world and what acts on it."""

    def __init__(self, model):
        self.world = World(model)
        self.operations = Operations(self.world)
        self.control = Control(self.world)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.model = Model("codepipeline")
        self.lock = threading.Lock()
        self.rooms = {}

    def room(self, name):
        with self.lock:
            if name not in self.rooms:
                self.rooms[name] = Room(self.model)
            return self.rooms[name]


def main():
    server = Server(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
