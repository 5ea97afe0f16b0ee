"""What goes wrong, as exceptions; the compiled part raises these."""

from __future__ import annotations

import enum


class Code(enum.IntEnum):
    """The kind of a failure; the same numbers as the exit codes of the command ``fye``."""

    usage = 1  #: the call itself is wrong: an array of another kind, an option that can't be
    bad_input = 2  #: a file or value from outside can't be used
    partial = 3  #: some of the work was done
    deadline = 4  #: a deadline can't be met
    resources = 5  #: memory, disk, threads
    internal = 6  #: a bug in fye
    interrupted = 130  #: ended before there was a result


class Error(RuntimeError):
    """A call that failed: :attr:`what` is wrong, of which kind (:attr:`code`), and what to do (:attr:`hint`, or "")."""

    code: Code
    what: str
    hint: str

    def __init__(self, code: int, what: str, hint: str = "") -> None:
        super().__init__(f"{what}\n  {hint}" if hint else what)
        self.code = Code(code)
        self.what = what
        self.hint = hint

    def __reduce__(self) -> tuple[type[Error], tuple[int, str, str]]:
        return type(self), (int(self.code), self.what, self.hint)


class Notice(UserWarning):
    """Something differs from what was asked for, but there is a result."""
