#!/usr/bin/env python3
"""Tools that people use today, beside fye: NNCF, ONNX Runtime's quantiser and OpenVINO's precision hints on one ONNX file.

usage: tools.py MODEL.onnx [--pictures DIR ...] [--calibration DIR] [--rounds 7] [--threads 1] [--size 480x270] [--work DIR]
                [--models ORT,NNCF] [--only make,race,quality,tables] [--json FILE] [--markdown FILE]

Needs Python packages of its own, and no network (OpenVINO's and NNCF's reports to their makers are switched off here):
  python3 -m venv build/tools
  build/tools/bin/pip install -r bench/tools/requirements.txt
  build/tools/bin/python bench/tools/tools.py models/abpn_x3.onnx

Models, all from the same 12 photographs, cut and made small as bench/quality/int8.py's:
  ORT min-max, percentile, entropy   quantize_static: QDQ, u8 activations, s8 weights per channel, after its own preparation
  ORT ends float                    nodes_to_exclude: the first and the last convolution; ranges by the way with the least error
  ORT greedy float                  and --steps more, one after the other the one whose exclusion lessens the error most (squared
                                     distance to the float network on the calibration pictures), while one does
  NNCF ONNX, NNCF IR                 nncf.quantize as it comes, on the ONNX file and on OpenVINO's form of it
  NNCF ... accuracy                  quantize_with_accuracy_control: PSNR on luma of 6 other training photographs may fall by --max-drop dB
  OpenVINO f32, bf16                 the float file with a precision hint
  fye f32, bf16, int8                the same float file; int8 with what fye calibrate makes of the same 12 pictures

ONNX models also run in fye, imported with their own scales and weights; a file that leaves some of the network float runs by a plan that
imported.py writes. fye reads no OpenVINO IR, so NNCF's IR models run in OpenVINO alone; its ONNX backend makes the QDQ file that fye reads.

Race: all in one run, taking turns, --rounds rounds, as bench/peers/peers.py (whose engines run here: 8-bit rows in and out for fye and
OpenVINO, float planes for ONNX Runtime, conversion not counted, which favours it). "faster" and "slower" are said of fye, only where
rounds are disjoint. "over": the tool's time over fye's. A model of another tool is never "wrong" for being worse: that is its result;
how far its own runtime and fye are apart on the same file is a column of its own.

Quality: whole pictures, or the middle --crop pixels of the small picture; made small by fye resize, scored by fye compare against
the original, shaved by the scale. What is lost against fye's float picture, with 95 % bootstrap intervals over pictures.

--work keeps models, pictures and results; what is there isn't made again. --only does a part, and races of other --models, sizes and
threads add to those that are kept: so each can be short, on a quiet machine. What fails is told below the tables, in the tool's own words.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = pathlib.Path(os.environ.get("FYE_DATA", ROOT.parent / "shared/data"))
PACKAGES = {"onnx": "onnx", "onnxruntime": "onnxruntime", "openvino": "openvino", "nncf": "nncf", "sympy": "sympy", "numpy": "numpy",
            "PIL": "pillow"}
PARTS = ("make", "race", "quality", "tables")
CALIBRATION_SIDE = 96  # of the small picture, as bench/quality/int8.py
GB82 = 6  # pictures of that set, evenly
# OpenVINO reports to its makers that it was imported, and NNCF that it was used, unless they believe to be at work in a CI.
NO_REPORTS = {"NNCF_CI": "1", "CI": "true"}

sys.path.insert(0, str(HERE))
import imported  # noqa: E402
import makers  # noqa: E402
import networks  # noqa: E402
import rules  # noqa: E402
from int8 import compare  # noqa: E402
from quality import run  # noqa: E402


def missing_packages():
    return [package for module, package in PACKAGES.items() if importlib.util.find_spec(module) is None]


class Bench:
    """One network and its folder. notes: what failed, {what: in whose words}."""

    def __init__(self, args):
        self.args, self.fye, self.work = args, str(args.fye.resolve()), args.work
        self.work.mkdir(parents=True, exist_ok=True)
        self.source = args.model.resolve()
        self.said = networks.conventions(self.source)
        if "fye.scale" not in self.said or "fye.range" not in self.said:
            sys.exit(f"{args.model}: does not say its scale and range; write a file that does with fye export MODEL --net-scale 4 "
                     "--range 0..1 --colour rgb --pre none -o FILE.onnx")
        plain = self.said.get("fye.colour") == "rgb" and self.said.get("fye.pre", "none") == "none"
        if not plain or self.said["fye.range"] not in networks.WHITE:
            sys.exit(f"{args.model}: this bench feeds RGB of 0..255 or 0..1 without an enlarged copy; the file says {self.said}")
        self.scale, self.white = int(self.said["fye.scale"]), networks.WHITE[self.said["fye.range"]]
        self.numbers = json.loads(run(self.fye, "doctor", "--json"))["numbers"]
        self.imports = {}  # way -> what imported.flags said of its file
        self.notes_file = self.work / "notes.json"
        self.notes = json.loads(self.notes_file.read_text()) if self.notes_file.exists() else {}

    def note(self, what, why):
        self.notes[what] = why
        self.notes_file.write_text(json.dumps(self.notes, indent=1))
        print(f"{what}: {why}", file=sys.stderr, flush=True)

    def cut(self, photograph, large, small, side):
        """The middle of a photograph, side pixels when small (0: all of it but what the scale doesn't divide), and its small version."""
        width, height = (edge // self.scale for edge in rules.png_size(photograph))
        width, height = (min(edge, side or edge) * self.scale for edge in (width, height))
        run(self.fye, "resize", photograph, "-o", large, "--crop", f"{width}x{height}", "--scale", 1)
        run(self.fye, "resize", large, "-o", small, "--scale", f"1/{self.scale}")

    def training(self):
        """(calibration pictures, [small, large] validation pictures), made once."""
        files = sorted(self.args.calibration.glob("*.png"))
        if len(files) < rules.CALIBRATION + rules.VALIDATION:
            sys.exit(f"{self.args.calibration}: {len(files)} PNG pictures; --calibration wants {rules.CALIBRATION + rules.VALIDATION}")
        folder = self.work / "training"
        if not folder.exists():
            part = self.work / "training.part"
            part.mkdir(exist_ok=True)
            for i, file in enumerate(rules.calibration_files(files)):
                # Small first, then cut, as fye calibrate --shrink --crop does: to the same bytes.
                width, height = (edge // self.scale for edge in rules.png_size(file))
                run(self.fye, "resize", file, "-o", part / "whole.png", "--size", f"{width}x{height}")
                run(self.fye, "resize", part / "whole.png", "-o", part / f"c{i:02}.png", "--crop", f"{CALIBRATION_SIDE}x{CALIBRATION_SIDE}",
                    "--scale", 1)
            for i, file in enumerate(rules.validation_files(files)):
                self.cut(file, part / f"v{i}.large.png", part / f"v{i}.small.png", CALIBRATION_SIDE)
            part.rename(folder)
        pairs = [[str(small), str(small).replace(".small.", ".large.")] for small in sorted(folder.glob("v*.small.png"))]
        return [str(path) for path in sorted(folder.glob("c*.png"))], pairs

    def make(self):
        """Every tool's model, and fye's calibration."""
        calibration, validation = self.training()
        own = self.own_int8()
        if not own.with_suffix(".calib.json").exists():
            own.parent.mkdir(exist_ok=True)
            own.unlink(missing_ok=True)
            own.symlink_to(self.source)
            side = f"{CALIBRATION_SIDE}x{CALIBRATION_SIDE}"
            run(self.fye, "calibrate", own, *calibration, "--crop", side, "-o", own.with_suffix(".calib.json"))
        spec = {"model": str(self.source), "calibration": calibration, "validation": validation, "scale": self.scale, "white": self.white,
                "max_drop": self.args.max_drop, "steps": self.args.steps, "folder": str(self.work)}
        (self.work / "spec.json").write_text(json.dumps(spec))
        for way in makers.WAYS:
            if makers.file_of(self.work, way).exists() or not rules.begins(way, self.args.models):
                continue
            done = subprocess.run([sys.executable, HERE / "makers.py", way, self.work / "spec.json"], capture_output=True, text=True)
            (self.work / f"{makers.file_of('', way).stem}.log").write_text(done.stderr)
            if done.returncode:
                makers.file_of(self.work, way).unlink(missing_ok=True)
                self.note(f"{way}: failed", " ".join(done.stderr.strip().splitlines()[-1:]) or f"ended with {done.returncode}")
                continue
            told = json.loads(done.stdout.splitlines()[-1])
            self.note(f"{way}: made", f"in {told['seconds']:.1f} s" + (f", {told['note']}" if told["note"] else ""))

    def own_int8(self):
        return self.work / "own" / self.source.name

    def imported(self, way, file):
        """(words for fye, "5 of 7" in int8) of a tool's ONNX file, or nothing if fye does not read it."""
        if way not in self.imports:
            try:
                self.imports[way] = imported.flags(self.fye, file, file.with_suffix(".plan.json"))
            except RuntimeError as error:
                self.imports[way] = None
                self.note(f"{way}, in fye: not read", str(error))
        return self.imports[way]

    def contestants(self):
        """{name: {runtime, numbers, model, same, flags}}; same: under what name fye runs the same file; flags: of fye."""
        said = {"fye f32": ("fye", "f32", self.source, None)}
        if "bf16" in self.numbers:
            said["fye bf16"] = ("fye", "bf16", self.source, None)
        said["fye int8"] = ("fye", "int8", self.own_int8(), None)
        said["ORT f32"] = ("onnxruntime", "f32", self.source, "fye f32")
        said["OpenVINO f32"] = ("openvino", "f32", self.source, "fye f32")
        if "bf16" in self.numbers:
            said["OpenVINO bf16"] = ("openvino", "bf16", self.source, "fye bf16")
        for way, (_, suffix, runtimes) in makers.WAYS.items():
            file = makers.file_of(self.work, way)
            if not file.exists():
                continue
            same = f"{way}, in fye" if suffix == ".onnx" and self.imported(way, file) else None
            for runtime in runtimes:
                said[way if len(runtimes) == 1 else f"{way}, in {runtime}"] = (runtime, "int8", file, same)
            if same:
                said[same] = ("fye", "int8", file, None, self.imports[way][0])
        named = {name: dict(zip(("runtime", "numbers", "model", "same", "flags"), what)) for name, what in said.items()}
        return {name: {**about, "flags": about.get("flags", ["--numbers", about["numbers"]])} for name, about in named.items()}

    def race(self):
        """{name: rounds in ms}, and each contestant's processes closed again."""
        from engines.base import Job, NotHad
        from peers import race
        from process import Peer, Served

        width, height = map(int, self.args.size.split("x"))
        processes = {}
        for i, (name, about) in enumerate(self.contestants().items()):
            if not rules.wanted(name, about, self.args.models):
                continue
            folder = self.work / "race" / str(i)
            folder.mkdir(parents=True, exist_ok=True)
            job = Job(about["numbers"], self.args.threads, width, height, 3, str(about["model"]), str(about["model"]), str(folder), [])
            try:
                if about["runtime"] == "fye":
                    processes[name] = Served([self.fye, "bench", about["model"], *about["flags"], "--size", self.args.size, "--threads",
                                              str(self.args.threads), "--serve"], {}, job.file("fye.log"))
                    processes[name].answer()
                else:
                    processes[name] = Peer(about["runtime"], job, {})
            except (NotHad, RuntimeError) as error:
                self.note(f"{name}: not raced", str(error))
        times = race(processes, self.args.rounds)
        for process in processes.values():
            process.close()
        return {"models": self.args.models, "size": self.args.size, "threads": self.args.threads, "rounds": self.args.rounds,
                "load": os.getloadavg()[0], "times": times}

    def runner(self, name, about):
        """Function (small picture's file, result's file), or nothing when the runtime refuses the model."""
        if about["runtime"] == "fye":
            return lambda small, large: run(self.fye, "up", small, "-o", large, "-m", about["model"], *about["flags"])
        from PIL import Image

        try:
            ask = (networks.onnx_runtime(str(about["model"])) if about["runtime"] == "onnxruntime"
                   else networks.openvino_cpu(about["model"], "bf16" if about["numbers"] == "bf16" else "f32"))
        except Exception as error:  # a tool's model that its own runtime refuses is a finding
            self.note(f"{name}: not run", " ".join(str(error).split()))
            return None
        return lambda small, large: Image.fromarray(
            networks.levels(ask(networks.planes(networks.read(small), self.white)), self.white)).save(large)

    def pictures(self):
        folders = self.args.pictures or [DATA / "test/kodak", DATA / "test/gb82"]
        files = []
        for folder in folders:
            found = sorted(folder.glob("*.png"))
            if not found:
                sys.exit(f"{folder}: no PNG pictures (--pictures)")
            files += found if self.args.pictures or folder.name != "gb82" else rules.spread(found, GB82)
        return files

    def quality(self):
        """Scores by picture and contestant, and how far pictures of the same file are apart."""
        import numpy as np

        contestants = self.contestants()
        runners = {name: self.runner(name, about) for name, about in contestants.items()}
        rows, apart = [], {}
        for file in self.pictures():
            with tempfile.TemporaryDirectory() as scratch:
                scratch = pathlib.Path(scratch)
                truth, small = scratch / "truth.png", scratch / "small.png"
                self.cut(file, truth, small, self.args.crop)
                made = {}
                for i, (name, runner) in enumerate(runners.items()):
                    if runner:
                        made[name] = scratch / f"{i}.png"
                        runner(small, made[name])
                scores = compare(self.fye, truth, list(made.values()), self.scale, ["psnr_y", "ssim_y"])
                rows.append({"picture": f"{file.parent.name}/{file.stem}",
                             **{name: {key: score[key] for key in ("psnr_y", "ssim_y")} for name, score in zip(made, scores)}})
                arrays = {name: networks.read(path).astype(int) for name, path in made.items()}
                for name, about in contestants.items():
                    if about["same"] in arrays and name in arrays:
                        differs = np.abs(arrays[name] - arrays[about["same"]])
                        apart.setdefault(name, []).append([int(differs.max()), float((differs > 0).mean())])
            print(f"{self.source.stem} {file.stem}", file=sys.stderr, flush=True)
        levels = {name: {"largest": max(row[0] for row in all_of), "share": sum(row[1] for row in all_of) / len(all_of)}
                  for name, all_of in apart.items()}
        return {"crop": self.args.crop, "rows": rows, "levels": levels}

    def int8_convolutions(self):
        counts = {}
        for name, about in self.contestants().items():
            if about["runtime"] == "openvino":
                counts[name] = networks.openvino_convolutions(about["model"], "bf16" if about["numbers"] == "bf16" else "f32")
            elif about["numbers"] == "int8" and about["runtime"] == "onnxruntime":
                counts[name] = networks.int8_convolutions(about["model"])
        return {**counts, **{f"{way}, in fye": told[1] for way, told in self.imports.items() if told}}

    def keep(self, found):
        """Adds results to those that are kept, and gives them all: read only now, for another call may have added some meanwhile."""
        file = self.work / "results.json"
        kept = json.loads(file.read_text()) if file.exists() else {}
        kept = {**kept, **found, "races": {**kept.get("races", {}), **found.get("races", {})}}
        file.write_text(json.dumps(kept, indent=1))
        return kept

    def tables(self, kept):
        contestants = self.contestants()
        doctor = json.loads(run(self.fye, "doctor", "--json"))
        versions = {package: importlib.metadata.version(package) for package in ("nncf", "onnxruntime", "openvino", "onnx")}
        text = [f"{self.source.stem}: {doctor['cpu']}, {doctor['cores']} cores, {doctor['isa']}; fye {doctor['version']}, "
                + ", ".join(f"{name} {found}" for name, found in versions.items())]
        counts = self.int8_convolutions()
        for race in kept["races"].values():
            text += ["", f"{race['size']}, {race['threads']} thread{'s' * (race['threads'] != 1)}, {race['rounds']} rounds, medians, load "
                     f"{race['load']:.1f} (the race's own)", "", rules.speed_table(rules.speed_rows(contestants, race["times"]), counts)]
        if "quality" in kept:
            quality = kept["quality"]
            part = f"the middle {quality['crop']} pixels of the small pictures" if quality["crop"] else "whole pictures"
            text += ["", f"{part}; lost against fye f32", "", rules.quality_table(contestants, quality["rows"], quality["levels"])]
        text += ["", *[f"- {what}: {why}" for what, why in self.notes.items()]]
        return "\n".join(text), {"model": self.source.name, "machine": {key: doctor[key] for key in ("cpu", "cores", "isa")},
                                 "fye": doctor["version"], "versions": versions, "int8_convolutions": counts, "notes": self.notes, **kept}


def arguments_of(parser):
    parser.add_argument("model", type=pathlib.Path, help="float ONNX file that says its conventions")
    parser.add_argument("--pictures", type=pathlib.Path, nargs="+",
                        help=f"folders of originals (PNG); default: all of test/kodak and {GB82} of test/gb82 below FYE_DATA")
    parser.add_argument("--calibration", type=pathlib.Path, default=DATA / "train/cid22-512", help="folder of training photographs (PNG)")
    parser.add_argument("--fye", type=pathlib.Path, default=ROOT / "build/release/fye")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--size", default="480x270", help="of the small picture that is timed")
    parser.add_argument("--crop", type=int, default=0, help="edge of the small pictures that are scored; 0: all of each")
    parser.add_argument("--models", default="", help="make and race only those whose names begin so (ORT,NNCF), and fye's own: a race is shorter so")
    parser.add_argument("--max-drop", type=float, default=0.05, help="dB that NNCF's accuracy control allows")
    parser.add_argument("--steps", type=int, default=2, help="convolutions beside the ends that the greedy leaves float")
    parser.add_argument("--work", type=pathlib.Path, help="folder that is kept; default: build/tools-work/MODEL")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--json", type=pathlib.Path, help="also write everything to this file")
    parser.add_argument("--markdown", type=pathlib.Path, help="also write the tables to this file")
    args = parser.parse_args()
    if args.rounds < 7:
        parser.error("--rounds: at least 7, or the verdicts mean nothing")
    if unknown := set(args.only.split(",")) - set(PARTS):
        parser.error(f"--only: {', '.join(sorted(unknown))}: not among {', '.join(PARTS)}")
    args.work = args.work or ROOT / "build/tools-work" / args.model.stem
    return args


def main():
    args = arguments_of(argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter))
    if missing := missing_packages():
        sys.exit(f"not installed: {', '.join(missing)}; into a virtual environment: pip install -r {HERE / 'requirements.txt'}")
    os.environ.update(NO_REPORTS)
    bench, only = Bench(args), args.only.split(",")
    if "make" in only:
        bench.make()
    found = {}
    if "race" in only:
        race = bench.race()
        found["races"] = {f"{race['models']} {race['size']} {race['threads']}": race}
    if "quality" in only:
        found["quality"] = bench.quality()
    kept = bench.keep(found)
    if "tables" in only:
        text, document = bench.tables(kept)
        print(text)
        if args.json:
            args.json.write_text(json.dumps(document, indent=1))
        if args.markdown:
            args.markdown.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
