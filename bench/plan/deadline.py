#!/usr/bin/env python3
"""A stream under a deadline while another process loads one core for part of the time, and an idle control beside it.

usage: deadline.py [--fye build/release/fye] [--model abpn_x3] [--size 320x180] [--threads 2] [--frames 1000] [--json]

Makes a book (fye profile, fye plan), finds the 95th percentile of the fastest plan's times while one core is loaded, and
runs `fye run` with 1.5 times that as deadline: once while the load comes after a quarter of the time and goes after two
thirds, once idle. Prints the share of pictures in time, changes of plan, and which plans ran.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(command, allowed=(0,)):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode not in allowed:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def spin():
    while True:
        pass


class Load:
    """One core kept busy."""

    def __enter__(self):
        self.process = multiprocessing.Process(target=spin, daemon=True)
        self.process.start()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.join()


def later(seconds, stop, action):
    def wait():
        if not stop.wait(seconds):
            action()
    thread = threading.Thread(target=wait, daemon=True)
    thread.start()


def stream(args, folder, deadline, name, load_from=None, load_to=None):
    trace = os.path.join(folder, f"{name}.trace.json")
    command = [args.fye, "run", args.model, os.path.join(folder, "frame.png"), "--deadline", f"{deadline}ms", "--book",
               os.path.join(folder, "book.json"), "--threads", args.threads, "--frames", args.frames, "--trace", trace,
               "--json"]
    stop, load = threading.Event(), Load()
    active = []
    if load_from is not None:
        later(load_from, stop, lambda: active.append(load.__enter__()))
        later(load_to, stop, lambda: active.pop().__exit__())
    began = time.monotonic()
    said = json.loads(run(command, allowed=(0, 4)))
    stop.set()
    while active:
        active.pop().__exit__()
    said["seconds"] = time.monotonic() - began
    with open(trace) as source:
        frames = json.load(source)["frames"]
    said["rest_share"] = sum(abs(f["rest"]) for f in frames) / sum(f["ms"] for f in frames)
    said["rows_add_up"] = all(abs(sum(f["units"].values()) + sum(f["hand_overs"].values()) + f["moving"] + f["around"]
                                  + f["waiting"] + f["rest"] - f["ms"]) < 1e-6 * f["ms"] + 1e-9 for f in frames)
    return said


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fye", default=str(ROOT / "build/release/fye"))
    parser.add_argument("--model", default="abpn_x3")
    parser.add_argument("--size", default="320x180")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    data = pathlib.Path(os.environ.get("FYE_DATA", ROOT.parent / "shared/data"))
    with tempfile.TemporaryDirectory() as folder:
        frame, profile, book = (os.path.join(folder, f) for f in ("frame.png", "profile.json", "book.json"))
        run([args.fye, "resize", data / "test/kodak/1.png", "-o", frame, "--size", args.size])
        common = ["--size", args.size, "--threads", args.threads]
        run([args.fye, "profile", args.model, *common, "--again", "-o", profile])
        run([args.fye, "plan", args.model, *common, "--profile", profile, "--book", book])
        with open(book) as source:
            fastest = json.load(source)["entries"][0]["ms"]
        plan = os.path.join(folder, "fastest.json")
        run([args.fye, "plan", args.model, *common, "--profile", profile, "--deadline", f"{fastest * 1.0001 + 1e-3}ms", "-o", plan])
        with Load():
            busy = json.loads(run([args.fye, "run", args.model, frame, "--plan", plan, "--deadline", "60s", "--frames", "300",
                                   "--threads", args.threads, "--json"]))
        deadline = 1.5 * busy["p95_ms"]
        idle = stream(args, folder, deadline, "idle")
        seconds = idle["seconds"]
        loaded = stream(args, folder, deadline, "loaded", seconds / 4, seconds * 2 / 3)
    result = {"model": args.model, "size": args.size, "threads": args.threads, "deadline_ms": deadline,
              "fastest_under_load_p95_ms": busy["p95_ms"], "idle": idle, "loaded": loaded}
    if args.json:
        print(json.dumps(result, indent=1))
        return
    print(f"{args.model} {args.size}, {args.threads} threads; fastest plan under load: p95 {busy['p95_ms']:.2f} ms; deadline "
          f"{deadline:.2f} ms")
    for name in ("idle", "loaded"):
        row = result[name]
        print(f"  {name:<7} {100 - 100 * row['late_share']:.1f} % of {row['frames']} in time, p50 {row['p50_ms']:.2f}, p99 "
              f"{row['p99_ms']:.2f} ms, {row['changes']} changes, pictures by plan {row['plans']}, rows add up: "
              f"{row['rows_add_up']}, unattributed {100 * row['rest_share']:.2f} %")


if __name__ == "__main__":
    main()
