"""Which plans `fye run` and `fye up --deadline` take from made-up books, and what they say when pictures are late.

usage: stream_cli_test.py
"""

import json
import unittest

import tiny_model
import tiny_pictures as pictures
import tiny_plan
from workplace import Workplace

FOREVER = "1e12"  # milliseconds


class Streams(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace()
        cls.place.add_good_files()
        cls.place.write("photo.png", pictures.png(64, 48))
        cls.place.write("large.png", pictures.png(128, 48))
        cls.place.must("calibrate", "tiny.onnx", "photo.png", "-o", "tiny.calib.json")
        model = tiny_model.upscaler(2)
        cls.place.write("book.json", tiny_plan.book(model))
        # No picture is as fast as these.
        cls.place.write("hopeless.json", tiny_plan.book(model, times=(1e-6, 2e-6, 3e-6, 4e-6)))
        cls.nowhere = {"XDG_CACHE_HOME": str(cls.place.folder / "cache")}

    @classmethod
    def tearDownClass(cls):
        cls.place.close()

    def picture(self, name):
        return pictures.read_png((self.place.folder / name).read_bytes())

    def in_one_format(self, numbers):
        self.place.must("up", "photo.png", "-o", f"{numbers}.png", "-m", "tiny.onnx", "--numbers", numbers)
        return self.picture(f"{numbers}.png")

    def stream(self, *arguments, exit_code=0):
        done = self.place.run("run", "tiny.onnx", *arguments, "--json")
        self.assertEqual(done.returncode, exit_code, done.stderr)
        return json.loads(done.stdout), done.stderr

    def test_a_stream_with_time_to_spare(self):
        seen, said = self.stream("photo.png", "--book", "book.json", "--deadline", FOREVER, "--frames", "20", "-o", "last.png",
                                 "--trace", "trace.json", "--threads", "1")
        self.assertIn("measured on another CPU", said)
        self.assertEqual((seen["frames"], seen["late"], seen["changes"]), (20, 0, 0))
        self.assertEqual(seen["plans"], {"3": 20})
        self.assertLessEqual(seen["p50_ms"], seen["p95_ms"])
        self.assertLessEqual(seen["p95_ms"], seen["p99_ms"])
        self.assertGreater(seen["bytes"], 0)
        self.assertAlmostEqual(sum(seen["time"].values()), 1, places=6)
        self.assertEqual(self.picture("last.png"), self.in_one_format("f32"))

        trace = json.loads((self.place.folder / "trace.json").read_text())
        self.assertEqual([frame["frame"] for frame in trace["frames"]], list(range(20)))
        for frame in trace["frames"]:
            rows = [*frame["units"].values(), *frame["hand_overs"].values(), frame["moving"], frame["around"],
                    frame["waiting"], frame["rest"]]
            self.assertAlmostEqual(sum(rows), frame["ms"], places=6)
            self.assertLess(abs(frame["rest"]), 0.05 * frame["ms"])
            self.assertEqual(sorted(frame["units"]), tiny_plan.UNITS)
            self.assertEqual(frame["late"], frame["ms"] > frame["deadline_ms"])

    def test_pictures_take_turns(self):
        self.place.write("other.png", pictures.png(64, 48, seed=2))
        self.stream("photo.png", "other.png", "--book", "book.json", "--deadline", FOREVER, "-o", "second.png")
        self.place.must("up", "other.png", "-o", "expected.png", "-m", "tiny.onnx", "--numbers", "f32")
        self.assertEqual(self.picture("second.png"), self.picture("expected.png"))
        self.stream("photo.png", "other.png", "--book", "book.json", "--deadline", FOREVER, "--frames", "3", "-o", "third.png")
        self.assertEqual(self.picture("third.png"), self.in_one_format("f32"))

    def test_a_stream_that_is_late(self):
        seen, said = self.stream("photo.png", "--book", "hopeless.json", "--deadline", "0.00001", "--frames", "12", "-o",
                                 "late.png", "--trace", "late.json", exit_code=4)
        self.assertIn("12 of 12 pictures were late", said)
        self.assertEqual(seen["late_share"], 1)
        self.assertTrue((self.place.folder / "late.png").exists())
        frames = json.loads((self.place.folder / "late.json").read_text())["frames"]
        self.assertTrue(all(frame["late"] for frame in frames))
        self.assertEqual(frames[-1]["entry"], 0)

    def test_one_plan(self):
        self.place.write("plan.json", json.dumps({
            "version": 1, "graph": json.loads(tiny_plan.book(tiny_model.upscaler(2)))["graph"],
            "steps": [{"units": tiny_plan.UNITS, "placement": "cpu.int8"}]}))
        seen, _ = self.stream("photo.png", "--plan", "plan.json", "--deadline", FOREVER, "--frames", "3", "-o", "planned.png")
        self.assertEqual(seen["plans"], {"0": 3})
        self.assertEqual(self.picture("planned.png"), self.in_one_format("int8"))

    def test_text(self):
        done = self.place.must("run", "tiny.onnx", "photo.png", "--book", "book.json", "--deadline", FOREVER, "--frames", "5")
        self.assertIn("5 pictures, 0 late", done.stdout)
        self.assertRegex(done.stdout, r"plan +3: +5 pictures; predicted 26\.00 ms")

    def up(self, deadline, target, source="photo.png"):
        """Late or not: a busy machine may need longer than the made-up time."""
        done = self.place.run("up", source, "-o", target, "-m", "tiny.onnx", "--book", "book.json", "--deadline", deadline)
        self.assertIn(done.returncode, (0, 4), done.stderr)
        if done.returncode == 4:
            self.assertIn("is written, but took", done.stderr)
        return done.stderr

    def test_one_picture(self):
        self.assertIn("measured on another CPU", self.up("8ms", "fast.png"))
        self.assertEqual(self.picture("fast.png"), self.in_one_format("int8"))
        self.up(FOREVER, "true.png")
        self.assertEqual(self.picture("true.png"), self.in_one_format("f32"))
        self.up("0.0205s", "mixed.png")
        for numbers in ("f32", "int8"):
            self.assertNotEqual(self.picture("mixed.png"), self.in_one_format(numbers))

    def test_another_size(self):
        # Twice the pixels: all int8 takes 16 ms, and all float 52.
        self.assertIn("its times are scaled to 128x48 by the number of pixels", self.up("28ms", "wide.png", "large.png"))
        self.place.must("up", "large.png", "-o", "wide_int8.png", "-m", "tiny.onnx", "--numbers", "int8")
        self.assertEqual(self.picture("wide.png"), self.picture("wide_int8.png"))
        done = self.place.run("up", "large.png", "-o", "never.png", "-m", "tiny.onnx", "--book", "book.json", "--deadline", "8ms")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("the fastest takes 16.00 ms, 8.00 more", done.stderr)
        self.assertFalse((self.place.folder / "never.png").exists())

    def test_a_book_beside_the_model(self):
        model = tiny_model.upscaler(2)
        self.place.write("beside/net.onnx", model)
        self.place.write("beside/net.book.json", tiny_plan.book(model))
        self.place.write("beside/net.calib.json", (self.place.folder / "tiny.calib.json").read_bytes())
        done = self.place.must("run", "beside/net.onnx", "photo.png", "--deadline", FOREVER, environment=self.nowhere)
        self.assertIn("1 pictures, 0 late", done.stdout)


if __name__ == "__main__":
    unittest.main()
