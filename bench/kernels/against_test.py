"""The statistics and parsing of against.py, on made-up figures; builds and runs nothing.

usage: against_test.py [unittest's options]
"""

import json
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import against  # noqa: E402


def benchmark_json(*rows):
    return json.dumps({"context": {}, "benchmarks": list(rows)})


def row(run_name, real_time, **more):
    return {"name": run_name, "run_name": run_name, "run_type": "iteration", "real_time": real_time, "cpu_time": 1e9, "time_unit": "ms"} | more


def rounds(name, times):
    return [{name: ms} for ms in times]


class BestTimes(unittest.TestCase):
    def test_least_repetition_in_milliseconds(self):
        text = benchmark_json(row("a", 3), row("a", 2), row("a", 4), row("b", 5, time_unit="us"), row("c", 7, time_unit="s"))
        self.assertEqual(against.best_times(text), {"a": 2, "b": 0.005, "c": 7000})

    def test_aggregates_and_errors_do_not_count(self):
        text = benchmark_json(row("a", 3), row("a", 1, name="a_median", run_type="aggregate"), row("b", 0, error_occurred=True))
        self.assertEqual(against.best_times(text), {"a": 3})

    def test_what_is_no_json_is_refused(self):
        with self.assertRaises(json.JSONDecodeError):
            against.best_times("Failed to match any benchmarks")

    def test_unknown_unit_is_refused(self):
        with self.assertRaises(KeyError):
            against.best_times(benchmark_json(row("a", 1, time_unit="fortnight")))


class Verdict(unittest.TestCase):
    def test_disjoint_rounds_alone_are_flagged(self):
        self.assertEqual(against.verdict([1, 2, 3], [3.1, 4, 5]), "slower")
        self.assertEqual(against.verdict([3.1, 4, 5], [1, 2, 3]), "faster")

    def test_one_overlapping_round_makes_it_level(self):
        self.assertEqual(against.verdict([1, 1, 1, 9], [5, 6, 7, 8]), "level")
        self.assertEqual(against.verdict([5, 6, 7, 8], [1, 1, 1, 6]), "level")

    def test_touching_is_level(self):
        self.assertEqual(against.verdict([1, 2], [2, 3]), "level")


class Compare(unittest.TestCase):
    def test_median_and_ratio(self):
        (only,) = against.compare(rounds("a", [2, 100, 2]), rounds("a", [3, 3, 1]))
        self.assertEqual((only["old_ms"], only["new_ms"], only["ratio"], only["verdict"]), (2, 3, 1.5, "level"))

    def test_benchmarks_of_one_program_only(self):
        rows = against.compare(rounds("gone", [1] * 7), rounds("made", [1] * 7))
        self.assertEqual([(r["name"], r["verdict"]) for r in rows], [("made", "new"), ("gone", "gone")])
        self.assertNotIn("ratio", rows[0])

    def test_table_flags_and_counts(self):
        old = [{"fast/a": 1.0 + i / 100, "fast/b": 1, "c": 4, "d": 1} for i in range(7)]
        new = [{"fast/a": 2.0 + i / 100, "fast/b": 1, "c": 3, "e": 1} for i in range(7)]
        lines = against.table(against.compare(old, new)).splitlines()
        self.assertRegex(lines[1], r"^fast/a +1\.0300 +2\.0300 +1\.971  slower$")
        self.assertRegex(lines[2], r"^fast/b +1\.0000 +1\.0000 +1\.000$")
        self.assertRegex(lines[3], r"faster$")
        self.assertRegex(lines[4], r"^e +new$")
        self.assertRegex(lines[5], r"^d +gone$")
        self.assertEqual(lines[-1], "1 slower, 1 faster, 1 level")


class CommandLine(unittest.TestCase):
    def run_it(self, *arguments):
        return subprocess.run([sys.executable, HERE / "against.py", *arguments], capture_output=True, text=True)

    def test_too_few_rounds(self):
        done = self.run_it("--against", "HEAD", "--rounds", "6")
        self.assertEqual(done.returncode, 2)
        self.assertIn("at least 7", done.stderr)

    def test_unknown_revision(self):
        done = self.run_it("--against", "no-such-revision")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no-such-revision", done.stderr)


if __name__ == "__main__":
    unittest.main()
