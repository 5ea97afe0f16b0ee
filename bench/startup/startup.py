#!/usr/bin/env python3
"""How long `fye up` takes from exec to a written picture, beside a program that only loads libvips; they take turns.

usage: startup.py [--fye build/release/fye] [--size 480x270] [--numbers int8] [--rounds 21]

Needs `vips` (Debian: libvips-tools). Each round runs `vips --version`, `fye --version` and `fye up` once, page cache warm. Prints medians
and the difference that counts: fye up less vips. The picture is written as PPM-sized PNG; its decoding and encoding are included, and
the network's own time, as fye says it, is printed beside.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PHOTO = pathlib.Path("/usr/share/backgrounds/Picture_0B_by_freespace.jpg")  # Debian: lomiri-wallpapers-16.04


def milliseconds(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fye", type=pathlib.Path, default=ROOT / "build/release/fye")
    parser.add_argument("--size", default="480x270")
    parser.add_argument("--numbers", default="int8")
    parser.add_argument("--rounds", type=int, default=21)
    arguments = parser.parse_args()
    fye = str(arguments.fye.resolve())
    with tempfile.TemporaryDirectory() as folder:
        small, large = f"{folder}/small.png", f"{folder}/large.png"
        subprocess.run([fye, "resize", PHOTO, "-o", small, "--size", arguments.size], check=True, stderr=subprocess.DEVNULL)
        up = [fye, "up", small, "-o", large, "-s", "3", "--numbers", arguments.numbers]
        commands = {"vips --version": ["vips", "--version"], "fye --version": [fye, "--version"], "fye up": up}
        times = {name: [] for name in commands}
        for name, command in commands.items():
            milliseconds(command)
        for _ in range(arguments.rounds):
            for name, command in commands.items():
                times[name].append(milliseconds(command))
        report = json.loads(subprocess.check_output([*up, "--json"], stderr=subprocess.DEVNULL))
    for name, values in times.items():
        print(f"{name:16} {statistics.median(values):7.1f} ms, least {min(values):7.1f}")
    until_done = statistics.median(times["fye up"]) - report["write_ms"] - statistics.median(times["vips --version"])
    parts = ", ".join(f"{key[:-3]} {report[key]:.1f}" for key in ("read_ms", "prepare_ms", "run_ms", "write_ms"))
    print(f"fye up beyond vips until the network has run: {until_done:.1f} ms (ms of one run: {parts})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
