#!/usr/bin/env python3
"""What int8 costs: naive, honest, and honest with 16-bit residual adds, against each network's own float picture.

usage: int8.py [--fye build/release/fye] [--nets abpn_x3,edsr_x2,animevideov3_x4,rrdb23_x4] [--weights FOLDER]
               [--sets kodak,gb82] [--pictures 12] [--json]

All units in int8: "naive" has per-tensor weights and ranges from minimum to maximum, "honest" what `fye calibrate` makes
(findings-precision.md, section 10), "int8r16" the honest one on cpu.int8r16. Every net is calibrated here, on photographs of the
training set; a shipped net's own calibration (perhaps from quantisation-aware training) is a row of its own, "shipped". Test
pictures: the middle of each, cut to --crop pixels of the small picture. Prints, as losses against float (+ = worse), means over
the pictures: msef (RGB grey levels squared, against the float picture), PSNR-Y with its 95 % interval, SSIM-Y, LPIPS and PIQE against
or without the original, and lpf, LPIPS against the float picture. PIQE and LPIPS reward noise (design.md, section 7): the row
"noise" is the float picture plus Gaussian noise of sigma 3.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "plan"))
from curve import DATA, NETS, ROOT, run  # noqa: E402

CROPS = {"abpn_x3": 160, "edsr_x2": 120, "animevideov3_x4": 112, "rrdb23_x4": 72}


def compare(fye, truth, pictures, shave, scores):
    told = json.loads(run(fye, "compare", truth, *pictures, "--score", ",".join(scores), "--shave", shave, "--json").stdout)
    return told if isinstance(told, list) else [told]


def noisy(picture, out):
    """The PNG picture plus seeded Gaussian noise, by the vips command of libvips-tools."""
    header = picture.read_bytes()[16:24]
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")
    raw = out.with_suffix(".noise.v")
    run("vips", "gaussnoise", raw, width, height, "--mean", 0, "--sigma", 3, "--seed", 7)
    added = out.with_suffix(".sum.v")
    run("vips", "add", picture, raw, added)
    run("vips", "cast", added, str(out), "uchar")


class Net:
    def __init__(self, args, name, work):
        self.args, self.name, self.spec, self.work = args, name, NETS[name], work
        file = ROOT / self.spec["file"]
        if not file.exists():
            file = pathlib.Path(args.weights) / self.spec["file"]
        if not file.exists():
            raise FileNotFoundError(f"{name}: {self.spec['file']} is neither here nor in --weights")
        self.file, self.flags, self.scale = file, self.spec.get("flags", []), self.spec["scale"]

    def calibrated(self, way):
        """The model in a folder of its own, with that calibration beside it."""
        folder = self.work / way
        folder.mkdir(parents=True)
        for part in {self.file.suffix, ".bin"}:
            if self.file.with_suffix(part).exists():
                (folder / self.file.with_suffix(part).name).symlink_to(self.file.with_suffix(part).resolve())
        model, calib = folder / self.file.name, (folder / self.file.name).with_suffix(".calib.json")
        if way == "shipped":
            calib.symlink_to(self.file.with_suffix(".calib.json").resolve())
        else:
            photographs = sorted((DATA / "train/cid22-512").glob("*.png"))
            photographs = photographs[3::max(1, len(photographs) // 12)][:12]
            run(self.args.fye, "calibrate", model, *self.flags, *photographs, "--shrink", "--crop", "96x96",
                "--method", way, "-o", calib)
        return model

    def rows(self):
        ways = ["naive", "honest"] + (["shipped"] if self.file.with_suffix(".calib.json").exists() else [])
        models = {way: self.calibrated(way) for way in ways}
        kinds = [(way, models[way], "int8") for way in ways] + [("int8r16", models["honest"], "int8r16")]
        if "shipped" in ways:
            kinds.append(("shipped r16", models["shipped"], "int8r16"))
        scores = ["psnr_y", "ssim_y", "piqe"] + (["lpips_alex"] if self.args.lpips else [])
        losses = {kind: [] for kind, *_ in kinds}
        losses["noise"] = []
        for folder in self.args.sets:
            files = sorted((DATA / "test" / folder).glob("*.png"))
            for file in files[:: max(1, len(files) // self.args.pictures)][: self.args.pictures]:
                self.picture(file, kinds, models["honest"], scores, losses)
        return [self.row(kind, rows) for kind, rows in losses.items()]

    def picture(self, file, kinds, model, scores, losses):
        with tempfile.TemporaryDirectory() as scratch:
            scratch, fye = pathlib.Path(scratch), self.args.fye
            truth, small, floats = scratch / "truth.png", scratch / "small.png", scratch / "float.png"
            side = CROPS[self.name] * self.scale
            run(fye, "resize", file, "-o", truth, "--crop", f"{side}x{side}", "--scale", 1)
            run(fye, "resize", truth, "-o", small, "--scale", f"1/{self.scale}")
            run(fye, "up", small, "-o", floats, "-m", model, *self.flags, "--numbers", "f32")
            pictures = {"noise": scratch / "noise.png"}
            noisy(floats, pictures["noise"])
            for kind, with_model, numbers in kinds:
                pictures[kind] = scratch / f"{kind}.png"
                run(fye, "up", small, "-o", pictures[kind], "-m", with_model, *self.flags, "--numbers", numbers)
            names = list(pictures)
            ours = [pictures[name] for name in names]
            base, *quality = compare(fye, truth, [floats, *ours], self.scale, scores)
            near = compare(fye, floats, ours, self.scale, ["psnr_rgb"] + (["lpips_alex"] if self.args.lpips else []))
            for name, far, close in zip(names, quality, near):
                psnr = close["psnr_rgb"]
                losses[name].append({
                    "msef": 0 if psnr is None else 255 ** 2 / 10 ** (psnr / 10), "psnr": base["psnr_y"] - far["psnr_y"],
                    "ssim": base["ssim_y"] - far["ssim_y"], "piqe": far["piqe"] - base["piqe"],
                    "lpips": far.get("lpips_alex", 0) - base.get("lpips_alex", 0), "lpf": close.get("lpips_alex", 0)})
        print(f"{self.name} {file.stem}", file=sys.stderr, flush=True)

    def row(self, kind, rows):
        half = 1.96 * statistics.stdev(r["psnr"] for r in rows) / len(rows) ** 0.5
        return {"net": self.name, "arithmetic": kind, "n": len(rows), "psnr_half": half,
                **{key: statistics.mean(r[key] for r in rows) for key in rows[0]}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fye", default=str(ROOT / "build/release/fye"))
    parser.add_argument("--nets", default=",".join(NETS))
    parser.add_argument("--weights", default=".")
    parser.add_argument("--sets", default="kodak,gb82")
    parser.add_argument("--pictures", type=int, default=12, help="of each set, evenly")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    args.sets = args.sets.split(",")
    probe = subprocess.run([args.fye, "compare", *[DATA / "test/lpips/ex_ref.png"] * 2, "--score", "lpips_alex", "--json"],
                           capture_output=True, text=True)
    args.lpips = probe.returncode == 0 and "not installed" not in probe.stderr
    everything = []
    for name in args.nets.split(","):
        with tempfile.TemporaryDirectory() as work:
            try:
                net = Net(args, name, pathlib.Path(work))
            except FileNotFoundError as missing:
                print(missing, file=sys.stderr)
                continue
            for row in net.rows():
                everything.append(row)
                print(f"| {name} | {row['arithmetic']} | {row['msef']:.2f} | {row['psnr']:+.3f} (+-{row['psnr_half']:.3f}) | "
                      f"{row['ssim']:+.4f} | {row['lpips']:+.4f} | {row['lpf']:.4f} | {row['piqe']:+.1f} | {row['n']} |", flush=True)
    if args.json:
        print(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
