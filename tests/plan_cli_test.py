"""`fye plan` from end to end with made-up times and losses, whose best plans can be worked out by hand.

usage: plan_cli_test.py
"""

import json
import sys
import unittest

import tiny_model
import tiny_pictures as pictures
import tiny_plan
from workplace import Workplace


class Plan(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace()
        cls.place.add_good_files()
        cls.place.write("photo.png", pictures.png(75, 53))
        cls.place.must("calibrate", "tiny.onnx", "photo.png", "-o", "tiny.calib.json")
        model = tiny_model.upscaler(2)
        cls.place.write("profile.json", tiny_plan.profile(model))
        cls.place.write("watts.json", tiny_plan.profile(model, watts={"cpu.f32": 20, "cpu.int8": 10}, watts_from="file"))
        # Where fye looks without --losses.
        cls.place.write("tiny.losses.json", tiny_plan.losses(model))

    @classmethod
    def tearDownClass(cls):
        cls.place.close()

    def plan(self, *arguments, profile="profile.json"):
        return json.loads(self.place.must("plan", "tiny.onnx", "--profile", profile, "--json", *arguments).stdout)

    def placed(self, answer):
        return "".join({"cpu.f32": "f", "cpu.int8": "i"}[p] for p in answer["plan"]["units"].values())

    def test_deadlines(self):
        # 1 + 8 f + 2 i + 0.5 in and out and for each change; the last unit loses most, then the one before.
        for deadline, plan, ms in (("8ms", "iii", 8), ("15", "iif", 14.5), ("0.02s", "iif", 14.5), ("20.5ms", "iff", 20.5),
                                   ("1e12", "fff", 26)):
            with self.subTest(deadline=deadline):
                answer = self.plan("--deadline", deadline)
                self.assertEqual(self.placed(answer), plan)
                self.assertAlmostEqual(answer["plan"]["ms"], ms)
        self.assertEqual(self.plan("--deadline", "1e12")["plan"]["msef"], 0)

    def test_the_front_is_in_the_book(self):
        answer = self.plan("--book", "book.json")
        book = json.loads((self.place.folder / "book.json").read_text())
        self.assertEqual([[e["ms"], e["msef"]] for e in book["entries"]], answer["front"])
        self.assertEqual(book["strategy"], "exact")
        letters = {name: letter for letter, name in book["processors"].items()}
        self.assertEqual(book["entries"][0]["plan"], letters["cpu.int8"] * 3)
        self.assertEqual(book["entries"][-1]["plan"], letters["cpu.f32"] * 3)
        self.assertTrue(answer["exact"])

    def test_the_plan_runs_and_says_why(self):
        self.plan("--deadline", "15ms", "-o", "plan.json")
        plan = json.loads((self.place.folder / "plan.json").read_text())
        self.assertEqual(plan["machine"]["cpu"], "made up")
        self.assertEqual(plan["predicted_ms"], 14.5)
        self.assertIn("moving it there", plan["steps"][0]["reasons"]["c0"])
        self.place.must("up", "photo.png", "-o", "mixed.png", "-m", "tiny.onnx", "--plan", "plan.json")

    def test_conditions(self):
        self.assertEqual(self.placed(self.plan("--deadline", "1e12", "--on", "c1=cpu.int8")), "fif")
        self.assertEqual(self.placed(self.plan("--deadline", "1e12", "--on", "c1=cpu.int8", "--max-switches", "1")), "iif")
        self.assertEqual(self.placed(self.plan("--deadline", "15", "--keep-f32", "*0")), "fii")
        self.assertEqual(self.placed(self.plan("--deadline", "1e12", "--max-switches", "0")), "fff")

    def test_energy(self):
        # 20 W for 8 ms against 10 W for 2 ms
        answer = self.plan("--deadline", "1e12", "--max-mj", "210", profile="watts.json")
        self.assertEqual(self.placed(answer), "iif")
        self.assertEqual(answer["plan"]["mj"], 200)
        done = self.place.run("plan", "tiny.onnx", "--profile", "watts.json", "--max-mj", "59")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("the thriftiest takes 60.000 mJ", done.stderr)

    def test_strategies(self):
        exact = self.plan()
        for strategy in ("greedy", "random", "prefix", "suffix"):
            with self.subTest(strategy=strategy):
                answer = self.plan("--strategy", strategy)
                for ms, msef in answer["front"]:
                    best = min(loss for time, loss in exact["front"] if time <= ms + 1e-9)
                    self.assertGreaterEqual(msef, best - 1e-9)

    def test_text(self):
        text = self.place.must("plan", "tiny.onnx", "--profile", "profile.json", "--deadline", "15ms")
        self.assertIn("chosen", text.stdout)
        self.assertIn("1 unit on cpu.f32, 2 on cpu.int8, 1 switch", text.stdout)
        self.assertIn("another CPU", text.stderr)
        text = self.place.must("plan", "tiny.onnx", "--profile", "profile.json").stdout
        self.assertIn("loss (msef)", text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
