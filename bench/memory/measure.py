"""Peak memory of `fye up` on pictures made here: 100 megapixels within --mem, EDSR-baseline on 3840 x 2160.

usage: measure.py [--fye FILE] [--megapixels 100] [--budgets 512M,256M] [--skip-edsr] [--keep FOLDER]

Prints a line for each run: budget, peak of the resident memory (wait4), seconds, whether the results are the same
bytes. Takes minutes and a few GB of disk.
"""

import argparse
import filecmp
import math
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from memory_test import peak_of, write_png  # noqa: E402


def run(fye, source, target, *arguments):
    start = time.monotonic()
    code, said, peak = peak_of([str(fye), "up", str(source), "-o", str(target), "--progress", "none",
                                *map(str, arguments)], dict(os.environ))
    print(f"{source.name} {' '.join(map(str, arguments))}: exit {code}, peak {peak / 1e6:.0f} MB, "
          f"{time.monotonic() - start:.0f} s", flush=True)
    if code:
        print(said.strip())
    return code == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fye", type=pathlib.Path, default=ROOT / "build/release/fye")
    parser.add_argument("--megapixels", type=float, default=100)
    parser.add_argument("--budgets", default="512M,256M")
    parser.add_argument("--skip-edsr", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for the pictures, instead of a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fye_memory_") as temporary:
        folder = options.keep or pathlib.Path(temporary)
        side = math.isqrt(int(options.megapixels * 1e6))
        large = folder / "large.png"
        write_png(large, side, side)
        made = []
        for budget in options.budgets.split(","):
            target = folder / f"large_{budget}.png"
            if run(options.fye, large, target, "-m", ROOT / "models/abpn_x2.onnx", "--mem", budget):
                made.append(target)
        if len(made) > 1:
            print("same bytes" if all(filecmp.cmp(made[0], other, shallow=False) for other in made[1:]) else "DIFFERENT")
        run(options.fye, large, folder / "refused.png", "-m", ROOT / "models/abpn_x2.onnx", "--mem", "50M")
        if not options.skip_edsr:
            uhd = folder / "uhd.png"
            write_png(uhd, 3840, 2160)
            run(options.fye, uhd, folder / "uhd_x2.png", "-m", ROOT / "models/edsr_baseline_x2.onnx")


if __name__ == "__main__":
    main()
