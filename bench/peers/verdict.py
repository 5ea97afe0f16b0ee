"""Who is faster, who is wrong, who may run: the rules of the race, without anything that takes time."""

import statistics

RIGHT_DB = 50  # what bf16 may lose
FLOAT_DB = 3.0  # twice the error's power: bf16 is rounded in other places, and OpenVINO cuts floats off where others round
INTEGERS_DB = 0.5  # below the exact int8 result, as the contract has it
WARM_UP_BELOW_MS = 500  # a longer run outlasts what the pause before it has cooled down, and is run once


def fye_is(fye, peer):
    """Said only when the rounds of the two are disjoint."""
    if max(fye) < min(peer):
        return "faster"
    return "slower" if min(fye) > max(peer) else "level"


def wrong(db, fye_db, numbers):
    """Whether a result is further from the float result than its number format explains."""
    allowed = INTEGERS_DB if numbers == "int8" else FLOAT_DB
    return db < min(fye_db - allowed, RIGHT_DB)


def inner_runs(milliseconds):
    """(runs to warm up, timed runs of which the best counts) within a round."""
    return (1, 3) if milliseconds < WARM_UP_BELOW_MS else (0, 1)


def narrowed(engines, isa, widest):
    """Which engines may run on isa: ({name: environment}, {name: why it is left out})."""
    if isa == widest:
        return {engine.name: {} for engine in engines}, {}
    taken, left = {}, {}
    for engine in engines:
        if isa in engine.isa_values:
            taken[engine.name] = {engine.isa_variable: engine.isa_values[isa]}
        elif engine.isa_variable:
            left[engine.name] = f"{engine.isa_variable} has no value for {isa}"
        else:
            left[engine.name] = f"it asks the processor and can't be narrowed to {isa}"
    return taken, left


def row(engine, cell, rounds, fye_rounds, peak, macs, extra):
    """One line of the table. peak: MAC/s of one core; cell: numbers and threads."""
    middle = statistics.median(rounds)
    return {**cell, "engine": engine, "ms": middle, "rounds_ms": rounds,
            "peak_share": macs / (middle / 1000) / (peak * cell["threads"]) if peak else None,
            "times": middle / statistics.median(fye_rounds), "fye_is": "" if engine == "fye" else fye_is(fye_rounds, rounds), **extra}


HEADER = (f"{'numbers':8} {'threads':>7}  {'engine':12} {'ms':>9} {'of peak':>8} {'fye is':>7} {'times':>6} "
          f"{'first ms':>9} {'MB':>6} {'dB':>6}")


def line(values):
    """A row as text; a wrong engine has no time."""
    begin = f"{values['numbers']:8} {values['threads']:7}  {values['engine']:12}"
    end = f"{values['start_ms']:9.0f} {values['peak_mb'] or 0:6.0f} {values['db']:6.2f}"
    if values["wrong"]:
        return f"{begin} {'-':>9} {'-':>8} {'-':>7} {'-':>6} {values['start_ms']:9.0f} {'-':>6} {values['db']:6.2f}  wrong: not raced"
    share = "-" if values["peak_share"] is None else f"{values['peak_share']:.1%}"
    return f"{begin} {values['ms']:9.2f} {share:>8} {values['fye_is']:>7} {values['times']:6.2f} {end}"
