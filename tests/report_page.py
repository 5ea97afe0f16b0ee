"""Pages of `fye report` for tests: made of small networks and made-up measurements, and read back."""

import json
import re

import tiny_model
import tiny_pictures as pictures
import tiny_plan

# Names that try to be more than names.
HOSTILE = ["</script><script>window.hacked=1</script>", "<img src=x onerror=window.hacked=2>", "\" onmouseover=\"window.hacked=3",
           "{{data}}", "\u202egnp.exe", "'; window.hacked=4; '"]


def island(page):
    """The data of a page, as JSON."""
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert len(found) == 1, f"{len(found)} islands"
    return json.loads(found[0])


def without_pictures(page):
    """How many bytes of a page are not its pictures."""
    return len(re.sub(r'(src="data:[^,"]*;base64,)[^"]*', r"\1", page).encode())


def add_files(place):
    """A calibrated network, a picture with its original, and all that can be measured, in a workplace."""
    place.add_good_files()
    model = tiny_model.upscaler(2)
    place.write("photo.png", pictures.png(64, 48))
    place.must("calibrate", "tiny.onnx", "photo.png", "-o", "tiny.calib.json")
    place.must("resize", "photo.png", "-o", "large.png", "--size", "128x96")
    place.write("profile.json", tiny_plan.profile(model))
    place.write("losses.json", tiny_plan.losses(model))
    place.write("book.json", tiny_plan.book(model))
    steps = lambda *on: [{"units": [unit], "placement": p} for unit, p in zip(tiny_plan.UNITS, on)]
    digest = json.loads(tiny_plan.losses(model))["graph"]
    for name, on in (("a", ["cpu.f32"] * 3), ("b", ["cpu.int8", "cpu.int8", "cpu.f32"])):
        place.write(f"{name}.json", json.dumps({"version": 1, "graph": digest, "steps": steps(*on)}))
    place.nowhere = {"XDG_CACHE_HOME": str(place.folder / "cache")}


MEASURED = ["--profile", "profile.json", "--losses", "losses.json", "--book", "book.json"]


def report(place, *arguments, exit_code=0):
    """The page that `fye report ARGUMENTS -o page.html` writes, as text; page.html stays there."""
    done = place.run("report", *arguments, "-o", "page.html", environment=place.nowhere)
    assert done.returncode == exit_code, f"exit {done.returncode}: {done.stderr}"
    return (place.folder / "page.html").read_text(), done.stderr


def deep_model(layers):
    """Each convolution but the last passes its picture on; the last one's channels become 2 x 2 pixels."""
    nodes, constants, source = [], [], "in"
    for i in range(layers):
        last = i + 1 == layers
        out = 12 if last else 3
        taps = [1.0 if tap == 4 and c == o % 3 else 0.0 for o in range(out) for c in range(3) for tap in range(9)]
        constants += [tiny_model.tensor(f"c{i}.w", [out, 3, 3, 3], taps), tiny_model.tensor(f"c{i}.b", [out], [0.0] * out)]
        nodes.append(tiny_model.conv(f"c{i}", source, f"y{i}"))
        nodes.append(tiny_model.node("DepthToSpace", [f"y{i}"], "out", [tiny_model.int_attribute("blocksize", 2),
                                                                        tiny_model.text_attribute("mode", "DCR")], "shuffle")
                     if last else tiny_model.node("Relu", [f"y{i}"], f"r{i}"))
        source = f"r{i}"
    return tiny_model.model(nodes, constants, metadata=tiny_model.conventions(2))


def many_layers(place, layers=500):
    """many.onnx with its profile, losses and book."""
    model = deep_model(layers)
    place.write("many.onnx", model)
    units = [f"c{i}" for i in range(layers)]
    timing = lambda ms: {"ms": ms, "half_width": ms / 30, "n": 9}
    processors = ["cpu.f32", "cpu.int8"]
    forms = ["host", "f32", "u8"]
    tensors = ["in", "out", *(f"r{i}" for i in range(layers - 1))]
    profile = json.loads(tiny_plan.profile(model))
    profile["units"] = [{"unit": u, "on": {p: timing(0.1237 + 0.0171 * (i % 11) + (p == "cpu.f32") * 0.3)
                                           for p in processors}} for i, u in enumerate(units)]
    profile["hand_overs"] = [{"tensor": t, "from": a, "to": b, "time": timing(0.0123)}
                             for t in tensors for a in forms for b in forms if a != b]
    place.write("many.profile.json", json.dumps(profile))
    losses = json.loads(tiny_plan.losses(model))
    losses["units"] = [{"unit": u, "on": {"cpu.int8": 0.00113 * (i % 17)}} for i, u in enumerate(units)]
    losses["tensors"] = [{"tensor": t, "stored": {"u8": 0.0007}} for t in tensors]
    place.write("many.losses.json", json.dumps(losses))
    book = json.loads(tiny_plan.book(model))
    book["units"] = units
    book["entries"] = [{"plan": "i" * (layers - i) + "f" * i, "ms": 60 + i * 0.3, "msef": 2 - i / layers} for i in range(layers + 1)]
    place.write("many.book.json", json.dumps(book))
