#!/usr/bin/env python3
"""Exported graphs against ONNX: the checker accepts them, ONNX Runtime runs them, and fusing changed nothing.

usage: onnx_roundtrip_oracle.py GRAPH_TOOL [COUNT]
GRAPH_TOOL writes the known networks and COUNT random graphs (default 60), each as made and as fused; both must give the same
output at two sizes, up to the float rounding of folded weights.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

# Of the output's largest magnitude: weights rounded once more by folding, sums in another order.
TOLERANCE = 1e-4


def session(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def main():
    tool, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 60
    random = np.random.default_rng(1)
    worst, bad, compared = 0.0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([tool, folder, str(count)], check=True)
        for path in sorted(pathlib.Path(folder).glob("*.fused.onnx")):
            made, fused = session(folder + "/" + path.name.replace(".fused", "")), session(path)
            given = made.get_inputs()[0].shape
            for height, width in ((24, 32), (37, 29)):
                shape = [size if isinstance(size, int) else free for size, free in zip(given, (1, 3, height, width))]
                x = (random.random(shape) * 255).astype(np.float32)
                expected, got = (s.run(None, {"input": x})[0] for s in (made, fused))
                scale = max(float(np.abs(expected).max()), 1e-3)
                difference = float(np.abs(got - expected).max()) / scale if got.shape == expected.shape else np.inf
                compared += 1
                worst = max(worst, difference)
                if not difference <= TOLERANCE:
                    bad += 1
                    print(f"{path.name} at {height}x{width}: {difference:.2e} of the largest value")
    print(f"{compared} outputs compared, {bad} wrong, largest difference {worst:.2e} of the largest value")
    return 1 if bad or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
