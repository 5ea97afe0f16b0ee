#!/usr/bin/env python3
"""Holds fye's PSNR and SSIM to scikit-image, its MS-SSIM and MATLAB resize to a numpy run of the same formulas.

usage: quality_oracle.py FYE RESIZE_TOOL [--pictures N]
FYE: the program (`fye compare A B --json --shave N`); RESIZE_TOOL: fye_resize_tool. Either may be "-" to leave its part
out. Pictures: synthetic ones, and N from $FYE_DATA/test (default ../shared/data beside the repository) where that exists.
Needs numpy, scikit-image (and scipy, which it brings) and Pillow. Prints the largest difference of each score and n; ends
with 1 on any difference: scores by more than 1e-4, resized pixels by any. PIQE has an oracle of its own, piqe_oracle.py.
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

TOLERANCE = 1e-4


def luma(rgb):
    r, g, b = np.moveaxis(rgb.astype(np.float64), -1, 0)
    return 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255


def grey(rgb):
    r, g, b = np.moveaxis(rgb.astype(np.float64), -1, 0)
    return np.rint(0.2989 * r + 0.5870 * g + 0.1140 * b)


def psnr(a, b):
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return None if error == 0 else 10 * np.log10(255.0**2 / error)


def ssim(a, b):
    """scikit-image leaves a border of 5 out of its mean: the windows that lie inside."""
    return structural_similarity(a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255)


def structure(a, b):
    """Mean of SSIM's second factor over the same windows."""
    blur = lambda plane: gaussian_filter(plane, 1.5, radius=5)
    mean_a, mean_b = blur(a), blur(b)
    variances = blur(a * a) - mean_a**2 + blur(b * b) - mean_b**2
    values = (2 * (blur(a * b) - mean_a * mean_b) + 58.5225) / (variances + 58.5225)
    return values[5:-5, 5:-5].mean()


def ms_ssim(a, b):
    """Wang, Simoncelli and Bovik 2003; a scale is the mean of 2 x 2 samples, the last one of an odd side repeated."""
    weights, result = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333), 1.0
    for scale, weight in enumerate(weights):
        if scale:
            even = [np.pad(plane, [(0, side % 2) for side in plane.shape], "edge") for plane in (a, b)]
            a, b = (plane.reshape(plane.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3)) for plane in even)
        result *= max(structure(a, b) if scale < len(weights) - 1 else ssim(a, b), 0) ** weight
    return result


def expected_scores(a, b, shave):
    inner = (slice(shave, a.shape[0] - shave), slice(shave, a.shape[1] - shave))
    a, b = a[inner], b[inner]
    scores = {
        "psnr_y": psnr(luma(a), luma(b)),
        "psnr_rgb": psnr(a, b),
        "ssim_y": ssim(luma(a), luma(b)),
        "ssim_grey": ssim(grey(a), grey(b)),
    }
    if min(a.shape[:2]) > 160:
        scores["ms_ssim"] = ms_ssim(grey(a), grey(b))
    return scores


def kernel(x):
    x = np.abs(x)
    near = 1.5 * x * x * x - 2.5 * x * x + 1  # products, not powers: the last bit matters where a result is a tie
    far = -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2
    return np.select([x <= 1, x <= 2], [near, far], 0.0)


def resize_axis(values, size):
    """One axis (the first) to `size` samples, edges clamped, rounded half up and clamped to 8 bit.

    Sums run over the taps in ascending order, as fye's do: where a result lies exactly on a half, as it often does with
    rational weights, another order would decide otherwise.
    """
    scale = size / values.shape[0]
    stretch = min(scale, 1.0)
    result = np.empty((size,) + values.shape[1:])
    for i in range(size):
        centre = (i + 1) / scale + 0.5 * (1 - 1 / scale)
        first = int(np.floor(centre - 2 / stretch))
        at = np.arange(first, first + int(np.ceil(4 / stretch)) + 2)
        weights = kernel((centre - at) * stretch)
        rows = values[np.clip(at - 1, 0, values.shape[0] - 1)]
        result[i] = sum(weight * row for weight, row in zip(weights / sum(weights), rows))
    return np.clip(np.floor(result + 0.5), 0, 255)


def expected_resize(picture, width, height):
    down = resize_axis(picture.astype(np.float64), height)
    return np.swapaxes(resize_axis(np.swapaxes(down, 0, 1), width), 0, 1).astype(np.uint8)


def synthetic_pictures():
    random = np.random.default_rng(7)
    y, x = np.mgrid[:75, :101]
    wave = 127.5 + 100 * np.sin(x / 5) * np.sin(y / 7)
    yield "waves", np.stack([wave, np.roll(wave, 9, 0), 255 - wave], -1).astype(np.uint8)
    yield "noise", random.integers(0, 256, (64, 80, 3), dtype=np.uint8)
    yield "edges", np.repeat((((x // 8 + y // 8) % 2) * 255).astype(np.uint8)[..., None], 3, -1)
    yield "ramp", np.stack([(x * 2) % 256, (y * 3) % 256, (x + y) % 256], -1).astype(np.uint8)
    y, x = np.mgrid[:175, :211]  # odd on several scales
    yield "odd", np.stack([(x * x + y) % 256, 127 + 100 * np.sin(x / 9), (x * y // 50) % 256], -1).astype(np.uint8)


def data_pictures(count):
    root = pathlib.Path(__file__).resolve().parents[2]
    data = pathlib.Path(os.environ.get("FYE_DATA", root.parent / "shared" / "data")) / "test"
    files = sorted(data.glob("kodak/*.png"))[: (count + 1) // 2] + sorted(data.glob("gb82/*.png"))[: count // 2]
    if not files:
        print(f"no pictures under {data}: synthetic ones alone")
    for file in files:
        yield file.name, np.asarray(Image.open(file).convert("RGB"))


def partners(picture):
    random = np.random.default_rng(3)
    noisy = np.clip(picture + random.normal(0, 12, picture.shape), 0, 255).astype(np.uint8)
    image = Image.fromarray(picture)
    small = image.resize((max(1, image.width // 2), max(1, image.height // 2)), Image.BICUBIC)
    yield "noisy", noisy
    yield "blurred", np.asarray(small.resize(image.size, Image.BICUBIC))
    yield "same", picture


def check_scores(fye, name, picture, folder, differences):
    """How many scores are wrong; every difference is added to its score's list."""
    failures = 0
    Image.fromarray(picture).save(folder / "a.png")
    for kind, partner in partners(picture):
        Image.fromarray(partner).save(folder / "b.png")
        for shave in (0, 3):
            expected = expected_scores(picture, partner, shave)
            command = [fye, "compare", folder / "a.png", folder / "b.png", "--json", "--shave", str(shave), "--score",
                       ",".join(expected)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            for key, value in expected.items():
                got = found.get(key, "missing")
                if isinstance(got, (int, float)) and value is not None:
                    differences[key].append(abs(got - value))
                    same = differences[key][-1] <= TOLERANCE
                else:
                    same = got is None and value is None
                if not same:
                    failures += 1
                    print(f"FAIL {name} {kind} shave {shave}: {key} is {got}, expected {value}")
    return failures


def check_resize(tool, name, picture, folder):
    failures = 0
    Image.fromarray(picture).save(folder / "in.png")
    height, width = picture.shape[:2]
    for to_width, to_height in [(width // 2, height // 2), (width // 3, height // 3), (width // 4, height // 4),
                                (width * 2, height * 2), (width * 5 // 7, height * 3 // 2), (width, height)]:
        subprocess.run([tool, folder / "in.png", folder / "out.png", str(to_width), str(to_height)], check=True)
        found = np.asarray(Image.open(folder / "out.png"))
        expected = expected_resize(picture, to_width, to_height)
        if found.shape != expected.shape or not np.array_equal(found, expected):
            failures += 1
            print(f"FAIL {name} {width}x{height} to {to_width}x{to_height}: pixels differ")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fye")
    parser.add_argument("resize_tool")
    parser.add_argument("--pictures", type=int, default=4, help="how many from the data folder")
    options = parser.parse_args()
    failures = checked = 0
    differences = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for title, picture in list(synthetic_pictures()) + list(data_pictures(options.pictures)):
            checked += 1
            if options.fye != "-":
                failures += check_scores(options.fye, title, picture, folder, differences)
            if options.resize_tool != "-":
                failures += check_resize(options.resize_tool, title, picture, folder)
    for key, found in differences.items():
        print(f"{key}: largest difference {max(found):.1e}, n {len(found)}")
    print(f"{checked} pictures, {failures} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
