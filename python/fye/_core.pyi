"""The compiled part (python/module.cc)."""

import os
from collections.abc import Callable
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

class _Report(TypedDict):
    numbers: str
    threads: int
    tile: int
    prepare_ms: float
    run_ms: float
    late: bool
    notices: list[str]

class _Profile(TypedDict):
    width: int
    height: int
    threads: int
    cpu: str
    isa: str
    processors: list[str]
    units: list[tuple[str, list[float]]]
    whole_ms: list[float]

class _Book(TypedDict):
    width: int
    height: int
    threads: int
    processors: list[str]
    units: list[str]
    entries: list[tuple[float, float, list[int]]]

class Model:
    def __init__(self, file_or_name: str, scale: int, net_scale: int | None, range: str | None,
                 colour: str | None, pre: str | None) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def scale(self) -> int: ...
    @property
    def int8(self) -> bool: ...
    @property
    def sha256(self) -> str: ...

class Upscaler:
    def __init__(self, model: Model, scale: int, numbers: str, deadline: float | None, book: str | os.PathLike[str],
                 threads: int, tile: int, memory: int, progress: Callable[[float], object] | None) -> None: ...
    def run(self, image: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], _Report]: ...

def version() -> str: ...
def models() -> list[tuple[str, str, int]]: ...
def profile(model: Model, width: int, height: int, threads: int, seconds: float, again: bool,
            progress: Callable[[float], object] | None) -> _Profile: ...
def plan(model: Model, width: int, height: int, threads: int) -> _Book: ...
def compare(original: npt.NDArray[Any], other: npt.NDArray[Any], shave: int) -> dict[str, float]: ...
