"""Each fault, seen by a client behind the proxy."""

import http.client
import json
import threading
import unittest
import urllib.error
import urllib.request

import fault_proxy
import web

BODY = b'{"status": "up", "build": {"version": "1.0"}}'


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.web = web.ThreadingHTTPServer(("127.0.0.1", 0), web.Handler)
        cls.web.shape = {"status": 200, "delay": 0, "version": "1.0"}
        cls.server = fault_proxy.Server()
        for server in (cls.web, cls.server):
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        for server in (cls.web, cls.server, *cls.server.proxies.values()):
            server.shutdown()
            server.server_close()

    def setUp(self):
        self.shown = self.control("/proxies", to=f"127.0.0.1:{self.web.server_address[1]}")

    def control(self, path, **body):
        url = f"http://127.0.0.1:{self.server.server_address[1]}{path}"
        request = urllib.request.Request(url, json.dumps({"name": self.id()} | body).encode())
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def get(self, timeout=5):
        url = f"http://127.0.0.1:{self.shown['port']}/health"
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.read()

    def fault(self, kind, **more):
        self.control("/fault", kind=kind, **more)

    def test_without_a_fault_everything_passes_and_is_counted(self):
        keep = http.client.HTTPConnection("127.0.0.1", self.shown["port"])
        for _ in range(3):
            keep.request("GET", "/health")
            self.assertEqual(keep.getresponse().read(), BODY)
        keep.close()
        shown = self.control("/fault", kind="none")
        self.assertEqual((shown["connections"], shown["exchanges"]), (1, 3))

    def test_the_first_ones_can_pass(self):
        for kind in ("refuse", "reset"):
            self.fault(kind, skip=2, times=1)
            self.assertEqual([self.get(), self.get()], [BODY, BODY])
            with self.assertRaises((ConnectionError, urllib.error.URLError, http.client.HTTPException)):
                self.get()
            self.assertEqual(self.get(), BODY)

    def test_connections_are_refused_and_reset(self):
        for kind in ("refuse", "reset"):
            self.fault(kind, times=1)
            with self.assertRaises((ConnectionError, urllib.error.URLError, http.client.HTTPException)):
                self.get()
            self.assertEqual(self.get(), BODY)

    def test_a_reply_ends_early(self):
        self.fault("truncate", bytes=len(BODY) + 150, times=1)
        with self.assertRaises(http.client.IncompleteRead):
            self.get()
        self.assertEqual(self.get(), BODY)

    def test_a_status_comes_with_when_to_come_back(self):
        self.fault("status", status=429, retry_after=7, times=1)
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.get()
        caught.exception.close()
        self.assertEqual((caught.exception.code, caught.exception.headers["Retry-After"]), (429, "7"))

    def test_a_status_can_stand_for_what_the_server_has_answered(self):
        self.web.shape["version"] = "1.0"
        self.fault("status", status=503, after=True, times=1)
        url = f"http://127.0.0.1:{self.shown['port']}/lab"
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(url, b'{"seen": 1}'))
        caught.exception.close()
        self.assertEqual((caught.exception.code, self.web.shape.pop("seen")), (503, 1))

    def test_garbage_is_no_json(self):
        self.fault("garbage", times=1)
        with self.assertRaises(ValueError):
            json.loads(self.get())

    def test_a_reply_waits_or_trickles_but_comes_whole(self):
        for fault in ({"kind": "latency", "seconds": 0.2}, {"kind": "trickle", "bytes": 40, "seconds": 0.02}):
            self.fault(**fault)
            self.assertEqual(self.get(), BODY)

    def test_a_hang_lasts_until_the_fault_is_taken_away(self):
        self.fault("hang")
        with self.assertRaises(TimeoutError):
            self.get(timeout=0.3)
        self.fault("none")
        self.assertEqual(self.get(), BODY)

    def test_only_what_matches_meets_the_fault(self):
        self.fault("status", status=403, error="ExpiredTokenException", match="^GET /other", times=1)
        self.assertEqual(self.get(), BODY)
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{self.shown['port']}/other")
        caught.exception.close()
        told = caught.exception.headers["x-amzn-ErrorType"]
        self.assertEqual((caught.exception.code, told), (403, "ExpiredTokenException"))

    def test_what_is_held_goes_on_when_it_is_let_go(self):
        self.fault("hold", times=1)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(self.get()), daemon=True)
        asking.start()
        asking.join(0.3)
        self.assertEqual(answers, [])
        shown = self.control("/fault", kind="none")
        asking.join(5)
        self.assertEqual((answers, shown["met"]), ([BODY], 1))
        self.assertEqual(self.control("/fault", kind="none")["passed"], ["GET /health HTTP/1.1"])

    def test_unknown_faults_are_refused(self):
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.fault("meteor")
        caught.exception.close()
        self.assertEqual(caught.exception.code, 400)


if __name__ == "__main__":
    unittest.main()
