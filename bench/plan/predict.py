#!/usr/bin/env python3
"""How well a profile predicts the latency of random mixed plans.

usage: predict.py [--fye build/release/fye] [--model abpn_x3] [--size 640x360] [--threads 1] [--plans 50] [--json]

Profiles the model, draws random plans (half of them unit by unit, half in runs of units, every processor that the
profile has), lets `fye explain` predict each, and measures each with `fye bench --serve`, a round of the plan and a
round of the reference (all units on cpu.f32) taking turns: what counts is the ratio of the two, times the profile's
whole cpu.f32. Beside it the naive way: the sum of units timed in place, no hand-overs.
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


class Served:
    """A network that runs one round for each line."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            sys.exit(f"{' '.join(command)} did not start")

    def ms(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def random_plan(units, rng, whole):
    """A processor for each unit: (name, [processors it has times on])."""
    home, other = rng.sample(whole, 2) if len(whole) > 1 else (whole[0], whole[0])
    share = rng.choice([0.25, 0.5, 0.75, 0.9])
    if rng.random() < 0.5:
        chosen = [rng.random() < share for _ in units]
    else:
        count = max(1, round(share * len(units)))
        first = rng.randrange(len(units) - count + 1)
        chosen = [first <= i < first + count for i in range(len(units))]
    plan = []
    for (name, able), moved in zip(units, chosen):
        wanted = other if moved else home
        plan.append((name, wanted if wanted in able else "cpu.f32"))
    return plan


def write_plan(path, sha, plan):
    with open(path, "w") as out:
        json.dump({"version": 1, "graph": sha, "steps": [{"units": [u], "placement": p} for u, p in plan]}, out)


def kendall(a, b):
    agree = sum((a[i] - a[j]) * (b[i] - b[j]) > 0 for i in range(len(a)) for j in range(i))
    differ = sum((a[i] - a[j]) * (b[i] - b[j]) < 0 for i in range(len(a)) for j in range(i))
    return (agree - differ) / max(1, agree + differ)


def errors(predicted, measured):
    off = sorted(abs(p / m - 1) for p, m in zip(predicted, measured))
    return {"median": statistics.median(off), "p95": off[min(len(off) - 1, int(0.95 * len(off)))],
            "kendall_tau": kendall(predicted, measured)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fye", default="build/release/fye")
    parser.add_argument("--model", default="abpn_x3")
    parser.add_argument("--conventions", default="", help="flags for a file that does not say them, as one text")
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--plans", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    flags = args.conventions.split()
    rng = random.Random(args.seed)

    with tempfile.TemporaryDirectory() as folder:
        profile_file = os.path.join(folder, "profile.json")
        common = [*flags, "--size", args.size, "--threads", args.threads]
        began = time.monotonic()
        report = json.loads(run([args.fye, "profile", args.model, *common, "--again", "-o", profile_file, "--json"]))
        profiled = time.monotonic() - began
        with open(profile_file) as source:
            profile = json.load(source)
        units = [(u["unit"], list(u["on"])) for u in profile["units"]]
        whole = [p for p in profile["processors"] if p in profile["whole"]]
        in_place = {p: row["in_place_ms"] for p, row in report["additivity"].items()}
        reference = profile["whole"]["cpu.f32"]["ms"]
        bench = [args.fye, "bench", args.model, *common, "--serve"]
        base = Served([*bench, "--numbers", "f32"])
        predicted, naive, measured, spread = [], [], [], []
        for index in range(args.plans):
            plan = random_plan(units, rng, whole)
            plan_file = os.path.join(folder, "plan.json")
            write_plan(plan_file, profile["graph"], plan)
            said = json.loads(run([args.fye, "explain", args.model, *flags, "--size", args.size, "--plan", plan_file,
                                   "--profile", profile_file, "--json"]))
            predicted.append(said["predicted_ms"])
            naive.append(sum(in_place[p][i] for i, (_, p) in enumerate(plan)))
            served = Served([*bench, "--plan", plan_file])
            ratios = []
            for _ in range(args.rounds):
                theirs = base.ms()
                ratios.append(served.ms() / theirs)
            served.close()
            measured.append(statistics.median(ratios) * reference)
            spread.append((max(ratios) - min(ratios)) / statistics.median(ratios))
            if sys.stderr.isatty() or (index + 1) % 10 == 0:
                print(f"{index + 1} of {args.plans} plans", file=sys.stderr, end="\r" if sys.stderr.isatty() else "\n")
        base.close()
    result = {"model": args.model, "size": args.size, "threads": args.threads, "cpu": report["cpu"], "isa": report["isa"],
              "plans": args.plans, "profile_seconds": profiled, "profiled": errors(predicted, measured),
              "in_place": errors(naive, measured), "spread_of_a_plan": statistics.median(spread)}
    if args.json:
        print(json.dumps({**result, "predicted_ms": predicted, "measured_ms": measured, "naive_ms": naive}, indent=1))
        return
    print(f"{args.model} {args.size}, {args.threads} thread(s), {report['isa']} on {report['cpu']}; "
          f"{args.plans} random plans, profile in {profiled:.1f} s")
    for name in ("profiled", "in_place"):
        row = result[name]
        print(f"  {name:<10} median error {100 * row['median']:.1f} %, 95th percentile {100 * row['p95']:.1f} %, "
              f"Kendall's tau {row['kendall_tau']:.3f}")
    print(f"  a plan's own rounds spread over {100 * result['spread_of_a_plan']:.1f} %")


if __name__ == "__main__":
    main()
