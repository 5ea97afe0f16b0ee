#!/usr/bin/env python3
"""Tests of what needs no tool: pictures, greedy, comparisons, tables, files, the message for missing packages.

usage: tools_test.py [unittest's options]

With onnx and numpy also the conventions and the pixels; without them those skip.
"""

import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import imported  # noqa: E402
import makers  # noqa: E402
import networks  # noqa: E402
import rules  # noqa: E402
import tools  # noqa: E402


def needs(*packages):
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


class Pictures(unittest.TestCase):
    def test_calibration_is_that_of_the_quality_bench(self):
        source = (HERE.parent / "quality/int8.py").read_text()
        self.assertIn("photographs[3::max(1, len(photographs) // 12)][:12]", source)
        for count in (18, 49, 250, 251):
            files = list(range(count))
            self.assertEqual(rules.calibration_files(files), files[3::max(1, count // 12)][:12])

    def test_validation_shares_nothing_with_calibration(self):
        for count in (18, 24, 25, 100, 249):
            files = list(range(count))
            validation = rules.validation_files(files)
            self.assertEqual(len(validation), rules.VALIDATION, count)
            self.assertFalse(set(validation) & set(rules.calibration_files(files)), count)

    def test_size_of_a_png(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "a.png"
            file.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\0\0\0\x02\0\x08\x02\0\0\0")
            self.assertEqual(rules.png_size(file), (768, 512))

    def test_spread(self):
        self.assertEqual(rules.spread(list(range(25)), 5), [0, 5, 10, 15, 20])
        self.assertEqual(len(rules.spread(list(range(25)), 6)), 6)
        self.assertEqual(rules.spread([1, 2], 6), [1, 2])
        self.assertEqual(rules.spread([], 6), [])
        self.assertEqual(rules.spread([1, 2], 0), [])


class Greedy(unittest.TestCase):
    def test_takes_what_helps_most_first(self):
        worth = {"a": 1, "b": 5, "c": 3, "d": 0}
        loss = lambda chosen: 10 - sum(worth[node] for node in chosen)
        self.assertEqual(rules.greedy("abcd", ["a"], 2, loss), ["a", "b", "c"])

    def test_ends_when_nothing_helps(self):
        self.assertEqual(rules.greedy("abc", ["a"], 2, lambda chosen: len(chosen)), ["a"])
        self.assertEqual(rules.greedy("abc", ["a"], 2, lambda chosen: 1), ["a"])

    def test_ends_when_none_is_left(self):
        self.assertEqual(rules.greedy("ab", ["a", "b"], 2, lambda chosen: -len(chosen)), ["a", "b"])

    def test_is_one_step_at_a_time(self):
        """Two that only help together are not found: it is a greedy."""
        loss = lambda chosen: 0 if {"b", "c"} <= set(chosen) else 5 - ("d" in chosen)
        self.assertEqual(rules.greedy("bcd", [], 1, loss), ["d"])

    def test_leaves_its_argument_alone(self):
        given = ["a"]
        rules.greedy("ab", given, 1, lambda chosen: -len(chosen))
        self.assertEqual(given, ["a"])


class Losses(unittest.TestCase):
    ROWS = [{"fye f32": {"psnr_y": 30 + i, "ssim_y": 0.9}, "tool": {"psnr_y": 29.5 + i, "ssim_y": 0.89}} for i in range(4)]

    def test_paired(self):
        """Pictures differ by decibels, the loss does not: its interval is a point."""
        told = rules.losses(self.ROWS, "tool")["psnr_y"]
        self.assertEqual((told["mean"], told["low"], told["high"], told["n"]), (0.5, 0.5, 0.5, 4))
        self.assertAlmostEqual(rules.losses(self.ROWS, "tool")["ssim_y"]["mean"], 0.01)

    def test_interval_holds_the_mean(self):
        rows = [{"fye f32": {"psnr_y": 30, "ssim_y": 0.9}, "tool": {"psnr_y": 30 - i / 10, "ssim_y": 0.9}} for i in range(10)]
        told = rules.losses(rows, "tool")["psnr_y"]
        self.assertLess(told["low"], told["mean"])
        self.assertGreater(told["high"], told["mean"])

    def test_pictures_without_it_do_not_count(self):
        rows = [*self.ROWS, {"fye f32": {"psnr_y": 1, "ssim_y": 0}}]
        self.assertEqual(rules.losses(rows, "tool")["psnr_y"]["n"], 4)
        self.assertEqual(rules.losses(rows, "nobody"), {})


class Speed(unittest.TestCase):
    CONTESTANTS = {"fye f32": {"runtime": "fye", "numbers": "f32"}, "fye int8": {"runtime": "fye", "numbers": "int8"},
                   "tool": {"runtime": "onnxruntime", "numbers": "int8", "same": "tool, in fye"},
                   "tool, in fye": {"runtime": "fye", "numbers": "int8"}, "ir": {"runtime": "openvino", "numbers": "int8", "same": None},
                   "refused": {"runtime": "openvino", "numbers": "int8", "same": None}}
    TIMES = {"fye f32": [20, 20, 20], "fye int8": [9, 10, 11], "tool": [29, 30, 31], "tool, in fye": [10, 30, 30], "ir": [5, 5, 8]}

    def rows(self):
        return {row["name"]: row for row in rules.speed_rows(self.CONTESTANTS, self.TIMES)}

    def test_against_the_same_numbers_and_the_same_file(self):
        row = self.rows()["tool"]
        self.assertEqual(row["fye_own"], {"times": 3, "fye_is": "faster"})
        self.assertEqual(row["fye_same"], {"times": 1, "fye_is": "level"})  # one slow round takes the claim away

    def test_fye_loses_where_it_loses(self):
        self.assertEqual(self.rows()["ir"]["fye_own"], {"times": 0.5, "fye_is": "slower"})

    def test_fye_is_not_beside_itself(self):
        self.assertEqual(self.rows()["fye int8"]["fye_own"], {})

    def test_verdicts_are_about_fye(self):
        table = rules.speed_table(self.rows().values(), {"tool": "7 of 7", "tool, in fye": "6 of 7"})
        self.assertIn("| tool | onnxruntime | 7 of 7 | 30.00 | 3.00 (fye faster) | 30.00 (6 of 7 in int8) | 1.00 (level) |", table)
        self.assertIn("| ir | openvino | - | 5.00 | 0.50 (fye slower) | - | - |", table)

    def test_who_races(self):
        names = lambda models: [name for name, about in self.CONTESTANTS.items() if rules.wanted(name, about, models)]
        self.assertEqual(names(""), list(self.CONTESTANTS))
        self.assertEqual(names("ir"), ["fye f32", "fye int8", "ir"])
        self.assertEqual(names("ir,tool"), ["fye f32", "fye int8", "tool", "tool, in fye", "ir"])
        self.assertEqual(names("nobody"), ["fye f32", "fye int8"])

    def test_what_did_not_run_has_no_row(self):
        self.assertNotIn("refused", self.rows())

    def test_tables_have_as_many_cells_as_titles(self):
        rows = [{name: {"psnr_y": 30, "ssim_y": 0.9} for name in self.TIMES}] * 3
        for table in (rules.speed_table(self.rows().values(), {"tool": "5 of 7"}),
                      rules.quality_table(self.CONTESTANTS, rows, {"tool": {"largest": 1, "share": 0.01}})):
            lines = table.splitlines()
            self.assertEqual({line.count("|") for line in lines}, {lines[0].count("|")})
            self.assertEqual(len(lines), 2 + 4)  # what fye makes of the tool's file has no row

    def test_levels_are_told(self):
        rows = [{name: {"psnr_y": 30, "ssim_y": 0.9} for name in self.TIMES}] * 3
        self.assertNotIn("| tool, in fye |", rules.quality_table(self.CONTESTANTS, rows, {}))
        table = rules.quality_table(self.CONTESTANTS, rows, {"tool": {"largest": 1, "share": 0.01}, "ir": {"largest": 2, "share": 0}})
        self.assertIn("| 1 level, 1.00% of values |", table)
        self.assertIn("| 2 levels, 0.00% of values |", table)


class Files(unittest.TestCase):
    def test_names_are_plain_and_different(self):
        names = [makers.file_of("", way).name for way in makers.WAYS]
        self.assertEqual(len(set(names)), len(makers.WAYS))
        for name in names:
            self.assertRegex(name, r"^[a-z0-9-]+\.(onnx|xml)$")

    def test_only_openvino_runs_ir(self):
        for way, (_, suffix, runtimes) in makers.WAYS.items():
            self.assertEqual("onnxruntime" in runtimes, suffix == ".onnx", way)

    def test_every_package_is_pinned(self):
        lines = (HERE / "requirements.txt").read_text().splitlines()
        pinned = {line.split("==")[0] for line in lines if "==" in line}
        self.assertEqual(pinned, set(tools.PACKAGES.values()))
        self.assertTrue(all("#" in line for line in lines), "each with a reason")


class Calls(unittest.TestCase):
    def call(self, *words):
        return subprocess.run([sys.executable, HERE / "tools.py", *words], capture_output=True, text=True)

    @unittest.skipIf(not tools.missing_packages(), "all packages are installed")
    def test_what_is_missing_and_what_to_do(self):
        done = self.call("net.onnx")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nncf", done.stderr)
        self.assertRegex(done.stderr, r"pip install -r .*requirements\.txt")

    def test_too_few_rounds(self):
        done = self.call("net.onnx", "--rounds", "3")
        self.assertEqual(done.returncode, 2)
        self.assertIn("at least 7", done.stderr)

    def test_a_part_that_is_not_there(self):
        done = self.call("net.onnx", "--only", "rice")
        self.assertEqual(done.returncode, 2)
        self.assertIn("rice: not among make, race, quality, tables", done.stderr)

    @unittest.skipIf(tools.missing_packages(), "not all packages are installed")
    def test_a_network_that_says_nothing_of_itself(self):
        with tempfile.TemporaryDirectory() as folder:
            for said, why in (({}, "fye export MODEL --net-scale"), ({"fye.scale": "3", "fye.range": "0..1", "fye.colour": "y"}, "feeds RGB"),
                              ({"fye.scale": "3", "fye.range": "-1..1", "fye.colour": "rgb"}, "feeds RGB")):
                Conventions.write(f"{folder}/net.onnx", said)
                done = self.call(f"{folder}/net.onnx", "--work", f"{folder}/work")
                self.assertEqual(done.returncode, 1)
                self.assertIn(why, done.stderr)

    def test_reports_to_makers_are_off(self):
        self.assertEqual(tools.NO_REPORTS, {"NNCF_CI": "1", "CI": "true"})


class Imported(unittest.TestCase):
    def test_neighbours_share_a_step(self):
        made = imported.plan("sha", ["a", "b", "c", "d"], ["b", "c"])
        self.assertEqual([(step["units"], step["placement"]) for step in made["steps"]],
                         [(["a"], "cpu.f32"), (["b", "c"], "cpu.int8"), (["d"], "cpu.f32")])
        self.assertEqual((made["version"], made["graph"]), (1, "sha"))

    def test_order_is_the_networks(self):
        units = [unit for step in imported.plan("sha", ["a", "b", "c"], ["c", "a"])["steps"] for unit in step["units"]]
        self.assertEqual(units, ["a", "b", "c"])

    def test_what_fye_can_run_decides(self):
        """A stand-in for fye that can run only `b` in int8, and says so as fye does: by its exit code."""
        with tempfile.TemporaryDirectory() as folder:
            fye = self.stand_in(folder, "all(p != 'cpu.int8' or s['units'] == ['b'] for s in plan['steps'] for p in [s['placement']])")
            flags, count = imported.flags(fye, "net.onnx", pathlib.Path(folder) / "kept.json")
            self.assertEqual((flags[0], count), ("--plan", "1 of 3"))
            steps = json.loads(pathlib.Path(flags[1]).read_text())["steps"]
            self.assertEqual([step["units"] for step in steps if step["placement"] == "cpu.int8"], [["b"]])

    def test_one_by_one_but_not_together(self):
        with tempfile.TemporaryDirectory() as folder:
            fye = self.stand_in(folder, "sum(len(s['units']) for s in plan['steps'] if s['placement'] == 'cpu.int8') <= 1")
            with self.assertRaisesRegex(RuntimeError, "a, b, c in int8 one by one, but not together"):
                imported.flags(fye, "net.onnx", pathlib.Path(folder) / "kept.json")

    def test_a_file_that_fye_does_not_read(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "fye"
            path.write_text("#!/bin/sh\necho 'fye: net.onnx: op Foo' >&2\nexit 2\n")
            path.chmod(0o755)
            with self.assertRaisesRegex(RuntimeError, "fye: net.onnx: op Foo"):
                imported.flags(path, "net.onnx", pathlib.Path(folder) / "kept.json")

    @staticmethod
    def stand_in(folder, rule):
        path = pathlib.Path(folder) / "fye"
        path.write_text(f"""#!{sys.executable}
import json, sys
if "--plan" in sys.argv:
    plan = json.load(open(sys.argv[sys.argv.index("--plan") + 1]))
    sys.exit(0 if {rule} else 2)
if "int8" in sys.argv:
    sys.exit(2)
print(json.dumps({{"model_sha256": "sha", "units": [{{"unit": u}} for u in "abc"]}}))
""")
        path.chmod(0o755)
        return path


@needs("numpy")
class Pixels(unittest.TestCase):
    def test_to_the_network_and_back(self):
        import numpy as np

        picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 15
        for white in networks.WHITE.values():
            values = networks.planes(picture, white)
            self.assertEqual(values.shape, (1, 3, 2, 3))
            self.assertLessEqual(values.max(), white)
            np.testing.assert_array_equal(networks.levels(values, white), picture)

    def test_rounds_and_stays_in_range(self):
        import numpy as np

        out = np.array([-3, 0.6, 254.4, 300], dtype=np.float32).reshape(1, 1, 2, 2)
        self.assertEqual(networks.levels(out, 255.0).ravel().tolist(), [0, 1, 254, 255])

    def test_psnr_on_luma(self):
        import numpy as np

        black, grey = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 10, np.uint8)
        self.assertAlmostEqual(networks.luma(black)[0, 0], 16)
        self.assertAlmostEqual(networks.luma(np.full((1, 1, 3), 255, np.uint8))[0, 0], 235, 2)
        apart = 10 * 219 / 255  # of luma
        self.assertAlmostEqual(networks.psnr_y(grey, networks.luma(black), 2), 20 * np.log10(255 / apart), 3)

    def test_the_border_does_not_count(self):
        import numpy as np

        one, other = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)
        other[0] = other[:, -1] = 255
        self.assertGreater(networks.psnr_y(one, networks.luma(other), 1), 140)


@needs("numpy", "onnx")
class Conventions(unittest.TestCase):
    @staticmethod
    def write(path, said):
        import onnx

        helper = onnx.helper
        one = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
        two = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
        model = helper.make_model(helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [one], [two]))
        helper.set_model_props(model, said)
        onnx.save(model, path)

    def test_kept_and_nothing_else_claimed(self):
        with tempfile.TemporaryDirectory() as folder:
            source, made = f"{folder}/source.onnx", f"{folder}/made.onnx"
            said = {"fye.scale": "3", "fye.range": "0..255", "fye.colour": "rgb", "fye.pre": "none"}
            self.write(source, {**said, "fye.loss_db.int8": "0.025"})
            self.write(made, {"maker": "tool", "fye.loss_db.int8": "0.025"})
            networks.keep_conventions(source, made)
            import onnx

            kept = {entry.key: entry.value for entry in onnx.load(made).metadata_props}
            self.assertEqual(kept, {**said, "maker": "tool"})


if __name__ == "__main__":
    unittest.main()
