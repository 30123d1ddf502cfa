#!/usr/bin/env python3
"""The shop's measurements, as a function of time: hours of history and a page to scrape.

    shop.py history START END JOB INSTANCE     OpenMetrics of the past, for promtool
    shop.py serve START PORT END               /metrics that continue that history

START, END: seconds since 1970. Both see the same numbers, so that the series have no seam.
"""

import math
import random
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STEP = 15
SEED = "shop 1"
# The checkout's canary runs in the last hour before the lab starts, and errs five times as often.
CANARY_SHARE = 0.2
CANARY_AGE = 3600
ERRORS = {"blue": 0.004, "green": 0.02}
RATES = {"checkout": 40.0, "payments": 12.0, "search": 90.0}


class Shop:
    """Walks tick by tick from `start`; every tick has its own random numbers."""

    def __init__(self, start, canary):
        self.start, self.canary = start, canary
        self.tick = 0
        self.totals = {}
        self.gauges = {}

    def advance(self, until):
        while self.start + (self.tick + 1) * STEP <= until:
            self.tick += 1
            self.step(self.start + self.tick * STEP, random.Random(f"{SEED}/{self.tick}"))

    def step(self, now, dice):
        day = 1 + 0.3 * math.sin(2 * math.pi * (now % 86_400) / 86_400)
        for service, rate in RATES.items():
            has_canary = service == "checkout" and now >= self.canary
            shares = {"blue": 1 - CANARY_SHARE, "green": CANARY_SHARE} if has_canary else {"blue": 1}
            for version, share in shares.items():
                mean = rate * day * share * STEP
                requests = max(0, round(dice.gauss(mean, math.sqrt(mean))))
                errors = sum(dice.random() < ERRORS[version] for _ in range(requests))
                self.add("http_requests", service, version, requests - errors, code="200")
                self.add("http_requests", service, version, errors, code="500")
                slow = 0.18 if version == "blue" else 0.24
                p99 = slow * day * math.exp(dice.gauss(0, 0.08))
                key = ("http_request_p99_seconds", (("service", service), ("version", version)))
                self.gauges[key] = round(p99, 4)
        self.add("orders", "checkout", None, max(0, round(dice.gauss(9 * day, 3))))

    def add(self, name, service, version, amount, **more):
        labels = {"service": service} | ({"version": version} if version else {}) | more
        key = (name, tuple(sorted(labels.items())))
        self.totals[key] = self.totals.get(key, 0) + amount

    def samples(self):
        """(family, kind, sample name, labels, value)"""
        for (name, labels), value in self.totals.items():
            yield name, "counter", f"{name}_total", labels, value
        for (name, labels), value in self.gauges.items():
            yield name, "gauge", name, labels, value


def line(name, labels, value, extra=(), at=""):
    words = ",".join(f'{key}="{text}"' for key, text in (*labels, *extra))
    return f"{name}{{{words}}} {value} {at}".rstrip() + "\n"


def history(start, end, job, instance, out):
    """OpenMetrics wants one family after the other, and the times of a series in order."""
    shop = Shop(start, end - CANARY_AGE)
    extra = (("job", job), ("instance", instance))
    families = {}
    for now in range(start + STEP, end + 1, STEP):
        shop.advance(now)
        for family, kind, name, labels, value in shop.samples():
            series = families.setdefault((family, kind), {}).setdefault((name, labels), [])
            series.append(line(name, labels, value, extra, now))
    for (family, kind), series in families.items():
        out.write(f"# TYPE {family} {kind}\n")
        for lines in series.values():
            out.writelines(lines)
    out.write("# EOF\n")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        shop = self.server.shop
        shop.advance(time.time())
        page = "".join(line(name, labels, value) for _, _, name, labels, value in shop.samples())
        raw = page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        pass


def main(how, start, second, *rest):
    if how == "history":
        history(int(start), int(second), *rest, sys.stdout)
        return
    server = ThreadingHTTPServer(("127.0.0.1", int(second)), Handler)
    server.shop = Shop(int(start), int(rest[0]) - CANARY_AGE)
    server.shop.advance(time.time())
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
