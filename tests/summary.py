"""Prints failures with the end of their output, skips with their reason, and one closing line over ctest's JUnit files.

usage: summary.py [--plain] [--broken STEP]... FILE.xml...
  --plain        closing line "N passed, N failed" instead of "N passed, N failed, N skipped"
  --broken STEP  a step that failed before or beside its tests; counts as one failure (so does a missing file)
"""

import argparse
import collections
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

TAIL_LINES = 40


def reason_of(output):
    """The sentence that a skipped test printed: GoogleTest's message, or the line that starts with "skip:"."""
    found = re.search(r"^skip: *(.+)$|: Skipped\n(.+)$", output, re.MULTILINE)
    return (found.group(1) or found.group(2)).strip() if found else "no reason printed"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--broken", action="append", default=[])
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()

    passed = 0
    broken = list(arguments.broken)
    failures = []
    skips = collections.Counter()
    for file in arguments.files:
        if not file.exists():
            broken.append(f"{file}: no test results")
            continue
        for case in xml.parse(file).getroot().iter("testcase"):
            output = case.findtext("system-out") or ""
            status = case.get("status")
            if status == "run":
                passed += 1
            elif case.find("skipped") is not None or status in ("notrun", "disabled"):
                skips[reason_of(output)] += 1
            else:
                failures.append((f"{file.stem}: {case.get('name')}", output))

    for name, output in failures:
        print(f"FAILED {name}")
        for line in output.splitlines()[-TAIL_LINES:]:
            print(f"    {line}")
    for step in broken:
        print(f"FAILED {step}")
    for reason, count in sorted(skips.items()):
        print(f"skipped {count}: {reason}")
    failed = len(failures) + len(broken)
    line = f"{passed} passed, {failed} failed"
    print(line if arguments.plain else f"{line}, {sum(skips.values())} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
