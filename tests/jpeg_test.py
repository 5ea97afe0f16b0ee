"""Every kind of JPEG in use, through a network that changes nothing: fye's pixels are those of libjpeg-turbo's own djpeg.

The files are made by cjpeg (Debian's libjpeg-turbo-progs): coding, sampling, restarts. CMYK and orientation are added here.
"""

import itertools
import json
import math
import random
import shutil
import struct
import subprocess
import sys
import unittest

import film_clips
import tiny_pictures as pictures
from workplace import SKIPPED, Workplace

if not shutil.which("cjpeg") or not shutil.which("djpeg"):
    print("skip: cjpeg and djpeg (libjpeg-turbo-progs), the other opinion, are not installed")
    sys.exit(SKIPPED)

CODINGS = {"baseline": ["-baseline"], "optimised": ["-optimize"], "progressive": ["-progressive"], "arithmetic": ["-arithmetic"],
           "progressive_arithmetic": ["-arithmetic", "-progressive"]}
COLOURS = {"444": ["-sample", "1x1"], "422": ["-sample", "2x1"], "440": ["-sample", "1x2"], "420": ["-sample", "2x2"],
           "411": ["-sample", "4x1"], "grey": ["-grayscale"], "rgb": ["-rgb"]}
RESTARTS = {"": [], "rows": ["-restart", "1"], "blocks": ["-restart", "5B"]}
SIZES = ((1, 1), (17, 9), (50, 67))  # the last one needs more than one strip of rows
SOF, DHT, DQT, SOS = 0xC0, 0xC4, 0xDB, 0xDA


def ppm(width, height, seed):
    rng = random.Random(seed)
    wave = lambda x, y, c: 127 + 90 * math.sin(x / (3 + c) + y / 5) + rng.uniform(-38, 38)
    return b"P6 %d %d 255\n" % (width, height) + bytes(
        int(wave(x, y, c)) for y in range(height) for x in range(width) for c in range(3))


def jpeg(width, height, *words, seed=1):
    return subprocess.run(["cjpeg", "-quality", "85", *words], input=ppm(width, height, seed), capture_output=True, check=True).stdout


def djpeg(data):
    """(width, height, channels, rows of bytes) as libjpeg-turbo's own program decodes it."""
    pnm = subprocess.run(["djpeg", "-pnm"], input=data, capture_output=True, check=True).stdout
    kind, size, top = pnm.split(b"\n", 3)[:3]
    samples = pnm[len(kind) + len(size) + len(top) + 3:]
    width, height = map(int, size.split())
    channels = {b"P5": 1, b"P6": 3}[kind]
    step = width * channels
    return width, height, channels, [samples[y * step:(y + 1) * step] for y in range(height)]


def segment(marker, payload):
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def find(data, marker):
    """Where a marker's segment starts, by the lengths of those before it."""
    at = 2
    while data[at + 1] != marker:
        at += 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
    return at


def oriented(data, orientation):
    """With EXIF that has one tag."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    return data[:2] + segment(0xE1, exif) + data[2:]


def turned(rows, channels, orientation):
    """EXIF 2.32, 4.6.4: which side of the scene row 0 and column 0 are."""
    grid = [[row[x:x + channels] for x in range(0, len(row), channels)] for row in rows]
    if orientation in (5, 6, 7, 8):
        grid = [list(column) for column in zip(*grid)]
    if orientation in (3, 4, 7, 8):
        grid.reverse()
    if orientation in (2, 3, 6, 7):
        grid = [row[::-1] for row in grid]
    return [b"".join(row) for row in grid]


def four_inks(patches, adobe):
    """Flat blocks of 8 x 8 in a row, four samples each: nothing but DC, a step of one level a count. `adobe`: APP14's transform
    (0 CMYK, 2 YCCK), or None for no such marker."""
    bits, last = "", [128] * 4
    for patch in patches:
        for i, level in enumerate(patch):
            change, last[i] = level - last[i], level
            size = abs(change).bit_length()
            bits += format(size, "04b")
            if size:
                bits += format(change if change > 0 else change + (1 << size) - 1, f"0{size}b")
            bits += "0"  # end of block
    bits += "1" * (-len(bits) % 8)
    scan = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8)).replace(b"\xff", b"\xff\0")
    marker = segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, adobe)) if adobe is not None else b""
    frame = struct.pack(">BHHB", 8, 8, 8 * len(patches), 4) + b"".join(bytes([i + 1, 0x11, 0]) for i in range(4))
    dc = bytes([0x00, 0, 0, 0, 9] + [0] * 12) + bytes(range(9))
    ac = bytes([0x10, 1] + [0] * 15) + bytes([0])
    header = bytes([4]) + b"".join(bytes([i + 1, 0]) for i in range(4)) + bytes([0, 63, 0])
    return (b"\xff\xd8" + marker + segment(DQT, bytes([0] + [8] * 64)) + segment(SOF, frame) + segment(DHT, dc) + segment(DHT, ac)
            + segment(SOS, header) + scan + b"\xff\xd9")


def ycck(patch):
    """JFIF's matrix over what Adobe stores: the complements are R, G and B."""
    r, g, b = (255 - level for level in patch[:3])
    y = 0.299 * r + 0.587 * g + 0.114 * b
    return [round(v) for v in (y, 128 + (b - y) / 1.772, 128 + (r - y) / 1.402)] + [patch[3]]


class Jpeg(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace()
        cls.place.write("nothing.onnx", film_clips.changes_nothing())

    @classmethod
    def tearDownClass(cls):
        cls.place.close()

    def through_fye(self, folder):
        """Enlarges by 1 all of a folder, into PNG files beside it; returns what the JSON summary says."""
        return self.place.must("up", folder, "-o", f"{folder}_out", "-m", "nothing.onnx", "--numbers", "f32", "-f", "png", "--json",
                               "--progress", "none")

    def png(self, folder, name):
        """(width, height, channels, rows of bytes)."""
        width, height, channels, bits, rows = pictures.read_png((self.place.folder / f"{folder}_out" / f"{name}.png").read_bytes())
        self.assertEqual(bits, 8)
        return width, height, channels, rows

    def same(self, ours, theirs):
        """unittest's own account of how two pictures differ takes minutes."""
        self.assertEqual(ours[:3], theirs[:3])
        wrong = [y for y, (a, b) in enumerate(zip(ours[3], theirs[3], strict=True)) if a != b]
        self.assertEqual(wrong, [], "rows that differ")

    def test_pixels_of_every_kind(self):
        made = {}
        for (coding, a), (colour, b), (restart, c), size in itertools.product(
                CODINGS.items(), COLOURS.items(), RESTARTS.items(), SIZES):
            name = f"{coding}_{colour}_{restart}_{size[0]}"
            made[name] = jpeg(*size, *a, *b, *c)
            self.place.write(f"kinds/{name}.jpg", made[name])
        self.through_fye("kinds")
        for name, data in made.items():
            with self.subTest(name):
                self.same(self.png("kinds", name), djpeg(data))
        self.assertEqual(len(set(made.values())), len(made), "each option does something")

    def test_upright(self):
        plain = jpeg(50, 67, "-sample", "2x2")
        width, height, channels, rows = djpeg(plain)
        for orientation in range(1, 9):
            for kind, data in (("baseline", plain), ("progressive", jpeg(50, 67, "-sample", "2x2", "-progressive"))):
                self.place.write(f"turned/{kind}_{orientation}.jpg", oriented(data, orientation))
        self.through_fye("turned")
        for orientation in range(1, 9):
            sides = (height, width) if orientation > 4 else (width, height)
            for kind in ("baseline", "progressive"):
                with self.subTest(orientation=orientation, kind=kind):
                    self.same(self.png("turned", f"{kind}_{orientation}"), (*sides, channels, turned(rows, channels, orientation)))

    def test_four_inks(self):
        """sRGB by a profile, where djpeg has a formula: so which colour it is, and that all ways to store it agree. Files without
        Adobe's marker hold their levels as those with it: djpeg and libvips both take them so."""
        none, full = 255, 0  # as Adobe stores ink
        patches = {"paper": [none] * 4, "key": [none, none, none, full], "cyan": [full, none, none, none],
                   "magenta": [none, full, none, none], "yellow": [none, none, full, none], "red": [none, full, full, none],
                   "mixed": [90, 140, 200, 230]}
        files = {"cmyk": four_inks(patches.values(), 0), "bare": four_inks(patches.values(), None),
                 "ycck": four_inks([ycck(patch) for patch in patches.values()], 2)}
        for name, data in files.items():
            self.place.write(f"inks/{name}.jpg", data)
        report = json.loads(self.through_fye("inks").stdout)
        self.assertEqual([row["notices"] for row in report["files"]], [["CMYK was converted to sRGB"]] * 3)
        read = {name: self.png("inks", name) for name in files}
        width, height, channels, rows = read["cmyk"]
        self.assertEqual((width, height, channels, len(set(rows))), (8 * len(patches), 8, 3, 1))
        self.same(read["bare"], read["cmyk"])
        self.assertLessEqual(max(abs(a - b) for a, b in zip(rows[0], read["ycck"][3][0], strict=True)), 2)
        formula = djpeg(files["cmyk"])[3][0]
        for i, patch in enumerate(patches):
            with self.subTest(patch):
                ours, theirs = (list(row[24 * i:24 * i + 3]) for row in (rows[0], formula))
                if len(set(theirs)) == 1:
                    self.assertLessEqual(max(abs(a - b) for a, b in zip(ours, theirs)), 64, "paper is white, key nearly black")
                else:
                    for a, b in itertools.combinations(range(3), 2):  # each stronger than the other, as by the formula
                        if theirs[a] != theirs[b]:
                            self.assertEqual(ours[a] > ours[b], theirs[a] > theirs[b], (ours, theirs))

    def test_broken_ones_are_refused(self):
        good, progressive = jpeg(160, 120), jpeg(160, 120, "-progressive")
        frame, tables, scan = find(good, SOF), find(good, DHT), find(good, SOS)

        def changed(at, data):
            return good[:at] + data + good[at + len(data):]

        def without(data, marker):
            at = find(data, marker)
            return data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2:at + 4])[0]:]

        broken = {
            "signature only": good[:3],
            "cut in the frame's header": good[:frame + 6],
            "cut before the scan": good[:scan],
            "cut in the scan": good[:(scan + len(good)) // 2],
            "cut near the end": good[:-100],
            "no end": good[:-2],
            "progressive, cut": progressive[:len(progressive) // 2],
            "0 wide": changed(frame + 7, b"\0\0"),
            "0 high": changed(frame + 5, b"\0\0"),
            "65500 x 65500": changed(frame + 5, struct.pack(">HH", 65500, 65500)),
            "65535 x 65535": changed(frame + 5, struct.pack(">HH", 65535, 65535)),
            "12 bits": changed(frame + 4, b"\x0c"),
            "lossless": changed(frame + 1, b"\xc3"),
            "hierarchical": changed(frame + 1, b"\xc5"),
            "two components of three": changed(frame + 9, b"\2"),
            "sampling of 0": changed(frame + 11, b"\0"),
            "no quantisation": without(without(good, DQT), DQT),
            "a segment longer than the file": changed(tables + 2, b"\xff\xff"),
            "a segment of no length": changed(tables + 2, b"\0\0"),
            "no frame": without(good, SOF),
            "two frames": good[:frame] + good[frame:frame + 19] + good[frame:],
            "no such marker": good[:frame] + b"\xff\2\0\2" + good[frame:],
            "a scan of no component": changed(scan + 5, b"\x09"),
            "a scan without its table": changed(scan + 6, b"\x33"),
        }
        for name, data in broken.items():
            with self.subTest(name):
                self.place.write("broken.jpg", data)
                done = self.place.run("up", "broken.jpg", "-o", "never.png", "-m", "nothing.onnx")
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("broken.jpg", done.stderr)
                self.assertFalse((self.place.folder / "never.png").exists())


if __name__ == "__main__":
    unittest.main()
