"""What a batch's files cost: the figures that --dry-run (src/cli/up_survey.cc) and the first guess of the time left
(src/batch/estimate.cc) begin with.

usage: costs.py [--fye build/release/fye] [--data ../shared/data/test/gb82] [--model abpn_x3] [PICTURE...]

Prints seconds an input megapixel in the network, a file's own time, and for each output format the seconds and megabytes of
an enlarged megapixel; medians over the pictures, from the JSON summary of `fye up`.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMATS = ("png", "jpg", "webp", "tif")


def summary(options, names, target, *arguments):
    done = subprocess.run([options.fye, "up", *names, "-o", target, "--json", "-n", options.model, "-j", "1:2:1", *arguments],
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fye", default=str(ROOT / "build/release/fye"))
    parser.add_argument("--data", default=os.path.join(os.environ.get("FYE_DATA", str(ROOT.parent / "shared/data")), "test/gb82"))
    parser.add_argument("--model", default="abpn_x3")
    parser.add_argument("pictures", nargs="*")
    options = parser.parse_args()
    names = options.pictures or [options.data]
    with tempfile.TemporaryDirectory(prefix="fye_costs_") as folder:
        for extension in FORMATS:
            report = summary(options, names, f"{folder}/{extension}", "-f", extension)
            rows = [row for row in report["files"] if row["status"] == "done"]
            out_mp = [row["width"] * row["height"] / 1e6 for row in rows]
            sizes = [pathlib.Path(row["output"]).stat().st_size / 1e6 for row in rows]
            if extension == FORMATS[0]:
                in_mp = [row["in_width"] * row["in_height"] / 1e6 for row in rows]
                per_mp = statistics.median(row["run_ms"] / 1000 / mp for row, mp in zip(rows, in_mp))
                prepare = statistics.median(row["prepare_ms"] / 1000 for row in rows)
                read = statistics.median(row["read_ms"] / 1000 for row in rows)
                print(f"{len(rows)} pictures, {sum(in_mp):.1f} megapixels, {options.model}, {report['isa']}")
                print(f"network: {per_mp:.3f} s a megapixel; preparing a size: {prepare:.4f} s; reading a file: {read:.4f} s")
            seconds = statistics.median(row["write_ms"] / 1000 / mp for row, mp in zip(rows, out_mp))
            size = statistics.median(size / mp for size, mp in zip(sizes, out_mp))
            print(f"{extension}: {seconds:.3f} s and {size:.2f} MB an enlarged megapixel")
    return 0


if __name__ == "__main__":
    sys.exit(main())
