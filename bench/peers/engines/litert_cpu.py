"""LiteRT with XNNPACK: maps are channels last; int8 in and out where the network is int8, else float rows."""

import time

import numpy as np

from engines.base import Engine, NotHad, all_calibration, noise


class LiteRt(Engine):
    name, package = "litert", "ai-edge-litert"

    @classmethod
    def convert(cls, job):
        if job.numbers == "bf16":
            raise NotHad("XNNPACK's convolutions know f32, f16 and int8")
        from convert import litert_format, onnx_view

        plain = job.file("litert.f32.tflite")
        litert_format.write(onnx_view.View(job.model, job.width, job.height), plain)
        if job.numbers == "int8":
            picture = all_calibration(job)
            small = job.file("litert.small.tflite")
            litert_format.write(onnx_view.View(job.model, picture.shape[1], picture.shape[0]), small)
            litert_format.quantise(small, plain, job.file("litert.int8.tflite"), picture.astype(np.float32)[None])

    def __init__(self, job):
        from ai_edge_litert.interpreter import Interpreter

        path = job.file(f"litert.{job.numbers}.tflite")
        self.interpreter = Interpreter(model_path=str(path), num_threads=job.threads)
        self.interpreter.allocate_tensors()
        self.input, self.output = self.interpreter.get_input_details()[0], self.interpreter.get_output_details()[0]
        self.give(noise(job))

    def give(self, picture):
        values = picture[None].astype(np.float32)
        if self.input["dtype"] == np.int8:
            scale, zero = self.input["quantization"]
            values = np.clip(np.rint(values / scale) + zero, -128, 127).astype(np.int8)
        self.interpreter.set_tensor(self.input["index"], values)

    def run(self):
        start = time.perf_counter()
        self.interpreter.invoke()
        return (time.perf_counter() - start) * 1000

    def result(self, picture):
        self.give(picture)
        self.run()
        values = self.interpreter.get_tensor(self.output["index"])[0]
        if self.output["dtype"] == np.int8:
            scale, zero = self.output["quantization"]
            values = (values.astype(np.float32) - zero) * scale
        return values
