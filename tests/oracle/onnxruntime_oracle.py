#!/usr/bin/env python3
"""Holds whole networks, from file to picture, to ONNX Runtime: float within a level, int8 and mixed plans within a level of the QDQ file.

usage: onnxruntime_oracle.py (FYE in the environment). Networks: small ones made here, and those in models/. The int8 contract
(design: section 4) makes convolutions equal bit for bit; where an add or a slope is fused, one level may differ: the share is printed.
"""

import hashlib
import json
import pathlib
import random
import sys

import numpy as np
import onnxruntime
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import tiny_model  # noqa: E402
from workplace import Workplace  # noqa: E402


def session(path, **more):
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"], **more)


def run(network, pixels):
    """pixels: height x width x channels."""
    planes = pixels.astype(np.float32).transpose(2, 0, 1)[None]
    return network.run(None, {network.get_inputs()[0].name: planes})[0][0].transpose(1, 2, 0)


def bicubic(picture, scale):
    """Keys' kernel (a = -1/2) around pixels' middles, the edge repeated, rounded once, half to even."""
    def weight(d):
        d = abs(d)
        return 1.5 * d**3 - 2.5 * d**2 + 1 if d <= 1 else -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2 if d < 2 else 0

    def matrix(size):
        rows = np.zeros((size * scale, size))
        for i in range(size * scale):
            at = (i + 0.5) / scale - 0.5
            for k in range(int(np.floor(at)) - 1, int(np.floor(at)) + 3):
                rows[i, min(max(k, 0), size - 1)] += weight(at - k)
        return rows

    height, width, _ = picture.shape
    enlarged = np.einsum("yi,xj,ijc->yxc", matrix(height), matrix(width), picture.astype(np.float64), optimize=True)
    return np.clip(np.rint(enlarged), 0, 255)


def expected(path, picture, **more):
    """What a network on RGB, or on luma of the enlarged picture, makes of `picture`: studio luma by BT.601's weights, whose change
    is given to each of R, G and B."""
    network = session(path, **more)
    if network.get_inputs()[0].shape[1] == 3:
        out = run(network, picture)
    else:
        told = network.get_modelmeta().custom_metadata_map
        assert (told["fye.colour"], told["fye.pre"], told["fye.range"]) == ("y", "bicubic", "0..1"), told
        enlarged = bicubic(picture, int(told["fye.scale"]))
        luma = enlarged @ [65.481, 128.553, 24.966] / 255 + 16
        out = enlarged + 255 / 219 * (255 * run(network, luma[..., None] / 255) - luma[..., None])
    return np.clip(np.rint(out), 0, 255).astype(np.int32)


def picture_of(width, height):
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 90 * np.sin(x / (5 + c) + y / 11) + 40 * np.sin(x * y / 300) for c in range(3)]
    noise = np.random.default_rng(1).normal(0, 6, (height, width, 3))
    return np.clip(np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)


def compare(place, model, name, most):
    """True if all is within a level and at most `most` of the int8 samples differ at all. A network on luma: within two, as a level of
    luma is 1.16 levels of each colour."""
    levels = 1 if session(model).get_inputs()[0].shape[1] == 3 else 2
    picture = picture_of(150, 100)
    Image.fromarray(picture).save(place.folder / "in.png")
    good = True
    for numbers, share_allowed in (("f32", 1.0), ("int8", most)):
        if numbers == "int8":
            place.must("calibrate", model, "--qdq", "qdq.onnx")
        place.must("up", "in.png", "-o", "out.png", "-m", model, "--numbers", numbers)
        got = np.asarray(Image.open(place.folder / "out.png")).astype(np.int32)
        difference = np.abs(got - expected(place.folder / "qdq.onnx" if numbers == "int8" else model, picture))
        share = float(np.mean(difference > 0))
        fine = difference.max() <= levels and share <= share_allowed
        print(f"{name:20} {numbers:5} most {difference.max()} level(s), {share:.4%} of the samples differ{'' if fine else '  WRONG'}")
        good = good and fine
    return good


def compare_plans(place, model, name, most):
    """Random mixtures of f32 and int8 units: what `fye export --plan` writes means what `fye up --plan` runs.

    Two levels are allowed, as a fused add's one level goes on through the units after it. ONNX Runtime's
    WeightBiasQuantization would quantise float weights between quantised tensors, which nobody asked for: off, as
    `fye export` says.
    """
    picture = np.asarray(Image.open(place.folder / "in.png"))
    units = [unit["unit"] for unit in json.loads(place.must("explain", model, "--json").stdout)["units"]]
    pick = random.Random(len(units))
    good = True
    for number in range(3):
        placed = [(unit, pick.choice(["cpu.f32", "cpu.int8"])) for unit in units]
        plan = {"version": 1, "graph": hashlib.sha256(model.read_bytes()).hexdigest(),
                "steps": [{"units": [unit], "placement": processor} for unit, processor in placed]}
        (place.folder / "plan.json").write_text(json.dumps(plan))
        place.must("up", "in.png", "-o", "out.png", "-m", model, "--plan", "plan.json")
        place.must("export", model, "--plan", "plan.json", "-o", "plan.onnx")
        got = np.asarray(Image.open(place.folder / "out.png")).astype(np.int32)
        difference = np.abs(got - expected(place.folder / "plan.onnx", picture,
                                           disabled_optimizers=["WeightBiasQuantization"]))
        share = float(np.mean(difference > 0))
        fine = difference.max() <= 2 and share <= most
        text = "".join("i" if processor == "cpu.int8" else "f" for _, processor in placed)
        print(f"{name:20} {text:5} most {difference.max()} level(s), {share:.4%} of the samples differ{'' if fine else '  WRONG'}")
        good = good and fine
    return good


def main():
    place = Workplace()
    good = True
    try:
        Image.fromarray(picture_of(96, 96)).save(place.folder / "calibration.png")
        for scale, layers in ((2, 1), (2, 3), (3, 4), (4, 2)):
            path = place.write(f"tiny{scale}{layers}.onnx", tiny_model.upscaler(scale, layers=layers, seed=scale + layers))
            place.must("calibrate", path, "calibration.png", "-o", path.with_suffix(".calib.json"))
            good = compare(place, path, path.stem, most=0.0) and good
            good = compare_plans(place, path, path.stem, most=0.05) and good
        shipped = [path for path in sorted((ROOT / "models").glob("*.onnx")) if path.with_suffix(".calib.json").exists()]
        for path in shipped:
            good = compare(place, path, path.stem, most=0.05) and good
            good = compare_plans(place, path, path.stem, most=0.05) and good
    finally:
        place.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
