#!/usr/bin/env python3
"""A small service with a version, a health page and a switch for a test to make it ill.

    web.py PORT VERSION [CERT KEY]

`POST /lab {"status": 503, "delay": 2, "version": "1.5.0"}` changes how it answers. `"errors": 0.02`
fails that share of the requests for anything but /health: evenly, so that a test knows how many
requests tell two shares apart. /metrics counts them; `"metrics": false` takes that page away.
"""

import json
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Tally:
    """Requests by their answers, and by how long they took."""

    EDGES = (0.05, 0.5, float("inf"))

    def __init__(self):
        self.guard = threading.Lock()
        self.owed = 0.0
        self.counts = {200: 0, 500: 0}
        self.buckets = {edge: 0 for edge in self.EDGES}
        self.seconds = 0.0

    def take(self, status, errors, seconds):
        """The status of the next answer, if it would be `status` but for the share of errors."""
        with self.guard:
            self.owed += errors
            if self.owed >= 1:
                self.owed -= 1
                status = 500
            self.counts[status] = self.counts.get(status, 0) + 1
            self.seconds += seconds
            for edge in self.EDGES:
                self.buckets[edge] += seconds <= edge
            return status

    def page(self):
        with self.guard:
            lines = [f'http_requests_total{{code="{c}"}} {n}\n' for c, n in self.counts.items()]
            name = "http_request_duration_seconds"
            names = [(str(edge).replace("inf", "+Inf"), n) for edge, n in self.buckets.items()]
            times = [f'{name}_bucket{{le="{edge}"}} {n}\n' for edge, n in names]
            ends = [f"{name}_sum {self.seconds}\n", f"{name}_count {names[-1][1]}\n"]
        head = "# TYPE http_requests_total counter\n"
        return "".join([head, *lines, f"# TYPE {name} histogram\n", *times, *ends])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        shape = self.server.shape
        if self.path == "/metrics" and shape["metrics"]:
            self.send(200, "text/plain; version=0.0.4", self.server.tally.page().encode())
            return
        began = time.monotonic()
        time.sleep(shape["delay"])
        status = shape["status"] if self.path != "/metrics" else 404
        if self.path not in ("/health", "/metrics"):
            status = self.server.tally.take(status, shape["errors"], time.monotonic() - began)
        good = status < 400
        state = {"status": "up" if good else "down", "build": {"version": shape["version"]}}
        self.answer(status, state)

    do_HEAD = do_GET

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        if self.path == "/lab":
            self.server.shape |= body
        self.answer(200, self.server.shape)

    def answer(self, status, value):
        self.send(status, "application/json", json.dumps(value).encode())

    def send(self, status, kind, raw):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("X-Version", self.server.shape["version"])
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)
        self.wfile.flush()

    def log_message(self, *_):
        pass


def main(port, version, cert=None, key=None):
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    server.shape = {"status": 200, "delay": 0, "version": version, "errors": 0.0, "metrics": True}
    server.tally = Tally()
    if cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
