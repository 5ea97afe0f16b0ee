"""What the tests of the command line share: a folder with small good and bad files, and running fye in it."""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

import tiny_model
import tiny_plan
import tiny_pictures as pictures

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED = 77  # ctest's SKIP_RETURN_CODE
SECONDS = 240  # a hang is a failure; sanitizers on a busy machine are slow


def find_fye():
    """$FYE, set by ctest; else the release build."""
    fye = pathlib.Path(os.environ.get("FYE", ROOT / "build/release/fye"))
    if not fye.exists():
        print(f"skip: {fye} is not built")
        sys.exit(SKIPPED)
    return fye


class Workplace:
    def __init__(self):
        self.fye = find_fye()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fye_test_"))

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def run(self, *arguments, environment=None, before=None):
        """A finished `fye ...`; the result has returncode, stdout and stderr."""
        return subprocess.run([str(self.fye), *map(str, arguments)], cwd=self.folder, capture_output=True, text=True,
                              errors="replace", timeout=SECONDS, env={**os.environ, **(environment or {})},
                              preexec_fn=before)

    def must(self, *arguments, **options):
        done = self.run(*arguments, **options)
        if done.returncode != 0:
            raise AssertionError(f"fye {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def names(self):
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}

    def add_good_files(self):
        self.write("good.png", pictures.png(40, 30))
        self.write("other_size.png", pictures.png(41, 30))
        self.write("tiny.onnx", tiny_model.upscaler(2))
        self.write("three.onnx", tiny_model.upscaler(3))
        self.write("empty_folder/.keep", "")

    def add_bad_files(self):
        """Everything that tests/bad/*.test name. Needs add_good_files()."""
        good = pictures.png(40, 30)
        for format_name in ("jpg", "webp", "tif"):
            self.must("resize", "good.png", "-o", f"good.{format_name}", "--size", "16x16")
        self.write("truncated.png", good[:len(good) // 2])
        self.write("no_pixels.png", pictures.PNG + pictures.png_header(8, 8) + pictures.chunk(b"IEND", b""))
        at = good.index(b"IDAT") + 40
        self.write("bad_sum.png", good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1:])
        self.write("zero.png", pictures.PNG + pictures.png_header(0, 0) + pictures.chunk(b"IEND", b""))
        self.write("bomb.png", pictures.PNG + pictures.png_header(60000, 60000) + pictures.chunk(b"IDAT", b"x" * 99)
                   + pictures.chunk(b"IEND", b""))
        self.write("wide.png", pictures.PNG + pictures.png_header(70000, 1) + pictures.chunk(b"IDAT", b"x" * 99)
                   + pictures.chunk(b"IEND", b""))
        self.write("empty.png", b"")
        self.write("text.png", "this is a sentence and not a picture\n" * 20)
        self.write("signature.png", pictures.PNG)
        self.write("picture.gif", b"GIF89a" + struct.pack("<HH", 4, 4) + b"\0" * 40)
        self.write("picture.bmp", b"BM" + b"\0" * 60)
        self.write("animated.png", pictures.animated_png())
        self.write("pages.tif", pictures.tiff(8, 8, pages=2))
        self.write("truncated.tif", pictures.tiff(64, 64)[:4000])
        loop = bytearray(pictures.tiff(8, 8))
        loop[4:8] = struct.pack("<I", 4)
        self.write("loop.tif", bytes(loop))
        for format_name in ("jpg", "webp"):
            data = (self.folder / f"good.{format_name}").read_bytes()
            self.write(f"truncated.{format_name}", data[:len(data) * 2 // 3])
        self.write("animated.webp", pictures.animated_webp((self.folder / "good.webp").read_bytes()))
        os.mkfifo(self.folder / "pipe.png")

        tiny = tiny_model.upscaler(2)
        self.write("text.onnx", "no protocol buffer\n" * 30)
        self.write("empty.onnx", b"")
        self.write("truncated.onnx", tiny[:len(tiny) * 2 // 3])
        self.write("silent.onnx", tiny_model.upscaler(2, metadata=False))
        self.write("strange_op.onnx", tiny_model.upscaler(2, op="Einsum"))
        self.write("models/inner.onnx", tiny)
        for name in ("pictures/good.png", "other_pictures/else.png", "same_names/good.png"):
            self.write(name, good)
        self.write("same_names/good.jpg", (self.folder / "good.jpg").read_bytes())
        self.write("lying.onnx", tiny.replace(b"\x0a\x09fye.scale\x12\x012", b"\x0a\x09fye.scale\x12\x013"))
        self.write("badrange.onnx", tiny.replace(b"0..255", b"0..256"))
        self.write("flat.onnx", self.one_conv(0.0))
        self.write("infinite.onnx", self.one_conv(3e38))
        self.write("nan.onnx", self.one_conv(float("nan")))
        self.write("wrong_weights.onnx", self.one_conv(0.1, dims=[3, 3, 5, 5]))
        self.write("hollow.onnx", self.one_conv(0.1, dims=[1 << 20, 1 << 20, 3, 3]))
        self.write("negative.onnx", self.one_conv(0.1, dims=[-3, 3, 3, 3]))
        self.write("outside.onnx", self.external("../outside.bin"))
        self.write("absolute.onnx", self.external("/etc/hostname"))
        self.write("nodata.onnx", self.external("missing.bin"))

        self.write("alone.param", "7767517\n1 1\nInput in 0 1 data\n")
        self.write("notncnn.param", "a list of parameters\n")
        self.write("notncnn.bin", "")
        self.write("strange.param", "7767517\n2 2\nInput in 0 1 data\nGru cell 1 1 data out\n")
        self.write("strange.bin", "")
        self.write("notjson.json", "{\"graph\": ")
        self.write("foreign.calib.json", "{\"graph_sha256\": \"00\"}")
        only = ["cpu.f32"]
        self.write("float.profile.json", tiny_plan.profile(tiny, only))
        self.write("both.profile.json", tiny_plan.profile(tiny))
        self.write("foreign.profile.json", tiny_plan.profile(tiny, only, graph="0" * 64))
        self.write("negative.profile.json", tiny_plan.profile(tiny, only).replace('"ms": 8', '"ms": -8'))
        self.write("no_host.profile.json", tiny_plan.profile(tiny, only).replace('"to": "host"', '"to": "u8"'))
        self.write("half.profile.json", tiny_plan.profile(tiny, only).replace('"c2"', '"c9"'))
        self.write("some.losses.json", tiny_plan.losses(tiny))
        self.write("foreign.losses.json", tiny_plan.losses(tiny, graph="0" * 64))
        self.write("negative.losses.json", tiny_plan.losses(tiny).replace("0.01", "-0.01"))
        self.write("half.losses.json", tiny_plan.losses(tiny).replace('"c2"', '"c9"'))
        self.write("made.book.json", tiny_plan.book(tiny))
        self.write("foreign.book.json", tiny_plan.book(tiny, graph="0" * 64))
        self.write("backwards.book.json", tiny_plan.book(tiny, times=(26, 20.5, 14.5, 8)))
        self.write("negative.book.json", tiny_plan.book(tiny, times=(-8, 14.5, 20.5, 26)))
        self.write("empty.book.json", tiny_plan.book(tiny, entries=[]))
        self.write("amx.book.json", tiny_plan.book(tiny, processors={"f": "cpu.f32", "i": "gpu.int8"}))
        self.write("with_calib.onnx", tiny)
        self.write("with_calib.calib.json", "[1, 2]")

    @staticmethod
    def one_conv(value, dims=None):
        """1 convolution, x1: every weight is `value`."""
        dims = dims or [3, 3, 3, 3]
        constants = [tiny_model.tensor("c.w", dims, [value] * 81), tiny_model.tensor("c.b", [3], [0.0] * 3)]
        return tiny_model.model([tiny_model.conv("c", "in", "out")], constants, metadata=tiny_model.conventions(1))

    @staticmethod
    def external(location):
        entry = lambda key, value: tiny_model.block(13, tiny_model.block(1, key) + tiny_model.block(2, value))
        weight = b"".join([*(tiny_model.number(1, d) for d in (3, 3, 3, 3)), tiny_model.number(2, tiny_model.FLOAT),
                           tiny_model.block(8, "c.w"), entry("location", location), tiny_model.number(14, 1)])
        constants = [weight, tiny_model.tensor("c.b", [3], [0.0] * 3)]
        return tiny_model.model([tiny_model.conv("c", "in", "out")], constants, metadata=tiny_model.conventions(1))
