#!/usr/bin/env python3
"""A small service with a version, a health page and a switch for a test to make it ill.

    web.py PORT VERSION [CERT KEY]

`POST /lab {"status": 503, "delay": 2, "version": "1.5.0"}` changes how it answers.
"""

import json
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        shape = self.server.shape
        time.sleep(shape["delay"])
        good = shape["status"] < 400
        state = {"status": "up" if good else "down", "build": {"version": shape["version"]}}
        self.answer(shape["status"], state)

    do_HEAD = do_GET

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        if self.path == "/lab":
            self.server.shape |= body
        self.answer(200, self.server.shape)

    def answer(self, status, value):
        raw = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
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
    server.shape = {"status": 200, "delay": 0, "version": version}
    if cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
