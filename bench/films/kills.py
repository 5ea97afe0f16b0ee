#!/usr/bin/env python3
"""A film that is killed (SIGKILL) at 100 random points and goes on each time: the frames of a run without a break, and what is redone.

usage: kills.py [--fye build/release/fye] [--points 100] [--model FILE] [--seconds 30] [--seed 1]

Kills come at random moments of whatever run is going; the run is started again until it ends, then the next film begins, until all points
are used. After each end: the film's bytes and decoded frames equal the uninterrupted run's. After each kill: no file under the
final name; and, from the frame in the last progress event (at most half a second before the kill) and the frames that the
next run finds finished, how many seconds of film are done again.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import film_clips  # noqa: E402
import tiny_model  # noqa: E402

RATE = 24


class Place:
    def __init__(self, folder):
        self.folder = folder

    def write(self, name, data):
        (self.folder / name).write_bytes(data)


def last_frame(said):
    frames = [json.loads(line).get("frame", 0) for line in said.splitlines() if line.startswith("{")]
    return max(frames, default=0)


def finished(folder, target):
    return sum(int(s.stem.split("-")[1]) for w in folder.glob(f"{target}.fye-*") for s in w.glob("*.seg"))


def main():
    import tempfile
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fye", type=pathlib.Path, default=ROOT / "build/release/fye")
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="fye_kills_") as name:
        place = Place(pathlib.Path(name))
        place.write("tiny.onnx", tiny_model.upscaler(2))
        film_clips.plain(place, "clip.mp4", options.seconds)
        model = options.model or "tiny.onnx"
        words = lambda target: [options.fye.resolve(), "up", "clip.mp4", "-o", target, "-m", model, "--progress", "json"]
        start = time.monotonic()
        subprocess.run(words("whole.mp4"), cwd=place.folder, check=True, capture_output=True)
        whole = time.monotonic() - start
        expected, sums = (place.folder / "whole.mp4").read_bytes(), film_clips.frame_sums(place, "whole.mp4")
        kills, films, wrong, leftovers, redone = 0, 0, 0, 0, []
        while kills < options.points:
            target = f"film{films}.mp4"
            while not (place.folder / target).exists():
                process = subprocess.Popen(words(target), cwd=place.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                try:
                    _, said = process.communicate(timeout=rng.uniform(0.02, 1.1 * whole) if kills < options.points else None)
                except subprocess.TimeoutExpired:
                    process.kill()
                    _, said = process.communicate()
                    if not (place.folder / target).exists():
                        kills += 1
                        redone.append(max(0, last_frame(said) - finished(place.folder, target)) / RATE)
            same = (place.folder / target).read_bytes() == expected
            wrong += not same or film_clips.frame_sums(place, target) != sums
            # Killed after the film had its name and before the segments were gone.
            leftovers += bool(list(place.folder.glob(f"{target}.fye-*")))
            films += 1
            (place.folder / target).unlink()
    print(f"{kills} kills in {films} films of {options.seconds:g} s ({whole:.2f} s each without a break): {wrong} differ; "
          f"{leftovers} left segments beside the finished film; "
          f"redone at most {max(redone):.2f} s of film, {sum(redone) / len(redone):.2f} s on average")
    return 1 if wrong or max(redone) > 2 else 0


if __name__ == "__main__":
    sys.exit(main())
