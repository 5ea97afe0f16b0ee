"""Every kind of PNG that the format knows, through a network that changes nothing: fye's pixels are those of another decoder.

What PngSuite (W. van Schaik, 1998 to 2011) covers, made here by pypng (Debian's python3-png), which also reads both sides: no
package of a registry has the suite's files. Colour types and depths, interlaced or not, transparent colours and palettes, sizes
from 1 x 1; and headers, chunks and streams that are broken as its x*.png are.
"""

import itertools
import random
import struct
import sys
import unittest
import zlib

import tiny_model
import tiny_pictures as pictures
from workplace import SKIPPED, Workplace

try:
    import png
except ImportError:
    print("skip: python3-png is not installed")
    sys.exit(SKIPPED)

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
DEPTHS = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), RGBA: (8, 16)}


def nothing():
    """A network of scale 1: each colour as it is."""
    values = [float(o == i) for o in range(3) for i in range(3)]
    constants = [tiny_model.tensor("c.w", [3, 3, 1, 1], values), tiny_model.tensor("c.b", [3], [0.0] * 3)]
    return tiny_model.model([tiny_model.conv("c", "in", "out", kernel=1)], constants, metadata=tiny_model.conventions(1))


def made(path, colour, bits, width, height, interlaced, transparent, seed):
    """A PNG of random samples, written by pypng."""
    rng = random.Random(seed)
    planes = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}[colour]
    top = (1 << bits) - 1
    options = {"bitdepth": bits, "interlace": interlaced}
    if colour == PALETTE:
        entry = 4 if transparent else 3
        options["palette"] = [tuple(rng.randrange(256) for _ in range(entry)) for _ in range(top + 1)]
    else:
        options |= {"greyscale": colour in (GREY, GREY_ALPHA), "alpha": colour in (GREY_ALPHA, RGBA)}
    rows = [[rng.randint(0, top) for _ in range(width * planes)] for _ in range(height)]
    if transparent and colour in (GREY, RGB):
        options["transparent"] = rows[0][0] if colour == GREY else tuple(rows[0][:3])
    with open(path, "wb") as file:
        png.Writer(width, height, **options).write(file, rows)


def rgba16(path):
    """Rows of 16-bit RGBA as pypng reads them, whatever the file is made of; a depth below 16 spread over the range."""
    width, height, rows, info = png.Reader(bytes=path.read_bytes()).asDirect()
    top, planes = (1 << info["bitdepth"]) - 1, info["planes"]
    spread = []
    for row in rows:
        samples = [s * 65535 // top for s in row]
        for at in range(0, len(samples), planes):
            colour = samples[at:at + planes]
            alpha = colour.pop() if info["alpha"] else 65535
            spread.append(tuple(colour * 3 if len(colour) == 1 else colour) + (alpha,))
    return width, height, spread


class Png(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace()
        cls.place.write("nothing.onnx", nothing())

    @classmethod
    def tearDownClass(cls):
        cls.place.close()

    def test_pixels_of_every_kind(self):
        folder = self.place.folder / "kinds"
        folder.mkdir()
        names = []
        for colour, depths in DEPTHS.items():
            for bits, interlaced, transparent in itertools.product(depths, (False, True), (False, True)):
                if transparent and colour in (GREY_ALPHA, RGBA):
                    continue
                for width, height in ((1, 1), (9, 7), (32, 33)):
                    name = f"{colour}_{bits}_{int(interlaced)}_{int(transparent)}_{width}.png"
                    made(folder / name, colour, bits, width, height, interlaced, transparent, name)
                    names.append(name)
        self.place.must("up", "kinds", "-o", "same", "-m", "nothing.onnx", "--numbers", "f32", "--progress", "none")
        for name in names:
            with self.subTest(name):
                before, after = rgba16(folder / name), rgba16(self.place.folder / "same" / name)
                self.assertEqual(after[:2], before[:2])
                for old, new in zip(before[2], after[2]):
                    if old[3] == 0:  # what nobody sees may become the colour beside it
                        old, new = old[3:], new[3:]
                    self.assertEqual(new, old)

    def test_broken_ones_are_refused(self):
        good = pictures.png(32, 32)
        at = good.index(b"IDAT") - 4
        header, rest = good[:at], good[at:]

        def header_with(bits, colour):
            return pictures.PNG + pictures.png_header(32, 32, bits, colour) + rest

        raw = zlib.compress(bytes(32 * 97))
        broken = {
            "x1 signature": b"\x88" + good[1:],
            "x2 signature": good.replace(b"\r\n", b"\n", 1),
            "x3 signature": good.replace(b"\x1a", b"", 1),
            "x4 signature": good.replace(b"\r\n\x1a", b"\r\r\x1a", 1),
            "xc1 colour type 1": header_with(8, 1),
            "xc9 colour type 9": header_with(8, 9),
            "xd0 depth 0": header_with(0, 2),
            "xd3 depth 3": header_with(3, 0),
            "xd9 depth 99": header_with(99, 2),
            "xdt no IDAT": header + pictures.chunk(b"IEND", b""),
            "xhd header's sum": good[:29] + bytes([good[29] ^ 1]) + good[30:],
            "xcs pixels' sum": good[:-20] + bytes([good[-20] ^ 0x40]) + good[-19:],
            "palette missing": header_with(8, 3),
            "stream too short": header + pictures.chunk(b"IDAT", raw[:len(raw) // 2]) + pictures.chunk(b"IEND", b""),
            "no stream": header + pictures.chunk(b"IDAT", b"pixels") + pictures.chunk(b"IEND", b""),
            "chunk longer than the file": header + struct.pack(">I", 1 << 30) + rest[4:],
            "filter 5": header + pictures.chunk(b"IDAT", zlib.compress((b"\5" + bytes(96)) * 32)) + pictures.chunk(b"IEND", b""),
            "cut": good[:-30],
        }
        for name, data in broken.items():
            with self.subTest(name):
                self.place.write("broken.png", data)
                done = self.place.run("up", "broken.png", "-o", "never.png", "-m", "nothing.onnx")
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("broken.png", done.stderr)
                self.assertFalse((self.place.folder / "never.png").exists())


if __name__ == "__main__":
    unittest.main()
