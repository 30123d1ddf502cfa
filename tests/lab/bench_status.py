#!/usr/bin/env python3
"""How long `flightdeck status` takes for many pipelines of the stand-in.

    .cache/lab/venv/bin/python tests/lab/bench_status.py target/release/flightdeck [COUNT] [TIMES]
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from codepipeline import Server

CONFIG = """\
[sources.pipes]
kind = "codepipeline"
region = "eu-west-1"
endpoint = "{url}"
budget_per_minute = 10000000
"""
KEYS = {"AWS_ACCESS_KEY_ID": "LABALICE", "AWS_SECRET_ACCESS_KEY": "lab"}


def main(program, count="1000", times="5"):
    server = Server()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"

    def lab(name, **body):
        request = urllib.request.Request(f"{url}/lab/{name}", json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    added = lab("pipelines", pipelines=[{"name": "service", "count": int(count), "auto": True}])
    for name in added["added"]:
        lab("start", pipeline=name)
    took = []
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        config.write_text(CONFIG.format(url=url))
        command = [program, "--config", config, "status", "--wait", "300", "-o", "json"]
        for _ in range(int(times)):
            began = time.monotonic()
            done = subprocess.run(command, env=os.environ | KEYS, capture_output=True, check=False)
            took.append(time.monotonic() - began)
            known = len(json.loads(done.stdout)["pipelines"])
            if known != int(count):
                sys.exit(f"only {known} of {count} pipelines: {done.stderr.decode()}")
    calls = sum(lab("calls")["count"].values()) / int(times)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = (used.ru_utime + used.ru_stime) / int(times)
    print(
        f"status of {count} pipelines: median {statistics.median(took):.2f} s of {times} "
        f"(fastest {min(took):.2f} s), {calls:.0f} calls, {own:.2f} s of its own processor time, "
        f"{used.ru_maxrss / 1024:.0f} MiB at most"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
