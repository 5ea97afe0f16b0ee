"""Made-up profile.json, losses.json and book.json for tiny_model.upscaler(2), for tests of planning."""

import hashlib
import json

UNITS = ["c0", "c1", "c2"]
TENSORS = ["in", "r0", "r1", "out"]
FORMS = ["host", "f32", "u8"]


def profile(model, processors=("cpu.f32", "cpu.int8"), **changes):
    """Float takes 8 ms a unit, anything else 2; a hand-over 0.5."""
    timing = lambda ms: {"ms": ms, "half_width": 0.1, "n": 9}
    times = {p: timing(8 if p == "cpu.f32" else 2) for p in processors}
    return json.dumps({
        "version": 1, "graph": hashlib.sha256(model).hexdigest(),
        "machine": {"cpu": "made up", "isa": "avx2", "build": "none", "threads": 1}, "width": 64, "height": 48,
        "executor": "bands", "processors": list(processors), "fixed_ms": 1,
        "units": [{"unit": unit, "on": times} for unit in UNITS],
        "hand_overs": [{"tensor": tensor, "from": a, "to": b, "time": timing(0.5)}
                       for tensor in TENSORS for a in FORMS for b in FORMS if a != b],
        "whole": {}} | changes)


def losses(model, **changes):
    """int8 loses 0.1, 0.2 and 0.4 in the units, and 0.01 in each tensor."""
    return json.dumps({
        "version": 1, "graph": hashlib.sha256(model).hexdigest(), "pictures": "none", "calib": "honest", "crops": 8,
        "units": [{"unit": unit, "on": {"cpu.int8": 0.1 * 2 ** i}} for i, unit in enumerate(UNITS)],
        "tensors": [{"tensor": tensor, "stored": {"u8": 0.01}} for tensor in TENSORS]} | changes)


def book(model, times=(8, 14.5, 20.5, 26), **changes):
    """From all int8 to all float, as tests/plan_cli_test.py works them out."""
    plans = ("iii", "iif", "iff", "fff")
    return json.dumps({
        "version": 1, "graph": hashlib.sha256(model).hexdigest(),
        "machine": {"cpu": "made up", "isa": "avx2", "build": "none", "threads": 1}, "width": 64, "height": 48,
        "strategy": "exact", "processors": {"f": "cpu.f32", "i": "cpu.int8"}, "units": UNITS,
        "entries": [{"plan": plan, "ms": ms, "msef": 0.75 - 0.25 * i} for i, (plan, ms) in enumerate(zip(plans, times))]}
        | changes)
