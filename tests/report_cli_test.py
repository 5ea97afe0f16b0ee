"""`fye report` from end to end: every figure of a page comes from the files and the run that it names.

usage: report_cli_test.py
"""

import base64
import hashlib
import json
import re
import shlex
import unittest

import report_page
from report_page import MEASURED, island, report
import tiny_pictures as pictures
import tiny_plan
from workplace import Workplace


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace()
        report_page.add_files(cls.place)

    @classmethod
    def tearDownClass(cls):
        cls.place.close()

    def report(self, *arguments, **more):
        page, said = report(self.place, *arguments, **more)
        return island(page), page, said

    def test_the_policy_has_the_digests_of_what_is_inline(self):
        _, page, _ = self.report("photo.png", "-m", "tiny.onnx")
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1).replace("&#39;", "'")
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        digest = lambda text: f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
        self.assertEqual(len(scripts), 2)
        self.assertEqual(rules["script-src"].split(), [digest(s) for s in scripts])
        self.assertEqual(rules["style-src"], digest(re.search(r"<style>(.*?)</style>", page, re.S).group(1)))
        self.assertEqual((rules["default-src"], rules["img-src"], rules["base-uri"]), ("'none'", "data:", "'none'"))

    def test_it_is_small(self):
        _, page, _ = self.report("photo.png", "-m", "tiny.onnx", "--original", "large.png", *MEASURED)
        self.assertLess(report_page.without_pictures(page), 300_000)

    def test_what_is_not_there_is_named_with_its_command(self):
        data, _, said = self.report("photo.png", "-m", "tiny.onnx", "--threads", "1")
        parts = {absent["part"]: absent["command"] for absent in data["absent"]}
        self.assertEqual(parts.keys(), {"profile", "losses", "book", "original", "compare"})
        for command in parts.values():
            self.assertIn(command, said)
        # The command does fill the part.
        command = shlex.split(parts["profile"])
        self.place.must(*command[1:], "--seconds", "1", environment=self.place.nowhere)
        data, _, _ = self.report("photo.png", "-m", "tiny.onnx", "--threads", "1")
        self.assertNotIn("profile", {absent["part"] for absent in data["absent"]})
        self.assertIn("kept on this machine", [source["from"] for source in data["sources"]])

    def test_figures_are_those_of_the_files(self):
        data, _, _ = self.report("photo.png", "-m", "tiny.onnx", "--plan", "b.json", *MEASURED)
        processors = data["processors"]
        units, f32, int8 = data["units"], processors.index("cpu.f32"), processors.index("cpu.int8")
        self.assertEqual(units["name"], tiny_plan.UNITS)
        self.assertEqual((units["ms"][f32], units["ms"][int8]), ([8] * 3, [2] * 3))
        self.assertEqual((units["loss"][f32], units["loss"][int8]), ([0] * 3, [0.1, 0.2, 0.4]))
        run = data["runs"][0]
        self.assertEqual([processors[p] for p in run["on"]], ["cpu.int8", "cpu.int8", "cpu.f32"])
        self.assertEqual(run["predicted_ms"], 14.5)  # tests/plan_cli_test.py
        # 0.1 + 0.2 in the units, 0.01 for each tensor that is stored or read as int8: in, r0, r1
        self.assertAlmostEqual(run["predicted_msef"], 0.33, places=6)
        self.assertAlmostEqual(sum(run["loss"]), 0.33, places=6)
        self.assertEqual(data["book"]["own"], [1])
        self.assertEqual([point["ms"] for point in data["book"]["points"]], [8, 14.5, 20.5, 26])
        notes = json.dumps([source.get("notes") for source in data["sources"]])
        self.assertIn("measured on another CPU (made up", notes)
        # 3x3 taps from 3 to 8, 8 to 8 and 8 to 12 channels
        self.assertEqual(data["units"]["macs"], [64 * 48 * 9 * n for n in (24, 64, 96)])

    def test_times_add_up(self):
        data, _, _ = self.report("photo.png", "-m", "tiny.onnx", "--rounds", "5")
        time = data["runs"][0]["time"]
        self.assertEqual(time["n"], 5)
        rows = [*time["units"], *(hand["ms"] for hand in time["hand_overs"]), time["moving"], time["around"], time["waiting"], time["rest"]]
        self.assertAlmostEqual(sum(rows), time["ms"], delta=0.002 * time["ms"])
        self.assertLessEqual(time["least"], time["ms"])
        self.assertLessEqual(time["ms"], time["most"])

    def test_a_trace_is_shown_and_not_measured_again(self):
        self.place.must("run", "tiny.onnx", "photo.png", "--plan", "b.json", "--deadline", "1e12", "--frames", "7", "--trace", "t.json",
                        "--threads", "1", environment=self.place.nowhere)
        trace = json.loads((self.place.folder / "t.json").read_text())
        for pictures_given in ([], ["photo.png"]):
            data, _, _ = self.report(*pictures_given, "-m", "tiny.onnx", "--trace", "t.json")
            run = data["runs"][0]
            self.assertEqual([data["processors"][p] for p in run["on"]], ["cpu.int8", "cpu.int8", "cpu.f32"])
            median = sorted(trace["frames"], key=lambda frame: frame["ms"])[3]
            self.assertAlmostEqual(run["time"]["ms"], median["ms"], delta=1e-3 * median["ms"])
            for unit, shown in zip(data["units"]["name"], run["time"]["units"]):
                self.assertAlmostEqual(shown, median["units"][unit], delta=1e-3 * median["ms"])
            self.assertEqual((run["measured"], run["time"]["frames"]), ("t.json", 7))
            self.assertEqual(run["machine"]["threads"], 1)
        done = self.place.run("report", "-m", "tiny.onnx", "-o", "no.html", "--trace", "t.json", "--plan", "b.json")
        self.assertEqual(done.returncode, 1)
        self.assertIn("says itself where its units ran", done.stderr)
        # A trace that does not say what ran needs somebody who does.
        del trace["plans"]
        self.place.write("old.json", json.dumps(trace))
        done = self.place.run("report", "-m", "tiny.onnx", "-o", "no.html", "--trace", "old.json", environment=self.place.nowhere)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--plan FILE or --book FILE", done.stderr)
        data, _, _ = self.report("-m", "tiny.onnx", "--trace", "old.json", "--plan", "b.json")
        self.assertEqual([data["processors"][p] for p in data["runs"][0]["on"]], ["cpu.int8", "cpu.int8", "cpu.f32"])

    def test_two_plans(self):
        data, page, _ = self.report("photo.png", "-m", "tiny.onnx", "--plan", "a.json", "--against", "b.json", *MEASURED)
        a, b = data["runs"]
        self.assertEqual((a["name"], b["name"], a["chosen"], b["chosen"]), ("A", "B", "a.json", "b.json"))
        self.assertEqual(a["time"]["n"], b["time"]["n"])
        self.assertEqual((a["predicted_ms"], b["predicted_ms"]), (26, 14.5))
        self.assertEqual(re.findall(r'data-name="(.*?)"', page), ["input", "A", "B"])
        table = next(t for t in data["scores"] if "f32" in t["title"])
        psnr = next(row["values"] for row in table["rows"] if row["name"] == "psnr_rgb")
        self.assertEqual(psnr[0], "equal")
        self.assertGreater(psnr[1], 25)

    def test_scores_are_those_of_compare(self):
        data, _, _ = self.report("photo.png", "-m", "tiny.onnx", "--original", "large.png", "--numbers", "f32", "--shave", "2")
        self.place.must("up", "photo.png", "-o", "big.png", "-m", "tiny.onnx", "--numbers", "f32")
        known = json.loads(self.place.must("compare", "large.png", "big.png", "--json", "--all", "--shave", "2").stdout)
        table = data["scores"][0]
        self.assertEqual(table["columns"], ["result", "bicubic", "result with noise", "original"])
        for row in table["rows"]:
            if known[row["name"]] is not None:
                self.assertAlmostEqual(row["values"][0], known[row["name"]], places=9, msg=row["name"])
        self.assertEqual(len(data["scores"]), 1)  # f32 against f32 says nothing

    def test_a_picture_made_before(self):
        self.place.must("up", "photo.png", "-o", "made.png", "-m", "tiny.onnx", "--numbers", "int8")
        data, page, _ = self.report("photo.png", "-m", "tiny.onnx", "--result", "made.png", "--numbers", "int8")
        self.assertNotIn("time", data["runs"][0])
        self.assertIn("time", {absent["part"] for absent in data["absent"]})
        self.assertEqual(re.findall(r'data-name="(.*?)" alt=".*?" width="(\d+)"', page), [("input", "64"), ("result", "128")])
        done = self.place.run("report", "photo.png", "-m", "tiny.onnx", "--result", "good.png", "--numbers", "f32", "-o", "no.html")
        self.assertEqual(done.returncode, 2)
        self.assertIn("so many times as large", done.stderr)

    def test_plans_of_another_network_are_refused(self):
        for option in ("--plan", "--against", "--trace"):
            self.place.write("foreign.json", json.dumps(json.loads((self.place.folder / "a.json").read_text()) | {"graph": "0" * 64}))
            done = self.place.run("report", "photo.png", "-m", "tiny.onnx", option, "foreign.json", "-o", "no.html")
            self.assertEqual(done.returncode, 2, option)
            self.assertIn("another model file", done.stderr)
        self.assertFalse((self.place.folder / "no.html").exists())

    def test_a_part_is_shown_where_it_was_asked_for(self):
        data, page, _ = self.report("photo.png", "-m", "tiny.onnx", "--crop", "20x10+3+5")
        self.assertEqual(re.findall(r'width="(\d+)" height="(\d+)"', page), [("20", "10"), ("40", "20")])
        self.assertTrue(any("20x10" in notice for notice in data["notices"]))

    def test_a_strip_longer_than_the_format_of_pictures_holds(self):
        self.place.write("strip.png", pictures.png(9000, 4))
        _, page, _ = self.report("strip.png", "-m", "tiny.onnx", "--rounds", "1")
        self.assertEqual(re.findall(r'width="(\d+)" height="(\d+)"', page), [("8191", "4"), ("16382", "8")])

    def test_names_of_files_may_be_anything(self):
        for name in ("a<b>&\"c'.png", "$(touch x).png", "-dash.png", "\u202egnp.png"):
            self.place.write("odd/" + name, pictures.png(16, 12))
            given = "odd/" + name
            data, page, said = self.report(given, "-m", "tiny.onnx")
            self.assertEqual(data["picture"]["file"], name)
            command = next(absent["command"] for absent in data["absent"] if absent["part"] == "original")
            self.assertEqual(shlex.split(command)[2], given)

    def test_late_is_late(self):
        fast = tiny_plan.book((self.place.folder / "tiny.onnx").read_bytes(), times=(1e-6, 2e-6, 3e-6, 4e-6))
        self.place.write("hopeless.json", fast)
        data, _, said = self.report("photo.png", "-m", "tiny.onnx", "--book", "hopeless.json", "--deadline", "0.00001", exit_code=4)
        self.assertIn("were late", said)
        self.assertEqual(data["runs"][0]["deadline_ms"], 0.00001)
        self.assertEqual(data["runs"][0]["time"]["late"], data["runs"][0]["time"]["frames"])


if __name__ == "__main__":
    unittest.main()
