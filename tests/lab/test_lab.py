"""Starting and stopping: what was started answers, what is stopped is gone, nothing else is."""

import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import lab


class StartAndStop(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.run_folder = Path(folder.name) / "run"

    def quietly(self, call, *arguments):
        with mock.patch("sys.stdout"), mock.patch("sys.stderr"):
            return call(*arguments)

    def test_a_part_answers_until_it_is_stopped(self):
        with mock.patch.dict(os.environ, {"LAB_PARTS": "codepipeline"}):
            self.assertEqual(self.quietly(lab.start, self.run_folder), 0)
        env = dict(line.split("=", 1) for line in (self.run_folder / "lab.env").read_text().splitlines())
        url = env["LAB_CODEPIPELINE_URL"] + "/lab/calls"
        self.assertTrue(lab.answers(url))
        self.assertEqual(lab.one("kill", self.run_folder, "codepipeline"), 0)
        self.assertFalse(lab.answers(url))
        self.assertEqual(lab.one("again", self.run_folder, "codepipeline"), 0)
        end = time.monotonic() + 30
        while not lab.answers(url):
            self.assertLess(time.monotonic(), end)
        self.assertEqual(self.quietly(lab.stop, self.run_folder), 0)
        self.assertFalse(lab.answers(url))
        self.assertEqual(self.quietly(lab.stop, self.run_folder), 0)

    def test_a_part_that_ends_at_once_is_an_error_with_its_log(self):
        def broken(room):
            room.spawn("broken", sys.executable, "-c", "import sys; sys.exit('no room')")
            yield
            room.wait("broken", lambda: False)

        with mock.patch.dict(os.environ, {"LAB_PARTS": "broken"}):
            with mock.patch.dict(lab.parts.PARTS, {"broken": broken}):
                self.assertEqual(self.quietly(lab.start, self.run_folder), 1)
        self.assertIn("no room", (self.run_folder / "broken.log").read_text())

    def test_a_folder_of_somebody_else_is_left_alone(self):
        self.run_folder.mkdir()
        (self.run_folder / "thesis").write_text("mine")
        self.assertEqual(self.quietly(lab.start, self.run_folder), 1)
        self.assertEqual([path.name for path in self.run_folder.iterdir()], ["thesis"])

    def test_a_process_that_took_over_the_number_is_left_alone(self):
        other = subprocess.Popen(["sleep", "60"], start_new_session=True)
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        self.run_folder.mkdir()
        line = f'{{"name": "gone", "pid": {other.pid}, "born": 1}}\n'
        (self.run_folder / "processes").write_text(line)
        self.assertEqual(lab.stop(self.run_folder), 0)
        self.assertIsNone(other.poll())


if __name__ == "__main__":
    unittest.main()
