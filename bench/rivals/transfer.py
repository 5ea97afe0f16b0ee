#!/usr/bin/env python3
"""Ablation: plans whose losses were measured on one set of pictures, used on another.

usage: transfer.py [--fye build/release/fye] [--models models/abpn_x3.onnx,...] [--size 160x160] [--fractions 0.65,0.75,0.85,0.95]
                   [--count 12] [--out out/transfer] [--json]

Losses are measured on training photographs (A) and on Kodak (B); for each deadline, a fraction of float-only's predicted time, the
exact planner makes a plan from each, and both are run on Kodak's pictures: mean squared grey levels to the float network's
picture (msef), and how much of B's advantage over doing everything in the fastest format A's plan keeps. Kodak is looked at here
for the comparison alone; no shipped file comes of it. Resumable: what is in --out is not made again.
"""
import argparse
import json
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from figure import DATA, ROOT, run  # noqa: E402


def msef(fye, model, plan, small, out):
    """Mean over the pictures."""
    folders = {}
    for key, how in (("float", ["--numbers", "f32"]), ("plan", ["--plan", plan])):
        folders[key] = out / key
        shutil.rmtree(folders[key], ignore_errors=True)
        run(fye, "up", small, "-o", folders[key], "-m", model, *how, "--progress", "none")
    rows = json.loads(run(fye, "compare", folders["float"], folders["plan"], "--score", "psnr_rgb", "--json").stdout)["rows"]
    return sum(0 if r["psnr_rgb"] is None else 255 ** 2 / 10 ** (r["psnr_rgb"] / 10) for r in rows) / len(rows)


def measure(args, file):
    out = args.out / file.stem
    out.mkdir(parents=True, exist_ok=True)
    model = out / file.name
    for part in (file.suffix, ".calib.json"):
        shutil.copyfile(file.with_suffix(part), model.with_suffix(part))
    training = sorted((DATA / "train/cid22-512").glob("*.png"))
    sets = {"A": training[3::max(1, len(training) // args.count)][: args.count],
            "B": sorted((DATA / "test/kodak").glob("*.png"))[: args.count]}
    for name, pictures in sets.items():
        if not (out / f"{name}.losses.json").exists():
            run(args.fye, "sensitivity", model, *pictures, "--shrink", "--crop", "64x64", "-o", out / f"{name}.losses.json")
    profile = out / "profile.json"
    if not profile.exists():
        run(args.fye, "profile", model, "--size", args.size, "--again", "-o", profile)
    base = json.loads(profile.read_text())["whole"]["cpu.f32"]["ms"]
    small = out / "small"
    if not small.exists():
        small.mkdir()
        factor = int(file.stem[-1])  # abpn_x3
        for picture in sets["B"]:
            run(args.fye, "resize", picture, "-o", small / picture.name, "--scale", f"1/{factor}")
    rows = []
    for fraction in args.fractions:
        row = {"model": file.stem, "fraction": fraction, "n": len(sets["B"])}
        for name in sets:
            plan = out / f"{name}-{fraction}.plan.json"
            done = run(args.fye, "plan", model, "--size", args.size, "--profile", profile, "--losses", out / f"{name}.losses.json",
                       "--processors", "cpu.f32,cpu.int8,cpu.int8r16", "--deadline", f"{fraction * base:.6f}ms", "-o", plan,
                       allowed=(0, 4))
            if done.returncode == 0:
                row[name] = msef(args.fye, model, plan, small, out)
        rows.append(row)
        told = "can't be met" if "B" not in row else (f"A's plan {row['A']:.4f}, B's plan {row['B']:.4f}, "
                                                      f"ratio {row['A'] / row['B'] if row['B'] else 1:.3f}")
        print(f"{file.stem:<20} {fraction:.2f}  msef on B: {told}", flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fye", default=str(ROOT / "build/release/fye"))
    parser.add_argument("--models", default="models/abpn_x2.onnx,models/abpn_x3.onnx,models/abpn_x4.onnx,models/edsr_baseline_x2.onnx")
    parser.add_argument("--size", default="160x160")
    parser.add_argument("--fractions", default="0.65,0.75,0.85,0.95")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "out/transfer")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    args.fractions = [float(f) for f in args.fractions.split(",")]
    rows = []
    for name in args.models.split(","):
        rows += measure(args, ROOT / name)
    if args.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
