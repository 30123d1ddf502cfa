"""The shop's past and its live page are one series without a seam."""

import io
import unittest

import shop

START, END = 1_790_000_000, 1_790_007_200


class History(unittest.TestCase):
    def setUp(self):
        out = io.StringIO()
        shop.history(START, END, "shop", "127.0.0.1:1", out)
        self.text = out.getvalue()

    def test_the_live_page_goes_on_where_history_ends(self):
        live = shop.Shop(START, END - shop.CANARY_AGE)
        live.advance(END)
        live = {(name, labels): value for _, _, name, labels, value in live.samples()}
        extra = (("job", "shop"), ("instance", "127.0.0.1:1"))
        for (name, labels), value in live.items():
            self.assertIn(shop.line(name, labels, value, extra, END), self.text)

    def test_counters_never_fall_and_the_canary_errs_more(self):
        walk = shop.Shop(START, END - shop.CANARY_AGE)
        before = {}
        for now in range(START, END, 60):
            walk.advance(now)
            for key, value in before.items():
                self.assertGreaterEqual(walk.totals[key], value)
            before = dict(walk.totals)

        def ratio(version):
            labels = {"service": "checkout", "version": version}
            good, bad = (
                walk.totals["http_requests", tuple(sorted((labels | {"code": code}).items()))]
                for code in ("200", "500")
            )
            return bad / (good + bad)

        self.assertGreater(ratio("green"), 3 * ratio("blue"))

    def test_families_are_not_torn_apart(self):
        names = [line.split("{")[0] for line in self.text.splitlines() if not line.startswith("#")]
        turns = [name for name, last in zip(names, [None, *names]) if name != last]
        self.assertEqual(len(turns), len(set(turns)))
        self.assertTrue(self.text.endswith("# EOF\n"))


if __name__ == "__main__":
    unittest.main()
