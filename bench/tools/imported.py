"""Other tools' QDQ files in fye: wholly in int8 where the file has a scale for everything, else by a plan of what has.

fye takes a file's scales and weights as they are; a unit whose output or weights the file leaves float is float in fye too. `--numbers
int8` refuses such a file, so a plan says which units are meant. fye itself is asked, unit by unit, what it can run.
"""

import json
import subprocess

FLOAT, INT8 = "cpu.f32", "cpu.int8"


def plan(sha, units, int8):
    """plan.json's content: those of `int8` on cpu.int8, the others in float; neighbours of a kind in one step."""
    steps = []
    for unit in units:
        placement = INT8 if unit in int8 else FLOAT
        if not steps or steps[-1]["placement"] != placement:
            steps.append({"units": [], "placement": placement})
        steps[-1]["units"].append(unit)
    return {"version": 1, "graph": sha, "steps": steps}


def flags(fye, model, kept):
    """(words for fye up and fye bench, "5 of 7" units in int8). kept: the plan's file, if one is needed. Raises RuntimeError in fye's words
    when fye does not read the file."""

    def explain(*words):
        return subprocess.run([fye, "explain", model, *words, "--json"], capture_output=True, text=True)

    plain = explain("--numbers", "f32")
    if plain.returncode:
        raise RuntimeError(" ".join(plain.stderr.split()))
    told = json.loads(plain.stdout)
    units = [unit["unit"] for unit in told["units"]]
    if explain("--numbers", "int8").returncode == 0:
        return ["--numbers", "int8"], f"{len(units)} of {len(units)}"

    def runs(int8):
        kept.write_text(json.dumps(plan(told["model_sha256"], units, int8), indent=1))
        return explain("--plan", kept).returncode == 0

    able = [unit for unit in units if runs([unit])]
    if not runs(able):
        raise RuntimeError(f"fye runs {', '.join(able)} in int8 one by one, but not together")
    return ["--plan", str(kept)], f"{len(able)} of {len(units)}"
