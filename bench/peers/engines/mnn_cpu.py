"""MNN with its Winograd and int8 paths: float planes in and out, their conversion from 8-bit rows not counted, which favours it.

Its converter and quantiser are called in the wheel's C module. The commands mnnconvert and mnnquant are left alone: they install a
logging package into whichever Python comes first and report use to its makers, and mnnquant hands strings to a C function that takes a
list, and aborts. Of the quantiser's methods now KL, now EMA is right, so both are tried; its winogradOpt changed no byte of any file.
"""

import json
import shutil
import subprocess
import sys
import time

import numpy as np

from engines.base import Engine, NotHad, all_calibration, noise, planes

NO_BF16 = "the 3.6.1 wheel computes in f32 when asked for it (precision low_BF): the same result to the bit"
METHODS = ("KL", "EMA")


def load(path, threads):
    import MNN

    runtime = MNN.nn.create_runtime_manager(({"backend": "CPU", "precision": "high", "numThread": threads},))
    return MNN.nn.load_module_from_file(str(path), ["input"], ["output"], runtime_manager=runtime)


def variable(picture):
    import MNN.expr

    values = planes(picture)
    held = MNN.expr.placeholder(list(values.shape), MNN.expr.NCHW)
    held.write(values)
    return held


def output(net, picture):
    import MNN.expr

    return np.array(MNN.expr.convert(net.forward([variable(picture)])[0], MNN.expr.NCHW).read())[0].transpose(1, 2, 0)


def quantise(job, plain, picture):
    """job's mnn.int8.mnn, by the method whose result on the calibration picture is nearest to the float network's."""
    from PIL import Image

    folder, best = job.file("mnn-calibration"), {}
    folder.mkdir(exist_ok=True)
    Image.fromarray(picture.squeeze()).save(folder / "all.png")
    height, width, channels = picture.shape
    exact = output(load(plain, 1), picture)
    for method in METHODS:
        config, made = job.file("mnn.json"), job.file(f"mnn.{method}.mnn")
        config.write_text(json.dumps({
            "format": "RGB" if channels == 3 else "GRAY", "mean": [0.0] * 3, "normal": [1.0] * 3, "width": width, "height": height,
            "path": f"{folder}/", "used_sample_num": 1, "feature_quantize_method": method, "weight_quantize_method": "MAX_ABS",
            "feature_clamp_value": 127, "weight_clamp_value": 127, "batch_size": 1, "quant_bits": 8, "input_type": "image"}))
        # A process of its own: a second call, or one after a network has run, ends in a segmentation fault.
        code = "import sys, _tools; _tools.mnnquant(['mnnquant', *sys.argv[1:]])"
        subprocess.run([sys.executable, "-c", code, plain, made, config], check=True)
        best[made] = float(np.mean((output(load(made, 1), picture) - exact) ** 2))
    shutil.copy(min(best, key=best.get), job.file("mnn.int8.mnn"))


class Mnn(Engine):
    name = package = "mnn"

    @classmethod
    def convert(cls, job):
        if job.numbers == "bf16":
            raise NotHad(NO_BF16)
        import _tools
        import onnx

        picture = all_calibration(job)
        model = onnx.load(job.model)  # the quantiser wants a shape; running takes any
        for dim, length in zip(model.graph.input[0].type.tensor_type.shape.dim[2:], picture.shape[:2]):
            dim.dim_value = length
        name = model.graph.output[0].name
        model.graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
        fixed, plain = job.file("mnn.onnx"), job.file("mnn.f32.mnn")
        onnx.save(model, str(fixed))
        _tools.mnnconvert(["mnnconvert", "-f", "ONNX", "--modelFile", str(fixed), "--MNNModel", str(plain), "--bizCode", "fye"])
        if job.numbers == "int8":
            quantise(job, plain, picture)

    def __init__(self, job):
        self.net = load(job.file(f"mnn.{job.numbers}.mnn"), job.threads)
        self.input = variable(noise(job))

    def run(self):
        start = time.perf_counter()
        self.net.forward([self.input])  # computes at once: reading the result afterwards takes no time
        return (time.perf_counter() - start) * 1000

    def result(self, picture):
        return output(self.net, picture)
