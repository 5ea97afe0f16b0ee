"""fye up on many files, and the command lines of other upscalers, from end to end.

usage: bulk_test.py [Class[.test]...]
"""

import fcntl
import json
import os
import pathlib
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
import unittest
import zlib

import tiny_model
import tiny_ncnn
import tiny_pictures as pictures
from workplace import Workplace

MANIFEST = ".fye-manifest.jsonl"


class Case(unittest.TestCase):
    def setUp(self):
        self.place = Workplace()
        self.folder = self.place.folder
        self.place.write("models/tiny.onnx", tiny_model.upscaler(2))
        self.place.write("models/three.onnx", tiny_model.upscaler(3))
        self.environment = {"FYE_MODELS": str(self.folder / "models")}

    def tearDown(self):
        self.place.close()

    def run_fye(self, *arguments, **options):
        return self.place.run(*arguments, environment={**self.environment, **options.pop("environment", {})}, **options)

    def up(self, *arguments, code=0):
        """The JSON summary of `fye up`."""
        done = self.run_fye("up", *arguments, "-m", "tiny", "--json")
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def fates(self, *arguments, code=0):
        return {row.get("input", row.get("reason")): row["status"] for row in self.up(*arguments, code=code)["files"]}

    def totals(self, *arguments, code=0):
        totals = self.up(*arguments, code=code)["totals"]
        return tuple(totals[key] for key in ("done", "skipped", "failed", "left"))

    def tree(self, folder):
        root = self.folder / folder
        return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.name != MANIFEST}

    def pictures(self, folder, count=4, bad=()):
        for index in range(count):
            data = pictures.png(12 + index % 2, 10, seed=index)
            self.place.write(f"{folder}/{index}.png", data[:len(data) // 2] if index in bad else data)

    def size(self, name):
        return pictures.read_png((self.folder / name).read_bytes())[:2]


class Folders(Case):
    def test_a_tree_stays_a_tree(self):
        for name in ("a.png", "sub/b.png", "sub/deep/c.png"):
            self.place.write(f"in/{name}", pictures.png(12, 10))
        self.place.write("in/notes.txt", "nothing to enlarge")
        self.place.write("in/.hidden.png", pictures.png(12, 10))
        self.assertEqual(self.totals("in", "-o", "flat"), (1, 0, 0, 0))
        self.assertEqual(self.tree("flat"), {"a.png"})
        report = self.up("in", "-o", "all", "--recursive")
        self.assertEqual(report["totals"]["ignored"], 1)
        self.assertEqual(self.tree("all"), {"a.png", "sub/b.png", "sub/deep/c.png"})
        self.assertEqual(self.size("all/sub/deep/c.png"), (24, 20))

    def test_the_default_folder_and_the_output_inside_the_input(self):
        self.pictures("in", 2)
        self.up("in")
        self.assertEqual(self.tree("in_fye_x2"), {"0.png", "1.png"})
        self.up("in", "-o", "in/big", "-r")
        self.assertEqual(self.totals("in", "-o", "in/big", "-r"), (0, 2, 0, 0))
        self.assertEqual(self.tree("in/big"), {"0.png", "1.png"})

    def test_the_second_run_does_nothing_and_a_third_what_changed(self):
        self.pictures("in")
        self.assertEqual(self.totals("in", "-o", "out"), (4, 0, 0, 0))
        times = {name: (self.folder / "out" / name).stat().st_mtime_ns for name in self.tree("out")}
        self.assertEqual(self.totals("in", "-o", "out"), (0, 4, 0, 0))
        self.place.write("in/1.png", pictures.png(12, 10, seed=99))
        (self.folder / "out/2.png").unlink()
        os.utime(self.folder / "in/3.png")
        self.assertEqual(self.fates("in", "-o", "out"),
                         {"in/0.png": "skipped", "in/1.png": "done", "in/2.png": "done", "in/3.png": "skipped"})
        self.assertEqual((self.folder / "out/0.png").stat().st_mtime_ns, times["0.png"])

    def test_a_changed_option_redoes_only_what_it_must(self):
        self.pictures("in")
        self.run_fye("resize", "in/0.png", "-o", "in/photo.jpg", "--scale", "1")
        self.assertEqual(self.totals("in", "-o", "out"), (5, 0, 0, 0))
        self.assertEqual(self.totals("in", "-o", "out", "--threads", "1", "--tile", "16", "--mem", "1G"), (0, 5, 0, 0))
        self.assertEqual(self.totals("in", "-o", "out", "--quality", "50"), (1, 4, 0, 0))
        self.assertEqual(self.totals("in", "-o", "out", "-s", "3"), (5, 0, 0, 0))
        self.assertEqual(self.size("out/1.png"), (39, 30))

    def test_one_bad_file_stops_nothing(self):
        self.pictures("in", 6, bad=(1, 4))
        done = self.run_fye("up", "in", "-o", "out", "-m", "tiny", "--json")
        self.assertEqual(done.returncode, 3, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["totals"]["done"], 4)
        failed = [row for row in report["files"] if row["status"] == "failed"]
        self.assertEqual([row["input"] for row in failed], ["in/1.png", "in/4.png"])
        for row in failed:
            self.assertIn("truncated", row["reason"])
            self.assertIn(row["reason"], done.stderr)
            self.assertEqual(row["code"], 2)
        self.assertEqual(self.tree("out"), {"0.png", "2.png", "3.png", "5.png"})
        self.assertEqual(self.totals("in", "-o", "out", code=3), (0, 4, 2, 0))
        self.pictures("in", 6)
        self.assertEqual(self.totals("in", "-o", "out"), (2, 4, 0, 0))

    def test_all_bad_has_their_own_code(self):
        self.pictures("in", 2, bad=(0, 1))
        self.assertEqual(self.totals("in", "-o", "out", code=2), (0, 0, 2, 0))

    def test_files_of_others_stay(self):
        self.pictures("in", 2)
        self.place.write("out/0.png", "somebody's")
        self.assertEqual(self.fates("in", "-o", "out", code=3), {"in/0.png": "failed", "in/1.png": "done"})
        self.assertEqual((self.folder / "out/0.png").read_text(), "somebody's")
        self.assertEqual(self.totals("in", "-o", "out", "--if-exists", "skip"), (0, 2, 0, 0))
        self.assertEqual(self.totals("in", "-o", "out", "--if-exists", "rename"), (1, 1, 0, 0))
        self.assertEqual(self.totals("in", "-o", "out", "--if-exists", "rename"), (0, 2, 0, 0))
        self.assertEqual(self.size("out/0_2.png"), (24, 20))
        self.assertEqual((self.folder / "out/0.png").read_text(), "somebody's")
        self.assertEqual(self.totals("in", "-o", "out", "--if-exists", "error", code=1), (0, 0, 2, 0))
        self.assertEqual(self.totals("in", "-o", "out", "--if-exists", "overwrite"), (2, 0, 0, 0))
        self.assertEqual(self.size("out/0.png"), (24, 20))

    def test_two_inputs_of_one_name(self):
        self.pictures("in", 1)
        self.run_fye("resize", "in/0.png", "-o", "in/0.jpg", "--scale", "1")
        self.assertEqual(self.totals("in", "-o", "out"), (2, 0, 0, 0))
        self.assertEqual(self.totals("in", "-o", "png", "-f", "png", code=3), (1, 0, 1, 0))
        self.assertEqual(self.totals("in", "-o", "png", "-f", "png", "--if-exists", "rename"), (1, 1, 0, 0))
        self.assertEqual(self.tree("png"), {"0.png", "0_2.png"})

    def test_in_place_once(self):
        self.pictures("in", 2)
        self.assertEqual(self.totals("in", "--in-place"), (2, 0, 0, 0))
        self.assertEqual(self.size("in/0.png"), (24, 20))
        self.assertEqual(self.totals("in", "--in-place"), (0, 2, 0, 0))
        self.pictures("in", 3)
        self.assertEqual(self.totals("in", "--in-place", code=0), (3, 0, 0, 0))
        self.assertEqual(self.totals("in", "--in-place", "--if-exists", "overwrite"), (3, 0, 0, 0))
        self.assertEqual(self.size("in/0.png"), (48, 40))

    def test_suffix_and_own_products(self):
        self.pictures("in", 2)
        self.assertEqual(self.totals("in", "-o", "in", "--suffix", "_big"), (2, 0, 0, 0))
        self.assertEqual(self.tree("in"), {"0.png", "1.png", "0_big.png", "1_big.png"})
        self.assertEqual(self.totals("in", "-o", "in", "--suffix", "_big"), (0, 4, 0, 0))

    def test_extensions_that_lie(self):
        self.place.write("in/photo.dat", pictures.png(12, 10))
        self.place.write("in/text.png", "no picture")
        self.place.write("in/text.dat", "no picture")
        report = self.up("in", "-o", "out", code=3)
        self.assertEqual(report["totals"]["ignored"], 1)
        self.assertEqual({row["input"]: row["status"] for row in report["files"]},
                         {"in/photo.dat": "done", "in/text.png": "failed"})
        self.assertEqual(self.tree("out"), {"photo.png"})

    def test_patterns_lists_and_several_files(self):
        self.pictures("in", 3)
        self.place.write("in/space in name.png", pictures.png(12, 10))
        self.up("in/[01].png", "-o", "pattern")
        self.assertEqual(self.tree("pattern"), {"0.png", "1.png"})
        self.up("in/0.png", "in/space in name.png", "-o", "several")
        self.assertEqual(self.tree("several"), {"0.png", "space in name.png"})
        (self.folder / "there").mkdir()
        self.up("in/0.png", "in/1.png", "in/2.png", "there")
        self.assertEqual(self.tree("there"), {"0.png", "1.png", "2.png"})
        self.place.write("list.txt", "in/2.png\nin/space in name.png\nin/missing.png\n")
        report = self.up("--list", "list.txt", "-o", "listed", code=3)
        self.assertEqual(self.tree("listed"), {"2.png", "space in name.png"})
        self.assertIn("in/missing.png", [row["reason"].split(":")[0] for row in report["files"] if row["status"] == "failed"])
        self.place.write("nul.txt", "in/2.png\0in/1.png\0")
        self.up("--list", "nul.txt", "-o", "nul")
        self.assertEqual(self.tree("nul"), {"1.png", "2.png"})

    def test_two_folders_keep_their_names(self):
        self.pictures("one", 1)
        self.pictures("two", 1)
        self.up("one", "two", "-o", "out")
        self.assertEqual(self.tree("out"), {"one/0.png", "two/0.png"})

    def test_dry_run_writes_nothing(self):
        self.pictures("in", 3)
        before = self.place.names()
        report = self.up("in", "-o", "out", "--dry-run")
        self.assertEqual((report["to_do"], report["skipped"]), (3, 0))
        for key in ("seconds", "memory_bytes", "disk_bytes", "megapixels"):
            self.assertGreater(report[key], 0, key)
        text = self.run_fye("up", "in/0.png", "-o", "x.png", "-m", "tiny", "--dry-run").stdout
        self.assertIn("1 to do", text)
        self.assertEqual(self.place.names(), before)

    def test_one_fye_at_a_time_in_a_folder(self):
        self.pictures("in", 1)
        (self.folder / "out").mkdir()
        folder = os.open(self.folder / "out", os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            done = self.run_fye("up", "in", "-o", "out", "-m", "tiny")
        finally:
            os.close(folder)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn("another fye", done.stderr)

    def test_a_full_disk_fails_files_and_leaves_no_parts(self):
        def limited():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

        self.pictures("in", 2)
        self.place.write("in/large.png", pictures.png(120, 90))
        done = self.run_fye("up", "in", "-o", "out", "-m", "tiny", "--json", before=limited)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(self.tree("out"), {"0.png", "1.png"})

    def test_equal_sizes_are_prepared_once(self):
        self.pictures("in", 8)
        # A network that takes long to prepare, so that a busy machine does not make the ready one look like it.
        done = self.run_fye("up", "in", "-o", "out", "-m", pathlib.Path(__file__).parents[1] / "models/edsr_baseline_x2.onnx", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(done.stdout)["files"]
        # Two sizes take turns in the folder; the order of work brings them together, that of the report is the folder's.
        self.assertEqual([row["input"] for row in rows], [f"in/{i}.png" for i in range(8)])
        prepared = [row["input"] for row in rows if row["prepare_ms"] > max(row["prepare_ms"] for row in rows) / 4]
        self.assertLessEqual(len(prepared), 4, rows)


class Pipes(Case):
    def piped(self, data, *arguments):
        return subprocess.run([str(self.place.fye), "up", *arguments, "-m", "tiny"], input=data, capture_output=True,
                              cwd=self.folder, env={**os.environ, **self.environment}, timeout=100)

    def test_through(self):
        data = pictures.png(12, 10)
        done = self.piped(data, "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.place.write("in.png", data)
        self.run_fye("up", "in.png", "-o", "out.png", "-m", "tiny")
        self.assertEqual(done.stdout, (self.folder / "out.png").read_bytes())
        self.assertEqual(self.piped(data, "-", "-").stdout, done.stdout)
        self.assertEqual(self.piped(data, "-i", "-", "-o", "-").stdout, done.stdout)
        self.assertEqual(self.piped(data, "-", "-o", "-", "-f", "webp").stdout[8:12], b"WEBP")

    def test_one_end(self):
        data = pictures.png(12, 10)
        self.assertEqual(self.piped(data, "-", "-o", "from_stdin.png").returncode, 0)
        self.assertEqual(self.size("from_stdin.png"), (24, 20))
        self.place.write("in.png", data)
        self.assertTrue(self.piped(b"", "in.png", "-o", "-").stdout.startswith(pictures.PNG))

    def test_what_is_wrong(self):
        data = pictures.png(12, 10)
        for words, code, said in (((b"", "-"), 2, b"stdin"), ((b"text" * 99, "-"), 2, b""), ((data, "-", "--json"), 1, b"--json"),
                                  ((data, "-", "--in-place"), 1, b"--in-place"), ((data, "-", "-", "-o", "out"), 1, b"one picture")):
            with self.subTest(words=words[1:]):
                done = self.piped(*words)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(said, done.stderr)
                self.assertEqual(done.stdout, b"")

    def test_nothing_stays_in_the_temporary_folder(self):
        temporary = self.folder / "tmp"
        temporary.mkdir()
        self.environment["TMPDIR"] = str(temporary)
        self.piped(pictures.png(12, 10), "-")
        self.piped(b"text", "-")
        self.assertEqual(list(temporary.iterdir()), [])


class Turns(Case):
    def up_one(self, source, target, *arguments):
        self.run_fye("up", source, "-o", target, "-m", "tiny", "--numbers", "f32", *arguments)
        return pictures.read_png((self.folder / target).read_bytes())

    def test_x_prefers_no_direction(self):
        """With -x, mirroring before and after is the same, to the bit; without, this network tells left from right."""
        param, weights = tiny_ncnn.upscaler(2)
        self.place.write("lop-x2.param", param)
        self.place.write("lop-x2.bin", weights)
        data = pictures.png(14, 9)
        width, height, channels, bits, rows = pictures.read_png(data)
        self.place.write("plain.png", data)
        mirrored = [bytes(b for x in range(width - 1, -1, -1) for b in row[x * channels:(x + 1) * channels]) for row in rows]
        self.place.write("mirrored.png", pictures.PNG + pictures.png_header(width, height)
                         + pictures.chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in mirrored)))
                         + pictures.chunk(b"IEND", b""))

        def enlarged(name, *arguments):
            done = self.run_fye("up", name, "-o", "out.png", "-m", "lop-x2.param", "--if-exists", "overwrite", *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            return pictures.read_png((self.folder / "out.png").read_bytes())

        def flip(picture):
            w, h, c, b, lines = picture
            return w, h, c, b, [bytes(v for x in range(w - 1, -1, -1) for v in line[x * c:(x + 1) * c]) for line in lines]

        plain = enlarged("plain.png")
        self.assertNotEqual(flip(enlarged("mirrored.png")), (*plain[:4], [bytes(line) for line in plain[4]]))
        turned = enlarged("plain.png", "-x")
        self.assertEqual(flip(enlarged("mirrored.png", "-x")), (*turned[:4], [bytes(line) for line in turned[4]]))

    def test_x_of_many_and_with_alpha(self):
        self.pictures("in", 2)
        self.place.write("in/clear.png", pictures.png(12, 10, colour=6))
        self.place.write("in/deep.png", pictures.png(12, 10, bits=16))
        self.assertEqual(self.totals("in", "-o", "out", "-x"), (4, 0, 0, 0))
        self.assertEqual(pictures.read_png((self.folder / "out/clear.png").read_bytes())[2], 4)
        self.assertEqual(self.totals("in", "-o", "out"), (4, 0, 0, 0))


class Metadata(Case):
    def test_keep_safe_strip(self):
        gps = (b"II*\0\x08\0\0\0\x02\0" + b"\x0f\x01\x02\0\x06\0\0\0\x26\0\0\0" + b"\x25\x88\x04\0\x01\0\0\0\x2c\0\0\0" + b"\0\0\0\0"
               + b"Canon\0" + b"\x01\0" + b"\x01\0\x02\0\x02\0\0\0N\0\0\0" + b"\0\0\0\0")
        self.place.write("in.png", pictures.png(12, 10, extra=pictures.chunk(b"eXIf", gps)))
        kept = {}
        for rule in ("keep", "safe", "strip"):
            self.run_fye("up", "in.png", "-o", f"{rule}.png", "-m", "tiny", "--metadata", rule)
            kept[rule] = (self.folder / f"{rule}.png").read_bytes()
        self.assertIn(b"Canon", kept["keep"])
        self.assertIn(b"\x25\x88\x04\0", kept["keep"])
        self.assertIn(b"Canon", kept["safe"])
        self.assertNotIn(b"\x25\x88\x04\0", kept["safe"])
        self.assertNotIn(b"Canon", kept["strip"])


class Interrupts(Case):
    """16x16 tiles at x16 make each picture take long enough to be interrupted in."""

    SLOW = ("-s", "16", "--numbers", "f32", "--tile", "16", "--threads", "1", "-m", "tiny")

    def start(self, *arguments):
        return subprocess.Popen([str(self.place.fye), "up", *arguments, *self.SLOW], cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **self.environment})

    def wait_for(self, condition, process):
        for _ in range(3000):
            if condition() or process.poll() is not None:
                return
            time.sleep(0.01)

    def slow_pictures(self, count):
        for index in range(count):
            self.place.write(f"in/{index}.png", pictures.png(96, 72, seed=index))

    def test_the_first_finishes_what_was_begun_and_the_rerun_goes_on(self):
        self.slow_pictures(8)
        process = self.start("in", "-o", "out", "--json")
        self.wait_for(lambda: len(list((self.folder / "out").glob("*.png"))) >= 2 if (self.folder / "out").exists() else False, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=200)
        if process.returncode == 0:
            self.skipTest("done before the signal came")
        self.assertEqual(process.returncode, 3, err)
        totals = json.loads(out)["totals"]
        self.assertGreaterEqual(totals["done"], 2)
        self.assertEqual(totals["done"] + totals["left"], 8)
        self.assertIn(f"{totals['left']} left", err)
        self.assertIn("the same call goes on", err)
        self.assertEqual(len(self.tree("out")), totals["done"])
        self.assertEqual({name for name in self.tree("out") if name.startswith(".")}, set())
        again = self.run_fye("up", "in", "-o", "out", *self.SLOW, "--json")
        self.assertEqual(again.returncode, 0, again.stderr)
        second = json.loads(again.stdout)["totals"]
        self.assertEqual((second["done"], second["skipped"]), (totals["left"], totals["done"]))
        whole = self.run_fye("up", "in", "-o", "whole", *self.SLOW)
        self.assertEqual(whole.returncode, 0)
        for name in self.tree("whole"):
            self.assertEqual((self.folder / "out" / name).read_bytes(), (self.folder / "whole" / name).read_bytes())

    def test_the_second_stops_at_once(self):
        self.slow_pictures(4)
        process = self.start("in", "-o", "out")
        self.wait_for(lambda: len(list((self.folder / "out").glob("*.png"))) >= 1 if (self.folder / "out").exists() else False, process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        process.communicate(timeout=200)
        if process.returncode in (0, 3):
            self.skipTest("it had stopped before the second signal came")
        self.assertEqual(process.returncode, 130)
        self.assertLess(time.monotonic() - start, 5)
        self.assertEqual([name for name in self.tree("out") if pathlib.Path(name).name.startswith(".")], [])
        again = self.run_fye("up", "in", "-o", "out", *self.SLOW)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(len(self.tree("out")), 4)

    def test_killed_at_any_moment(self):
        self.slow_pictures(4)
        for delay in (0.05, 0.3):
            process = self.start("in", "-o", "out")
            time.sleep(delay)
            process.kill()
            process.communicate()
        again = self.run_fye("up", "in", "-o", "out", *self.SLOW)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual({name for name in self.tree("out") if not name.startswith(".")}, {f"{i}.png" for i in range(4)})
        for index in range(4):
            self.assertEqual(self.size(f"out/{index}.png"), (1536, 1152))


# The command lines of realesrgan-ncnn-vulkan, waifu2x-, realsr-, realcugan-ncnn-vulkan and upscayl-bin in the form in which
# they are published: read-me files and help texts of these programs, tldr-pages, nihui/waifu2x-ncnn-vulkan#90 and #173,
# k4yt3x/video2x#1146, xinntao/Real-ESRGAN#554, upscayl/upscayl#861 and #1214. Behind each, what has to be there
# afterwards: a file and how many times larger it is. Without -s and -n, that is fye's own default.
LINES = """
realesrgan-ncnn-vulkan.exe -i input.jpg -o output.png                                             output.png 3
realesrgan-ncnn-vulkan.exe -i input.jpg -o output.png -n realesr-animevideov3 -s 2                output.png 2
./realesrgan-ncnn-vulkan -i input.jpg -o output.png -n realesrgan-x4plus                          output.png 4
realesrgan-ncnn-vulkan.exe -i alita.jpg -o output.jpg -n realesrgan-x4plus -s 2                   output.jpg 2
realesrgan-ncnn-vulkan -i input.jpg -o output.png -n realesrgan-x4plus-anime                      output.png 4
realesrgan-ncnn-vulkan -i tmp_frames -o out_frames -n realesr-animevideov3 -s 2 -f jpg            out_frames/1.jpg 2
realesrgan-ncnn-vulkan -i infile.png -o outfile.webp -m models -n realesrgan-x4plus -t 0 -v       outfile.webp 4
realesrgan-ncnn-vulkan -i infile.png -o outfile.png -n realesrgan-x4plus -t 32,32,32 -g 0,1,2 -j 1:2,2,2:2  outfile.png 4
realesrgan-ncnn-vulkan -i infile.png -o outfile.png -n realesrgan-x4plus -g auto -x               outfile.png 4
waifu2x-ncnn-vulkan.exe -i input.jpg -o output.png -n 2 -s 2                                      output.png 2
waifu2x-ncnn-vulkan -i './a/b/input/' -o './a/b/output/' -n 3 -s 1 -g 0 -j 4:4:4                  a/b/output/in.png 1
./waifu2x-ncnn-vulkan -i image.jpg -o image2x.jpg -n 2 -s 2                                       image2x.jpg 2
waifu2x-ncnn-vulkan -n 2 -s 2 -t 400 -m models-cunet -i tmp_frames -o out_frames                  out_frames/1.png 2
waifu2x-ncnn-vulkan -i infile.png -o outfile.png -s 4 -n -1                                       outfile.png 4
waifu2x-ncnn-vulkan -i infile.png -o outfile -f webp                                              outfile/infile_fye_x3.webp 3
realsr-ncnn-vulkan.exe -i input.jpg -o output.png -s 4                                            output.png 4
realsr-ncnn-vulkan -i input.jpg -o output.png -s 4 -m models-DF2K -x                              output.png 4
realcugan-ncnn-vulkan.exe -i input.jpg -o output.png                                              output.png 3
realcugan-ncnn-vulkan -i input.jpg -o output.png -n 1 -s 3 -m models-se -j 2:2:2 -g -1            output.png 3
upscayl-bin -i infile.png -o outfile.png -s 4 -m ./models -n realesrgan-x4plus -f png             outfile.png 4
upscayl-bin -i pictures -o upscaled -m ./models -n high-fidelity-4x -f png -x                     upscaled/p.png 4
upscayl-bin -i pictures -o upscaled -s 6 -m ./models -n realesrgan-x4plus -f webp                 upscaled/p.webp 6
"""


class OtherPrograms(Case):
    def setUp(self):
        super().setUp()
        jpeg = self.folder / "small.jpg"
        self.place.write("infile.png", pictures.png(16, 12))
        self.place.must("resize", "infile.png", "-o", "small.jpg", "--scale", "1")
        for name in ("input.jpg", "alita.jpg", "image.jpg"):
            shutil.copy(jpeg, self.folder / name)
        for name in ("tmp_frames/1.png", "a/b/input/in.png", "pictures/p.png"):
            self.place.write(name, pictures.png(16, 12))
        (self.folder / "outfile").mkdir()
        for name, scale in (("realesr-animevideov3-x4", 4), ("realesr-animevideov3-x2", 2), ("realesrgan-x4plus", 4),
                            ("realesrgan-x4plus-anime", 4), ("high-fidelity-4x", 4)):
            param, weights = tiny_ncnn.upscaler(scale)
            self.place.write(f"models/{name}.param", param)
            self.place.write(f"models/{name}.bin", weights)
        # As `fye models install` leaves them.
        for name in ("realesr-animevideov3-x4", "realesrgan-x4plus", "realesrgan-x4plus-anime", "realsr-df2k"):
            self.place.write(f"models/installed/{name}.onnx", tiny_model.upscaler(4))

    def test_their_lines_run(self):
        lines = [line.rsplit(None, 2) for line in LINES.strip().splitlines()]
        self.assertGreaterEqual(len(lines), 20)
        for command, target, scale in lines:
            with self.subTest(command=command):
                words = shlex.split(command)[1:]
                done = self.run_fye("up", *words)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.check(target, int(scale))
                for made in ("out_frames", "a/b/output", "upscaled"):
                    shutil.rmtree(self.folder / made, ignore_errors=True)

    def check(self, target, scale):
        report = json.loads(self.place.must("up", target, "-o", "check.png", "-m", "models/tiny.onnx", "--json").stdout)
        self.assertEqual((report["in_width"], report["in_height"]), (16 * scale, 12 * scale), target)

    def test_v_is_verbose_and_g_is_said_to_be_ignored(self):
        done = self.run_fye("up", "-i", "infile.png", "-o", "x.png", "-v", "-g", "0")
        self.assertIn("prepared in", done.stderr)
        self.assertIn("-g 0 is ignored", done.stderr)

    def test_j_gives_the_threads_of_the_three_stages(self):
        report = json.loads(self.run_fye("up", "infile.png", "-o", "x.png", "-m", "tiny", "-j", "3:2:4", "--json").stdout)
        self.assertEqual(report["threads"], 2)


if __name__ == "__main__":
    if not sys.platform.startswith("linux"):
        sys.exit(77)
    unittest.main()
