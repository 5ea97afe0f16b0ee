"""Pictures for the comparison and for calibration, and how far two results are apart."""

import pathlib

import numpy as np
from PIL import Image

from zoo import made_picture

FOLDER = pathlib.Path("/usr/share/backgrounds")  # Debian: lomiri-wallpapers-16.04
TEST = FOLDER / "Picture_0B_by_freespace.jpg"
CALIBRATION_PHOTOGRAPHS, CALIBRATION_MADE = 4, 2
CALIBRATION_SIZE = (96, 64)
CALIBRATION_SIZE_LARGE_NETS = (48, 32)  # LiteRT's quantiser runs every map of them by its slowest kernels
BLACK, WHITE = 16, 235  # luma of a grey level's ends in BT.601


def photograph(path, width, height, channels):
    return np.asarray(Image.open(path).convert("RGB" if channels == 3 else "L").resize((width, height), Image.BICUBIC)).reshape(
        height, width, channels)


def test_picture(width, height, channels):
    return photograph(TEST, width, height, channels) if TEST.exists() else made_picture(width, height, channels)


def calibration_pictures(channels, large_net=False):
    """Photographs other than the test's, where they are installed, and made pictures, which reach both ends of the range."""
    size = CALIBRATION_SIZE_LARGE_NETS if large_net else CALIBRATION_SIZE
    photographs = [path for path in sorted(FOLDER.glob("*.jpg")) if path != TEST][:CALIBRATION_PHOTOGRAPHS]
    made = CALIBRATION_MADE + CALIBRATION_PHOTOGRAPHS - len(photographs)
    return [photograph(path, *size, channels) for path in photographs] + [
        made_picture(*size, channels, seed) for seed in range(1, made + 1)]


def luma(grey):
    """What a network on luma sees of grey levels."""
    return BLACK + grey.astype(np.float64) * (WHITE - BLACK) / 255


def rounded(values):
    return np.clip(np.rint(values.astype(np.float64)), 0, 255)


def psnr(a, b):
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return 100.0 if error == 0 else float(10 * np.log10(255**2 / error))
