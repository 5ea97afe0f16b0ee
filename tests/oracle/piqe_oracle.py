#!/usr/bin/env python3
"""Holds fye's PIQE to pypiqe's on photographs and on what becomes of them: JPEG, noise, blur, int8 upscaling.

usage: piqe_oracle.py FYE [--pictures N] [--jobs N]
FYE: the program. Pictures: made ones of odd and tiny sizes, and N from $FYE_DATA/test (default ../shared/data beside the
repository) where that exists, each in 23 versions; both sides get the same grey array. Prints the largest difference and n,
IQAM by JPEG quality, and how the known trap shows: quantisation noise on a float upscaling improves PIQE, not PSNR.
Needs numpy, Pillow, pypiqe. Ends with 1 if a score differs by more than 0.01, or IQAM doesn't grow with JPEG quality.
"""
import argparse
import collections
import concurrent.futures
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, ImageFilter
from pypiqe import piqe

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLERANCE = 0.01
QUALITIES = range(5, 100, 10)
RBQE_QUALITIES = (10, 20, 30, 40, 50)  # those that IQAM was published for
MODEL = ROOT / "models/abpn_x2.onnx"


def grey(rgb):
    r, g, b = np.moveaxis(np.asarray(rgb).astype(np.float64), -1, 0)
    return np.rint(0.2989 * r + 0.5870 * g + 0.1140 * b).astype(np.uint8)


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def jpeg(picture, quality):
    data = io.BytesIO()
    picture.save(data, "jpeg", quality=quality)
    return Image.open(data).convert("RGB")


def noisy(picture, sigma):
    values = np.asarray(picture) + np.random.default_rng(int(sigma)).normal(0, sigma, (picture.height, picture.width, 3))
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def upscaled(fye, picture, numbers, folder):
    """Halved and enlarged again by the shipped network."""
    picture.crop((0, 0, picture.width // 2 * 2, picture.height // 2 * 2)).save(folder / "full.png")
    run(fye, "resize", folder / "full.png", "-o", folder / "half.png", "--scale", "1/2")
    run(fye, "up", folder / "half.png", "-o", folder / "up.png", "-m", MODEL, "--numbers", numbers)
    return Image.open(folder / "up.png").convert("RGB")


def versions(fye, picture, folder):
    yield "original", picture
    for quality in sorted({*QUALITIES, *RBQE_QUALITIES}):
        yield f"jpeg {quality}", jpeg(picture, quality)
    for sigma in (3, 10, 25):
        yield f"noise {sigma}", noisy(picture, sigma)
    for radius in (0.7, 1.5, 3):
        yield f"blur {radius}", picture.filter(ImageFilter.GaussianBlur(radius))
    if MODEL.exists():
        yield "int8 upscaling", upscaled(fye, picture, "int8", folder)


def made_arrays():
    """Flat, tiny and odd sizes, and full and narrow ranges of brightness."""
    random = np.random.default_rng(5)
    yield "flat", np.full((128, 128), 77, np.uint8)
    for height, width in [(1, 1), (1, 40), (15, 17), (17, 15), (16, 16), (31, 33), (50, 75), (53, 5), (97, 160)]:
        y, x = np.mgrid[:height, :width]
        yield f"noise {width}x{height}", random.integers(0, 256, (height, width), dtype=np.uint8)
        yield f"bowl {width}x{height}", ((17 * y * y + 31 * x * x + 7 * x * y) % 256).astype(np.uint8)
        yield f"dark {width}x{height}", random.integers(3, 40, (height, width), dtype=np.uint8)
        yield f"chequers {width}x{height}", ((x + y) % 2 * 200 + 5).astype(np.uint8)


def scores(fye, pictures, folder):
    """fye's scores of {name: grey array} by name; the folder is compared with itself."""
    target = folder / "grey"
    target.mkdir()
    for index, array in enumerate(pictures.values()):
        Image.fromarray(array).save(target / f"{index:03}.png", compress_level=1)
    text = run(fye, "compare", target, target, "--json", "--threads", 1, "--score",
               "piqe,iqam_8,boundary_step_8" if all(min(a.shape) >= 16 for a in pictures.values()) else "piqe")
    return dict(zip(pictures, json.loads(text)["rows"]))


def check(fye, title, pictures, folder):
    """(lines that say what is wrong, differences, fye's rows by version)."""
    rows = scores(fye, pictures, folder)
    wrong, differences = [], []
    with np.errstate(all="ignore"):
        for name, array in pictures.items():
            expected, got = float(piqe(array)[0]), rows[name]["piqe"]
            differences.append(abs(expected - got))
            if not differences[-1] <= TOLERANCE:
                wrong.append(f"FAIL {title}, {name}: piqe is {got}, pypiqe says {expected}")
    return wrong, differences, rows


def check_file(fye, file):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        picture = Image.open(file).convert("RGB")
        arrays = {kind: grey(version) for kind, version in versions(fye, picture, folder)}
        wrong, differences, rows = check(fye, file.name, arrays, folder)
        picture.save(folder / "rgb.png", compress_level=1)
        in_colour = json.loads(run(fye, "compare", folder / "rgb.png", folder / "rgb.png", "--json", "--score", "piqe"))["piqe"]
        if in_colour != rows["original"]["piqe"]:
            wrong.append(f"FAIL {file.name}: {in_colour} in colour, {rows['original']['piqe']} from its grey")
        trap = trapped(fye, picture, folder) if MODEL.exists() else None
    return wrong, differences, rows, trap


def trapped(fye, picture, folder):
    """(PIQE, PSNR) of a float upscaling, and with uniform noise of +-4 levels, as coarse rounding leaves it."""
    large = upscaled(fye, picture, "f32", folder)
    noise = np.random.default_rng(1).integers(-4, 5, (large.height, large.width, 3))
    Image.fromarray(np.clip(np.asarray(large) + noise, 0, 255).astype(np.uint8)).save(folder / "noisy.png", compress_level=1)
    rows = json.loads(run(fye, "compare", folder / "full.png", folder / "up.png", folder / "noisy.png", "--json", "--shave", 2,
                          "--score", "piqe,psnr_y"))
    return [(row["piqe"], row["psnr_y"]) for row in rows]


def data_files(count):
    data = pathlib.Path(os.environ.get("FYE_DATA", ROOT.parent / "shared" / "data")) / "test"
    kodak, gb82 = sorted(data.glob("kodak/*.png")), sorted(data.glob("gb82/*.png"))
    files = [file for pair in zip(kodak, gb82) for file in pair] + kodak[len(gb82):] + gb82[len(kodak):]
    if not files:
        print(f"no pictures under {data}: made ones alone")
    return files[:count]


def by_quality(name, results, wrong):
    """Means over the pictures; grows with quality (a step across blocks: falls) over the range it was published for."""
    means = [np.mean([rows[f"jpeg {q}"][name] for _, _, rows, _ in results]) for q in RBQE_QUALITIES]
    print(f"{name} by JPEG quality:", ", ".join(f"{q}: {mean:.3f}" for q, mean in zip(RBQE_QUALITIES, means)))
    steps = np.diff(means) * (1 if name.startswith("iqam") else -1)
    if not all(steps > 0):
        wrong.append(f"FAIL {name} is not monotone in JPEG quality")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fye")
    parser.add_argument("--pictures", type=int, default=2, help="how many from the data folder; 49 is all")
    parser.add_argument("--jobs", type=int, default=1, help="pictures at a time")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        wrong, differences, _ = check(options.fye, "made", dict(made_arrays()), pathlib.Path(name))
    print(f"made arrays: largest difference {max(differences):.1e}, n {len(differences)}")

    kinds = collections.defaultdict(list)
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        results = list(pool.map(check_file, *zip(*((options.fye, file) for file in data_files(options.pictures)))))
    for lines, found, rows, _ in results:
        wrong += lines
        for kind, difference in zip(rows, found):
            kinds[kind.split()[0]].append(difference)
    for kind, found in kinds.items():
        print(f"{kind}: largest difference {max(found):.1e}, n {len(found)}")
    if results:
        for name in ("iqam_8", "boundary_step_8"):
            by_quality(name, results, wrong)
        traps = np.array([trap for *_, trap in results if trap])
        if len(traps):
            plain, with_noise = traps.mean(axis=0)
            print(f"trap, n {len(traps)}: PIQE of a float upscaling {plain[0]:.2f}, with noise of +-4 levels {with_noise[0]:.2f}; "
                  f"PSNR {plain[1]:.2f} and {with_noise[1]:.2f} dB")
            if not (with_noise[0] < plain[0] and with_noise[1] < plain[1]):
                wrong.append("FAIL the trap does not show: noise should improve PIQE and lower PSNR")
    print("\n".join(wrong), end="\n" if wrong else "")
    print(f"{len(differences) + sum(map(len, kinds.values()))} scores, {len(wrong)} failures")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
