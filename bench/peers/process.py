"""Engines as the race sees them: a process that runs one picture for each line it is given. fye serves itself, peers in worker.py."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
from PIL import Image

from engines.base import NotHad

HERE = pathlib.Path(__file__).resolve().parent


class Served:
    """A started process. start_ms: from its start, or its engine's import, to the first picture."""

    def __init__(self, command, environment, log):
        self.log = log
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                                            env={**os.environ, **environment})

    def answer(self):
        line = self.process.stdout.readline().strip()
        if line.startswith("not had: "):
            self.close()
            raise NotHad(line.removeprefix("not had: "))
        if not line:
            self.close()
            last = pathlib.Path(self.log).read_text(errors="replace").strip().splitlines()[-1:]
            raise RuntimeError(f"ended with {self.process.returncode}: {' '.join(last)}")
        return line

    def ask(self, line=""):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.answer()

    def run(self):
        return float(self.ask())

    def peak_mb(self):
        """Most memory that was resident at once."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Fye(Served):
    def __init__(self, fye, job, _environment):
        self.fye, self.job = fye, job
        start = time.perf_counter()
        super().__init__([fye, "bench", job.model, "--size", f"{job.width}x{job.height}", "--numbers", job.numbers, "--threads",
                          str(job.threads), "--serve"], {}, job.file("fye.log"))
        if self.answer() != "ready":
            raise RuntimeError("fye bench --serve did not start")
        until = (time.perf_counter() - start) * 1000
        self.start_ms = until - self.run()  # it has run twice by now

    def result(self, picture):
        small, large = self.job.file("in.png"), self.job.file("out.png")
        Image.fromarray(picture.squeeze()).save(small)
        command = [self.fye, "up", small, "-o", large, "-m", self.job.model, "--numbers", self.job.numbers]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        return np.asarray(Image.open(large)).reshape(*Image.open(large).size[::-1], -1)


class Worker(Served):
    """worker.py at its verb."""

    def __init__(self, verb, name, job, environment):
        path = job.file(f"{name}.{job.numbers}.json")
        path.write_text(json.dumps(dataclasses.asdict(job)))
        # PIP_NO_INDEX: no engine's package may install others behind our back.
        super().__init__([sys.executable, HERE / "worker.py", verb, name, path], {**environment, "PIP_NO_INDEX": "1"},
                         job.file(f"{name}.log"))


class Peer(Worker):
    def __init__(self, name, job, environment):
        super().__init__("serve", name, job, environment)
        self.job = job
        self.start_ms = float(self.answer().removeprefix("ready "))

    def result(self, picture):
        before, after = self.job.file("in.npy"), self.job.file("out.npy")
        np.save(before, picture)
        self.ask(f"result {before} {after}")
        return np.load(after)


def convert(name, job, environment):
    """Makes a peer's files. Raises NotHad, or RuntimeError with the last line it wrote."""
    made = Worker("convert", name, job, environment)
    made.answer()
    made.close()
