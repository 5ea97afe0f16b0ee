#!/usr/bin/env python3
"""Holds `fye plan` to an integer programme: HiGHS finds the truest plan for a deadline, from random times and losses.

usage: planner_oracle.py (FYE in the environment). The programme is written from the formulas in docs/formats.md (plan.json, the cost
model) and from the model files: nothing of ours but profile.json, losses.json and the answers crosses. Networks: a chain, ABPN (an
anchor over everything), EDSR-baseline (residual blocks and a global skip), all with every processor of this machine.
"""

import fnmatch
import json
import os
import pathlib
import random
import sys
import time

import highspy
import onnx

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import tiny_model  # noqa: E402
from workplace import Workplace  # noqa: E402

PROCESSORS = ["cpu.f32", "cpu.int8", "cpu.int8r16", "cpu.bf16"]
FORMS = ["f32", "bf16", "s16", "u8"]  # from fine to coarse
HOST = "host"


class Network:
    """Units, and the tensors that cross between them: (producer or None, [(reader or None, is it an addend of a wide sum)])."""

    def __init__(self, path):
        graph = onnx.load(str(path)).graph
        constants = {tensor.name for tensor in graph.initializer}
        same = {}  # a concatenation of copies of one tensor is that tensor: ABPN's anchor is fused away
        units, unit_of, nodes = [], {}, []
        for node in graph.node:
            inputs = [same.get(name, name) for name in node.input if name and name not in constants]
            if node.op_type == "Concat" and len(set(inputs)) == 1:
                same[node.output[0]] = inputs[0]
                continue
            if node.op_type == "Conv" and (not units or units[-1] is not None):
                units.append(node.name)
            elif node.op_type == "Conv":
                units[-1] = node.name
            elif not units:
                units.append(None)  # what comes before the first convolution belongs to it
            nodes.append((node, inputs, len(units) - 1))
            unit_of[node.output[0]] = len(units) - 1
        self.units = units
        picture, output = graph.input[0].name, graph.output[0].name
        wide = self.wide_tensors(nodes, picture, output)
        self.tensors = {}
        for name, producer in [(picture, None), *unit_of.items()]:
            readers = sorted({(unit, node.op_type == "Add" and len(inputs) == 2 and node.output[0] in wide)
                              for node, inputs, unit in nodes if name in inputs and unit != producer})
            if name == output:
                readers.append((None, False))
            if readers:
                self.tensors[name] = (producer, name in wide, readers)

    @staticmethod
    def wide_tensors(nodes, picture, output):
        """What int8r16 keeps in 16 bits: sums of two tensors, and what they add; not on the picture's own grid."""
        moved = {output}  # bytes are only moved from here to the output
        for node, inputs, _ in reversed(nodes):
            if node.output[0] in moved and node.op_type in ("Clip", "DepthToSpace"):
                moved.add(inputs[0])
        wide = set()
        for node, inputs, _ in nodes:
            if node.op_type == "Add" and len(inputs) == 2 and node.output[0] not in moved and picture not in inputs:
                wide |= {node.output[0], *inputs}
        return wide

    def forms(self, processor, wide):
        return {"cpu.f32": "f32", "cpu.bf16": "bf16", "cpu.int8": "u8"}.get(processor, "s16" if wide else "u8")


def files_for(network, sha256, seed, folder):
    draw = random.Random(seed)
    units, losses = [], []
    for unit in network.units:
        ms = draw.uniform(5, 15)
        speed = {"cpu.f32": 1, "cpu.int8": draw.uniform(.2, .6), "cpu.int8r16": draw.uniform(.2, .7), "cpu.bf16": draw.uniform(.4, .9)}
        units.append({"unit": unit, "on": {p: {"ms": ms * s, "half_width": 0, "n": 9} for p, s in speed.items()}})
        losses.append({"unit": unit, "on": {"cpu.int8": draw.uniform(0, 2), "cpu.int8r16": draw.uniform(0, 2), "cpu.bf16": draw.uniform(0, .2)}})
    hands, parts = [], []
    for name, (_, _, readers) in network.tensors.items():
        hands += [{"tensor": name, "from": a, "to": b, "time": {"ms": draw.uniform(.1, 2), "half_width": 0, "n": 9}}
                  for a in [HOST, *FORMS] for b in [HOST, *FORMS] if a != b]
        parts.append({"tensor": name, "stored": {"u8": draw.uniform(0, 1), "s16": draw.uniform(0, .02), "bf16": draw.uniform(0, .05)},
                      "read": {network.units[unit]: {"u8": draw.uniform(0, 1)} for unit, _ in readers
                               if unit is not None and draw.random() < .4}})
    profile = {"version": 1, "graph": sha256, "machine": {"cpu": "random", "isa": "none", "build": "none", "threads": 1},
               "width": 64, "height": 48, "executor": "bands", "processors": PROCESSORS, "fixed_ms": draw.uniform(0, 2),
               "units": units, "hand_overs": hands, "whole": {}}
    loss_file = {"version": 1, "graph": sha256, "pictures": "none", "calib": "honest", "crops": 1, "units": losses, "tensors": parts}
    (folder / "profile.json").write_text(json.dumps(profile))
    (folder / "losses.json").write_text(json.dumps(loss_file))
    return profile, loss_file


class Costs:
    """The cost model's numbers, as dictionaries."""

    def __init__(self, network, profile, losses, processors):
        self.network, self.processors, self.fixed = network, processors, profile["fixed_ms"]
        self.ms = [{p: unit["on"][p]["ms"] for p in processors} for unit in profile["units"]]
        self.loss = [{p: unit["on"].get(p, 0) for p in processors} for unit in losses["units"]]
        self.hand = {(h["tensor"], h["from"], h["to"]): h["time"]["ms"] for h in profile["hand_overs"]}
        self.part = {t["tensor"]: t for t in losses["tensors"]}

    def written(self, tensor):
        """Form by processor of the producer, or the host's."""
        producer, wide, _ = self.network.tensors[tensor]
        return {p: self.network.forms(p, wide) for p in self.processors} if producer is not None else {None: HOST}

    def read(self, reader):
        unit, addend = reader
        return {p: self.network.forms(p, addend) for p in self.processors} if unit is not None else {None: HOST}

    def written_loss(self, tensor, form):
        return self.part[tensor]["stored"].get(form, 0)

    def read_loss(self, tensor, reader, written, form):
        unit = reader[0]
        rank = lambda f: FORMS.index(f) if f in FORMS else 0
        if unit is None or rank(form) <= rank(written):
            return 0
        own = self.part[tensor]["read"].get(self.network.units[unit], {})
        return own.get(form, self.part[tensor]["stored"].get(form, 0))

    def of_plan(self, plan):
        ms = self.fixed + sum(self.ms[u][p] for u, p in enumerate(plan))
        loss = sum(self.loss[u][p] for u, p in enumerate(plan))
        at = lambda unit: None if unit is None else plan[unit]
        for tensor, (producer, _, readers) in self.network.tensors.items():
            written = self.written(tensor)[at(producer)]
            wanted = {self.read(reader)[at(reader[0])] for reader in readers}
            ms += sum(self.hand[tensor, written, form] for form in wanted if form != written)
            loss += self.written_loss(tensor, written)
            loss += sum(self.read_loss(tensor, reader, written, self.read(reader)[at(reader[0])]) for reader in readers)
        return ms, loss


def solve(costs, deadline, allowed, max_switches):
    """The least loss of a plan in time, or None."""
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.setOptionValue("mip_rel_gap", 1e-9)
    h.setOptionValue("mip_abs_gap", 1e-9)
    h.setOptionValue("primal_feasibility_tolerance", 1e-9)
    h.setOptionValue("mip_feasibility_tolerance", 1e-9)
    x = [{p: h.addVariable(lb=0, ub=1 if p in allowed[u] else 0, type=highspy.HighsVarType.kInteger) for p in costs.processors}
         for u in range(len(costs.ms))]
    time_terms, loss_terms = [], []
    for u, row in enumerate(x):
        h.addConstr(sum(row.values()) == 1)
        time_terms += [costs.ms[u][p] * v for p, v in row.items()]
        loss_terms += [costs.loss[u][p] * v for p, v in row.items()]

    def share(unit, forms, form):
        """The sum of the unit's variables that mean this form; the host's is 1."""
        if unit is None:
            return None
        chosen = [x[unit][p] for p, f in forms.items() if f == form]
        return sum(chosen[1:], 1.0 * chosen[0])

    for tensor, (producer, _, readers) in costs.network.tensors.items():
        writes = costs.written(tensor)
        moved = {}
        for form in set(writes.values()):
            stored = share(producer, writes, form)
            if stored is not None and costs.written_loss(tensor, form):
                loss_terms.append(costs.written_loss(tensor, form) * stored)
        for reader in readers:
            reads = costs.read(reader)
            # both[f, g]: written in f and read in g; a transport between two distributions, so its bounds are tight.
            both = {(f, g): h.addVariable(lb=0, ub=1) for f in set(writes.values()) for g in set(reads.values())}
            for f in set(writes.values()):
                total = share(producer, writes, f)
                h.addConstr(sum(v for (a, _), v in both.items() if a == f) == (1 if total is None else total))
            for g in set(reads.values()):
                total = share(reader[0], reads, g)
                h.addConstr(sum(v for (_, b), v in both.items() if b == g) == (1 if total is None else total))
            for (f, g), v in both.items():
                if cost := costs.read_loss(tensor, reader, f, g):
                    loss_terms.append(cost * v)
                if f != g:
                    if (f, g) not in moved:
                        moved[f, g] = h.addVariable(lb=0, ub=1)
                    h.addConstr(moved[f, g] >= v)
        time_terms += [costs.hand[tensor, f, g] * v for (f, g), v in moved.items()]
    h.addConstr(sum(time_terms) <= deadline - costs.fixed)
    if max_switches is not None:
        changes = []
        for before, after in zip(x, x[1:]):
            change = h.addVariable(lb=0, ub=1)
            changes.append(change)
            for p in costs.processors:
                h.addConstr(change >= after[p] - before[p])
        h.addConstr(sum(changes) <= max_switches)
    h.minimize(sum(loss_terms))
    if h.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return h.getInfo().objective_function_value


def check(place, path, seed, conditions=(), allowed=None, max_switches=None, shares=(.05, .3, .6)):
    """True if the plans for some deadlines are those of the integer programme."""
    network = Network(path)
    sha256 = json.loads(place.must("explain", path, "--json").stdout)["model_sha256"]
    profile, losses = files_for(network, sha256, seed, place.folder)
    base = ("plan", path, "--profile", "profile.json", "--losses", "losses.json", "--json", *conditions)
    everything = json.loads(place.must(*base).stdout)
    processors = everything["processors"]
    costs = Costs(network, profile, losses, processors)
    allowed = [set(processors) if allowed is None else allowed(unit) for unit in network.units]
    first, last = everything["fastest"]["ms"], everything["truest"]["ms"]
    good = everything["exact"]
    for share in shares:
        deadline = first + share * (last - first)
        answer = json.loads(place.must(*base, "--deadline", f"{deadline!r}ms").stdout)["plan"]
        plan = [answer["units"][unit] for unit in network.units]
        ms, loss = costs.of_plan(plan)
        begin = time.monotonic()
        best = solve(costs, deadline, allowed, max_switches)
        seconds = time.monotonic() - begin
        problems = []
        if abs(ms - answer["ms"]) > 1e-6 or abs(loss - answer["msef"]) > 1e-6:
            problems.append(f"the plan costs {ms} ms and {loss}, not {answer['ms']} and {answer['msef']}")
        if ms > deadline * (1 + 1e-9):
            problems.append("too slow")
        if any(p not in a for p, a in zip(plan, allowed)) or (max_switches is not None and answer["switches"] > max_switches):
            problems.append("disobeys")
        note = ""
        if best is None or loss < best - 1e-6:
            problems.append(f"truer than the programme's best, {best}")
        elif loss > best + 1e-6:
            # Times are rounded up to the grid, at most a step a unit.
            within = solve(costs, deadline - len(network.units) * everything["step_ms"], allowed, max_switches)
            note = f", the programme's {best:.6f} is within a step a unit of the deadline"
            if within is not None and loss > within + 1e-6:
                problems.append(f"less true than the programme's best, {best}, {within} with the grid's allowance")
        good = good and not problems
        print(f"{path.stem:18} {' '.join(conditions):40.40} {deadline:9.3f} ms: msef {loss:.6f}{note}, HiGHS {seconds:.2f} s"
              f"{''.join('  WRONG: ' + problem for problem in problems)}")
    return good


def main():
    place = Workplace()
    good = True
    try:
        place.add_good_files()
        chain = place.write("chain.onnx", tiny_model.upscaler(2, layers=6, seed=3))
        place.must("calibrate", chain, "good.png", "-o", "chain.calib.json")
        for seed in range(4):
            good = check(place, chain, seed) and good
        for name, seeds in (("abpn_x3", 3), ("edsr_baseline_x2", 2)):
            path = ROOT / "models" / f"{name}.onnx"
            for seed in range(seeds):
                good = check(place, path, seed) and good
            good = check(place, path, 11, ("--max-switches", "2"), max_switches=2, shares=(.4,)) and good
            processors = set(PROCESSORS)
            kept = lambda unit: {"cpu.f32"} if fnmatch.fnmatch(unit, "*conv[2-4]") else processors
            good = check(place, path, 12, ("--keep-f32", "*conv[2-4]"), allowed=kept, shares=(.4,)) and good
            first = Network(path).units[0]
            pinned = lambda unit: {"cpu.int8"} if unit == first else processors
            good = check(place, path, 13, ("--on", f"{first}=cpu.int8"), allowed=pinned, shares=(.4,)) and good
    finally:
        place.close()
    return 0 if good else 1


if __name__ == "__main__":
    os.environ["XDG_CACHE_HOME"] = "/nonexistent"
    sys.exit(main())
