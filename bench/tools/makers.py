"""Today's tools at work: each makes its model of a network, in a process of its own: makers.py WAY SPEC.json

The last line on stdout is JSON: {seconds, note}. SPEC: model, out (without suffix), calibration (PNG files that are fed as they are),
validation ([small, large] PNG files), scale, white (the network's value of white), max_drop (dB), steps (of the greedy), folder (for
files in between). ONNX results get the conventions of the source (fye.scale and so on), which some tools drop.
"""

import functools
import json
import logging
import os
import pathlib
import re
import sys
import time
import warnings

import networks
import rules

# How ONNX Runtime finds ranges; its percentiles are symmetric unless told otherwise, which would waste half the bytes behind a ReLU.
ORT_RANGES = {"MinMax": {}, "Percentile": {"CalibTensorRangeSymmetric": False}, "Entropy": {}}


def ort_static(spec, prepared, out, ranges, excluded=()):
    """ONNX Runtime's QDQ form: u8 activations, s8 weights per channel, as its documentation says for CPUs. Ranges are kept in files."""
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            self.left = iter(networks.inputs(spec["model"], spec["calibration"], spec["white"]))

        def get_next(self):
            return next(self.left, None)

    kept = pathlib.Path(spec["folder"]) / f"ranges.{ranges}.json"
    quantization.quantize_static(
        prepared, out, Reader(), quant_format=quantization.QuantFormat.QDQ, per_channel=True,
        activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
        calibrate_method=quantization.CalibrationMethod[ranges], nodes_to_exclude=list(excluded),
        extra_options=ORT_RANGES[ranges], calibration_cache_path=kept)


def prepared_for_ort(spec):
    """After ONNX Runtime's own preparation: shapes and constants folded, which its quantiser asks for."""
    from onnxruntime.quantization import shape_inference

    prepared = pathlib.Path(spec["folder"]) / "prepared.onnx"
    if not prepared.exists():
        try:
            shape_inference.quant_pre_process(spec["model"], str(prepared))
        except Exception as error:  # "Incomplete symbolic shape inference": its documentation says to go on without that step then
            spec["remarks"].append(f"its preparation said \"{error}\" and was run without symbolic shapes")
            shape_inference.quant_pre_process(spec["model"], str(prepared), skip_symbolic_shape=True)
    return str(prepared)


def ort_error(spec, prepared, ranges, excluded):
    """Mean square distance to the float network on the calibration pictures, in squared values of the network."""
    import numpy as np

    made = str(pathlib.Path(spec["folder"]) / "try.onnx")
    ort_static(spec, prepared, made, ranges, excluded)
    got = networks.onnx_runtime(made)
    pairs = float_results(spec["model"], *spec["calibration"], white=spec["white"])
    return float(np.mean([np.mean((exact - got(values)) ** 2) for values, exact in pairs]))


@functools.cache
def float_results(model, *pictures, white):
    """[(planes, what the float network makes of them)]"""
    run = networks.onnx_runtime(model)
    return [(values, run(values)) for values in (networks.planes(networks.read(path), white) for path in pictures)]


def best_ranges(spec, prepared):
    return min(ORT_RANGES, key=lambda ranges: ort_error(spec, prepared, ranges, ()))


def ort(ranges):
    def make(spec, out):
        ort_static(spec, prepared_for_ort(spec), out, ranges)
        return ""

    return make


def ort_ends(spec, out):
    """The first and the last convolution stay float."""
    prepared = prepared_for_ort(spec)
    ranges, convs = best_ranges(spec, prepared), networks.convolutions(prepared)
    ort_static(spec, prepared, out, ranges, [convs[0], convs[-1]])
    return f"{ranges} (the least error of three); float: {convs[0]}, {convs[-1]}"


def ort_greedy(spec, out):
    """Beside these, the convolutions whose exclusion lessens the error most, one after the other."""
    prepared = prepared_for_ort(spec)
    ranges, convs = best_ranges(spec, prepared), networks.convolutions(prepared)
    chosen = rules.greedy(convs, [convs[0], convs[-1]], spec["steps"], lambda excluded: ort_error(spec, prepared, ranges, excluded))
    ort_static(spec, prepared, out, ranges, chosen)
    return f"{ranges}; float: {', '.join(chosen)}"


def validation_items(spec):
    """(network's input, luma of the original without its border) of each validation picture."""
    return [(networks.planes(networks.read(small), spec["white"]), networks.luma(networks.read(large)))
            for small, large in spec["validation"]]


def nncf_accuracy(spec, run_of):
    """What NNCF calls to judge a model: mean PSNR on luma against the originals, and each picture's.

    run_of: of what NNCF hands over to a function planes -> planes.
    """

    def accuracy(model, items):
        run = run_of(model)
        scores = [networks.psnr_y(networks.levels(run(planes), spec["white"]), luma, spec["scale"]) for planes, luma in items]
        return sum(scores) / len(scores), scores

    return accuracy


def nncf_model(spec, model, name, run_of, controlled):
    import nncf

    calibration = nncf.Dataset(networks.inputs(spec["model"], spec["calibration"], spec["white"]))
    if not controlled:
        return nncf.quantize(model, calibration, subset_size=len(spec["calibration"]))
    validation = nncf.Dataset(validation_items(spec), lambda item: {name: item[0]})
    return nncf.quantize_with_accuracy_control(
        model, calibration, validation, nncf_accuracy(spec, run_of), max_drop=spec["max_drop"], drop_type=nncf.DropType.ABSOLUTE,
        subset_size=len(spec["calibration"]))


def nncf_onnx(controlled):
    def make(spec, out):
        import onnx

        model = onnx.load(spec["model"])
        run_of = lambda model: networks.onnx_runtime(model.SerializeToString())
        onnx.save(nncf_model(spec, model, model.graph.input[0].name, run_of, controlled), out)
        return ""

    return make


def nncf_openvino(controlled):
    def make(spec, out):
        import openvino

        model = openvino.Core().read_model(spec["model"])
        run_of = lambda compiled: lambda planes: compiled([planes])[0]
        openvino.save_model(nncf_model(spec, model, model.input(0).any_name, run_of, controlled), out, compress_to_fp16=False)
        return ""

    return make


# Name in the tables -> (function, suffix of its file, runtimes).
WAYS = {
    "ORT min-max": (ort("MinMax"), ".onnx", ["onnxruntime"]),
    "ORT percentile": (ort("Percentile"), ".onnx", ["onnxruntime"]),
    "ORT entropy": (ort("Entropy"), ".onnx", ["onnxruntime"]),
    "ORT ends float": (ort_ends, ".onnx", ["onnxruntime"]),
    "ORT greedy float": (ort_greedy, ".onnx", ["onnxruntime"]),
    "NNCF ONNX": (nncf_onnx(False), ".onnx", ["onnxruntime", "openvino"]),
    "NNCF ONNX accuracy": (nncf_onnx(True), ".onnx", ["onnxruntime", "openvino"]),
    "NNCF IR": (nncf_openvino(False), ".xml", ["openvino"]),
    "NNCF IR accuracy": (nncf_openvino(True), ".xml", ["openvino"]),
}


def file_of(folder, way):
    """Where WAY's model lies."""
    stem = re.sub(r"[^a-z0-9]+", "-", way.lower())
    return pathlib.Path(folder) / f"{stem}{WAYS[way][1]}"


def main():
    way, path = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what tools print goes to stderr
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)
    spec = {**json.loads(pathlib.Path(path).read_text()), "remarks": []}
    out = file_of(spec["folder"], way)
    start = time.perf_counter()
    note = "; ".join(filter(None, [WAYS[way][0](spec, str(out)), *spec["remarks"]]))
    seconds = time.perf_counter() - start
    if out.suffix == ".onnx":
        networks.keep_conventions(spec["model"], out)
    answers.write(json.dumps({"seconds": seconds, "note": note}) + "\n")
    answers.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
