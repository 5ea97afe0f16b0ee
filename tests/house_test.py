"""The house's rules as tests: direction of includes, sizes, paths in the documents, strings that must not be there.

usage: house_test.py [unittest's options]
"""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Later rows may include earlier ones; rooms of one row don't include each other (docs/map.md).
ROWS = [
    {"base"},
    {"image", "graph"},
    {"import", "export", "quant", "kernels", "video"},
    {"processors"},
    {"execute"},
    {"quality", "profile"},
    {"plan"},
    {"runtime", "learn", "av"},
    {"fye", "repair", "watch", "freeze", "cluster", "report", "batch"},
    {"cli"},
]
LEVEL = {room: level for level, rooms in enumerate(ROWS) for room in rooms}

MOST_LINES = 600

# Joined here so that this file passes its own test.
FORBIDDEN = [
    "/wo" + "rk/",
    "/tmp/" + "fye",
    "/ro" + "ot/",
    "pypi." + "org",
    "python" + "hosted.org",
    "deb.debian" + ".org",
    "npmjs." + "org",
    "crates" + ".io",
    "TO" + "DO",
    "FIX" + "ME",
]

CODE = {".cc", ".h", ".py", ".sh", ".cmake"}
TEXT = CODE | {".md", ".txt", ".json", ".test", ".supp", ".pyi", ".toml", ".in", ""}
NOT_OURS = {".git", "build", "out", "__pycache__", ".cache"}

# A path of the repository as documents write it: a known first folder, then names; a trailing "." is the sentence's.
PATH = re.compile(r"(?<![\w/.-])((?:src|docs|tests|bench|cmake|examples|models|python|\.ci)(?:/[\w.-]+)+)")


def files(suffixes):
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if not NOT_OURS & set(parts) and path.is_file() and path.suffix in suffixes:
            yield path


def name(path):
    return str(path.relative_to(ROOT))


class House(unittest.TestCase):
    def test_every_room_has_a_level(self):
        rooms = {path.name for path in (ROOT / "src").iterdir() if path.is_dir()}
        self.assertEqual(rooms - LEVEL.keys(), set())

    def test_includes_go_one_way(self):
        wrong = []
        for path in files({".cc", ".h"}):
            parts = path.relative_to(ROOT).parts
            if parts[0] != "src":
                continue
            own = parts[1]
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = re.match(r'#include "(\w+)/', line)
                other = found and found.group(1)
                if other in LEVEL and other != own and LEVEL[other] >= LEVEL[own]:
                    wrong.append(f"{name(path)}:{number}: {own} includes {other}")
        self.assertEqual(wrong, [])

    def test_headers_begin_with_their_purpose(self):
        wrong = [name(path) for path in files({".h"}) if not path.read_text().startswith("// ")]
        self.assertEqual(wrong, [])

    def test_files_stay_readable(self):
        long = [f"{name(path)}: {count} lines" for path in files(CODE)
                if (count := len(path.read_text().splitlines())) >= MOST_LINES]
        self.assertEqual(long, [])

    def test_nothing_forbidden(self):
        wrong = []
        for path in files(TEXT):
            text = path.read_text(errors="replace")
            wrong += [f"{name(path)}: {word}" for word in FORBIDDEN if word in text]
        self.assertEqual(wrong, [])

    def test_paths_in_documents_exist(self):
        missing = []
        for document in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "models").glob("*.md"))]:
            for found in PATH.findall(document.read_text()):
                path = found.rstrip(".")
                placeholder = re.search(r"\b[A-Z]{4,}", path.replace("README", ""))
                argument = path.startswith("models/") and "." not in path  # of a command, for several files
                if not placeholder and not argument and not (ROOT / path).exists():
                    missing.append(f"{name(document)}: {path}")
            for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
                if not (document.parent / link).exists():
                    missing.append(f"{name(document)}: link to {link}")
        self.assertEqual(missing, [])

    def test_pointers_to_tests_exist(self):
        missing = []
        for path in files({".cc", ".h"}):
            for found in re.findall(r"Tested by ([\w/.]+_test\.(?:cc|py))", path.read_text()):
                if not any((base / found).exists() for base in (ROOT / "src", ROOT, path.parent)):
                    missing.append(f"{name(path)}: {found}")
        self.assertEqual(missing, [])

    def test_the_map_names_every_room(self):
        rooms = {path.name for path in (ROOT / "src").iterdir() if path.is_dir()}
        text = (ROOT / "docs" / "map.md").read_text()
        self.assertEqual({room for room in rooms if f"src/{room}" not in text}, set())

    def test_one_version(self):
        cmake = re.search(r"project\(fye VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
        header = re.search(r'kVersion = "([\d.]+)"', (ROOT / "src/base/version.h").read_text()).group(1)
        self.assertEqual(cmake, header)


if __name__ == "__main__":
    unittest.main()
