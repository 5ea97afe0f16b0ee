#!/usr/bin/env python3
"""fye, ONNX Runtime and OpenVINO on the same ONNX files, taking turns in one run; prints a table.

usage: peers.py [--model abpn_x3] [--size 640x360] [--threads 1,2] [--numbers f32,int8] [--rounds 9] [--json FILE]

Needs Python packages of its own:
  python3 -m venv build/peers
  build/peers/bin/pip install onnxruntime==1.31.1 openvino==2026.4.1 numpy==2.4.6 pillow==13.0.0
  build/peers/bin/python bench/peers/peers.py

How it measures. 8-bit RGB rows in, 8-bit RGB rows out; ONNX Runtime has no such input, so it gets float planes and its conversions are
not counted, which favours it. Every round runs each engine in turn, a pause before each (threads of the one before may still be
spinning), one run to warm up, then the best of three. The table gives the median over rounds. "faster" and "slower" are said only
when the rounds of the two engines are disjoint; anything else is "level". int8 is the file that `fye calibrate --qdq` writes,
ONNX Runtime with session.x64quantprecision=1, as its integers saturate otherwise. dB is PSNR against the float result of ONNX Runtime;
an engine more than 0.5 dB below the exact int8 result is marked wrong. With FYE_MAX_ISA below the machine's widest,
OpenVINO is narrowed with it (ONEDNN_MAX_CPU_ISA) and ONNX Runtime, which can't be, is left out.
"""

import argparse
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

ROOT = pathlib.Path(__file__).resolve().parents[2]
PHOTO = pathlib.Path("/usr/share/backgrounds/Picture_0B_by_freespace.jpg")  # Debian: lomiri-wallpapers-16.04
PAUSE_S = 0.05
INNER_RUNS = 3
WRONG_DB = 0.5
# The widest that OpenVINO's oneDNN may use beside fye's FYE_MAX_ISA; scalar code is no peer of anything.
ONEDNN_ISA = {"avx2": "AVX2", "avx2vnni": "AVX2_VNNI", "avx512": "AVX512_CORE_BF16"}
RIGHT_DB = 50  # bf16's allowance; and OpenVINO cuts floats off where others round


class Fye:
    name = "fye"

    def __init__(self, fye, files, numbers, threads, size, folder):
        self.fye, self.model, self.numbers, self.folder = fye, files["fye"], numbers, folder
        self.process = subprocess.Popen([fye, "bench", self.model, "--size", size, "--numbers", numbers, "--threads", str(threads),
                                         "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError("fye bench --serve did not start")

    def run(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def result(self, picture):
        small, large = self.folder / "in.png", self.folder / "out.png"
        Image.fromarray(picture).save(small)
        subprocess.run([self.fye, "up", small, "-o", large, "-m", self.model, "--numbers", self.numbers], check=True,
                       stderr=subprocess.DEVNULL)
        return np.asarray(Image.open(large))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class OnnxRuntime:
    name = "onnxruntime"

    def __init__(self, _, files, numbers, threads, size, __):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.x64quantprecision", "1")
        self.session = onnxruntime.InferenceSession(str(files[numbers]), options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name
        width, height = map(int, size.split("x"))
        self.planes = np.random.default_rng(1).integers(0, 256, (1, 3, height, width)).astype(np.float32)

    def run(self):
        start = time.perf_counter()
        self.session.run(None, {self.input: self.planes})
        return (time.perf_counter() - start) * 1000

    def result(self, picture):
        planes = picture.astype(np.float32).transpose(2, 0, 1)[None]
        out = self.session.run(None, {self.input: planes})[0][0].transpose(1, 2, 0)
        return np.clip(np.rint(out), 0, 255).astype(np.uint8)

    def close(self):
        del self.session


class OpenVino:
    name = "openvino"

    def __init__(self, _, files, numbers, threads, size, __):
        import openvino
        from openvino import Layout, PartialShape, Type
        from openvino.preprocess import PrePostProcessor

        width, height = map(int, size.split("x"))
        core = openvino.Core()
        model = core.read_model(str(files[numbers]))
        model.reshape(PartialShape([1, 3, height, width]))
        steps = PrePostProcessor(model)
        steps.input().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC"))
        steps.input().model().set_layout(Layout("NCHW"))
        steps.output().model().set_layout(Layout("NCHW"))
        steps.output().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC"))
        # Float networks in float: without this, bf16 would be chosen where the machine has it.
        config = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        self.request = core.compile_model(steps.build(), "CPU", config).create_infer_request()
        self.rows = np.random.default_rng(1).integers(0, 256, (1, height, width, 3)).astype(np.uint8)

    def run(self):
        start = time.perf_counter()
        self.request.infer([self.rows], share_inputs=True, share_outputs=True)
        return (time.perf_counter() - start) * 1000

    def result(self, picture):
        return np.array(self.request.infer([picture[None]])[0][0])

    def close(self):
        del self.request


def psnr(a, b):
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return 100.0 if error == 0 else float(10 * np.log10(255**2 / error))


def picture_of(size):
    width, height = map(int, size.split("x"))
    if PHOTO.exists():
        return np.asarray(Image.open(PHOTO).convert("RGB").resize((width, height), Image.BICUBIC))
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 90 * np.sin(x / (9 + c) + y / 17) + 30 * np.sin(x * y / 900) for c in range(3)]
    return np.clip(np.stack(waves, -1), 0, 255).astype(np.uint8)


def verdict(fye, peer):
    if max(fye) < min(peer):
        return "faster"
    return "slower" if min(fye) > max(peer) else "level"


def race(engines, rounds):
    """Best of a few runs, per engine and round; engines take turns."""
    times = {engine.name: [] for engine in engines}
    for _ in range(rounds):
        for engine in engines:
            time.sleep(PAUSE_S)
            engine.run()
            times[engine.name].append(min(engine.run() for _ in range(INNER_RUNS)))
    return times


def versions():
    import onnxruntime
    import openvino

    return {"onnxruntime": onnxruntime.__version__, "openvino": openvino.__version__.split("-")[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fye", type=pathlib.Path, default=ROOT / "build/release/fye")
    parser.add_argument("--model", default="abpn_x3", help="a shipped model's name or an ONNX file with a calibration")
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--numbers", default="f32,int8")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=pathlib.Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    if arguments.rounds < 7:
        parser.error("--rounds: at least 7, or the verdicts mean nothing")

    fye = str(arguments.fye.resolve())
    doctor = json.loads(subprocess.check_output([fye, "doctor", "--measure", "--json"]))
    shipped = {model["name"]: model["path"] for model in doctor["models"]}
    model = shipped.get(arguments.model, arguments.model)
    widest = [isa["name"] for isa in doctor["isas"] if isa["machine"]][-1]
    kinds = [Fye, OnnxRuntime, OpenVino]
    if doctor["isa"] != widest:
        kinds = [Fye, OpenVino] if doctor["isa"] in ONEDNN_ISA else [Fye]
        os.environ["ONEDNN_MAX_CPU_ISA"] = ONEDNN_ISA.get(doctor["isa"], "DEFAULT")  # read when openvino loads
    peaks = {what: max((p["value"] for p in doctor["peaks"] if p["what"] == what), default=0) for what in ("f32", "int8")}
    bench = json.loads(subprocess.check_output([fye, "bench", model, "--size", arguments.size, "--rounds", "1", "--json"]))
    known = versions() if OpenVino in kinds else {}
    print(f"{doctor['cpu']}, {doctor['cores']} cores, {doctor['isa']}; {arguments.size}, {bench['macs'] / 1e9:.2f} GMAC; "
          f"peak of a core f32 {peaks['f32']:.0f}, int8 {peaks['int8']:.0f} GMAC/s; "
          + ", ".join(f"{name} {version}" for name, version in known.items()))

    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        files = {"fye": model, "f32": model, "int8": folder / "qdq.onnx"}
        subprocess.run([fye, "calibrate", model, "--qdq", str(files["int8"])], check=True)
        picture = picture_of(arguments.size)
        exact = OnnxRuntime(fye, files, "f32", 1, arguments.size, folder).result(picture)
        print(f"{'numbers':8} {'threads':>7}  {'engine':12} {'ms':>8} {'of peak':>8} {'fye is':>8} {'times':>6} {'dB':>7}")
        for numbers in arguments.numbers.split(","):
            for threads in map(int, arguments.threads.split(",")):
                engines = [kind(fye, files, numbers, threads, arguments.size, folder) for kind in kinds]
                times = race(engines, arguments.rounds)
                quality = {engine.name: psnr(engine.result(picture), exact) for engine in engines}
                for engine in engines:
                    mine, own = times["fye"], times[engine.name]
                    middle = statistics.median(own)
                    wrong = quality[engine.name] < min(quality["fye"] - WRONG_DB, RIGHT_DB)
                    row = {"numbers": numbers, "threads": threads, "engine": engine.name, "ms": middle, "rounds_ms": own,
                           "peak_share": bench["macs"] / middle / 1e6 / (peaks[numbers] * threads),
                           "times": middle / statistics.median(mine), "db": quality[engine.name], "wrong": wrong,
                           "fye_is": "" if engine.name == "fye" else verdict(mine, own)}
                    rows.append(row)
                    print(f"{numbers:8} {threads:7}  {engine.name:12} {middle:8.2f} {row['peak_share']:8.1%} {row['fye_is']:>8} "
                          f"{row['times']:6.2f} {row['db']:7.2f}{'  wrong' if wrong else ''}", flush=True)
                    engine.close()
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": {k: doctor[k] for k in ("cpu", "cores", "isa")}, "versions": known,
                                              "size": arguments.size, "model": arguments.model, "rows": rows}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
