"""What an engine of the race is: a class in a file of its own, run in a process of its own by worker.py.

Nothing of the engine is imported before it is used, so that the race itself can name engines that aren't installed.
"""

import dataclasses
import pathlib


class NotHad(Exception):
    """The engine has no such thing; the message says what is missing."""


@dataclasses.dataclass
class Job:
    """One cell of the table, as worker.py gets it. Pictures are 8-bit rows [height, width, channels]."""

    numbers: str  # f32, bf16, int8
    threads: int
    width: int
    height: int
    channels: int  # 3, or 1: luma
    model: str  # float ONNX
    qdq: str  # the same with QuantizeLinear and DequantizeLinear, by fye calibrate --qdq
    folder: str  # for the files that an engine makes
    calibration: list  # .npy pictures

    def file(self, name):
        return pathlib.Path(self.folder) / name


class Engine:
    name = ""  # in the table
    package = ""  # on the package index
    isa_variable = None  # environment variable that narrows its instruction set
    isa_values = {}  # fye's names -> that variable's values

    @classmethod
    def convert(cls, job):
        """Makes the files that __init__ loads; may take long, isn't measured."""

    def __init__(self, job):
        """Loads the network; counted as start-up."""
        raise NotImplementedError

    def run(self):
        """One picture; returns milliseconds."""
        raise NotImplementedError

    def result(self, picture):
        """Of an 8-bit picture [height, width, channels]: the same, larger, in 8 bits or as unrounded numbers."""
        raise NotImplementedError


def planes(picture):
    """8-bit rows to float planes [1, channels, height, width]."""
    import numpy as np

    return np.ascontiguousarray(picture.astype(np.float32).transpose(2, 0, 1)[None])


def noise(job):
    """The picture that is timed: no zeros to skip."""
    import numpy as np

    return np.random.default_rng(1).integers(0, 256, (job.height, job.width, job.channels), np.uint8)


def all_calibration(job):
    """The calibration pictures, one below the other: some quantisers average ranges over pictures and forget the first or the last."""
    import numpy as np

    return np.concatenate([np.load(path) for path in job.calibration])
