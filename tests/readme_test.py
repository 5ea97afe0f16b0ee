"""Runs the examples of README.md and of every verb's --help as they stand there, in a folder with the files they name.

README.md: the lines of each ```sh block that follows a line <!-- tested -->. Help: the lines under "Examples:". A line is a
command and, after two spaces, a remark that begins with #.
"""

import pathlib
import re
import shlex
import subprocess
import unittest

import tiny_model
import tiny_pictures as pictures
from workplace import ROOT, Workplace

# Pictures and networks that examples name; anything else in them is an output.
PICTURES = ["small.png", "small.jpg", "original.png", "upscaled.png", "bicubic.png", "fye.png", "big.png", "photo.png", "photo.jpg",
            "huge.png", "scan.tif", "a.png", "b.png", "frame.png", "frames/1.png", "frames/2.png", "photos/1.png", "photos/2.png", "originals/1.png", "upscaled/1.png"]
NETWORKS = {"net.onnx": 4, "abpn_x2.onnx": 2, "abpn_x3.onnx": 3, "abpn_x4.onnx": 4, "edsr_baseline_x2.onnx": 2}
SIZE = "32x18"  # that benchmarks and profiles are made at here


def readme_commands():
    text = (ROOT / "README.md").read_text()
    for block in re.findall(r"<!-- tested -->\n+```sh\n(.*?)```", text, re.DOTALL):
        yield from block.splitlines()


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace()
        folder = cls.place.folder
        for name in ("photos", "models"):
            (folder / name).mkdir()
        (folder / "bin").mkdir()
        (folder / "bin/fye").symlink_to(cls.place.fye)
        cls.environment = {"PATH": f"{folder}/bin:/usr/bin:/bin", "FYE_MODELS": f"{folder}/models", "HOME": str(folder),
                           "XDG_CACHE_HOME": f"{folder}/cache"}
        for name, scale in NETWORKS.items():
            path = cls.place.write(f"models/{name}", tiny_model.upscaler(scale))
            cls.place.write("sample.png", pictures.png(48, 48))
            cls.place.must("calibrate", path, "sample.png", "-o", path.with_suffix(".calib.json"))
            cls.measure(path)
        # Files that examples name as if earlier ones had written them.
        model = folder / "models/net.onnx"
        cls.fye("profile", model, "--size", SIZE, "-o", folder / "profile.json")
        cls.fye("plan", model, "--size", SIZE, "--book", folder / "book.json")
        (folder / "losses.json").write_bytes((folder / "models/net.losses.json").read_bytes())
        cls.fye("ladder", "abpn_x2", "edsr_baseline_x2", "--pictures", "sample.png", "--size", SIZE, "-o", "ladder.json")
        (folder / "net.onnx").symlink_to("models/net.onnx")
        cls.inputs = {name: cls.picture(name) for name in PICTURES}
        (folder / "holiday").mkdir()
        (folder / "holiday/beach.png").write_bytes(pictures.png(96, 72))
        (folder / "big").mkdir()
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=8:duration=1", "-pix_fmt", "yuv420p",
                        folder / "clip.mp4"], check=True)
        cls.inputs["truth.png"] = pictures.png(3 * 96, 3 * 72)  # what the default network makes of them

    @classmethod
    def tearDownClass(cls):
        cls.place.close()

    @classmethod
    def fye(cls, *words):
        done = subprocess.run([str(cls.place.fye), *map(str, words)], cwd=cls.place.folder, env=cls.environment,
                              capture_output=True, text=True, timeout=200)
        if done.returncode:
            raise AssertionError(f"{words}\n{done.stdout}{done.stderr}")

    @classmethod
    def measure(cls, path):
        """What fye plan, fye run and fye up --deadline look for."""
        cls.fye("sensitivity", path, "sample.png", "--crop", "32x32", "-o", path.with_suffix(".losses.json"))
        cls.fye("profile", path, "--size", SIZE)
        cls.fye("plan", path, "--size", SIZE)

    @classmethod
    def picture(cls, name):
        """The bytes of one of PICTURES."""
        if name.endswith(".png"):
            return pictures.png(96, 72)
        sample = f"sample{name[name.rindex('.'):]}"
        if not (cls.place.folder / sample).exists():
            cls.place.must("resize", "sample.png", "-o", sample, "--size", "96x72")
        return (cls.place.folder / sample).read_bytes()

    def check(self, command):
        command = re.sub(r"--size \d+x\d+", f"--size {SIZE}", command)  # benchmarks take long at their real size
        command = re.sub(r"--deadline \d+m?s", "--deadline 60s", command)  # of any machine, under any load, sanitizers too
        command = re.sub(r"--crop \d+x\d+(\+\d+\+\d+)?", "--crop 48x36", command)
        if "plan.json" in command or "--on " in command:
            return  # names units of a network that isn't here; cli_test.py and plan_cli_test.py run plans
        for name, data in self.inputs.items():
            self.place.write(name, data)
        done = subprocess.run(["bash", "-c", command], cwd=self.place.folder, env=self.environment, capture_output=True,
                              text=True, timeout=200)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")

    def test_readme(self):
        commands = [line.split("  ")[0] for line in readme_commands() if line.startswith("fye ")]
        self.assertGreaterEqual(len(commands), 5)
        for command in commands:
            with self.subTest(command=command):
                self.check(command)

    def test_help(self):
        top = self.place.must("--help").stdout
        verbs = re.findall(r"^  (\w+) ", top.split("Subcommands:")[1], re.MULTILINE)
        self.assertIn("up", verbs)
        for verb in verbs:
            text = self.place.must(verb, "--help").stdout
            for line in text.split("Examples:")[1].splitlines():
                command = line.strip().split("  ")[0]
                if not command:
                    continue
                with self.subTest(command=command):
                    self.assertIn("fye", shlex.split(command))
                    self.check(command)


if __name__ == "__main__":
    unittest.main()
