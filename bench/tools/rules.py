"""What is decided without any package: which pictures, which convolutions stay float, who is faster, what the tables say."""

import pathlib
import statistics
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / folder) for folder in ("quality", "peers")]
import verdict  # noqa: E402
from quality import interval, mean  # noqa: E402

CALIBRATION, VALIDATION = 12, 6  # pictures; the first as bench/quality/int8.py takes them


def calibration_files(files):
    """The photographs that bench/quality/int8.py calibrates on, from all that there are, in their order."""
    return files[3::max(1, len(files) // CALIBRATION)][:CALIBRATION]


def validation_files(files):
    """Photographs for NNCF's accuracy control: as far apart, none of them a calibration picture."""
    taken = set(calibration_files(files))
    left = [file for file in files if file not in taken]
    return left[::max(1, len(left) // VALIDATION)][:VALIDATION]


def png_size(file):
    """(width, height) of a PNG file, from its header."""
    header = file.read_bytes()[16:24]
    return int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")


def spread(files, count):
    """At most `count` of the files, evenly."""
    count = min(count, len(files))
    return [files[i * len(files) // count] for i in range(count)]


def greedy(nodes, chosen, steps, loss):
    """`chosen` and `steps` more of the nodes, in the order they were taken: each time the one whose addition leaves the least loss.

    loss: of a list of nodes. Ends early when no addition lessens the loss.
    """
    chosen = list(chosen)
    least = loss(chosen)
    for _ in range(steps):
        candidates = [(loss([*chosen, node]), i) for i, node in enumerate(nodes) if node not in chosen]
        if not candidates or min(candidates)[0] >= least:
            break
        least, best = min(candidates)
        chosen.append(nodes[best])
    return chosen


def losses(rows, name, base="fye f32"):
    """{score: {mean, low, high, n}} of what `name` loses against `base` (+ = worse), paired, with a 95 % bootstrap interval.

    rows: a picture each, {name: {psnr_y, ssim_y}}. A picture without `name` doesn't count; nothing if none is left.
    """
    pairs = [(row[base], row[name]) for row in rows if name in row and base in row]
    if not pairs:
        return {}
    told = {}
    for score in ("psnr_y", "ssim_y"):
        differences = [ours[score] - theirs[score] for ours, theirs in pairs]
        low, high = interval(differences)
        told[score] = {"mean": mean(differences), "low": low, "high": high, "n": len(differences)}
    return told


def against(times, fye, other):
    """fye beside another contestant of one race: {times, fye_is}; nothing if one of them did not run."""
    if fye not in times or other not in times:
        return {}
    return {"times": statistics.median(times[other]) / statistics.median(times[fye]),
            "fye_is": verdict.fye_is(times[fye], times[other])}


def own(name, about):
    """Whether a contestant is fye with a calibration of its own, rather than with another tool's file."""
    return about["runtime"] == "fye" and name.startswith("fye ")


def shown(contestants):
    """Those with a row of their own; what fye makes of another tool's file stands in that one's row."""
    return {name: about for name, about in contestants.items() if about["runtime"] != "fye" or own(name, about)}


def begins(name, models):
    """Whether a name begins with one of `models` (commas between); all do with none."""
    return any(name.startswith(begin) for begin in models.split(","))


def wanted(name, about, models):
    """Whether a contestant races: all do, or those that --models names, and fye's own."""
    return own(name, about) or begins(name, models)


def speed_rows(contestants, times):
    """A row for each model that ran in its own runtime. contestants: {name: {runtime, numbers, same}}, same: fye's name for the file."""
    rows = []
    for name, about in shown(contestants).items():
        if name not in times:
            continue
        same = about.get("same")
        rows.append({"name": name, "runtime": about["runtime"], "ms": statistics.median(times[name]),
                     "fye_own": {} if own(name, about) else against(times, f"fye {about['numbers']}", name), "same": same,
                     "fye_ms": statistics.median(times[same]) if same in times else None, "fye_same": against(times, same, name)})
    return rows


def said(compared):
    if not compared:
        return "-"
    return f"{compared['times']:.2f} ({'level' if compared['fye_is'] == 'level' else 'fye ' + compared['fye_is']})"


def speed_table(rows, int8_convs):
    """Markdown. int8_convs: {name: text}, how many of a model's convolutions are in int8."""
    lines = ["| model | runs in | int8 convolutions | ms | over fye's own of these numbers | same file in fye: ms | over fye with it |",
             "|---|---|---|---|---|---|---|"]
    for row in rows:
        fye_ms = "-" if row["fye_ms"] is None else f"{row['fye_ms']:.2f}"
        if row["same"] in int8_convs:
            fye_ms += f" ({int8_convs[row['same']]} in int8)"
        lines.append(f"| {row['name']} | {row['runtime']} | {int8_convs.get(row['name'], '-')} | {row['ms']:.2f} | "
                     f"{said(row['fye_own'])} | {fye_ms} | {said(row['fye_same'])} |")
    return "\n".join(lines)


def loss_text(loss, digits):
    if not loss:
        return "-"
    return f"{loss['mean']:.{digits}f} [{loss['low']:.{digits}f}, {loss['high']:.{digits}f}]"


def quality_table(contestants, rows, levels):
    """Markdown. levels: {name: {largest, share}}, a model's own picture beside fye's of the same file, in grey levels."""
    lines = ["| model | runs in | n | PSNR-Y lost, dB | SSIM-Y lost | in fye: PSNR-Y lost, dB | SSIM-Y lost | two pictures apart |",
             "|---|---|---|---|---|---|---|---|"]
    for name, about in shown(contestants).items():
        lost = losses(rows, name)
        if not lost:
            continue
        imported = losses(rows, about["same"]) if about.get("same") else {}
        apart = levels.get(name)
        text = f"{apart['largest']} level{'s' * (apart['largest'] != 1)}, {apart['share']:.2%} of values" if apart else "-"
        both = [loss_text(loss.get(score), digits) for loss in (lost, imported) for score, digits in (("psnr_y", 3), ("ssim_y", 4))]
        lines.append(f"| {name} | {about['runtime']} | {lost['psnr_y']['n']} | {' | '.join(both)} | {text} |")
    return "\n".join(lines)
