#!/usr/bin/env python3
"""The parts of figure.py that need no network: fitting plans to deadlines, intervals, tables."""
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import figure  # noqa: E402
import methods as m  # noqa: E402


class Fitting(unittest.TestCase):
    def fit(self, share_of, fraction, least=0.0):
        """share_of(asked share): what is measured; plans faster than `least` can't be had."""
        asked = []

        def make(deadline):
            asked.append(deadline / 100)
            return deadline / 100 if deadline / 100 >= least else None
        file, share = m.fitted(make, share_of, fraction, base_ms=100)
        return file, share, asked

    def test_right_at_once(self):
        file, share, asked = self.fit(lambda a: a, 0.5)
        self.assertAlmostEqual(share, 0.475)
        self.assertEqual(len(asked), 1)

    def test_asks_for_less_where_it_misses(self):
        file, share, asked = self.fit(lambda a: a * 1.2, 0.5)
        self.assertLessEqual(share, 0.5)
        self.assertGreater(len(asked), 1)
        self.assertLess(asked[1], asked[0])

    def test_asks_for_more_where_much_is_left(self):
        file, share, asked = self.fit(lambda a: a * 0.7, 0.5)
        self.assertLessEqual(share, 0.5)
        self.assertGreater(share, 0.4)

    def test_the_fastest_if_none_fits(self):
        file, share, asked = self.fit(lambda a: 0.6 + a / 100, 0.3)
        self.assertGreater(share, 0.3)
        self.assertEqual(file, min(asked))

    def test_no_plan(self):
        self.assertEqual(self.fit(lambda a: a, 0.3, least=0.9)[:2], (None, None))


class Words(unittest.TestCase):
    def test_told(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "p.json"
            share = [{"processor": "a", "share": 0.25}, {"processor": "b", "share": 0.75}]
            file.write_text(json.dumps({"steps": [{"units": ["a", "b"], "placement": "cpu.f32"},
                                                  {"units": ["c"], "placement": {"rows": share}},
                                                  {"units": ["d"], "placement": {"patches": share, "size": 40, "halo": 8}}]}))
            said = m.told(file)
        self.assertIn("cpu.f32 2", said)
        self.assertIn("rows: 1 units in 1 steps, 0.25 to the first", said)
        self.assertIn("patches of 40", said)

    def test_every_method_once_and_float_first(self):
        all_methods = m.methods(bf16=True)
        self.assertEqual(len({each.key for each in all_methods}), len(all_methods))
        for where in ("core", "machine"):
            first = next(each for each in all_methods if each.where == where)
            self.assertEqual(first.key, m.float_of(where))

    def test_interval_holds_the_mean(self):
        mean, low, high = figure.interval([1.0, 2.0, 3.0, 4.0])
        self.assertEqual(mean, 2.5)
        self.assertTrue(low < mean < high)
        self.assertEqual(figure.interval([1.0] * 5), (1.0, 1.0, 1.0))

    def test_csv_has_every_field_once(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "r.csv"
            figure.write_csv([{"a": 1, "b": 0.5}, {"a": 2, "c": "x"}], file)
            self.assertEqual(file.read_text(), "a,b,c\n1,0.5,\n2,,x\n")


if __name__ == "__main__":
    unittest.main()
