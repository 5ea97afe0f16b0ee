#!/usr/bin/env python3
"""The kernels of an old revision and of the working tree, taking turns in one run; prints a table of ratios and says what got slower.

usage: against.py --against REV [--filter REGEX] [--rounds 7] [--min-time 0.05] [--json FILE]

Unpacks REV into a temporary folder, builds kernels_bench there and of the working tree, each in its build/against, as Release.

How it measures, as bench/peers does. Every round runs the old program and then the new one, a pause before each; a program's value for
a benchmark is the best of three repetitions. The table gives medians over rounds and new over old. "slower" and "faster" are said only
when the rounds of the two are disjoint; anything else is "level". By chance alone seven rounds are disjoint once in 1716 times, so run
a lone flag among hundreds of rows again with a --filter. Exit status: 0; 1 if something got slower; 2 if there was nothing to compare:
an unknown revision, a program that could not be built or run, no benchmark of that name.
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

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAUSE_S = 0.05
REPETITIONS = 3
LEAST_ROUNDS = 7
MS = {"ns": 1e-6, "us": 1e-3, "ms": 1, "s": 1e3}


def best_times(text):
    """{benchmark: ms} of the least repetition, from Google Benchmark's JSON; those that reported an error are left out."""
    times = {}
    for row in json.loads(text)["benchmarks"]:
        if row.get("run_type", "iteration") != "iteration" or row.get("error_occurred"):
            continue
        name = row.get("run_name", row["name"])
        ms = row["real_time"] * MS[row["time_unit"]]
        times[name] = min(ms, times.get(name, ms))
    return times


def verdict(old, new):
    if min(new) > max(old):
        return "slower"
    return "faster" if max(new) < min(old) else "level"


def compare(old_rounds, new_rounds):
    """Rows in the order of the new program, then what is gone; each a list of {benchmark: ms}, one for each round."""
    rows = []
    for name in dict.fromkeys(name for times in new_rounds + old_rounds for name in times):
        old = [times[name] for times in old_rounds if name in times]
        new = [times[name] for times in new_rounds if name in times]
        row = {"name": name, "old_rounds_ms": old, "new_rounds_ms": new}
        if old and new:
            row |= {"old_ms": statistics.median(old), "new_ms": statistics.median(new), "verdict": verdict(old, new)}
            row["ratio"] = row["new_ms"] / row["old_ms"]
        else:
            row["verdict"] = "new" if new else "gone"
        rows.append(row)
    return rows


def table(rows):
    width = max([len(row["name"]) for row in rows], default=9)
    lines = [f"{'benchmark':{width}} {'old ms':>10} {'new ms':>10} {'new/old':>8}"]
    for row in rows:
        figures = f"{row['old_ms']:10.4f} {row['new_ms']:10.4f} {row['ratio']:8.3f}" if "ratio" in row else " " * 30
        flag = "" if row["verdict"] == "level" else f"  {row['verdict']}"
        lines.append(f"{row['name']:{width}} {figures}{flag}".rstrip())
    count = {kind: sum(row["verdict"] == kind for row in rows) for kind in ("slower", "faster", "level")}
    return "\n".join([*lines, ", ".join(f"{number} {kind}" for kind, number in count.items())])


class Failed(Exception):
    pass


def output_of(command, **options):
    """What a program prints; Failed with the end of it, if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    if done.returncode != 0:
        last_lines = (done.stdout + done.stderr).decode(errors="replace").splitlines()[-20:]
        raise Failed("\n".join([f"{' '.join(map(str, command))} ended with {done.returncode}:", *last_lines]))
    return done.stdout


def build(source):
    """The path of kernels_bench built from `source`."""
    folder = source / "build/against"
    # The same folder below both sources, and compilers' paths taken relative to it: ccache builds only what differs.
    environment = {**os.environ, "CCACHE_BASEDIR": str(source), "CCACHE_NOHASHDIR": "1"}
    output_of(["cmake", "-S", source, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DFYE_BENCH=ON", "-DFYE_TESTS=OFF"],
              env=environment)
    output_of(["cmake", "--build", folder, "--target", "kernels_bench"], env=environment)
    return folder / "kernels_bench"


def unpack(commit, folder):
    """The files of `commit`; unlike a worktree it leaves nothing in .git, however this program ends."""
    output_of(["tar", "-x", "-C", folder], input=output_of(["git", "-C", ROOT, "archive", "--format=tar", commit]))


def race(old, new, arguments):
    """Rounds of the old program and of the new one, taking turns."""
    rounds = {old: [], new: []}
    for number in range(arguments.rounds):
        for program in (old, new):
            time.sleep(PAUSE_S)
            printed = output_of([program, f"--benchmark_filter={arguments.filter}", f"--benchmark_min_time={arguments.min_time}",
                                 f"--benchmark_repetitions={REPETITIONS}", "--benchmark_format=json"])
            rounds[program].append(best_times(printed) if printed else {})
        if not rounds[old][0] and not rounds[new][0]:
            raise Failed(f"no benchmark matches --filter {arguments.filter}")
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
    return rounds[old], rounds[new]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", required=True, metavar="REV", help="the old revision, as git names it")
    parser.add_argument("--filter", default=".", metavar="REGEX", help="of benchmarks; all of them take long")
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS)
    parser.add_argument("--min-time", type=float, default=0.05, help="seconds of each repetition")
    parser.add_argument("--json", type=pathlib.Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    if arguments.rounds < LEAST_ROUNDS:
        parser.error(f"--rounds: at least {LEAST_ROUNDS}, or the verdicts mean nothing")

    try:
        commit = output_of(["git", "-C", ROOT, "rev-parse", "--verify", "--short", f"{arguments.against}^{{commit}}"]).decode().strip()
        with tempfile.TemporaryDirectory(prefix="against-") as folder:
            unpack(commit, folder)
            programs = build(pathlib.Path(folder)), build(ROOT)
            rows = compare(*race(*programs, arguments))
    except Failed as error:
        print(f"against.py: {error}", file=sys.stderr)
        return 2
    print(f"old: {commit}; new: the working tree; {arguments.rounds} rounds")
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps({"against": commit, "rounds": arguments.rounds, "rows": rows}, indent=1))
    return 1 if any(row["verdict"] == "slower" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
