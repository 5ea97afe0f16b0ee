"""What fye up says on stderr while it works: plain lines, a bar on a terminal, JSON events; and that its estimate is right.

usage: bulk_progress_test.py [Class[.test]...]
"""

import json
import os
import pty
import select
import subprocess
import time
import unittest

import tiny_model
import tiny_pictures as pictures
from workplace import Workplace

ESCAPE = b"\x1b"


class Progress(unittest.TestCase):
    """Pictures that take about a tenth of a second each, on one core."""

    FILES = 20 if os.environ.get("FYE_BUILD") == "sanitize" else 60
    SLOW = ("-s", "16", "--numbers", "f32", "--threads", "1", "-m", "tiny.onnx")

    @classmethod
    def setUpClass(cls):
        cls.place = Workplace()
        cls.place.write("tiny.onnx", tiny_model.upscaler(2))
        for index in range(cls.FILES):
            cls.place.write(f"in/{index:02}.png", pictures.png(60 + 20 * (index % 3), 60, seed=index))

    @classmethod
    def tearDownClass(cls):
        cls.place.close()

    def words(self, target, *arguments):
        return [str(self.place.fye), "up", "in", "-o", target, *self.SLOW, *arguments]

    def stamped_lines(self, target, *arguments):
        """[(seconds since the start, line of stderr)]."""
        start = time.monotonic()
        process = subprocess.Popen(self.words(target, *arguments), cwd=self.place.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        with process.stderr:
            lines = [(time.monotonic() - start, line) for line in process.stderr]
        self.assertEqual(process.wait(), 0, lines)
        return lines

    def on_a_terminal(self, target, *arguments, environment=None):
        """What a terminal of 80 columns gets."""
        leader, follower = pty.openpty()
        process = subprocess.Popen(self.words(target, *arguments), cwd=self.place.folder, stdout=subprocess.DEVNULL,
                                   stderr=follower, env={**os.environ, "TERM": "xterm", **(environment or {})})
        os.close(follower)
        shown = b""
        while True:
            if not select.select([leader], [], [], 100)[0]:
                break
            try:
                data = os.read(leader, 4096)
            except OSError:
                break
            if not data:
                break
            shown += data
        os.close(leader)
        self.assertEqual(process.wait(), 0, shown)
        return shown

    def test_off_a_terminal_plain_lines_and_nothing_on_stdout(self):
        done = subprocess.run(self.words("plain"), cwd=self.place.folder, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, b"")
        self.assertNotIn(ESCAPE, done.stderr)
        self.assertNotIn(b"\r", done.stderr)

    def test_a_bar_on_a_terminal(self):
        shown = self.on_a_terminal("bar", "--progress", "bar")
        self.assertNotIn(ESCAPE, shown, "no control sequences: NO_COLOR and dumb terminals need no special case")
        drawn = [part for part in shown.split(b"\r") if b"%" in part]
        self.assertGreater(len(drawn), 3)
        for part in drawn:
            self.assertLessEqual(len(part.rstrip()), 80, part)
        shares = [int(part.split(b"%")[0].split()[-1]) for part in drawn]
        self.assertEqual(shares, sorted(shares))
        self.assertIn(b" left", shown)
        self.assertIn(b"file ", shown)

    def test_no_color_and_dumb_terminals(self):
        for name, environment in (("no_color", {"NO_COLOR": "1"}), ("dumb", {"TERM": "dumb"})):
            with self.subTest(name):
                shown = self.on_a_terminal(name, environment=environment)
                self.assertNotIn(ESCAPE, shown)
                if name == "dumb":
                    self.assertNotIn(b"\r", shown.replace(b"\r\n", b""))

    def test_none_is_silent(self):
        done = subprocess.run(self.words("silent", "--progress", "none"), cwd=self.place.folder, capture_output=True)
        # What it did, and what it has to say about it: no line of progress.
        said = [line for line in done.stderr.splitlines() if not line.startswith(b"note: ")]
        self.assertEqual(len(said), 1, done.stderr)
        self.assertIn(b"%d done" % self.FILES, said[0])

    def test_events(self):
        lines = self.stamped_lines("events", "--progress", "json")
        events = [(at, json.loads(line)) for at, line in lines if line.startswith(b"{")]
        shown = [(at, event) for at, event in events if event["event"] in ("progress", "end")]
        self.assertGreaterEqual(len(shown), 3)
        fractions = [event["fraction"] for _, event in shown]
        self.assertEqual(fractions, sorted(fractions))
        self.assertAlmostEqual(fractions[-1], 1)
        self.assertEqual(shown[-1][1]["event"], "end")
        self.assertEqual((shown[-1][1]["files_done"], shown[-1][1]["files"]), (self.FILES, self.FILES))
        # By the program's own clock: a second is promised, and a busy machine may wake a thread late.
        gaps = [b["elapsed_s"] - a["elapsed_s"] for (_, a), (_, b) in zip(shown, shown[1:])]
        self.assertLess(max(gaps), 1.0 if os.environ.get("FYE_BUILD") != "sanitize" else 5.0)

    def test_one_large_picture_has_events_too(self):
        self.place.write("large.png", pictures.png(500, 400))
        process = subprocess.run([str(self.place.fye), "up", "large.png", "-o", "large_out.png", *self.SLOW, "--progress", "json"],
                                 cwd=self.place.folder, capture_output=True)
        self.assertEqual(process.returncode, 0, process.stderr)
        events = [json.loads(line) for line in process.stderr.splitlines() if line.startswith(b"{")]
        fractions = [event["fraction"] for event in events if "fraction" in event]
        self.assertEqual(fractions, sorted(fractions))
        gaps = [b["elapsed_s"] - a["elapsed_s"] for a, b in zip(events, events[1:]) if "elapsed_s" in a and "elapsed_s" in b]
        self.assertLess(max(gaps), 1.0 if os.environ.get("FYE_BUILD") != "sanitize" else 5.0)

    def test_the_estimate_of_a_real_run(self):
        """Right within 15 % in batch/estimate_test.cc, by a fake clock. Here the machine is whatever it is: within a factor."""
        lines = self.stamped_lines("estimate", "--progress", "json")
        events = [json.loads(line) for _, line in lines if line.startswith(b"{")]
        whole = events[-1]["elapsed_s"]
        early = next((event for event in events if 0.1 <= event.get("fraction", 0) <= 0.5 and "left_s" in event), None)
        if early is None:
            self.skipTest("too fast to have an estimate on the way")
        self.assertLess(early["left_s"], 3 * (whole - early["elapsed_s"]) + 0.5)
        self.assertGreater(early["left_s"], (whole - early["elapsed_s"]) / 3 - 0.5)


if __name__ == "__main__":
    unittest.main()
