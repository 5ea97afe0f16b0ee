"""Profiles, losses, streams and ladders under a deadline, from end to end on a tiny network.

usage: deadline_cli_test.py
"""

import json
import os
import unittest

import tiny_model
import tiny_pictures as pictures
from workplace import Workplace

SIZE = "48x32"
GENEROUS = "60s"  # any machine under any load, and sanitizers


class Deadlines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace()
        cls.environment = {**os.environ, "XDG_CACHE_HOME": str(cls.place.folder / "cache")}
        cls.place.write("tiny.onnx", tiny_model.upscaler(2))
        cls.place.write("other.onnx", tiny_model.upscaler(3))
        cls.place.write("photo.png", pictures.png(48, 32))
        cls.place.write("large.png", pictures.png(96, 64))
        cls.place.write("wide.png", pictures.png(64, 32))
        for model in ("tiny", "other"):
            cls.must("calibrate", f"{model}.onnx", "large.png", "-o", f"{model}.calib.json")
        cls.must("sensitivity", "tiny.onnx", "large.png", "--crop", "32x32", "-o", "tiny.losses.json")
        cls.must("profile", "tiny.onnx", "--size", SIZE, "--threads", "1", "-o", "profile.json")
        cls.must("plan", "tiny.onnx", "--size", SIZE, "--threads", "1", "--book", "book.json")

    @classmethod
    def tearDownClass(cls):
        cls.place.close()

    @classmethod
    def must(cls, *words, code=0):
        done = cls.place.run(*words, environment=cls.environment)
        if done.returncode != code:
            raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def read(self, name):
        return json.loads((self.place.folder / name).read_text())

    def test_a_profile_has_every_unit_on_every_processor(self):
        profile = self.read("profile.json")
        self.assertEqual((profile["width"], profile["height"]), (48, 32))
        self.assertIn("cpu.int8", profile["processors"])
        for unit in profile["units"]:
            self.assertEqual(sorted(unit["on"]), sorted(profile["processors"]))
            for time in unit["on"].values():
                self.assertGreaterEqual(time["ms"], 0)
        ends = {(h["from"], h["to"]) for h in profile["hand_overs"]}
        self.assertIn(("host", "u8"), ends)
        self.assertIn(("f32", "host"), ends)
        # It was kept: a second call measures nothing.
        again = json.loads(self.must("profile", "tiny.onnx", "--size", SIZE, "--threads", "1", "--json").stdout)
        self.assertFalse(again["measured"])
        self.assertEqual([u["on"]["cpu.f32"]["ms"] for u in again["units"]],
                         [u["on"]["cpu.f32"]["ms"] for u in profile["units"]])

    def test_losses_and_their_check(self):
        losses = self.read("tiny.losses.json")
        self.assertEqual(losses["crops"], 1)
        self.assertTrue(all(part >= 0 for unit in losses["units"] for part in unit["on"].values()))
        said = json.loads(self.must("sensitivity", "tiny.onnx", "large.png", "photo.png", "--crop", "32x32", "--check",
                                    "16", "--json").stdout)
        self.assertEqual(len(said["check"]["truth"]), 16)
        self.assertGreater(said["check"]["spearman"], 0.5)

    def test_a_stream_keeps_a_generous_deadline_with_the_truest_plan(self):
        said = json.loads(self.must("run", "tiny.onnx", "photo.png", "--deadline", GENEROUS, "--frames", "30", "--threads",
                                    "1", "--trace", "trace.json", "-o", "last.png", "--json").stdout)
        self.assertEqual((said["frames"], said["late"], said["changes"]), (30, 0, 0))
        book = self.read("book.json")
        self.assertEqual(said["plans"], {str(len(book["entries"]) - 1): 30})
        frames = self.read("trace.json")["frames"]
        self.assertEqual(len(frames), 30)
        for frame in frames:
            parts = (sum(frame["units"].values()) + sum(frame["hand_overs"].values()) + frame["moving"] + frame["around"]
                     + frame["waiting"] + frame["rest"])
            self.assertAlmostEqual(parts, frame["ms"], delta=1e-6 * frame["ms"] + 1e-9)
        # The truest plan is float: the same bytes as fye up in f32.
        self.must("up", "photo.png", "-o", "float.png", "-m", "tiny.onnx", "--numbers", "f32")
        self.must("up", "photo.png", "-o", "deadline.png", "-m", "tiny.onnx", "--deadline", GENEROUS, "-j", "1")
        for name in ("last.png", "deadline.png"):
            self.assertTrue(json.loads(self.must("compare", "float.png", name, "--json").stdout)["identical"], name)

    def test_one_plan_runs_as_it_is(self):
        self.must("plan", "tiny.onnx", "--size", SIZE, "--threads", "1", "--deadline", GENEROUS, "-o", "plan.json")
        said = json.loads(self.must("run", "tiny.onnx", "photo.png", "--deadline", GENEROUS, "--plan", "plan.json",
                                    "--frames", "3", "--json").stdout)
        self.assertEqual(said["plans"], {"0": 3})

    def test_plans_are_proven_on_pictures(self):
        done = self.must("plan", "tiny.onnx", "--size", SIZE, "--threads", "1", "--deadline", GENEROUS, "--pictures",
                         "photo.png", "-o", "proven.json", "--json")
        self.assertIn("measured", done.stderr)
        self.assertIn("msef 0.0000", done.stderr)  # the float plan is among the best
        self.assertEqual({s["placement"] for s in self.read("proven.json")["steps"]}, {"cpu.f32"})

    def test_no_plan_is_that_fast(self):
        for words in (("run", "tiny.onnx", "photo.png"), ("up", "photo.png", "-o", "x.png", "-m", "tiny.onnx")):
            done = self.must(*words, "--deadline", "0.000001ms", "--threads", "1", code=4)
            self.assertIn("the fastest takes", done.stderr)
            self.assertIn("can be met", done.stderr)
        self.assertFalse((self.place.folder / "x.png").exists())

    def test_another_size_is_scaled_and_said(self):
        done = self.must("run", "tiny.onnx", "large.png", "--deadline", GENEROUS, "--threads", "1")
        self.assertIn("scaled to 96x64", done.stderr)
        self.must("run", "tiny.onnx", "large.png", "--deadline", GENEROUS, "--threads", "1", "--strict", code=2)

    def test_another_machine(self):
        book = self.read("book.json")
        book["machine"]["cpu"] = "Z80"
        self.place.write("foreign_machine.book.json", json.dumps(book))
        words = ("run", "tiny.onnx", "photo.png", "--deadline", GENEROUS, "--threads", "1", "--book",
                 "foreign_machine.book.json")
        self.assertIn("Z80", self.must(*words).stderr)
        self.assertIn("Z80", self.must(*words, "--strict", code=2).stderr)
        book["graph"] = "0" * 64
        self.place.write("foreign.book.json", json.dumps(book))
        done = self.must("run", "tiny.onnx", "photo.png", "--deadline", GENEROUS, "--book", "foreign.book.json", code=2)
        self.assertIn("another model file", done.stderr)

    def test_what_streams_and_deadlines_refuse(self):
        for words, code, says in (
                (("run", "tiny.onnx", "photo.png", "wide.png", "--deadline", "1s"), 2, "of one size"),
                (("run", "tiny.onnx", "--deadline", "1s"), 1, "no picture"),
                (("run", "tiny.onnx", "photo.png", "--deadline", "0"), 1, "no time above 0"),
                (("run", "tiny.onnx", "photo.png", "--deadline", "nan"), 1, "no time above 0"),
                (("run", "tiny.onnx", "photo.png", "--deadline=-3ms"), 1, "no time above 0"),
                (("run", "other.onnx", "photo.png", "--deadline", "1s"), 2, "no book of plans"),
                (("run", "tiny.onnx", "photo.png", "--deadline", "1s", "--plan", "a", "--book", "b"), 1, "--plan and --book"),
                (("up", "photo.png", "-o", "x.png", "-m", "tiny.onnx", "--deadline", "1s", "--numbers", "f32"), 1,
                 "--deadline chooses"),
                (("up", "photo.png", "-o", "x.png", "-m", "tiny.onnx", "--book", "book.json"), 1, "for a deadline"),
                (("profile", "tiny.onnx", "--processors", "gpu0"), 2, "gpu0"),
                (("profile", "tiny.onnx", "--size", "0x4"), 1, "--size"),
                (("sensitivity", "tiny.onnx"), 1, "no pictures"),
                (("sensitivity", "tiny.onnx", "empty"), 2, "no pictures"),
                (("ladder", "tiny.onnx", "other.onnx", "--pictures", "large.png"), 1, "one scale"),
        ):
            with self.subTest(words=words):
                (self.place.folder / "empty").mkdir(exist_ok=True)
                done = self.place.run(*words, environment=self.environment)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(says, done.stderr)

    def test_a_ladder_names_the_network(self):
        self.must("ladder", "tiny.onnx", "--pictures", "large.png", "--size", SIZE, "--threads", "1", "-o", "ladder.json")
        ladder = self.read("ladder.json")
        times = [r["ms"] for r in ladder["rungs"]]
        scores = [r["psnr_y"] for r in ladder["rungs"]]
        self.assertEqual(times, sorted(times))
        self.assertEqual(scores, sorted(scores))
        self.must("up", "photo.png", "-o", "rung.png", "--ladder", "ladder.json", "--deadline", GENEROUS)
        self.assertTrue((self.place.folder / "rung.png").exists())
        self.must("up", "photo.png", "-o", "y.png", "--ladder", "ladder.json", "--deadline", "0.000001ms", code=4)
        self.must("up", "photo.png", "-o", "y.png", "--ladder", "ladder.json", "--deadline", "1s", "-m", "tiny.onnx", code=1)


if __name__ == "__main__":
    unittest.main()
