#!/usr/bin/env python3
"""A TCP and HTTP proxy that breaks on demand what passes through it.

    fault_proxy.py PORT       the control endpoint

    POST /proxies {"name": "prometheus", "to": "127.0.0.1:9090"}   -> {"port": …}
    POST /fault {"name": "prometheus", "kind": "latency", "seconds": 2, "times": 3}
    GET  /proxies             names, ports, faults, connections and requests so far

Faults, for every connection or request until `times` are used up, or until "none"; the first
`skip` of them pass unharmed, and so do those whose head does not have `match` (an expression):
    refuse      the connection is closed before anything is read
    latency     the reply waits `seconds`
    hang        nothing is ever answered
    reset       the connection is reset after `bytes` of the reply
    truncate    the connection ends after `bytes` of the reply, in good order
    trickle     the reply arrives `bytes` at a time, with `seconds` in between
    hold        the request waits until another fault is set, and goes on then
    status      the proxy answers `status` (429, 503, …) itself, with `retry_after` if given and
                `error` as AWS names it; with `after` only when the server has answered, so that
                it did what it was told
    garbage     the proxy answers 200 with a body that is not what was promised
"""

import json
import re
import socket
import socketserver
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KINDS = (
    *("none", "refuse", "latency", "hang", "reset", "truncate", "trickle", "status", "garbage"),
    "hold",
)
GARBAGE = b'{"status": "success", "data": [["\\u001b]52;c;aGk=\\u0007", {"resultType": 7'


class Proxy(socketserver.ThreadingTCPServer):
    """One listener in front of one server."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, name, to):
        super().__init__(("127.0.0.1", 0), Connection)
        host, _, port = to.rpartition(":")
        self.name, self.to = name, (host, int(port))
        self.guard = threading.Lock()
        self.fault = {"kind": "none"}
        self.connections = self.exchanges = self.met = 0
        self.passed = []
        self.changed = threading.Event()

    def take(self, head=b""):
        """The fault for the next exchange; a counted one is used up by this."""
        with self.guard:
            wanted = self.fault.get("match")
            if wanted and not re.search(wanted, head.decode("latin-1")):
                return {"kind": "none"}
            if self.fault.get("skip", 0) > 0:
                self.fault["skip"] -= 1
                return {"kind": "none"}
            fault = self.fault | {"over": self.changed}
            self.met += fault["kind"] != "none"
            if "times" in self.fault:
                self.fault["times"] -= 1
                if self.fault["times"] <= 0:
                    self.fault = {"kind": "none"}
            return fault

    def set(self, fault):
        """Whoever hangs under the old fault is let go."""
        with self.guard:
            self.fault = fault
            self.changed.set()
            self.changed = threading.Event()

    def handle_error(self, *_):
        """A client that went away is no news here."""

    def shown(self):
        return {
            "to": "{}:{}".format(*self.to),
            "port": self.server_address[1],
            "fault": self.fault,
            "connections": self.connections,
            "exchanges": self.exchanges,
            "met": self.met,
            "passed": self.passed[-200:],
        }


class Connection(socketserver.BaseRequestHandler):
    """Bytes go up as they come; the reply comes down under the fault of its exchange.

    An exchange begins whenever the client speaks after the server did, so that a kept-alive
    HTTP connection is several exchanges, and a conversation on a socket works as well.
    """

    def handle(self):
        self.server.connections += 1
        self.client = self.request
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fault = self.server.fault
        if fault["kind"] == "refuse" and not fault.get("skip") and "match" not in fault:
            self.server.take()
            self.reset()
            return
        with socket.create_connection(self.server.to, timeout=10) as upstream:
            upstream.settimeout(None)
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.exchange_lock, self.fault, self.sent = threading.Lock(), {"kind": "none"}, None
            down = threading.Thread(target=self.pump_down, args=(upstream,), daemon=True)
            down.start()
            self.pump_up(upstream)
            down.join()

    def pump_up(self, upstream):
        try:
            while data := self.client.recv(65536):
                if self.sent != 0:
                    self.fault, self.sent = self.server.take(data), 0
                    self.server.exchanges += 1
                    alone = self.fault["kind"] in ("status", "garbage", "refuse", "hang")
                    if alone and not self.fault.get("after"):
                        self.answer_alone()
                        break
                    if self.fault["kind"] == "hold":
                        self.fault["over"].wait()
                    self.server.passed.append(data.split(b"\r\n")[0][:300].decode("latin-1"))
                upstream.sendall(data)
            upstream.shutdown(socket.SHUT_WR)
        except OSError:
            close(upstream)

    def answer_alone(self):
        """Answers instead of the server, which mostly never hears of the request."""
        kind = self.fault["kind"]
        if kind == "refuse":
            self.reset()
            return
        if kind == "hang":
            self.server.changed.wait()
            self.reset()
            return
        self.say()
        self.client.shutdown(socket.SHUT_WR)

    def say(self):
        """What the proxy answers itself."""
        body, status, more = GARBAGE, "200 OK", ""
        if self.fault["kind"] != "garbage":
            status, body = f"{self.fault.get('status', 503)} Fault", b'{"message": "a fault of the lab"}'
            for name, key in (("Retry-After", "retry_after"), ("x-amzn-ErrorType", "error")):
                if key in self.fault:
                    more += f"{name}: {self.fault[key]}\r\n"
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{more}"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.client.sendall(head.encode() + body)

    def pump_down(self, upstream):
        try:
            while data := upstream.recv(65536):
                if not self.pass_down(data):
                    close(upstream)
                    return
            self.client.shutdown(socket.SHUT_WR)
        except OSError:
            close(upstream)

    def pass_down(self, data):
        """Sends one piece of the reply under the fault; false when nothing may follow."""
        fault, kind = self.fault, self.fault["kind"]
        before, self.sent = self.sent or 0, (self.sent or 0) + len(data)
        if kind == "latency" and before == 0:
            self.server.changed.wait(fault.get("seconds", 1))
        if kind == "status":
            if before == 0:
                self.answer_alone()
            return False
        if kind in ("reset", "truncate"):
            keep = max(0, fault.get("bytes", 0) - before)
            self.client.sendall(data[:keep])
            if len(data) >= keep:
                if kind == "reset":
                    self.reset()
                else:
                    self.client.shutdown(socket.SHUT_RDWR)
                return False
            return True
        if kind == "trickle":
            size = fault.get("bytes", 1)
            for at in range(0, len(data), size):
                self.client.sendall(data[at : at + size])
                time.sleep(fault.get("seconds", 0.05))
            return True
        self.client.sendall(data)
        return True

    def reset(self):
        """Closes with RST instead of FIN."""
        linger = struct.pack("ii", 1, 0)
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        close(self.client)


def close(connection):
    """Ends a socket also for a thread that waits on it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()


class Control(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, {name: proxy.shown() for name, proxy in self.server.proxies.items()})

    def do_POST(self):
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
            answer = {"/proxies": self.server.open, "/fault": self.server.fault}[self.path](body)
            self.answer(200, answer)
        except (KeyError, ValueError, TypeError) as error:
            self.answer(400, {"error": f"{type(error).__name__}: {error}"})

    def answer(self, status, value):
        raw = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Control)
        self.proxies = {}

    def open(self, body):
        """A name that is taken already gives its proxy as it stands."""
        name, to = body["name"], body["to"]
        if name not in self.proxies:
            proxy = self.proxies[name] = Proxy(name, to)
            threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        return self.proxies[name].shown()

    def fault(self, body):
        if body["kind"] not in KINDS:
            raise ValueError(f"{body['kind']} is none of {', '.join(KINDS)}")
        proxy = self.proxies[body["name"]]
        proxy.set({key: value for key, value in body.items() if key != "name"})
        return proxy.shown()


if __name__ == "__main__":
    Server(int(sys.argv[1])).serve_forever()
