#!/usr/bin/env python3
"""fye, ONNX Runtime, OpenVINO, ncnn, MNN and LiteRT on the same ONNX files, taking turns in one run; prints a table.

usage: peers.py [--nets abpn_x3,srcnn,edsr_x2,rrdb23_x4,animevideov3_x4] [--size 640x360] [--threads 1,2] [--numbers f32,bf16,int8]
                [--engines openvino,ncnn] [--rounds 9] [--json FILE]

Needs Python packages of its own:
  python3 -m venv build/peers
  build/peers/bin/pip install onnx==1.22.0 numpy==2.4.6 pillow==13.0.0 onnxruntime==1.31.1 openvino==2026.4.1 ncnn==1.0.20261020 \\
    mnn==3.6.1 ai-edge-litert==2.3.0 ai-edge-quantizer==0.10.0
  build/peers/bin/python bench/peers/peers.py

Networks: shipped ones by name, ONNX files with a calibration beside them, or those of zoo.py, which have seeded random weights.

How it measures. 8-bit RGB rows in, 8-bit RGB rows out. OpenVINO offers that; LiteRT takes and gives int8 in int8 networks; everybody
else gets float planes, and their conversion from and to 8 bits is not counted, which favours them. SRCNN works on luma: peers get luma
alone, fye's time includes making it from RGB. Every engine is a process of its own. Every round runs each engine in turn, a pause
before each (threads of the one before may still be spinning), one run to warm up, then the best of three; runs longer than half a
second are taken once. "ms" is the median over rounds. "faster" and "slower" are said only when the rounds of two engines are disjoint;
anything else is "level".

"of peak": the network's multiply-accumulates over time, over the peak that fye doctor --measure finds for a core, times threads;
Winograd's fewer multiplications can take it above 100 %. "first ms": start-up and first picture, for fye from exec, for the others
from the import of their package (Python's start and numpy left out), median of a few starts, files in the page cache, conversion done.
"MB": most resident memory of the process (VmHWM); the line above the table says how much of that is Python with numpy.
"dB": PSNR against the float result of ONNX Runtime on the same input. An engine that is wrong is marked and not raced (verdict.py has
the bounds).

int8: ONNX Runtime and OpenVINO get the file that `fye calibrate --qdq` writes, the first with session.x64quantprecision=1 on processors
without VNNI, where its integers saturate otherwise. ncnn, MNN and LiteRT quantise the float file in their own way, from the same pictures
as random networks are calibrated on here; a shipped network keeps the calibration it has. What an engine has no such thing as is listed
below the table.

With FYE_MAX_ISA below the machine's widest, OpenVINO is narrowed with it (ONEDNN_MAX_CPU_ISA); the others ask the processor
themselves and are left out.
"""

import argparse
import dataclasses
import importlib.metadata
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

import pictures
import verdict
import zoo
from engines import ENGINES
from engines.base import Job, NotHad, planes
from process import Fye, Peer, convert

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEFAULT_SIZE = "640x360"
PAUSE_S = 0.05
MACS_SIZE = 64  # multiply-accumulates are counted on a picture of this edge; they grow with its pixels
STARTS = 3  # the first has the result compared, the last one races


class Net:
    """A network's files, and what its result should be."""

    def __init__(self, fye, name, size, shipped, wants_int8, folder):
        self.name = pathlib.Path(name).stem
        width, height = map(int, (size or zoo.SIZES.get(name, DEFAULT_SIZE)).split("x"))
        channels = 1 if name == "srcnn" else 3
        calibration = self.calibration(channels, name == "rrdb23_x4", folder)
        if name in zoo.SIZES:
            model = str(zoo.make(name, folder))
            if wants_int8:
                subprocess.run([fye, "calibrate", model, *folder.glob("c*.png"), "-o", folder / f"{name}.calib.json"], check=True,
                               stderr=subprocess.DEVNULL)
        else:
            beside = ROOT / "models" / f"{name}.onnx"
            model = shipped.get(name, str(beside) if beside.exists() else name)
        qdq = str(folder / "qdq.onnx")
        if wants_int8:
            subprocess.run([fye, "calibrate", model, "--qdq", qdq], check=True, stderr=subprocess.DEVNULL)
        count = [fye, "bench", model, "--size", f"{MACS_SIZE}x{MACS_SIZE}", "--rounds", "1", "--json"]
        counted = json.loads(subprocess.check_output(count))
        self.job = Job("f32", 1, width, height, channels, model, qdq, str(folder), calibration)
        self.macs = counted["macs"] * width * height / MACS_SIZE**2
        self.converted = set()  # (engine, numbers) whose files are made
        self.picture = pictures.test_picture(width, height, self.job.channels)
        self.expect()

    @staticmethod
    def calibration(channels, large_net, folder):
        paths = []
        for i, picture in enumerate(pictures.calibration_pictures(channels, large_net)):
            Image.fromarray(picture.squeeze()).save(folder / f"c{i}.png")
            paths.append(str(folder / f"c{i}.npy"))
            np.save(paths[-1], picture if channels == 3 else pictures.rounded(pictures.luma(picture)).astype(np.uint8))
        return paths

    def expect(self):
        """The float results: of the peers' input, and of fye's where that differs (luma of a grey picture has no 8-bit rounding)."""
        import onnxruntime

        session = onnxruntime.InferenceSession(self.job.model, providers=["CPUExecutionProvider"])
        run = lambda picture: session.run(None, {session.get_inputs()[0].name: planes(picture)})[0][0].transpose(1, 2, 0)
        if self.job.channels == 3:
            self.peer_picture, self.peer_exact = self.picture, pictures.rounded(run(self.picture))
        else:
            self.peer_picture = pictures.rounded(pictures.luma(self.picture)).astype(np.uint8)
            self.peer_exact = pictures.rounded(run(self.peer_picture))
            self.fye_exact = np.clip(run(pictures.luma(self.picture)), pictures.BLACK, pictures.WHITE)

    def db(self, process):
        if isinstance(process, Fye):
            out = process.result(self.picture)
            if self.job.channels == 1:
                return pictures.psnr(pictures.luma(out), self.fye_exact)
            return pictures.psnr(out, self.peer_exact)
        return pictures.psnr(pictures.rounded(process.result(self.peer_picture)), self.peer_exact)


def race(processes, rounds):
    """{name: best of a few runs, for each round}; the processes take turns."""
    times = {name: [] for name in processes}
    for _ in range(rounds):
        for name, process in processes.items():
            time.sleep(PAUSE_S)
            warm_ups, runs = verdict.inner_runs(times[name][-1] if times[name] else process.run())
            for _ in range(warm_ups):
                process.run()
            times[name].append(min(process.run() for _ in range(runs)))
    return times


def start(fye, name, job, environments):
    return Fye(fye, job, {}) if name == "fye" else Peer(name, job, environments[name])


def cell(fye, net, job, environments, rounds, peak, notes):
    """The rows of one number format and thread count."""
    starts, db, wrong = {}, {}, {}
    for name in ["fye", *environments]:
        try:
            if name != "fye" and (name, job.numbers) not in net.converted:
                convert(name, job, environments[name])
                net.converted.add((name, job.numbers))
            process = start(fye, name, job, environments)
            starts[name] = [process.start_ms]
            db[name] = net.db(process)
            process.close()
            wrong[name] = name != "fye" and verdict.wrong(db[name], db["fye"], job.numbers)
        except (NotHad, RuntimeError) as error:
            if name == "fye":
                raise
            notes[f"{job.numbers} {name}"] = f"{'not had' if isinstance(error, NotHad) else 'failed'}: {error}"
    racing = [name for name in starts if not wrong[name]]
    for _ in range(STARTS - 2):
        for name in racing:
            process = start(fye, name, job, environments)
            starts[name].append(process.start_ms)
            process.close()
    processes = {}
    for name in racing:
        processes[name] = start(fye, name, job, environments)
        starts[name].append(processes[name].start_ms)
    times = race(processes, rounds)
    rows = []
    for name in starts:
        extra = {"net": net.name, "size": f"{job.width}x{job.height}", "db": db[name], "wrong": wrong[name],
                 "start_ms": statistics.median(starts[name]), "peak_mb": processes[name].peak_mb() if name in processes else None}
        cell_is = {"numbers": job.numbers, "threads": job.threads}
        rows.append({**cell_is, "engine": name, **extra} if wrong[name]
                    else verdict.row(name, cell_is, times[name], times["fye"], peak, net.macs, extra))
    for process in processes.values():
        process.close()
    return rows


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def python_mb():
    """What a Python process with numpy takes before an engine is there."""
    code = "import numpy; print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    return int(subprocess.check_output([sys.executable, "-c", code])) / 1024


def arguments_of(parser):
    parser.add_argument("--fye", type=pathlib.Path, default=ROOT / "build/release/fye")
    parser.add_argument("--nets", "--model", default="abpn_x3", help="names or ONNX files, separated by commas")
    parser.add_argument("--size", help=f"of the picture that goes in; else {DEFAULT_SIZE}, or what zoo.py says")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--numbers", default="f32,bf16,int8")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=pathlib.Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    if arguments.rounds < 7:
        parser.error("--rounds: at least 7, or the verdicts mean nothing")
    if unknown := set(arguments.engines.split(",")) - set(ENGINES):
        parser.error(f"--engines: {', '.join(sorted(unknown))}: not among {', '.join(ENGINES)}")
    return arguments


def main():
    arguments = arguments_of(argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter))
    fye = str(arguments.fye.resolve())
    doctor = json.loads(subprocess.check_output([fye, "doctor", "--measure", "--json"]))
    shipped = {model["name"]: model["path"] for model in doctor["models"]}
    widest = [isa["name"] for isa in doctor["isas"] if isa["machine"]][-1]
    wanted = [ENGINES[name] for name in arguments.engines.split(",")]
    environments, left_out = verdict.narrowed(wanted, doctor["isa"], widest)
    notes = {f"all {name}": f"left out: {reason}" for name, reason in left_out.items()}
    peaks = {what: max((p["value"] for p in doctor["peaks"] if p["what"] == what), default=0) for what in ("f32", "bf16", "int8")}
    versions = {name: version(ENGINES[name].package) for name in environments}
    print(f"{doctor['cpu']}, {doctor['cores']} cores, {doctor['isa']}; fye {doctor['version']}; "
          + ", ".join(f"{name} {found or 'not installed'}" for name, found in versions.items()))
    print("peak of a core: " + ", ".join(f"{what} {value:.0f}" for what, value in peaks.items() if value)
          + f" GMAC/s; Python with numpy: {python_mb():.0f} MB of a peer's memory")

    rows, numbers_wanted = [], arguments.numbers.split(",")
    for name in arguments.nets.split(","):
        with tempfile.TemporaryDirectory() as temporary:
            net = Net(fye, name, arguments.size, shipped, "int8" in numbers_wanted, pathlib.Path(temporary))
            print(f"\n{net.name}, {net.job.width}x{net.job.height}, {net.macs / 1e9:.2f} GMAC\n{verdict.HEADER}")
            for numbers in numbers_wanted:
                if numbers not in doctor["numbers"]:
                    notes[f"{numbers} fye"] = f"not had: {doctor['isa']} has no {numbers}"
                    continue
                for threads in map(int, arguments.threads.split(",")):
                    job = dataclasses.replace(net.job, numbers=numbers, threads=threads)
                    for row in cell(fye, net, job, environments, arguments.rounds, peaks[numbers] * 1e9, notes):
                        rows.append(row)
                        print(verdict.line(row), flush=True)
    for what, why in notes.items():
        print(f"{what}: {why}")
    if arguments.json:
        machine = {key: doctor[key] for key in ("cpu", "cores", "isa")}
        arguments.json.write_text(json.dumps({"machine": machine, "fye": doctor["version"], "versions": versions, "peaks_gmacs": peaks,
                                              "notes": notes, "rows": rows}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
