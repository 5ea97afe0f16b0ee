#!/usr/bin/env python3
"""How many frames a second the library enlarges in steady state: 640x360 to 1920x1080 by abpn_x3, without decoding or encoding.

usage: film.py [--fye build/release/fye] [--model abpn_x3] [--size 640x360] [--numbers int8,f32,bf16] [--threads 1,2]
               [--isas avx2,avx512] [--frames 300] [--json FILE]

A frame is 8-bit RGB in memory to 8-bit RGB in memory, through the same call as every caller of the library (`fye bench --serve`, which
times it inside the process). Each row is a process of its own that has run two frames before the first that counts, then all frames
follow each other at once. p50, p95 and p99 are milliseconds of a frame (nearest rank); "frames/s" is frames over the sum of their
times. The instruction set is narrowed by FYE_MAX_ISA; by default AVX2 and the machine's widest. "real time" is said where frames/s is at
least 30 and 99 of 100 frames take at most a thirtieth of a second.
"""

import argparse
import json
import math
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
REAL_TIME = 30  # frames a second


def percentile(times, percent):
    return sorted(times)[math.ceil(len(times) * percent / 100) - 1]


def summary(times):
    row = {f"p{percent}_ms": percentile(times, percent) for percent in (50, 95, 99)}
    row["frames_per_s"] = 1000 * len(times) / sum(times)
    row["real_time"] = row["frames_per_s"] >= REAL_TIME and row["p99_ms"] <= 1000 / REAL_TIME
    return row


def film(fye, model, size, numbers, threads, isa, frames):
    """Milliseconds of each frame; ValueError with fye's own words if it can't."""
    done = subprocess.run([fye, "bench", model, "--size", size, "--numbers", numbers, "--threads", str(threads), "--serve"],
                          input="\n" * frames, env={**os.environ, "FYE_MAX_ISA": isa}, capture_output=True, text=True)
    lines = done.stdout.split()
    if done.returncode != 0 or lines[:1] != ["ready"] or len(lines) != frames + 1:
        raise ValueError(done.stderr.strip() or f"fye bench ended with {done.returncode} after {len(lines) - 1} frames")
    return [float(line) for line in lines[1:]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fye", type=pathlib.Path, default=ROOT / "build/release/fye")
    parser.add_argument("--model", default="abpn_x3")
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--numbers", default="int8,f32,bf16")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--isas", help="as FYE_MAX_ISA names them; by default avx2 and the machine's widest")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--json", type=pathlib.Path, help="also write the figures, each frame's too, to this file")
    arguments = parser.parse_args()
    if arguments.frames < 100:
        parser.error("--frames: at least 100, or there is no 99th percentile")

    fye = str(arguments.fye.resolve())
    doctor = json.loads(subprocess.check_output([fye, "doctor", "--json"]))
    here = [isa["name"] for isa in doctor["isas"] if isa["machine"]]
    isas = arguments.isas.split(",") if arguments.isas else list(dict.fromkeys(["avx2", here[-1]]))
    if missing := [isa for isa in isas if isa not in here]:
        parser.error(f"--isas: this machine has {', '.join(here)}, not {', '.join(missing)}")
    print(f"{doctor['cpu']}, {doctor['cores']} cores; {arguments.model}, {arguments.size}, {arguments.frames} frames")
    print(f"{'numbers':8} {'isa':8} {'threads':>7} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'frames/s':>9}")
    rows = []
    for numbers in arguments.numbers.split(","):
        for isa in isas:
            for threads in map(int, arguments.threads.split(",")):
                row = {"numbers": numbers, "isa": isa, "threads": threads}
                rows.append(row)
                label = f"{numbers:8} {isa:8} {threads:7}"
                try:
                    times = film(fye, arguments.model, arguments.size, numbers, threads, isa, arguments.frames)
                except ValueError as error:
                    row["error"] = str(error)
                    print(f"{label}  {error}", flush=True)
                    continue
                row |= summary(times) | {"frames_ms": times}
                print(f"{label} {row['p50_ms']:8.2f} {row['p95_ms']:8.2f} {row['p99_ms']:8.2f} {row['frames_per_s']:9.1f}"
                      f"{'  real time' if row['real_time'] else ''}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": {key: doctor[key] for key in ("cpu", "cores")}, "model": arguments.model,
                                              "size": arguments.size, "frames": arguments.frames, "rows": rows}, indent=1))
    return 1 if any("error" in row for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
