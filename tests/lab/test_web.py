"""Tests of the small service: errors as evenly as they were asked for, and all of them counted."""

import json
import os
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from lab import Lab, answers

SCRIPT = Path(__file__).resolve().parent / "web.py"


class Web(unittest.TestCase):
    def setUp(self):
        port = Lab(os.devnull).port()
        self.url = f"http://127.0.0.1:{port}"
        self.server = subprocess.Popen([sys.executable, SCRIPT, str(port), "1.0"])
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        while not answers(f"{self.url}/health"):
            self.assertIsNone(self.server.poll())

    def status(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def shape(self, **shape):
        urllib.request.urlopen(f"{self.url}/lab", json.dumps(shape).encode(), timeout=5).close()

    def counts(self):
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        mine = [line for line in lines if line.startswith("http_requests_total")]
        return {line.split('"')[1]: int(line.split()[-1]) for line in mine}

    def test_errors_come_evenly_and_are_counted(self):
        self.shape(errors=0.25)
        said = [self.status("/") for _ in range(40)]
        self.assertEqual(said, [200, 200, 200, 500] * 10)
        self.assertEqual(self.counts(), {"200": 30, "500": 10})

    def test_neither_health_nor_metrics_count_or_fail(self):
        self.shape(errors=1.0)
        self.assertEqual([self.status("/health"), self.status("/metrics")], [200, 200])
        self.assertEqual(self.counts(), {"200": 0, "500": 0})

    def test_metrics_can_be_taken_away(self):
        self.shape(metrics=False)
        self.assertEqual([self.status("/metrics"), self.status("/")], [404, 200])


if __name__ == "__main__":
    unittest.main()
