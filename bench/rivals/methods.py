"""The methods that are compared, and how each one's plan is made with fye's own commands."""
import dataclasses
import json
import statistics

FLOAT, INT8, R16, BF16 = "cpu.f32@core0", "cpu.int8@core1", "cpu.int8r16@core1", "cpu.bf16@core1"


@dataclasses.dataclass(frozen=True)
class Method:
    """`kind`: uniform, rival or fye. `where`: core (one core each, at once) or machine (all threads, in turns). Plans of
    methods that need a deadline are made for each."""
    key: str
    label: str
    kind: str
    where: str = "core"
    processors: str = ""
    arguments: tuple = ()
    needs_deadline: bool = False
    naive: bool = False  # per-tensor weights, ranges from minimum to maximum
    both: bool = False  # in the table of cores, but with all threads in each layer: fye's own way to keep both busy

    @property
    def threads(self):
        """Which profile it is planned with, and how many threads run it: core (one) or machine (all)."""
        return "machine" if self.both else self.where


def methods(bf16):
    """All of them; the first of each `where` is float-only, which everything is a fraction of."""
    rows = [
        Method("float", "float only", "uniform", processors=FLOAT),
        Method("int8-naive", "int8 only, naive", "uniform", processors=INT8, naive=True),
        Method("int8", "int8 only, best effort", "uniform", processors=INT8),
        Method("int8r16", "int8 only, 16-bit sums", "uniform", processors=R16),
        Method("codl-faithful", "CoDL, as published", "rival", arguments=("--method", "codl", "--form", "faithful")),
        Method("codl", "CoDL, strong", "rival", arguments=("--method", "codl")),
        Method("ulayer-faithful", "uLayer, as published", "rival", arguments=("--method", "ulayer", "--form", "faithful")),
        Method("ulayer", "uLayer, strong", "rival", arguments=("--method", "ulayer")),
        Method("ulayer-int8", "uLayer, strong, stores int8", "rival",
               arguments=("--method", "ulayer", "--processors", f"{INT8},{FLOAT}")),
        Method("mobisr-faithful", "MobiSR, fixed threshold", "rival", needs_deadline=True,
               arguments=("--method", "mobisr", "--form", "faithful")),
        Method("mobisr", "MobiSR, strong", "rival", needs_deadline=True, arguments=("--method", "mobisr")),
        Method("mobisr-other", "MobiSR, strong, hard to fast", "rival", needs_deadline=True,
               arguments=("--method", "mobisr", "--hard", "fast")),
        Method("fye", "fye", "fye", needs_deadline=True, processors=f"{FLOAT},{INT8},{R16}"),
        Method("fye-both", "fye, both cores", "fye", processors="cpu.f32,cpu.int8,cpu.int8r16", needs_deadline=True, both=True),
    ]
    if bf16:
        rows += [Method("bf16", "bf16 only", "uniform", processors=BF16),
                 Method("fye-bf16", "fye with bf16", "fye", needs_deadline=True, processors=f"{FLOAT},{INT8},{R16},{BF16}")]
    rows += [
        Method("float-all", "float only", "uniform", "machine", "cpu.f32"),
        Method("int8-all", "int8 only, best effort", "uniform", "machine", "cpu.int8"),
        Method("ulayer-all", "uLayer, strong", "rival", "machine",
               arguments=("--method", "ulayer", "--processors", "cpu.f32,cpu.int8")),
        Method("mobisr-all", "MobiSR, strong", "rival", "machine", needs_deadline=True,
               arguments=("--method", "mobisr", "--processors", "cpu.f32,cpu.int8")),
        Method("fye-all", "fye", "fye", "machine", "cpu.f32,cpu.int8,cpu.int8r16", needs_deadline=True),
    ]
    return rows


def float_of(where):
    return "float" if where == "core" else "float-all"


def uniform_plan(graph, units, processor):
    return {"version": 1, "graph": graph, "steps": [{"units": units, "placement": processor}]}


def ratio_of(ours, base):
    """Median ratio of two lists of times that were taken in turns."""
    return statistics.median(a / b for a, b in zip(ours, base))


def held_ratio(ours, base):
    """What nine of ten runs stay below, for deadlines: the second largest of ten ratios, the largest of fewer than ten."""
    ratios = sorted(a / b for a, b in zip(ours, base))
    return ratios[-1 - len(ratios) // 10]


def fitted(make, measure, fraction, base_ms, spare=0.95, tries=4):
    """A plan whose share of float-only's time, as measure() finds it, is at most `fraction`.

    make(deadline_ms) gives a plan file or None; measure(file) its share. Asks for less where the plan misses, and once for more
    where it leaves a tenth unused. Returns (file, share); the fastest seen if none fits; (None, None) if there is none.
    """
    asked, best, fastest, asked_more = fraction * spare * base_ms, None, None, False
    for _ in range(tries):
        file = make(asked)
        if file is None:
            break
        share = measure(file)
        if fastest is None or share < fastest[1]:
            fastest = (file, share)
        fits = share <= fraction
        if fits and (best is None or share > best[1]):
            best = (file, share)
        if fits and (share > 0.9 * fraction or asked_more):
            break
        asked_more = asked_more or fits
        asked *= fraction * spare / share
        if best and not fits:
            break
    return best or fastest or (None, None)


def told(file):
    """A few words on what a plan does: who has how many units, or the parts."""
    steps = json.loads(file.read_text())["steps"]
    counts, shared = {}, []
    for step in steps:
        placement = step["placement"]
        if isinstance(placement, str):
            counts[placement] = counts.get(placement, 0) + len(step["units"])
        else:
            kind = next(k for k in ("rows", "channels", "patches") if k in placement)
            shared.append((kind, len(step["units"]), [s["share"] for s in placement[kind]], placement.get("size")))
    words = [f"{name} {n}" for name, n in counts.items()]
    for kind in ("rows", "channels", "patches"):
        mine = [s for s in shared if s[0] == kind]
        if not mine:
            continue
        first = statistics.mean(s[2][0] for s in mine)
        units = sum(s[1] for s in mine)
        size = f" of {mine[0][3]}" if mine[0][3] else ""
        words.append(f"{kind}{size}: {units} units in {len(mine)} steps, {first:.2f} to the first")
    return ", ".join(words)
