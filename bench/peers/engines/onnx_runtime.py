"""ONNX Runtime: float planes in and out, bound once; their conversion from 8-bit rows isn't counted, which favours it."""

import pathlib
import time

from engines.base import Engine, NotHad, noise, planes


def saturates():
    """Whether its u8 x s8 kernels saturate in between: not where the processor has instructions for such dot products."""
    about = pathlib.Path("/proc/cpuinfo").read_text()
    return not {"avx512_vnni", "avx_vnni"} & set(about.split())


class OnnxRuntime(Engine):
    name = package = "onnxruntime"

    def __init__(self, job):
        if job.numbers == "bf16":
            raise NotHad("its CPU convolutions have no bf16")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = job.threads
        options.inter_op_num_threads = 1
        if saturates():  # elsewhere the same result takes twice as long with it
            options.add_session_config_entry("session.x64quantprecision", "1")
        path = job.qdq if job.numbers == "int8" else job.model
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.values = onnxruntime.OrtValue
        self.bind(planes(noise(job)))

    def bind(self, values):
        self.held = self.values.ortvalue_from_numpy(values)  # bindings don't own it
        self.binding = self.session.io_binding()
        self.binding.bind_ortvalue_input(self.session.get_inputs()[0].name, self.held)
        self.binding.bind_output(self.session.get_outputs()[0].name, "cpu")

    def run(self):
        start = time.perf_counter()
        self.session.run_with_iobinding(self.binding)
        return (time.perf_counter() - start) * 1000

    def result(self, picture):
        self.bind(planes(picture))
        self.run()
        return self.binding.copy_outputs_to_cpu()[0][0].transpose(1, 2, 0)
