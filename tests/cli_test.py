"""The command line from end to end on small pictures: what must work.

usage: cli_test.py [Class[.test]...]
"""

import json
import math
import os
import resource
import signal
import subprocess
import sys
import time
import unittest

import tiny_model
import tiny_pictures as pictures
from workplace import Workplace

VERBS = ["up", "compare", "resize", "models", "calibrate", "explain", "bench", "doctor"]


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace()
        cls.place.add_good_files()
        cls.place.write("photo.png", pictures.png(75, 53))
        cls.place.must("calibrate", "tiny.onnx", "photo.png", "-o", "tiny.calib.json")
        cls.must = cls.place.must
        cls.run_fye = cls.place.run

    @classmethod
    def tearDownClass(cls):
        cls.place.close()

    def bytes_of(self, name):
        return (self.place.folder / name).read_bytes()

    def picture(self, name):
        return pictures.read_png(self.bytes_of(name))

    def up(self, source, target, *arguments, **options):
        return json.loads(self.must("up", source, "-o", target, "-m", "tiny.onnx", "--json", *arguments, **options).stdout)


class Help(Case):
    def test_every_verb_has_examples(self):
        top = self.must("--help").stdout
        for verb in VERBS:
            with self.subTest(verb=verb):
                self.assertIn(verb, top)
                text = self.must(verb, "--help").stdout
                self.assertIn("Examples:", text)
                self.assertIn(f"fye {verb}", text)

    def test_version(self):
        self.assertRegex(self.must("--version").stdout, r"^\d+\.\d+\.\d+\n$")


class Tiles(Case):
    """Tiled equals untiled, bit for bit, for any tile size and any number of threads."""

    def check(self, numbers):
        self.up("photo.png", "whole.png", "--numbers", numbers, "--threads", "1")
        whole = self.picture("whole.png")
        self.assertEqual(whole[:2], (150, 106))
        for tile in (16, 24, 37, 64):
            for threads in (1, 3):
                with self.subTest(tile=tile, threads=threads):
                    report = self.up("photo.png", "tiled.png", "--numbers", numbers, "--tile", tile, "--threads", threads)
                    self.assertEqual(report["numbers"], numbers)
                    self.assertEqual(report["tile"], tile)
                    self.assertEqual(self.picture("tiled.png"), whole)

    def test_f32(self):
        self.check("f32")

    def test_int8(self):
        self.check("int8")

    def test_bf16(self):
        doctor = json.loads(self.must("doctor", "--json").stdout)
        if "bf16" not in doctor["numbers"]:
            self.skipTest("no bf16 hardware")
        self.check("bf16")


class InstructionSets(Case):
    def test_int8_is_the_same_on_all(self):
        """The int8 contract, on whatever this machine has."""
        results = set()
        for isa in ("scalar", "portable", "avx2", "avx2vnni", "avx512", "amx"):
            self.up("photo.png", "isa.png", "--numbers", "int8", environment={"FYE_MAX_ISA": isa})
            results.add(self.bytes_of("isa.png"))
        self.assertEqual(len(results), 1)

    def test_f32_stays_within_a_level(self):
        self.up("photo.png", "wide.png", "--numbers", "f32")
        self.up("photo.png", "scalar.png", "--numbers", "f32", environment={"FYE_MAX_ISA": "scalar"})
        wide, scalar = self.picture("wide.png")[4], self.picture("scalar.png")[4]
        self.assertLessEqual(max(abs(a - b) for p, q in zip(wide, scalar) for a, b in zip(p, q)), 1)


class Pictures(Case):
    def form(self, name):
        return self.picture(name)[:4]

    def test_png_kinds(self):
        """(colour type, bits) in, (channels, bits) out as design.md, section 4, says."""
        palette = [(10 * i, 255 - 9 * i, 40) for i in range(16)]
        kinds = {(0, 1): (1, 8), (0, 2): (1, 8), (0, 4): (1, 8), (0, 8): (1, 8), (0, 16): (1, 16), (2, 8): (3, 8),
                 (2, 16): (3, 16), (3, 4): (3, 8), (4, 8): (2, 8), (4, 16): (2, 16), (6, 8): (4, 8), (6, 16): (4, 16)}
        for (colour, bits), (channels, out_bits) in kinds.items():
            with self.subTest(colour=colour, bits=bits):
                self.place.write("kind.png", pictures.png(20, 14, bits, colour, palette=palette if colour == 3 else None))
                self.up("kind.png", "kind_out.png")
                self.assertEqual(self.form("kind_out.png"), (40, 28, channels, out_bits))

    def test_sixteen_bits_in_int8_run_in_f32_with_a_notice(self):
        self.place.write("deep.png", pictures.png(20, 14, 16))
        report = self.up("deep.png", "deep_out.png", "--numbers", "int8")
        self.assertEqual(report["numbers"], "f32")
        self.assertTrue(any("f32" in notice for notice in report["notices"]), report["notices"])

    def test_every_format_out_and_in_again(self):
        for extension in ("png", "jpg", "jpeg", "webp", "tif", "tiff"):
            with self.subTest(extension=extension):
                self.up("photo.png", f"out.{extension}")
                report = self.up(f"out.{extension}", "again.png")
                self.assertEqual((report["in_width"], report["in_height"]), (150, 106))

    def test_lossless_formats_agree(self):
        for name in ("a.png", "a.tif"):
            self.up("photo.png", name)
        scores = json.loads(self.must("compare", "a.png", "a.tif", "--json").stdout)
        self.assertTrue(scores["identical"])

    def test_cmyk(self):
        self.place.write("cmyk.tif", pictures.cmyk_tiff(20, 14))
        self.up("cmyk.tif", "cmyk_out.png")
        self.assertEqual(self.form("cmyk_out.png"), (40, 28, 3, 8))

    def test_one_pixel(self):
        self.place.write("one.png", pictures.png(1, 1))
        self.up("one.png", "one_out.png")
        self.assertEqual(self.form("one_out.png"), (2, 2, 3, 8))

    def test_flat_picture_stays_flat_and_is_no_error(self):
        self.place.write("flat.png", pictures.png(20, 20, flat=128))
        self.up("flat.png", "flat_out.png")

    def test_transparency_is_kept(self):
        self.place.write("clear.png", pictures.png(16, 16, colour=6, flat=0))
        self.up("clear.png", "clear_out.png")
        width, height, channels, _, rows = self.picture("clear_out.png")
        self.assertEqual(channels, 4)
        self.assertEqual({row[x * 4 + 3] for row in rows for x in range(width)}, {0})


class Scales(Case):
    def test_other_scales_are_resampled_once(self):
        for scale in (1, 2, 3, 4, 5):
            with self.subTest(scale=scale):
                report = self.up("photo.png", "scaled.png", "-s", scale)
                self.assertEqual((report["width"], report["height"]), (75 * scale, 53 * scale))

    def test_luma_network_and_bicubic_first(self):
        nodes = [tiny_model.conv("c", "in", "out")]
        constants = [tiny_model.tensor("c.w", [1, 1, 3, 3], [0, 0, 0, 0, 1, 0, 0, 0, 0]), tiny_model.tensor("c.b", [1], [0])]
        self.place.write("luma.onnx", tiny_model.model(nodes, constants, 1, tiny_model.conventions(3, "0..1", "y", "bicubic")))
        self.must("up", "photo.png", "-o", "luma.png", "-m", "luma.onnx", "--numbers", "f32")
        self.assertEqual(self.form_of("luma.png"), (225, 159, 3, 8))

    def form_of(self, name):
        return self.picture(name)[:4]

    def test_conventions_by_flags(self):
        self.place.write("silent.onnx", tiny_model.upscaler(2, metadata=False))
        self.must("up", "photo.png", "-o", "silent.png", "-m", "silent.onnx", "--net-scale", "2", "--range", "0..255",
                  "--colour", "rgb", "--pre", "none", "--numbers", "f32")
        self.up("photo.png", "told.png", "--numbers", "f32")
        self.assertEqual(self.picture("silent.png"), self.picture("told.png"))


class Outputs(Case):
    def test_default_name_and_its_refusal(self):
        self.must("up", "photo.png", "-m", "tiny.onnx")
        self.assertTrue((self.place.folder / "photo_fye_x2.png").exists())
        self.assertEqual(self.run_fye("up", "photo.png", "-m", "tiny.onnx").returncode, 1)
        self.must("up", "photo.png", "-m", "tiny.onnx", "--if-exists", "overwrite")

    def test_a_folder_and_another_format(self):
        (self.place.folder / "big").mkdir(exist_ok=True)
        self.must("up", "photo.png", "-o", "big", "-m", "tiny.onnx", "-f", "webp")
        self.assertTrue((self.place.folder / "big/photo_fye_x2.webp").exists())

    def test_second_positional_and_ncnn_flags(self):
        self.must("up", "photo.png", "second.png", "-m", "tiny.onnx")
        self.must("up", "-i", "photo.png", "-o", "ncnn.png", "-s", "2", "-t", "32", "-j", "1:2:1", "-n", "tiny", "-m", ".")
        self.assertEqual(self.picture("second.png"), self.picture("ncnn.png"))

    def test_in_place(self):
        self.place.write("self.png", pictures.png(20, 20))
        self.must("up", "self.png", "--in-place", "-m", "tiny.onnx")
        self.assertEqual(self.picture("self.png")[:2], (40, 40))

    def test_named_with_o_is_replaced_without_leftovers(self):
        before = self.place.names() | {"twice.png"}
        self.up("photo.png", "twice.png")
        self.up("photo.png", "twice.png")
        self.assertEqual(self.place.names(), before)

    def test_results_on_stdout_talk_on_stderr(self):
        done = self.must("up", "photo.png", "-o", "quiet.png", "-m", "tiny.onnx")
        self.assertEqual(done.stdout, "")
        self.assertIn("quiet.png: 150x106", done.stderr)
        done = self.must("up", "photo.png", "-o", "quiet.png", "-m", "tiny.onnx", "--json")
        json.loads(done.stdout)

    def test_a_write_that_fails_leaves_the_old_file(self):
        """The file-size limit stands for a full disk: writes fail half way."""
        old = self.place.write("kept.png", b"old").read_bytes()

        def limited():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        before = self.place.names()
        done = self.run_fye("up", "photo.png", "-o", "kept.png", "-m", "tiny.onnx", before=limited)
        self.assertIn(done.returncode, (2, 5), done.stderr)
        self.assertIn("kept.png", done.stderr)
        self.assertEqual(self.bytes_of("kept.png"), old)
        self.assertEqual(self.place.names(), before)

    def test_full_disk(self):
        small = self.place.folder / "small_disk"
        small.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", small], capture_output=True).returncode:
            self.skipTest("mounting a small disk needs root")
        try:
            done = self.run_fye("up", "photo.png", "-o", "small_disk/x.png", "-m", "tiny.onnx")
            self.assertEqual(done.returncode, 5, done.stderr)
            self.assertIn("small_disk/x.png", done.stderr)
            self.assertEqual(list(small.iterdir()), [])
        finally:
            subprocess.run(["umount", small], check=True)

    @staticmethod
    def wait_for_main(pid):
        """Until the process has taken charge of SIGINT; a loaded machine starts programs slowly."""
        for _ in range(1000):
            with open(f"/proc/{pid}/status", encoding="ascii") as status:
                blocked = next(int(line.split()[1], 16) for line in status if line.startswith("SigBlk:"))
            if blocked & 1 << (signal.SIGINT - 1):
                return
            time.sleep(0.02)

    def test_interrupt_leaves_nothing(self):
        self.place.write("large.png", pictures.png(400, 300))
        before = self.place.names()
        process = subprocess.Popen([self.place.fye, "up", "large.png", "-o", "never.png", "-m", "tiny.onnx", "-s", "16",
                                    "--numbers", "f32", "--tile", "16"],
                                   cwd=self.place.folder, stderr=subprocess.PIPE)
        self.wait_for_main(process.pid)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, text = process.communicate(timeout=60)
        if process.returncode == 0:
            self.skipTest("done before the signal came")
        self.assertEqual(process.returncode, 130, text)
        self.assertEqual(self.place.names(), before)

    def test_a_closed_stdout_is_an_error(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([self.place.fye, "doctor", "--json"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 5, done.stderr)


class Compare(Case):
    def test_identical(self):
        scores = json.loads(self.must("compare", "photo.png", "photo.png", "--json").stdout)
        self.assertEqual((scores["identical"], scores["psnr_y"], scores["psnr_rgb"]), (True, None, None))
        self.assertAlmostEqual(scores["ssim_y"], 1)
        self.assertAlmostEqual(scores["ssim_grey"], 1)

    def test_psnr_of_a_known_difference(self):
        self.place.write("black.png", pictures.png(20, 20, flat=0))
        self.place.write("grey.png", pictures.png(20, 20, flat=10))
        scores = json.loads(self.must("compare", "black.png", "grey.png", "--json", "--shave", "2").stdout)
        self.assertAlmostEqual(scores["psnr_rgb"], 20 * math.log10(255 / 10), places=6)
        self.assertAlmostEqual(scores["psnr_y"], 20 * math.log10(255 / (219 / 255 * 10)), places=3)
        self.assertFalse(scores["identical"])

    def test_several_and_side_by_side(self):
        self.must("resize", "photo.png", "-o", "half.png", "--size", "37x26")
        self.must("resize", "half.png", "-o", "blurred.png", "--size", "75x53")
        rows = json.loads(self.must("compare", "photo.png", "blurred.png", "photo.png", "--json", "--side-by-side", "row.png",
                                    "--crop", "30x20").stdout)
        self.assertEqual([row["file"] for row in rows], ["blurred.png", "photo.png"])
        self.assertLess(rows[0]["psnr_y"], 40)
        self.assertEqual(self.picture("row.png")[:3], (30 * 3 + 2 * 6, 20, 3))

    def test_table(self):
        text = self.must("compare", "photo.png", "photo.png").stdout
        self.assertIn("psnr_y dB", text)
        self.assertIn("identical", text)
        self.assertIn("photo.png", text.splitlines()[1], "the original's own PIQE comes first")

    def test_only_the_scores_asked_for(self):
        scores = json.loads(self.must("compare", "photo.png", "photo.png", "--json", "--score", "piqe,ssim_y").stdout)
        self.assertEqual(list(scores), ["file", "ssim_y", "piqe", "piqe_original", "identical"])
        self.assertEqual(scores["piqe"], scores["piqe_original"])
        alone = json.loads(self.must("compare", "photo.png", "good.png", "--json", "--score", "piqe").stdout)
        self.assertIsNone(alone["identical"], "one picture's score compares nothing, whatever the sizes")

    def test_all_takes_what_there_is(self):
        """75 x 53 is too small for MS-SSIM, and no network is installed: each is said once, neither is a failure."""
        nothing = {"FYE_MODELS": str(self.place.folder / "empty_folder")}
        done = self.must("compare", "photo.png", "photo.png", "photo.png", "--json", "--all", environment=nothing)
        rows = json.loads(done.stdout)
        self.assertEqual(rows[0], rows[1])
        self.assertAlmostEqual(rows[0]["ssim_grey"], 1)
        missing = [name for name, value in rows[0].items() if value is None and not name.startswith("psnr")]
        self.assertIn("ms_ssim", missing)
        for name in missing:
            self.assertEqual(done.stderr.count(f"{name}: "), 1, done.stderr)
        text = self.must("compare", "photo.png", "photo.png", "--all", environment=nothing).stdout
        self.assertIn("ms_ssim", text.splitlines()[0])

    def test_a_score_asked_for_by_name_has_to_be_there(self):
        done = self.run_fye("compare", "photo.png", "photo.png", "--json", "--score", "psnr_y,ms_ssim")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("ms_ssim", json.loads(done.stdout))
        self.assertIn("161x161", done.stderr)


class CompareFolders(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("one", "two", "three"):
            cls.place.write(f"A/{name}.png", pictures.png(40, 30, seed=len(name)))
            cls.place.write(f"B/{name}.png", pictures.png(40, 30, seed=len(name) + 10))
        cls.must("resize", "A/two.png", "-o", "B/two.tif", "--scale", "1")
        (cls.place.folder / "B/two.png").unlink()

    def rows(self, *arguments):
        return json.loads(self.must("compare", *arguments, "--json").stdout)

    def test_matched_by_name_with_means(self):
        result = self.rows("A", "B")
        self.assertEqual([row["file"] for row in result["rows"]], ["B/one.png", "B/three.png", "B/two.tif"])
        finite = [row["psnr_y"] for row in result["rows"] if row["psnr_y"] is not None]
        self.assertEqual(len(finite), 2, "two.tif is identical")
        self.assertAlmostEqual(result["mean"]["psnr_y"], sum(finite) / 2)
        self.assertEqual((result["n"]["psnr_y"], result["n"]["ssim_y"], result["n"]["piqe_original"]), (2, 3, 3))
        self.assertEqual((result["without_partner"], result["failed"]), ([], []))

    def test_each_row_equals_the_pair_alone(self):
        for row in self.rows("A", "B", "--threads", 3)["rows"]:
            original = "A/" + row["file"][2:].replace("tif", "png")
            self.assertEqual(json.loads(self.must("compare", original, row["file"], "--json").stdout), row)

    def test_several_folders_table_and_csv(self):
        done = self.must("compare", "A", "B", "A", "--csv", "scores.csv", "--score", "psnr_y,piqe")
        self.assertEqual(done.stdout.count("mean of 3"), 2)
        self.assertEqual(done.stdout.count("mean of the originals"), 2)
        lines = (self.place.folder / "scores.csv").read_text().splitlines()
        self.assertEqual(lines[0], "original,file,psnr_y,piqe,piqe_original,identical")
        self.assertEqual(len(lines), 7)
        self.assertTrue(lines[4].startswith("A/one.png,A/one.png,inf,"), lines[4])
        self.assertEqual(len(self.rows("A", "B", "A")), 2)

    def test_what_has_no_partner_or_fails_is_named(self):
        for name in ("one", "two", "three", "lonely", "broken", "larger"):
            self.place.write(f"C/{name}.png", pictures.png(40, 30))
        self.place.write("D/one.png", pictures.png(40, 30, seed=5))
        self.place.write("D/broken.png", pictures.png(40, 30)[:300])
        self.place.write("D/larger.png", pictures.png(41, 30))
        self.place.write("D/notes.txt", "no picture")
        done = self.run_fye("compare", "C", "D", "--json", "--csv", "partly.csv")
        self.assertEqual(done.returncode, 3, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual([row["file"] for row in result["rows"]], ["D/one.png"])
        self.assertEqual(result["without_partner"], ["C/lonely.png", "C/three.png", "C/two.png"])
        self.assertEqual({failed["file"] for failed in result["failed"]}, {"D/broken.png", "D/larger.png"})
        for words in ("C/lonely.png", "D/broken.png", "D/larger.png", "41x30", "partly done"):
            self.assertIn(words, done.stderr)
        self.assertEqual(len((self.place.folder / "partly.csv").read_text().splitlines()), 2)

    def test_interrupt(self):
        for index in range(40):
            for folder in ("E", "F"):
                self.place.write(f"{folder}/{index}.png", pictures.png(8, 8) if index else pictures.png(300, 300))
        before = self.place.names()
        process = subprocess.Popen([self.place.fye, "compare", "E", "F", "--all", "--csv", "never.csv", "--threads", "1"],
                                   cwd=self.place.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        Outputs.wait_for_main(process.pid)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        if process.returncode == 0:
            self.skipTest("done before the signal came")
        self.assertEqual(process.returncode, 130)
        self.assertEqual(self.place.names(), before)


class Resize(Case):
    def test_sizes(self):
        for arguments, size in {("--scale", "1/3"): (25, 17), ("--scale", "2"): (150, 106), ("--size", "10x9"): (10, 9),
                                ("--crop", "40x30+5+5"): (40, 30), ("--crop", "41x30", "--scale", "1/2"): (20, 15)}.items():
            with self.subTest(arguments=arguments):
                self.must("resize", "photo.png", "-o", "r.png", *arguments)
                self.assertEqual(self.picture("r.png")[:2], size)


class Calibrate(Case):
    def test_naive_folder_and_qdq(self):
        (self.place.folder / "set").mkdir(exist_ok=True)
        for index in range(3):
            self.place.write(f"set/{index}.png", pictures.png(40, 40, seed=index))
        self.place.write("set/notes.txt", "not a picture")
        self.must("calibrate", "tiny.onnx", "set", "--shrink", "-o", "naive.calib.json", "--method", "naive", "--qdq", "q.onnx")
        naive = json.loads(self.bytes_of("naive.calib.json"))
        self.assertEqual(naive["method"], "naive")
        self.assertTrue(naive["pictures"])
        self.up("photo.png", "int8.png", "--numbers", "int8")
        self.must("calibrate", "tiny.onnx", "--qdq", "kept.onnx")
        self.must("up", "photo.png", "-o", "qdq.png", "-m", "kept.onnx", "--numbers", "int8")
        self.assertEqual(self.picture("qdq.png"), self.picture("int8.png"))


class Explain(Case):
    def test_units_kernels_and_a_mixture(self):
        seen = json.loads(self.must("explain", "tiny.onnx", "--numbers", "int8", "--json").stdout)
        self.assertEqual([unit["processor"] for unit in seen["units"]], ["cpu.int8"] * 3)
        self.assertGreater(seen["macs"], 0)
        plan = {"version": 1, "graph": seen["model_sha256"], "steps": [
            {"units": [seen["units"][0]["unit"]], "placement": "cpu.f32", "reason": "first is sensitive"},
            {"units": [unit["unit"] for unit in seen["units"][1:]], "placement": "cpu.int8"}]}
        self.place.write("plan.json", json.dumps(plan))
        text = self.must("explain", "tiny.onnx", "--plan", "plan.json").stdout
        self.assertIn("first is sensitive", text)
        report = self.up("photo.png", "mixed.png", "--plan", "plan.json")
        self.assertEqual(report["numbers"], "plan")
        self.up("photo.png", "mixed_tiled.png", "--plan", "plan.json", "--tile", "16", "--threads", "2")
        self.assertEqual(self.picture("mixed.png"), self.picture("mixed_tiled.png"))

    def test_foreign_plan(self):
        self.place.write("foreign.json", json.dumps({"version": 1, "graph": "0" * 64, "steps": []}))
        done = self.run_fye("up", "photo.png", "-o", "never.png", "-m", "tiny.onnx", "--plan", "foreign.json")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("foreign.json", done.stderr)


class Bench(Case):
    def test_json(self):
        seen = json.loads(self.must("bench", "tiny.onnx", "--size", "64x36", "--numbers", "int8", "--rounds", "3", "--json",
                                    environment={"XDG_CACHE_HOME": str(self.place.folder / "cache")}).stdout)
        for key in ("min_ms", "median_ms", "peak_share", "isa", "peak_rss_mb", "macs"):
            self.assertIn(key, seen)
        self.assertGreater(seen["min_ms"], 0)
        self.assertLessEqual(seen["min_ms"], seen["median_ms"])
        self.assertEqual(seen["macs"], 64 * 36 * 9 * (3 * 8 + 8 * 8 + 8 * 12))

    def test_serve(self):
        done = subprocess.run([self.place.fye, "bench", "tiny.onnx", "--size", "32x18", "--serve"], cwd=self.place.folder,
                              input="\n\n", capture_output=True, text=True, timeout=120)
        lines = done.stdout.split()
        self.assertEqual((lines[0], len(lines)), ("ready", 3), done.stderr)
        self.assertTrue(all(float(line) > 0 for line in lines[1:]))


class Doctor(Case):
    def test_json(self):
        seen = json.loads(self.must("doctor", "--json").stdout)
        self.assertIn("f32", seen["numbers"])
        self.assertIn("int8", seen["numbers"])
        self.assertEqual([isa["name"] for isa in seen["isas"]], ["scalar", "portable", "avx2", "avx2vnni", "avx512", "amx"])
        for format_name in ("JPEG", "PNG", "WebP", "TIFF"):
            self.assertIn(format_name, seen["codecs"])

    def test_the_limit_is_obeyed_and_a_wrong_one_is_said(self):
        self.assertEqual(json.loads(self.must("doctor", "--json", environment={"FYE_MAX_ISA": "scalar"}).stdout)["isa"], "scalar")
        self.assertIn("not known", self.must("doctor", environment={"FYE_MAX_ISA": "sse9"}).stdout)

    def test_under_a_second(self):
        if "sanitize" in os.environ.get("FYE_BUILD", ""):
            self.skipTest("a sanitizer build")
        self.must("doctor")  # files into the page cache
        times = []
        for _ in range(3):
            start = time.monotonic()
            self.must("doctor")
            times.append(time.monotonic() - start)
        self.assertLess(min(times), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
