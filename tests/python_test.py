"""The Python package as people use it: equal to `fye up` on a photograph, arrays of every kind, threads, what must fail.

usage: python_test.py [Class[.test]...]   with an interpreter that has the package (./check: build/python)
"""

import os
import pathlib
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings

import fye
import numpy as np

import tiny_pictures as pictures
from workplace import ROOT, Workplace

DATA = pathlib.Path(os.environ.get("FYE_DATA", ROOT.parent / "shared/data"))
NAME = "Picture_0B_by_freespace.jpg"  # of Debian's lomiri-wallpapers-16.04, which ./quickstart installs
PHOTOS = [DATA / "test/hires-ccby" / NAME, pathlib.Path("/usr/share/backgrounds") / NAME]


def noise(*shape, dtype=np.uint8, seed=1):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def array_of(path):
    width, height, channels, _, rows = pictures.read_png(path.read_bytes())
    return np.frombuffer(b"".join(map(bytes, rows)), np.uint8).reshape(height, width, channels)


class Case(unittest.TestCase):
    def setUp(self):
        self.caught = warnings.catch_warnings()
        self.caught.__enter__()
        warnings.simplefilter("error")

    def tearDown(self):
        self.caught.__exit__(None, None, None)

    def refuses(self, code, call, *words):
        with self.assertRaises(fye.Error) as caught:
            call()
        error = caught.exception
        self.assertEqual(error.code, code)
        self.assertTrue(error.what)
        for word in words:
            self.assertIn(word, str(error))
        return error


class Photograph(Case):
    """Bit for bit what the command writes."""

    def setUp(self):
        super().setUp()
        self.place = Workplace()
        self.addCleanup(self.place.close)
        photo = next((path for path in PHOTOS if path.exists()), None)
        if photo is None:
            self.skipTest(f"no photograph at {PHOTOS[0]}; set FYE_DATA")
        self.place.must("resize", photo, "-o", "small.png", "--crop", "300x200")
        self.small = array_of(self.place.folder / "small.png")

    def check(self, *arguments, **options):
        self.place.must("up", "small.png", "-o", "big.png", *arguments)
        self.assertTrue(np.array_equal(fye.upscale(self.small, **options), array_of(self.place.folder / "big.png")))

    def test_default(self):
        self.check()

    def test_model_and_numbers(self):
        self.check("-m", "abpn_x2", "--numbers", "f32", model="abpn_x2", numbers="f32")

    def test_scale(self):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            self.check("-s", "6", scale=6)
        self.assertEqual([warning.category for warning in said], [fye.Notice])
        self.assertEqual(said[0].filename, __file__)

    def test_scores(self):
        other = self.small // 2
        scores = fye.compare(self.small, other)
        self.assertLess(scores["psnr_y"], 30)
        self.assertEqual(fye.compare(self.small, self.small)["psnr_y"], float("inf"))


class Arrays(Case):
    def test_kinds(self):
        for dtype in (np.uint8, np.uint16):
            for shape in ((7, 9), (7, 9, 1), (7, 9, 2), (7, 9, 3), (7, 9, 4)):
                with self.subTest(dtype=dtype, shape=shape):
                    big = fye.upscale(noise(*shape, dtype=dtype), "abpn_x2", numbers="f32")
                    self.assertEqual(big.shape, (14, 18, *shape[2:]))
                    self.assertEqual(big.dtype, dtype)
                    self.assertTrue(big.flags.c_contiguous and big.flags.writeable)

    def test_a_result_outlives_everything(self):
        upscaler = fye.Upscaler("abpn_x2")
        big = upscaler(noise(16, 16, 3))
        kept = big.copy()
        del upscaler
        fye.upscale(noise(40, 40, 3, seed=2), "abpn_x3")
        self.assertTrue(np.array_equal(big, kept))

    def test_strides(self):
        """Every way of lying in memory gives the same pixels as a plain copy."""
        whole = noise(40, 44, 6)
        views = {
            "crop": whole[5:25, 7:30, :3].copy()[2:, 3:],
            "rows upwards": whole[::-1, :, :3],
            "pixels backwards": whole[:, ::-1, :3],
            "samples backwards": whole[:, :, 2::-1],
            "every other row": whole[::2, :, :3],
            "every other pixel": whole[:, ::2, :3],
            "some channels": whole[:, :, 1:4],
            "planes": np.moveaxis(np.ascontiguousarray(np.moveaxis(whole[:, :, :3], -1, 0)), 0, -1),
            "columns first": np.asfortranarray(whole[:, :, :3]),
            "one row again and again": np.broadcast_to(whole[:1, :, :3], (12, 44, 3)),
            "one pixel again and again": np.broadcast_to(whole[:1, :1, :3], (12, 10, 3)),
            "grey, one column": whole[:, 3, 0][:, None],
            "read-only": np.frombuffer(whole[:, :, :3].tobytes(), np.uint8).reshape(40, 44, 3),
        }
        upscaler = fye.Upscaler("abpn_x2", threads=1)
        for name, view in views.items():
            with self.subTest(name):
                before = view.copy()
                self.assertTrue(np.array_equal(upscaler(view), upscaler(np.array(view, order="C"))))
                self.assertTrue(np.array_equal(view, before))

    def test_rows_anywhere_need_no_copy_of_their_own(self):
        """A crop of a large array costs the crop, not the array."""
        large = np.zeros((6000, 6000, 3), np.uint8)
        start = time.perf_counter()
        fye.upscale(large[100:108, 100:108], "abpn_x2")
        self.assertLess(time.perf_counter() - start, 2)

    def test_report(self):
        made = fye.Upscaler("abpn_x2", numbers="int8", threads=1).run(noise(20, 20, 3))
        self.assertEqual(made.image.shape, (40, 40, 3))
        self.assertEqual((made.report.numbers, made.report.threads, made.report.late), ("int8", 1, False))

    def test_notices_are_warnings(self):
        with self.assertWarns(fye.Notice):
            fye.upscale(noise(8, 8, 3, dtype=np.uint16), "abpn_x2", numbers="int8")


class Threads(Case):
    def test_results_do_not_mix(self):
        model = fye.Model("abpn_x2")
        shared = fye.Upscaler(model, threads=2)
        images = [noise(20 + 7 * i, 31 - 3 * i, 3, seed=i) for i in range(6)]
        expected = [shared(image) for image in images]
        wrong = []

        def work(mine):
            for i, image in enumerate(images):
                results = shared(image), fye.upscale(image, model, threads=1), fye.upscale(image, "abpn_x2", threads=mine % 3)
                if not all(np.array_equal(result, expected[i]) for result in results):
                    wrong.append((mine, i))

        threads = [threading.Thread(target=work, args=(mine,)) for mine in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_other_threads_run_meanwhile(self):
        """While one thread computes another one counts; under a held interpreter it would not get beyond a few."""
        counted, done = [0], threading.Event()

        def count():
            while not done.is_set():
                counted[0] += 1
                time.sleep(0.001)

        upscaler = fye.Upscaler("edsr_baseline_x2", numbers="f32", threads=1)
        image = noise(120, 160, 3)
        upscaler(image[:8, :8])
        counter = threading.Thread(target=count)
        counter.start()
        before, start = counted[0], time.perf_counter()
        upscaler(image)
        took, during = time.perf_counter() - start, counted[0] - before
        done.set()
        counter.join()
        self.assertGreater(during, 20 * took)  # of 1000 a second, beside whatever else the machine does

    def test_progress(self):
        seen = []
        fye.upscale(noise(64, 64, 3), "abpn_x2", progress=seen.append)
        self.assertEqual(seen, sorted(seen))
        self.assertEqual(seen[-1], 1)

    def test_what_progress_raises_comes_back(self):
        def refuse(_):
            raise KeyError("enough")

        upscaler = fye.Upscaler("abpn_x2", progress=refuse)
        for _ in range(2):
            with self.assertRaisesRegex(KeyError, "enough"):
                upscaler(noise(32, 32, 3))

    def test_interrupt(self):
        """Ctrl-C ends a run long before its end."""
        script = ("import fye, numpy as np\nimage = np.zeros((3000, 4000, 3), np.uint8); image[::7] = 200\n"
                  "up = fye.Upscaler('edsr_baseline_x2', numbers='f32', threads=1, memory=1 << 31)\nprint('ready', flush=True)\n"
                  "try:\n  up(image)\nexcept KeyboardInterrupt:\n  print('ended')")
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
            self.assertEqual(child.stdout.readline(), "ready\n")
            time.sleep(1)
            child.send_signal(signal.SIGINT)
            start = time.perf_counter()
            self.assertEqual(child.stdout.readline(), "ended\n")
            self.assertLess(time.perf_counter() - start, 20)


class Plans(Case):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.environ["XDG_CACHE_HOME"] = folder.name
        self.addCleanup(os.environ.pop, "XDG_CACHE_HOME")

    def test_from_profile_to_deadline(self):
        size, image = (40, 24), noise(24, 40, 3)
        self.refuses(fye.Code.bad_input, lambda: fye.plan("abpn_x2", size, threads=1), "fye profile")
        self.refuses(fye.Code.bad_input, lambda: fye.upscale(image, "abpn_x2", deadline=50, threads=1), "fye plan")
        profile = fye.profile("abpn_x2", size, threads=1, seconds=1)
        self.assertEqual((profile.width, profile.height, profile.threads), (*size, 1))
        self.assertEqual(fye.profile("abpn_x2", size, threads=1, seconds=1), profile)  # kept
        self.assertIn("cpu.f32", profile.whole)
        book = fye.plan("abpn_x2", size, threads=1)
        self.assertEqual(list(book.plans[0].units), list(profile.units))
        self.assertEqual([plan.ms for plan in book.plans], sorted(plan.ms for plan in book.plans))
        self.assertIs(book.at(1e9), book.plans[-1])
        self.refuses(fye.Code.deadline, lambda: book.at(0))
        truest = fye.upscale(image, "abpn_x2", deadline=60_000, threads=1)
        self.assertTrue(np.array_equal(truest, fye.upscale(image, "abpn_x2", numbers="f32", threads=1)))
        self.refuses(fye.Code.deadline, lambda: fye.upscale(image, "abpn_x2", deadline=1e-6, threads=1), "fastest")


class MustFail(Case):
    def test_arrays(self):
        good = noise(8, 8, 3)
        bad = {"float64": good / 255, "float32": good.astype(np.float32), "int64": good.astype(np.int64), "bool": good > 3,
               ">u2": good.astype(">u2"), "complex128": good.astype(complex), "object": good.astype(object),
               "this one has 1": good[0, 0], "this one has 4": good[None], "this one has 0": np.uint8(3)[...],
               "has 5": noise(8, 8, 5), "has 0": noise(8, 8, 0), "8 x 0": good[:0], "0 x 8": good[:, :0],
               "70000": noise(1, 70000), "list": good.tolist(), "NoneType": None, "str": "photo.png"}
        for words, image in bad.items():
            with self.subTest(words):
                error = self.refuses(fye.Code.usage, lambda: fye.upscale(image), words)
                self.assertTrue(error.hint)

    def test_options(self):
        image, nan = noise(8, 8, 3), float("nan")
        for options in ({"deadline": nan}, {"deadline": 0}, {"deadline": -5}, {"deadline": float("inf")},
                        {"deadline": 5, "numbers": "f32"}, {"numbers": "int4"}, {"scale": 17}, {"scale": -1}, {"threads": -1},
                        {"threads": 5000}, {"tile": -1}, {"memory": -1}, {"book": "book.json"}):
            with self.subTest(options):
                self.refuses(fye.Code.usage, lambda: fye.upscale(image, **options))
        self.refuses(fye.Code.bad_input, lambda: fye.upscale(image, "no_such_network"), "no_such_network", "abpn_x3")
        self.refuses(fye.Code.bad_input, lambda: fye.upscale(image, pathlib.Path("no/such.onnx")), "no/such.onnx")
        self.refuses(fye.Code.bad_input, lambda: fye.upscale(image, __file__))
        self.refuses(fye.Code.resources, lambda: fye.upscale(noise(500, 500, 3), memory=1000), "least")
        self.refuses(fye.Code.usage, lambda: fye.profile("abpn_x2", (0, 5)))
        self.refuses(fye.Code.usage, lambda: fye.profile("abpn_x2", seconds=nan))
        self.refuses(fye.Code.bad_input, lambda: fye.compare(image, noise(8, 9, 3)))

    def test_types(self):
        for call in (lambda: fye.upscale(noise(8, 8, 3), scale="3"), lambda: fye.upscale(noise(8, 8, 3), deadline="soon"),
                     lambda: fye.upscale(), lambda: fye.Model(5)):
            with self.assertRaises(TypeError):
                call()

    def test_errors_travel(self):
        error = pickle.loads(pickle.dumps(fye.Error(2, "it is wrong", "do right")))
        self.assertEqual((error.code, error.what, error.hint), (fye.Code.bad_input, "it is wrong", "do right"))


class Types(Case):
    """The annotations say what is there."""

    def mypy(self, *arguments):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        (pathlib.Path(folder.name) / "allowed").write_text("fye._core.Model\nfye._core.Upscaler\n")  # pybind11's own metaclass
        return subprocess.run([sys.executable, "-m", *arguments], cwd=folder.name, capture_output=True, text=True, timeout=200,
                              env={**os.environ, "MYPY_CACHE_DIR": folder.name})

    def setUp(self):
        super().setUp()
        try:
            import mypy  # noqa: F401
        except ImportError:
            self.skipTest("mypy is not installed; ./check makes build/python")

    def test_package(self):
        done = self.mypy("mypy", "--strict", "-p", "fye")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_stubs(self):
        done = self.mypy("mypy.stubtest", "fye._core", "--allowlist", "allowed")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Documentation(Case):
    def test_everything_public_is_explained(self):
        for name in fye.__all__:
            self.assertTrue(getattr(fye, name).__doc__, name)


if __name__ == "__main__":
    unittest.main()
