"""`fye rival` and plans whose processors work side by side, from end to end on a tiny network.

usage: rival_cli_test.py
"""

import json
import os
import unittest

import tiny_model
import tiny_pictures as pictures
from workplace import Workplace

SIZE = "48x32"
CORES = len(os.sched_getaffinity(0))
PAIR = "cpu.f32@core0,cpu.int8@core1" if CORES > 1 else "cpu.f32@core0,cpu.int8"
FLOATS = "cpu.f32@core0,cpu.f32@core1"


class Rivals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace()
        cls.environment = {**os.environ, "XDG_CACHE_HOME": str(cls.place.folder / "cache")}
        cls.place.write("tiny.onnx", tiny_model.upscaler(2))
        cls.place.write("photo.png", pictures.png(48, 32))
        cls.place.write("large.png", pictures.png(96, 64))
        cls.must("calibrate", "tiny.onnx", "large.png", "-o", "tiny.calib.json")
        cls.must("profile", "tiny.onnx", "--size", SIZE, "--threads", "1", "-o", "profile.json")

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

    def rival(self, *words, code=0):
        return self.must("rival", "tiny.onnx", "--size", SIZE, "--rounds", "1", *words, code=code)

    def picture(self, name, *words):
        self.must("up", "photo.png", "-o", name, "-m", "tiny.onnx", *words)
        return (self.place.folder / name).read_bytes()

    def write_plan(self, name, placement, units=None):
        profile = self.read("profile.json")
        units = units or [u["unit"] for u in profile["units"]]
        self.place.write(name, json.dumps({"version": 1, "graph": profile["graph"],
                                           "steps": [{"units": units, "placement": placement}]}).encode())

    @unittest.skipIf(CORES < 2, "one core")
    def test_codl_gives_the_picture_of_one_processor(self):
        for form in ("faithful", "strong"):
            self.rival("--method", "codl", "--form", form, "--profile", "profile.json", "-o", "codl.json")
            self.assertEqual(self.picture("codl.png", "--plan", "codl.json"), self.picture("f32.png", "--numbers", "f32"))

    @unittest.skipIf(CORES < 2, "one core")
    def test_rows_are_the_same_file(self):
        for part in (0.25, 0.6):
            self.write_plan("rows.json", {"rows": [{"processor": "cpu.f32@core0", "share": part},
                                                   {"processor": "cpu.f32@core1", "share": 1 - part}]})
            self.assertEqual(self.picture("rows.png", "--plan", "rows.json"), self.picture("f32.png", "--numbers", "f32"))

    def test_ulayer_and_mobisr_write_plans_that_run(self):
        said = json.loads(self.rival("--method", "ulayer", "--form", "faithful", "--processors", PAIR, "-o", "ulayer.json",
                                     "--json").stdout)
        self.assertGreater(said["ms"], 0)
        self.assertTrue(all(step["placement"].startswith("channels: ") for step in said["steps"]))
        self.picture("ulayer.png", "--plan", "ulayer.json")
        for more in ((), ("--hard", "fast"), ("--form", "faithful", "--pictures", "photo.png", "--patch", "16")):
            self.rival("--method", "mobisr", "--processors", PAIR, "--deadline", "60s", *more, "-o", "mobisr.json")
            placement = self.read("mobisr.json")["steps"][0]["placement"]
            self.assertIn("patches", placement)
            shares = {s["processor"]: s["share"] for s in placement["patches"]}
            self.assertEqual(shares["cpu.f32@core0"], 1)  # the deadline is generous
            self.picture("mobisr.png", "--plan", "mobisr.json")
        bench = self.must("bench", "tiny.onnx", "--plan", "mobisr.json", "--size", SIZE, "--rounds", "1", "--json")
        self.assertGreater(json.loads(bench.stdout)["median_ms"], 0)

    def test_plans_on_cores(self):
        self.must("sensitivity", "tiny.onnx", "large.png", "--crop", "32x32", "-o", "tiny.losses.json")
        self.must("plan", "tiny.onnx", "--size", SIZE, "--threads", "1", "--profile", "profile.json", "--processors", PAIR,
                  "--deadline", "60s", "-o", "cores.json")
        self.assertEqual({s["placement"] for s in self.read("cores.json")["steps"]}, {"cpu.f32@core0"})
        self.assertEqual(self.picture("cores.png", "--plan", "cores.json"), self.picture("f32.png", "--numbers", "f32"))

    def test_what_cannot_be(self):
        for words, code, says in (
                (("--method", "codl", "--processors", "cpu.f32@core0,cpu.int8@core0", "--profile", "profile.json"), 1,
                 "one number format"),
                (("--method", "ulayer", "--processors", "cpu.f32@core0"), 1, "between two"),
                (("--method", "ulayer", "--processors", "cpu.f32@core0,cpu.f32@core0"), 1, "two different"),
                (("--method", "ulayer", "--processors", "cpu.f32@core99,cpu.f32"), 2, "this process may use"),
                (("--method", "mobisr"), 1, "--deadline 40ms"),
                (("--method", "mobisr", "--form", "faithful", "--deadline", "60s", "--processors", PAIR), 1, "--pictures"),
                (("--method", "magic"), 1, "magic")):
            with self.subTest(words=words):
                self.assertIn(says, self.rival(*words, code=code).stderr)
        self.write_plan("core.json", "cpu.f32@core0")
        self.assertIn("--tile", self.must("up", "photo.png", "-o", "x.png", "-m", "tiny.onnx", "--plan", "core.json", "--tile",
                                          "32", code=1).stderr)
        self.assertIn("side by side", self.must("explain", "tiny.onnx", "--plan", "core.json", code=2).stderr)
        self.assertIn("side by side", self.must("export", "tiny.onnx", "-o", "x.onnx", "--plan", "core.json", code=2).stderr)
        self.must("profile", "tiny.onnx", "--size", SIZE, "--threads", "2", "-o", "two.json")
        self.assertIn("--threads 1", self.rival("--method", "codl", "--processors", "cpu.f32@core0,cpu.f32", "--profile",
                                                "two.json", code=2).stderr)
        self.assertFalse((self.place.folder / "x.png").exists())


if __name__ == "__main__":
    unittest.main()
