#!/usr/bin/env python3
"""Tests of the race's rules and of the files it writes for other engines. Needs nothing; what needs numpy, onnx or an engine skips without.

usage: peers_test.py [unittest's options]
"""

import importlib.util
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import verdict  # noqa: E402

SIZE = (40, 24)


def needs(*packages):
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


class Asked:
    """An engine that can't be narrowed, and one that can."""

    def __init__(self, name, variable=None, values=()):
        self.name, self.isa_variable, self.isa_values = name, variable, dict(values)


ENGINES = [Asked("fixed"), Asked("narrow", "MAX", {"avx2": "AVX2"})]


class Verdicts(unittest.TestCase):
    def test_disjoint_rounds_only(self):
        self.assertEqual(verdict.fye_is([1, 2, 3], [4, 5]), "faster")
        self.assertEqual(verdict.fye_is([4, 5], [1, 2, 3]), "slower")
        self.assertEqual(verdict.fye_is([1, 2, 4], [3, 5]), "level")
        self.assertEqual(verdict.fye_is([1, 3], [3, 5]), "level")  # touching is not disjoint

    def test_one_slow_round_takes_the_claim_away(self):
        self.assertEqual(verdict.fye_is([1] * 8 + [10], [5] * 9), "level")

    def test_wrong_int8(self):
        self.assertFalse(verdict.wrong(44.6, 45.0, "int8"))
        self.assertTrue(verdict.wrong(44.4, 45.0, "int8"))

    def test_fifty_decibels_are_always_right(self):
        self.assertFalse(verdict.wrong(50.1, 97, "f32"))
        self.assertTrue(verdict.wrong(49.9, 97, "f32"))

    def test_where_bf16_loses_much_peers_may_too(self):
        self.assertFalse(verdict.wrong(49, 51, "bf16"))
        self.assertTrue(verdict.wrong(47, 51, "bf16"))

    def test_long_runs_are_taken_once(self):
        self.assertEqual(verdict.inner_runs(10), (1, 3))
        self.assertEqual(verdict.inner_runs(5000), (0, 1))


class Narrowing(unittest.TestCase):
    def test_at_its_widest_everybody_runs(self):
        self.assertEqual(verdict.narrowed(ENGINES, "avx512", "avx512"), ({"fixed": {}, "narrow": {}}, {}))

    def test_who_cannot_be_narrowed_is_left_out_with_a_reason(self):
        taken, left = verdict.narrowed(ENGINES, "avx2", "avx512")
        self.assertEqual(taken, {"narrow": {"MAX": "AVX2"}})
        self.assertEqual(list(left), ["fixed"])
        self.assertIn("can't be narrowed to avx2", left["fixed"])

    def test_scalar_code_has_no_peer(self):
        taken, left = verdict.narrowed(ENGINES, "scalar", "avx512")
        self.assertEqual(taken, {})
        self.assertIn("MAX has no value for scalar", left["narrow"])

    @needs("numpy")
    def test_of_the_real_ones_openvino_alone(self):
        from engines import ENGINES as real

        taken, left = verdict.narrowed(real.values(), "avx2", "avx512")
        self.assertEqual(taken, {"openvino": {"ONEDNN_MAX_CPU_ISA": "AVX2"}})
        self.assertEqual(set(left), {"onnxruntime", "ncnn", "mnn", "litert"})


class Table(unittest.TestCase):
    EXTRA = {"start_ms": 12.0, "peak_mb": 34.0, "db": 51.25, "wrong": False}

    def test_a_row(self):
        row = verdict.row("peer", {"numbers": "f32", "threads": 2}, [20, 30, 40], [10, 10, 10], 100e9, 1.5e9, self.EXTRA)
        self.assertEqual((row["ms"], row["times"], row["fye_is"]), (30, 3, "faster"))
        self.assertAlmostEqual(row["peak_share"], 0.25)  # 1.5 GMAC in 30 ms are 50 of 2 x 100 GMAC/s
        self.assertEqual(verdict.line(row).split(), ["f32", "2", "peer", "30.00", "25.0%", "faster", "3.00", "12", "34", "51.25"])

    def test_columns_stand_under_their_titles(self):
        row = verdict.row("openvino", {"numbers": "bf16", "threads": 1}, [20], [10], 100e9, 1e9, self.EXTRA)
        self.assertEqual(len(verdict.line(row)), len(verdict.HEADER))

    def test_fye_is_not_faster_than_itself(self):
        row = verdict.row("fye", {"numbers": "f32", "threads": 1}, [10], [10], 100e9, 1e9, self.EXTRA)
        self.assertEqual((row["fye_is"], row["times"]), ("", 1))

    def test_without_a_peak_no_share(self):
        row = verdict.row("peer", {"numbers": "bf16", "threads": 1}, [10], [10], 0, 1e9, self.EXTRA)
        self.assertIsNone(row["peak_share"])
        self.assertIn(" - ", verdict.line(row))

    def test_a_wrong_engine_has_no_time(self):
        text = verdict.line({**self.EXTRA, "numbers": "int8", "threads": 1, "engine": "peer", "wrong": True, "peak_mb": None, "db": 9})
        self.assertTrue(text.endswith("9.00  wrong: not raced"))


@needs("numpy", "onnx", "onnxruntime")
class Networks(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def float_result(self, path, picture):
        import onnxruntime

        from engines.base import planes

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return session.run(None, {"input": planes(picture)})[0][0].transpose(1, 2, 0)

    def job(self, name, numbers):
        import numpy as np

        import zoo
        from engines.base import Job

        channels = 1 if name == "srcnn" else 3
        np.save(self.folder / "c.npy", zoo.made_picture(*SIZE, channels, 1))
        return Job(numbers, 1, *SIZE, channels, str(zoo.make(name, self.folder)), "", str(self.folder), [str(self.folder / "c.npy")])

    def test_the_same_bytes_each_time(self):
        import zoo

        first = zoo.make("srcnn", self.folder).read_bytes()
        self.assertEqual(zoo.make("srcnn", self.folder).read_bytes(), first)

    def test_parameters_are_the_published_ones(self):
        import onnx
        from onnx import numpy_helper

        import zoo

        for name, count in (("srcnn", 8129), ("edsr_x2", 1_369_859), ("animevideov3_x4", 621_424)):
            model = onnx.load(str(zoo.make(name, self.folder)))
            used = {i for node in model.graph.node if node.op_type in ("Conv", "PRelu") for i in node.input}
            self.assertEqual(sum(numpy_helper.to_array(c).size for c in model.graph.initializer if c.name in used), count, name)

    def test_outputs_look_like_pictures(self):
        import zoo

        for name in ("srcnn", "edsr_x2", "animevideov3_x4"):
            job = self.job(name, "f32")
            out = self.float_result(job.model, zoo.made_picture(*SIZE, job.channels, 3))
            self.assertTrue(90 < out.mean() < 160 and 20 < out.std() < 80, f"{name}: {out.mean()} +- {out.std()}")

    def check(self, engine, numbers, least_db):
        import pictures
        import zoo

        for name in ("srcnn", "edsr_x2", "animevideov3_x4"):
            with self.subTest(name):
                job = self.job(name, numbers)
                engine.convert(job)
                picture = zoo.made_picture(*SIZE, job.channels, 3)
                exact = pictures.rounded(self.float_result(job.model, picture))
                got = pictures.psnr(pictures.rounded(engine(job).result(picture)), exact)
                self.assertGreater(got, least_db)
                self.assertLess(got, 100.1 if numbers == "f32" else 65)  # int8 that is exact isn't int8

    @needs("ncnn")
    def test_ncnn_files(self):
        from engines import Ncnn

        self.check(Ncnn, "f32", 80)
        self.check(Ncnn, "int8", 35)

    @needs("ai_edge_litert")
    def test_litert_files(self):
        from engines import LiteRt

        self.check(LiteRt, "f32", 80)

    @needs("ai_edge_litert", "ai_edge_quantizer")
    def test_litert_int8_files(self):
        from engines import LiteRt

        self.check(LiteRt, "int8", 35)

    @needs("MNN")
    def test_mnn_files(self):
        self.served("mnn", "f32", 70)
        self.served("mnn", "int8", 20)  # its quantiser does badly on so small a picture

    @needs("openvino")
    def test_openvino(self):
        self.served("openvino", "f32", 45)  # it cuts off where others round

    def served(self, name, numbers, least_db):
        """As the race runs it: in processes of its own."""
        import pictures
        import zoo
        from process import Peer, convert

        job = self.job("srcnn", numbers)
        convert(name, job, {})
        peer = Peer(name, job, {})
        self.addCleanup(peer.close)
        picture = zoo.made_picture(*SIZE, 1, 3)
        exact = pictures.rounded(self.float_result(job.model, picture))
        self.assertGreater(pictures.psnr(pictures.rounded(peer.result(picture)), exact), least_db)
        self.assertTrue(0 < peer.run() < peer.start_ms + 1000)
        self.assertGreater(peer.peak_mb(), 10)

    def test_what_an_engine_has_not(self):
        from engines.base import NotHad
        from process import Peer

        with self.assertRaisesRegex(NotHad, "no bf16"):
            Peer("onnxruntime", self.job("srcnn", "bf16"), {})

    def test_a_file_that_is_not_there_is_an_error_with_its_last_line(self):
        from process import Peer

        job = self.job("srcnn", "f32")
        job.model = "missing.onnx"
        with self.assertRaisesRegex(RuntimeError, "ended with 1: .*missing.onnx"):
            Peer("onnxruntime", job, {})


if __name__ == "__main__":
    unittest.main()
