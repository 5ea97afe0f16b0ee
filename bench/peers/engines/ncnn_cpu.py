"""ncnn with its Winograd and int8 paths: float planes in and out, their conversion from 8-bit rows not counted, which favours it."""

import time

import numpy as np

from engines.base import Engine, noise, planes


class Ncnn(Engine):
    name = package = "ncnn"

    @classmethod
    def convert(cls, job):
        from convert import ncnn_format, onnx_view

        ranges = None
        if job.numbers == "int8":
            ranges = onnx_view.input_ranges(job.model, [planes(np.load(path)) for path in job.calibration])
        ncnn_format.write(onnx_view.View(job.model, job.width, job.height), cls.param(job), ranges)

    @staticmethod
    def param(job):
        return job.file("ncnn.int8.param" if job.numbers == "int8" else f"ncnn.{job.numbers}.param")

    def __init__(self, job):
        import ncnn

        self.ncnn, self.net = ncnn, ncnn.Net()
        option = self.net.opt
        option.num_threads, option.use_vulkan_compute = job.threads, False
        option.use_fp16_packed = option.use_fp16_storage = option.use_fp16_arithmetic = False
        option.use_bf16_storage = job.numbers == "bf16"
        param = self.param(job)
        if self.net.load_param(str(param)) or self.net.load_model(str(param.with_suffix(".bin"))):
            raise RuntimeError(f"ncnn can't load {param}")
        self.input = self.mat(noise(job))

    def mat(self, picture):
        # A copy of its own: a Mat around numpy's memory neither keeps that alive nor counts references, as layers that work in place do.
        held = planes(picture)[0]
        return self.ncnn.Mat(held).clone()

    def extract(self, mat):
        extractor = self.net.create_extractor()
        extractor.input("input", mat)
        status, out = extractor.extract("output")
        if status:
            raise RuntimeError(f"ncnn gives {status}")
        return out

    def run(self):
        start = time.perf_counter()
        self.extract(self.input)
        return (time.perf_counter() - start) * 1000

    def result(self, picture):
        return np.array(self.extract(self.mat(picture))).transpose(1, 2, 0)
