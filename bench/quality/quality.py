#!/usr/bin/env python3
"""How good are fye's pictures: Y-PSNR and SSIM of models in every number format, as written by `fye up`.

Each test picture is cut to a multiple of the scale, made small by `fye resize` (MATLAB's bicubic), enlarged by `fye up` and scored
by `fye compare`, shaved by the scale. Bicubic is scored beside it. Prints means with n, and for each format the loss against f32
with a 95 % interval (paired bootstrap over pictures); --csv writes every picture's scores.

    bench/quality/quality.py models/abpn_x3.onnx --sets ../shared/data/test/kodak ../shared/data/test/gb82
"""
import argparse
import csv
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def compare(fye, truth, picture, shave):
    scores = json.loads(run(fye, "compare", truth, picture, "--shave", shave, "--json"))
    if isinstance(scores, list):
        scores = scores[0]
    return scores


def mean(values):
    return sum(values) / len(values)


def interval(differences, rounds=2000):
    """95 % bootstrap interval of the mean; seeded, so that it prints the same again."""
    pick = random.Random(1)
    means = sorted(mean(pick.choices(differences, k=len(differences))) for _ in range(rounds))
    return means[int(rounds * .025)], means[int(rounds * .975) - 1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--sets", nargs="+", required=True, help="folders of test pictures")
    parser.add_argument("--numbers", default="f32,bf16,int8")
    parser.add_argument("--fye", default="build/release/fye")
    parser.add_argument("--csv")
    args = parser.parse_args()

    about = json.loads(run(args.fye, "explain", args.model, "--json"))
    scale = about["scale"]
    there = json.loads(run(args.fye, "doctor", "--json"))["numbers"]
    formats = [f for f in args.numbers.split(",") if f in there]
    rows = []
    for folder in map(pathlib.Path, args.sets):
        # In the order of their numbers, so that the table reads like the set.
        pictures = sorted(folder.glob("*.png"), key=lambda p: [int(x) if x.isdigit() else x for x in re.split(r"(\d+)", p.name)])
        if not pictures:
            sys.exit(f"{folder}: no PNG pictures")
        for number, picture in enumerate(pictures):
            if sys.stderr.isatty():
                print(f"\r{folder.name}: {number + 1} of {len(pictures)}  ", end="", file=sys.stderr)
            with tempfile.TemporaryDirectory() as scratch:
                scratch = pathlib.Path(scratch)
                header = picture.read_bytes()[16:24]  # of a PNG: width, height
                width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")
                truth, small = scratch / "truth.png", scratch / "small.png"
                run(args.fye, "resize", picture, "-o", truth, "--crop",
                    f"{width // scale * scale}x{height // scale * scale}+0+0")
                run(args.fye, "resize", truth, "-o", small, "--scale", f"1/{scale}")
                row = {"set": folder.name, "picture": picture.name}
                run(args.fye, "resize", small, "-o", scratch / "bicubic.png", "--scale", scale)
                row["bicubic"] = compare(args.fye, truth, scratch / "bicubic.png", scale)
                for numbers in formats:
                    big = scratch / f"{numbers}.png"
                    run(args.fye, "up", small, "-o", big, "-m", args.model, "--numbers", numbers)
                    row[numbers] = compare(args.fye, truth, big, scale)
                rows.append(row)
    print(f"{pathlib.Path(args.model).stem}, x{scale}, Y-PSNR and SSIM shaved by {scale}, as written by fye up")
    for folder in map(pathlib.Path, args.sets):
        mine = [r for r in rows if r["set"] == folder.name]
        for method in ["bicubic"] + formats:
            psnr = [r[method]["psnr_y"] for r in mine]
            line = (f"{folder.name:8} n {len(mine):3}  {method:8} {mean(psnr):7.3f} dB  "
                    f"SSIM {mean([r[method]['ssim_y'] for r in mine]):.4f}")
            if method not in ("bicubic", "f32") and "f32" in formats:
                losses = [r["f32"]["psnr_y"] - r[method]["psnr_y"] for r in mine]
                low, high = interval(losses)
                line += f"  loss against f32 {mean(losses):.4f} dB [{low:.4f}, {high:.4f}]"
            print(line)
    for method in formats[1:] if "f32" in formats else []:
        print(f"all n {len(rows)}  {method} loss {mean([r['f32']['psnr_y'] - r[method]['psnr_y'] for r in rows]):.4f} dB")
    if args.csv:
        with open(args.csv, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["set", "picture"] + [f"{m}_{s}" for m in ["bicubic"] + formats for s in ("psnr_y", "ssim_y")])
            for r in rows:
                writer.writerow([r["set"], r["picture"]] +
                                [r[m][s] for m in ["bicubic"] + formats for s in ("psnr_y", "ssim_y")])


if __name__ == "__main__":
    main()
