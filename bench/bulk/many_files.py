"""A folder of many small pictures, 1 % of them corrupt: all good ones done, each bad one listed, and nothing done twice.

usage: many_files.py [--files 10000] [--fye build/release/fye] [--model abpn_x3] [--seconds 5]

Prints the times of the first and the second run, and of one after a changed option; ends with 1 if a figure of the project
(users.md, U8) is missed: exit code 3, 99 % done, 1 % listed as failed, a second run that does nothing in at most --seconds.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import tiny_pictures as pictures  # noqa: E402

CORRUPT = 100  # every hundredth file


def corrupt(data, kind):
    """One of five ways in which files are found broken."""
    if kind == 0:
        return data[:len(data) // 2]
    if kind == 1:
        return b""
    if kind == 2:
        return b"not a picture\n" * 20
    if kind == 3:
        return data[:40] + bytes([data[40] ^ 0xFF]) + data[41:]
    return data[:8]


def make_tree(folder, count):
    """`count` PNG files of 8 sizes in 100 folders; returns the names of the corrupt ones."""
    random.seed(1)
    kinds = [pictures.png(16 + 4 * (i % 4), 16 + 8 * (i // 4), seed=i) for i in range(8)]
    bad = set()
    for index in range(count):
        path = folder / f"{index % 100:02}" / f"{index:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = kinds[random.randrange(8)]
        if index % CORRUPT == CORRUPT // 2:
            data = corrupt(data, index // CORRUPT % 5)
            bad.add(str(path))
        path.write_bytes(data)
    return bad


def run(options, folder, target, *arguments):
    """(seconds, exit code, JSON summary)."""
    start = time.monotonic()
    done = subprocess.run([options.fye, "up", folder, "-o", target, "--recursive", "--json", "-n", options.model, *arguments],
                          capture_output=True, text=True)
    return time.monotonic() - start, done.returncode, json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--fye", default=str(ROOT / "build/release/fye"))
    parser.add_argument("--model", default="abpn_x3")
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    wrong = []

    def check(what, got, expected):
        if got != expected:
            wrong.append(f"{what}: {got}, expected {expected}")

    with tempfile.TemporaryDirectory(prefix="fye_many_") as name:
        folder = pathlib.Path(name)
        bad = make_tree(folder / "in", options.files)
        good = options.files - len(bad)
        seconds, code, report = run(options, folder / "in", folder / "out")
        totals = report["totals"]
        print(f"first run: {seconds:.1f} s, {options.files / seconds:.0f} files a second: {totals['done']} done, {totals['failed']} failed")
        check("exit code", code, 3)
        check("done", (totals["done"], totals["failed"], totals["skipped"], totals["left"]), (good, len(bad), 0, 0))
        check("listed as failed", {row["input"] for row in report["files"] if row["status"] == "failed"}, bad)
        made = sum(1 for path in (folder / "out").rglob("*.png"))
        check("files made", made, good)

        seconds, code, report = run(options, folder / "in", folder / "out")
        totals = report["totals"]
        print(f"second run: {seconds:.2f} s: {totals['done']} done, {totals['skipped']} skipped, {totals['failed']} failed")
        check("exit code of the second run", code, 3)
        check("done by the second run", (totals["done"], totals["skipped"]), (0, good))
        if seconds > options.seconds:
            wrong.append(f"the second run took {seconds:.2f} s, more than {options.seconds}")

        seconds, code, report = run(options, folder / "in", folder / "out", "--quality", "50")
        print(f"after --quality 50, which PNG files don't have: {seconds:.2f} s: {report['totals']['done']} done")
        check("done after --quality", report["totals"]["done"], 0)
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
