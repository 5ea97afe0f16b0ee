"""fye makes pictures larger by trained networks, as well and as fast as this machine can.

    >>> import fye
    >>> big = fye.upscale(small)                       # three times as large
    >>> big = fye.upscale(small, "abpn_x2")            # by another of fye.models()
    >>> big = fye.upscale(small, deadline=40)          # as good as 40 ms allow, after fye.profile and fye.plan

Images are NumPy arrays of ``uint8`` or ``uint16``: height x width (grey), or height x width x channels (1 grey, 2 grey
and alpha, 3 RGB, 4 RGB and alpha), not linear, alpha not premultiplied. Rows may lie anywhere in memory (a crop costs
nothing extra); arrays with other strides are copied once. Results keep the dtype, the channels and the number of
dimensions, and own their memory.

What fails raises :class:`Error`; what only differs from what was asked for warns with :class:`Notice`. Other threads
of Python run while fye computes; Ctrl-C ends a run.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from . import _core
from ._error import Code, Error, Notice

__all__ = ["Book", "Code", "Error", "Model", "ModelName", "Notice", "Plan", "Profile", "Report", "Upscaled", "Upscaler",
           "compare", "models", "plan", "profile", "upscale"]
__version__ = _core.version()

Samples = TypeVar("Samples", np.uint8, np.uint16)
Image = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Progress = Callable[[float], object]


class ModelName(NamedTuple):
    """A network that fye brings along."""

    name: str
    file: str
    scale: int


def models() -> list[ModelName]:
    """The networks that fye brings along, or those in the folder ``$FYE_MODELS``."""
    return [ModelName(*model) for model in _core.models()]


class Model:
    """A network, loaded once; any number of upscalers and threads may share it.

    :param file_or_name: a .onnx or ncnn .param file, or a name out of :func:`models`; None: the shipped network for
        `scale` (0: the one that is measured best).
    :param net_scale: output pixels per input pixel, for files that don't say so themselves; likewise
    :param range: values of black..white ("0..255", "0..1" or "-1..1"),
    :param colour: "rgb", or "y" (luma alone),
    :param pre: "none", or "bicubic" (the network wants the enlarged picture).
    """

    def __init__(self, file_or_name: str | os.PathLike[str] | None = None, *, scale: int = 0, net_scale: int | None = None,
                 range: str | None = None, colour: str | None = None, pre: str | None = None) -> None:
        name = "" if file_or_name is None else os.fspath(file_or_name)
        self._core = _core.Model(name, scale, net_scale, range, colour, pre)

    @property
    def name(self) -> str:
        """As :func:`models` names it; of a file, its name without the extension."""
        return self._core.name

    @property
    def file(self) -> str:
        """Where it was read from."""
        return self._core.file

    @property
    def scale(self) -> int:
        """Output pixels per input pixel, along one side."""
        return self._core.scale

    @property
    def int8(self) -> bool:
        """Whether it is calibrated for 8-bit integers."""
        return self._core.int8

    @property
    def sha256(self) -> str:
        """By which profiles and plans know it."""
        return self._core.sha256

    def __repr__(self) -> str:
        return f"fye.Model({self.name!r}, scale {self.scale}{', int8' if self.int8 else ''})"


AnyModel = Model | str | os.PathLike[str] | None


def _model(model: AnyModel, scale: int = 0) -> Model:
    return model if isinstance(model, Model) else Model(model, scale=scale)


class Report(NamedTuple):
    """What a run did."""

    numbers: str  #: the number format: "f32", "bf16", "int8", "int8r16", or "plan": those of a plan
    threads: int
    tile: int  #: edge in input pixels; 0: bands of the whole width
    prepare_ms: float  #: 0 but for the first image of a size, or nearly
    run_ms: float
    late: bool  #: took longer than the deadline
    notices: list[str]  #: sentences: what differs from what was asked for


class Upscaled(NamedTuple):
    image: Image
    report: Report


class Upscaler:
    """A network prepared to run: for many images, of which those of one size are prepared for once.

    :param model: a :class:`Model`, or what one is made of.
    :param scale: how many times as large, 1..16; 0: the network's own scale.
    :param numbers: "f32", "bf16", "int8", "int8r16", or "auto": the fastest that loses at most 0.05 dB against f32.
    :param deadline: milliseconds; the truest plan that takes no longer, out of the book that :func:`plan` made for this
        model, machine and number of threads.
    :param book: book.json of ``fye plan``, instead of the one that was kept.
    :param threads: processor cores to use, 1..1024; 0: all that the process may use.
    :param tile: edge of a tile in input pixels; 0: bands of the whole width.
    :param memory: bytes to stay within; 0: three quarters of what is free.
    :param progress: called with 0..1 while an image runs; what it raises ends the run.

    Several threads may call one upscaler; they take turns.
    """

    def __init__(self, model: AnyModel = None, *, scale: int = 0, numbers: str = "auto", deadline: float | None = None,
                 book: str | os.PathLike[str] | None = None, threads: int = 0, tile: int = 0, memory: int = 0,
                 progress: Progress | None = None) -> None:
        self.model = _model(model, scale)
        self._core = _core.Upscaler(self.model._core, scale, numbers, deadline, book or "", threads, tile, memory,
                                    progress)

    def run(self, image: Image) -> Upscaled:
        """The enlarged image, and what was done."""
        made, report = self._core.run(image)
        return Upscaled(made, Report(**report))

    def __call__(self, image: npt.NDArray[Samples]) -> npt.NDArray[Samples]:
        """The enlarged image; warns with :class:`Notice` where it differs from what was asked for."""
        return self._noticed(image, 2)

    def _noticed(self, image: npt.NDArray[Samples], level: int) -> npt.NDArray[Samples]:
        """As above; warnings point at the caller `level` calls up."""
        made, report = self._core.run(image)
        for notice in report["notices"]:
            warnings.warn(notice, Notice, stacklevel=level + 1)
        if report["late"]:
            warnings.warn(f"took {report['run_ms']:.1f} ms, longer than the deadline", Notice, stacklevel=level + 1)
        return made


# The upscaler that each thread used last: calling upscale() in a loop prepares once.
_last = threading.local()


def upscale(image: npt.NDArray[Samples], model: AnyModel = None, *, scale: int = 0, numbers: str = "auto",
            deadline: float | None = None, book: str | os.PathLike[str] | None = None, threads: int = 0, tile: int = 0,
            memory: int = 0, progress: Progress | None = None) -> npt.NDArray[Samples]:
    """`image`, `scale` times as large along each side (0: as much as the network enlarges).

    Parameters are those of :class:`Upscaler`, which is the better choice where more than one kind of call takes turns.
    """
    key = (id(model) if isinstance(model, Model) else model, scale, numbers, deadline, book, threads, tile, memory,
           progress)
    if getattr(_last, "key", None) != key:
        _last.key = None
        _last.upscaler = Upscaler(model, scale=scale, numbers=numbers, deadline=deadline, book=book, threads=threads,
                                  tile=tile, memory=memory, progress=progress)
        _last.key = key
    upscaler: Upscaler = _last.upscaler
    return upscaler._noticed(image, 2)


@dataclass(frozen=True)
class Profile:
    """Milliseconds of every unit of a network (a convolution with what belongs to it) on every processor."""

    width: int  #: of the image that goes in
    height: int
    threads: int
    cpu: str
    isa: str
    units: dict[str, dict[str, float]]  #: ms by unit and processor; processors that can't run it are absent
    whole: dict[str, float]  #: ms of all units on one processor


def profile(model: AnyModel = None, size: tuple[int, int] = (640, 360), *, threads: int = 0, seconds: float = 60,
            again: bool = False, progress: Progress | None = None) -> Profile:
    """Measures what every unit takes on this machine, for images of `size` (width, height), in about `seconds`.

    Nothing else should run meanwhile. The result is kept, shared with the command ``fye``, and measured once unless
    `again`.
    """
    got = _core.profile(_model(model)._core, size[0], size[1], threads, seconds, again, progress)

    def known(times: list[float]) -> dict[str, float]:
        return {processor: ms for processor, ms in zip(got["processors"], times) if ms == ms}

    return Profile(got["width"], got["height"], got["threads"], got["cpu"], got["isa"],
                   {unit: known(times) for unit, times in got["units"]}, known(got["whole_ms"]))


@dataclass(frozen=True)
class Plan:
    """Which unit runs on which processor."""

    ms: float  #: predicted
    msef: float  #: mean squared grey levels from the float network's picture, predicted
    units: dict[str, str]


@dataclass(frozen=True)
class Book:
    """The plans worth having, ascending by time: each is truer than those before it."""

    width: int
    height: int
    threads: int
    plans: list[Plan]

    def at(self, deadline: float) -> Plan:
        """The truest plan that takes at most `deadline` milliseconds. Raises :class:`Error` if there is none."""
        in_time = [plan for plan in self.plans if plan.ms <= deadline]
        if not in_time:
            fastest = min((plan.ms for plan in self.plans), default=float("inf"))
            raise Error(Code.deadline, f"no plan meets {deadline} ms: the fastest takes {fastest:.3f} ms")
        return min(in_time, key=lambda plan: plan.msef)


def plan(model: AnyModel = None, size: tuple[int, int] = (640, 360), *, threads: int = 0) -> Book:
    """The best plans for all deadlines, by the times of :func:`profile` for the same `size` and `threads`.

    Kept for `deadline` of :func:`upscale` and for the command ``fye``.
    """
    got = _core.plan(_model(model)._core, size[0], size[1], threads)
    return Book(got["width"], got["height"], got["threads"],
                [Plan(ms, msef, {unit: got["processors"][p] for unit, p in zip(got["units"], on)})
                 for ms, msef, on in got["entries"]])


def compare(original: Image, other: Image, shave: int = 0) -> dict[str, float]:
    """PSNR, SSIM and PIQE of `other` against `original`, by name; `shave` pixels are left out on each side.

    PSNR of equal images is infinite.
    """
    return _core.compare(original, other, shave)
