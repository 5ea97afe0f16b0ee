"""--mem holds: the peak of what fye keeps in memory, on pictures made here; and too little is refused before any work.

usage: memory_test.py [Class[.test]...]
"""

import os
import re
import struct
import unittest
import zlib

from workplace import Workplace

# users.md, U7: what the peak may be over the budget.
SLACK = 32_000_000


def write_png(path, width, height):
    """RGB with shades and texture, written row by row."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pattern = [bytes((x * (3 + k) + 40 * c + (x * x >> 7) + 11 * k) & 255 for x in range(width) for c in range(3)) for k in range(8)]
    packer = zlib.compressobj(1)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
        for y in range(height):
            data = packer.compress(b"\0" + pattern[y // 3 % 8])
            if data:
                file.write(chunk(b"IDAT", data))
        file.write(chunk(b"IDAT", packer.flush()) + chunk(b"IEND", b""))


def peak_of(arguments, environment):
    """Runs a program; its exit status, stderr and the peak of its resident memory in bytes (wait4)."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(write_end, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execve(arguments[0], arguments, environment)
    os.close(write_end)
    with os.fdopen(read_end) as stream:
        said = stream.read()
    _, status, usage = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), said, usage.ru_maxrss * 1024


class Memory(unittest.TestCase):
    """14 megapixels: the whole way would take 42 MB, 168 MB enlarged, and both again in between."""

    @classmethod
    def setUpClass(cls):
        if os.environ.get("FYE_BUILD") == "sanitize":
            raise unittest.SkipTest("a sanitizer build keeps what is freed")
        cls.place = Workplace()
        cls.place.add_good_files()
        write_png(cls.place.folder / "large.png", 4800, 3000)

    @classmethod
    def tearDownClass(cls):
        cls.place.close()

    def up(self, target, memory):
        folder = self.place.folder
        return peak_of([str(self.place.fye), "up", str(folder / "large.png"), "-o", str(folder / target), "-m",
                        str(folder / "tiny.onnx"), "--numbers", "f32", "--threads", "2", "--progress", "none", "--mem", memory],
                       dict(os.environ))

    def test_the_peak_stays_within_the_budget_and_the_picture_is_the_same(self):
        code, said, whole_peak = self.up("whole.png", "4G")
        self.assertEqual(code, 0, said)
        for budget in (150, 200):
            code, said, peak = self.up("rows.png", f"{budget}M")
            self.assertEqual(code, 0, said)
            self.assertLess(peak, budget * 1_000_000 + SLACK)
            self.assertLess(peak, whole_peak / 2)
            self.assertEqual((self.place.folder / "rows.png").read_bytes(), (self.place.folder / "whole.png").read_bytes())

    def test_too_little_is_refused_before_work_and_the_named_least_does(self):
        code, said, _ = self.up("least.png", "20M")
        self.assertEqual(code, 5, said)
        self.assertFalse((self.place.folder / "least.png").exists())
        least = re.search(r"--mem (\d+)M is the least", said)
        self.assertTrue(least, said)
        code, said, peak = self.up("least.png", least[1] + "M")
        self.assertEqual(code, 0, said)
        self.assertLess(peak, int(least[1]) * 1_000_000 + SLACK)


if __name__ == "__main__":
    unittest.main()
