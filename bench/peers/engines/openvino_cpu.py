"""OpenVINO: 8-bit rows in and out by its own pre- and postprocessing."""

import time

from engines.base import Engine, NotHad, noise


class OpenVino(Engine):
    name = package = "openvino"
    isa_variable = "ONEDNN_MAX_CPU_ISA"  # read when the library loads
    isa_values = {"avx2": "AVX2", "avx2vnni": "AVX2_VNNI", "avx512": "AVX512_CORE_BF16"}

    def __init__(self, job):
        import openvino
        from openvino import Layout, PartialShape, Type
        from openvino.preprocess import PrePostProcessor

        core = openvino.Core()
        model = core.read_model(job.qdq if job.numbers == "int8" else job.model)
        model.reshape(PartialShape([1, job.channels, job.height, job.width]))
        steps = PrePostProcessor(model)
        steps.input().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC"))
        steps.input().model().set_layout(Layout("NCHW"))
        steps.output().model().set_layout(Layout("NCHW"))
        steps.output().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC"))
        # Said always: without it a float network runs in bf16 where the machine has it, and an int8 one between its layers.
        precision = "bf16" if job.numbers == "bf16" else "f32"
        config = {"INFERENCE_NUM_THREADS": job.threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
        compiled = core.compile_model(steps.build(), "CPU", config)
        got = compiled.get_property("INFERENCE_PRECISION_HINT")
        if job.numbers == "bf16" and got != Type.bf16:
            raise NotHad(f"asked for bf16, it says it computes in {got}")
        self.request = compiled.create_infer_request()
        self.rows = noise(job)[None]

    def run(self):
        start = time.perf_counter()
        self.request.infer([self.rows], share_inputs=True, share_outputs=True)
        return (time.perf_counter() - start) * 1000

    def result(self, picture):
        import numpy as np

        return np.array(self.request.infer([picture[None]])[0][0])
