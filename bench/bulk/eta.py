#!/usr/bin/env python3
"""How far the time left that `fye up --progress json` tells is off, on a folder of real photographs.

usage: eta.py [--fye build/release/fye] [--data ../shared/data/test] [--pictures 60] [--model abpn_x3] [--rounds 1]

The photographs of --data (PNG, JPEG, WebP; of every folder in turn, so that sizes mix) are enlarged as one batch, once a round in
another order. Printed: at 10 %, 25 % and 50 % of the work, by fye's own fraction, what its estimate of the whole (time gone and time
left) is off from the time that it took. Ends with 1 if the estimate at 10 % is off by more than 15 % (users.md, U9).
"""

import argparse
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARES = (0.10, 0.25, 0.50)
ALLOWED = 0.15
PICTURES = (".png", ".jpg", ".jpeg", ".webp")


def photographs(data, count):
    """`count` files, one of each folder in turn."""
    folders = {}
    for path in sorted(data.rglob("*")):
        if path.suffix.lower() in PICTURES:
            folders.setdefault(path.parent, []).append(path)
    turns = itertools.zip_longest(*folders.values())
    found = [path for turn in turns for path in turn if path][:count]
    if not found:
        sys.exit(f"{data}: no photographs")
    return found


def events(options, folder, target):
    """(seconds by this program's clock, events of fye)."""
    start = time.monotonic()
    done = subprocess.run([options.fye, "up", folder, "-o", target, "-n", options.model, "--progress", "json"],
                          capture_output=True, text=True)
    seconds = time.monotonic() - start
    if done.returncode:
        sys.exit(done.stderr)
    return seconds, [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fye", type=pathlib.Path, default=ROOT / "build/release/fye")
    parser.add_argument("--data", type=pathlib.Path,
                        default=pathlib.Path(os.environ.get("FYE_DATA", ROOT.parent / "shared/data"), "test"))
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--model", default="abpn_x3")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()

    found = photographs(options.data, options.pictures)
    print(f"{len(found)} photographs, {sum(path.stat().st_size for path in found) / 1e6:.0f} MB, {options.model}, "
          f"{os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}")
    missed = 0
    for order in range(options.rounds):
        random.seed(order)
        mixed = random.sample(found, len(found))
        with tempfile.TemporaryDirectory(prefix="fye_eta_") as name:
            folder = pathlib.Path(name, "in")
            folder.mkdir()
            for index, path in enumerate(mixed):
                (folder / f"{index:04}{path.suffix.lower()}").symlink_to(path.resolve())
            seconds, told = events(options, folder, pathlib.Path(name, "out"))
        whole = told[-1]["elapsed_s"]
        words = []
        for share in SHARES:
            event = next((e for e in told if e.get("fraction", 0) >= share and "left_s" in e), None)
            if event is None:
                words.append(f"{share:.0%}: no estimate")
                missed += share == SHARES[0]
                continue
            off = (event["elapsed_s"] + event["left_s"]) / whole - 1
            missed += share == SHARES[0] and abs(off) > ALLOWED
            words.append(f"{share:.0%}: {off:+.1%} (told at {event['fraction']:.1%})")
        print(f"  order {order}: {whole:.1f} s ({seconds:.1f} s with the start)   " + "   ".join(words))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
