#!/usr/bin/env python3
"""How many frames a second `fye up` makes of a film, and how far decoding, enlarging and encoding overlap.

usage: rate.py [--fye build/release/fye] [--model abpn_x3] [--size 640x360] [--seconds 6] [--rate 30] [--numbers int8] [--threads 2]
               [--encoder libx264] [--preset medium] [--rounds 3] [--json FILE]

The film is made by FFmpeg (a moving test picture with noise, H.264 with a sound). Each round takes in turns: FFmpeg's own program
decoding the film to nothing ("decode alone"); `fye bench` enlarging as many frames in memory one after the other ("enlarge alone");
FFmpeg's own program encoding as many frames of the enlarged size with the same encoder and settings ("encode alone", from the film that
fye made, the time to decode that taken off); and the whole, `fye up`. On a machine with enough cores a whole that overlaps
takes little longer than its slowest stage; on few cores its stages share them, and the whole lies between the slowest stage and the sum.
Medians of the rounds. "busy" is what fye's own summary says of each stage in the whole.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def ffmpeg(*words):
    start = time.monotonic()
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-nostdin", *map(str, words)], check=True)
    return time.monotonic() - start


def enlarge_alone(options, frames):
    done = subprocess.run([options.fye, "bench", options.model, "--size", options.size, "--numbers", options.numbers, "--threads",
                           str(options.threads), "--serve"], input="\n" * frames, capture_output=True, text=True, check=True)
    return sum(map(float, done.stdout.split()[1:])) / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fye", type=pathlib.Path, default=ROOT / "build/release/fye")
    parser.add_argument("--model", default="abpn_x3")
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rate", type=int, default=30)
    parser.add_argument("--numbers", default="int8")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--encoder", default="libx264")
    parser.add_argument("--preset", default="medium")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="fye_rate_") as folder:
        film, big = pathlib.Path(folder, "film.mp4"), pathlib.Path(folder, "big.mp4")
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={options.size}:r={options.rate},noise=alls=6:allf=t", "-f", "lavfi", "-i", "sine=440", "-t", options.seconds,
               "-c:v", "libx264", "-crf", 16, "-pix_fmt", "yuv420p", "-c:a", "aac", film)
        rows = {name: [] for name in ("decode alone", "enlarge alone", "encode alone", "whole")}
        for _ in range(options.rounds):
            start = time.monotonic()
            done = subprocess.run([options.fye, "up", film, "-o", big, "-n", options.model, "--numbers", options.numbers, "--threads",
                                   str(options.threads), "--encoder", options.encoder, "--preset", options.preset, "--json"],
                                  capture_output=True, text=True, check=True)
            rows["whole"].append(time.monotonic() - start)
            report = json.loads(done.stdout)
            frames = report["frames"]
            rows["decode alone"].append(ffmpeg("-i", film, "-map", "0:v", "-f", "null", "-"))
            rows["enlarge alone"].append(enlarge_alone(options, frames))
            again = ["-i", big, "-map", "0:v"]
            encode = ffmpeg(*again, "-c:v", options.encoder, "-crf", 18, "-preset", options.preset, "-f", "null", "-")
            rows["encode alone"].append(max(0.0, encode - ffmpeg(*again, "-f", "null", "-")))
    medians = {name: statistics.median(times) for name, times in rows.items()}
    print(f"{options.size}, {frames} frames, {options.model} in {options.numbers}, {options.threads} threads, {options.encoder} "
          f"{options.preset}, {os.cpu_count()} cores, {options.rounds} rounds, load before {os.getloadavg()[2]:.1f}")
    for name, seconds in medians.items():
        print(f"  {name:<14} {seconds:7.2f} s  {frames / seconds:7.1f} frames a second  ({min(rows[name]):.2f} to {max(rows[name]):.2f})")
    stages = [medians[name] for name in ("decode alone", "enlarge alone", "encode alone")]
    print(f"  slowest stage {max(stages):.2f} s, sum of the stages {sum(stages):.2f} s, the whole {medians['whole']:.2f} s")
    print("  busy in the last whole: " + ", ".join(f"{k} {v / 1000:.2f} s" for k, v in report["stages_ms"].items()))
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "report": report, "frames": frames}, indent=2))


if __name__ == "__main__":
    main()
