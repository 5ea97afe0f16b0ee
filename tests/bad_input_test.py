"""Must-fail tests: every case of a tests/bad/*.test file ends with its exit code and its message, quickly and without files.

usage: bad_input_test.py FILE.test

A case is a block of lines:
  # why
  run: fye up truncated.png -o x.png -m tiny.onnx
  exit: 2               several codes: 2|6
  says: truncated       a regular expression that stderr must match; may be repeated
Commands run in a folder made by workplace.py; outputs named x.* or out/ must not appear, nor any other new file.
"""

import pathlib
import re
import shlex
import sys

import film_clips
from workplace import Workplace


def cases(path):
    case = {"says": []}
    for number, line in enumerate([*path.read_text().splitlines(), ""], 1):
        if not line.strip():
            if "run" in case:
                yield case
            case = {"says": []}
        elif not line.startswith("#"):
            key, value = line.split(": ", 1)
            if key == "says":
                case["says"].append(value)
            else:
                case[key] = value
            case.setdefault("line", number)


def wrong(case, done, new_files):
    """What differs from what the case expects."""
    if done.returncode < 0:
        yield f"killed by signal {-done.returncode}"
    elif str(done.returncode) not in case["exit"].split("|"):
        yield f"exit {done.returncode}, not {case['exit']}"
    for pattern in case["says"]:
        if not re.search(pattern, done.stderr):
            yield f"stderr does not say /{pattern}/"
    if done.stdout:
        yield f"stdout is not empty: {done.stdout[:200]!r}"
    if new_files:
        yield f"left behind: {sorted(new_files)}"


def main():
    path = pathlib.Path(sys.argv[1])
    place = Workplace()
    failures = count = 0
    try:
        place.add_good_files()
        place.add_bad_files()
        if path.stem == "film":
            film_clips.need_ffmpeg()
            film_clips.add_bad_films(place)
        for case in cases(path):
            count += 1
            command = shlex.split(case["run"])
            before = place.names()
            done = place.run(*command[1:])
            for problem in wrong(case, done, place.names() - before):
                failures += 1
                print(f"{path.name}:{case['line']}: {case['run']}\n  {problem}\n  stderr: {done.stderr.strip()[:600]}")
    finally:
        place.close()
    print(f"{count} cases, {failures} failures")
    return 1 if failures or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
