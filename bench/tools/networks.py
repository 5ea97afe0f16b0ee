"""Networks as the tools' runtimes see them: float planes in, float planes out, for quality; and what an ONNX file says of itself.

Unlike the race's engines, both runtimes round their result here, so that neither loses by cutting off.
"""

CONVENTIONS = ("fye.scale", "fye.range", "fye.colour", "fye.pre")
WHITE = {"0..255": 255.0, "0..1": 1.0}  # the network's value of white, by fye.range


def conventions(path):
    """{fye.scale, fye.range, ...} of an ONNX file."""
    import onnx

    return {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props if entry.key in CONVENTIONS}


def keep_conventions(source, path):
    """Gives the ONNX file `path` the conventions of `source`, and no other claims of it."""
    import onnx

    model = onnx.load(str(path))
    others = {entry.key: entry.value for entry in model.metadata_props if not entry.key.startswith("fye.")}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {**others, **conventions(source)})
    onnx.save(model, str(path))


def convolutions(path):
    """Names of the convolutions of an ONNX file, in its order."""
    import onnx

    return [node.name for node in onnx.load(str(path)).graph.node if node.op_type == "Conv"]


def int8_convolutions(path):
    """How many convolutions of an ONNX file read dequantised maps and weights: "5 of 7"."""
    import onnx

    nodes = onnx.load(str(path)).graph.node
    maker = {name: node.op_type for node in nodes for name in node.output}
    convs = [node for node in nodes if node.op_type == "Conv"]
    count = sum(all(maker.get(name) == "DequantizeLinear" for name in node.input[:2]) for node in convs)
    return f"{count} of {len(convs)}"


def openvino_convolutions(path, precision):
    """How many convolutions OpenVINO itself runs in int8, and in what the others: "5 of 7, f32"."""
    import openvino

    compiled = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": precision})
    kinds = []
    for op in compiled.get_runtime_model().get_ops():
        about = op.get_rt_info()
        if "Convolution" in str(about["layerType"].value if hasattr(about["layerType"], "value") else about["layerType"]):
            kinds.append(str(about["runtimePrecision"].value if hasattr(about["runtimePrecision"], "value") else about["runtimePrecision"]))
    narrow = sum(kind.lower() in ("i8", "u8", "int8", "uint8") for kind in kinds)
    others = sorted({kind for kind in kinds if kind.lower() not in ("i8", "u8", "int8", "uint8")})
    return f"{narrow} of {len(kinds)}" + "".join(f", {kind}" for kind in others)


def read(path):
    """8-bit RGB rows of a picture file."""
    import numpy as np
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB"))


def planes(picture, white):
    """8-bit rows to what the network takes."""
    import numpy as np

    return np.ascontiguousarray(picture.astype(np.float32).transpose(2, 0, 1)[None] * np.float32(white / 255))


def levels(out, white):
    """What the network gives to 8-bit rows, rounded."""
    import numpy as np

    return np.clip(np.rint(out[0].transpose(1, 2, 0).astype(np.float64) * (255 / white)), 0, 255).astype(np.uint8)


def inputs(model, paths, white):
    """[{input's name: planes}] of picture files."""
    import onnx

    name = onnx.load(str(model)).graph.input[0].name
    return [{name: planes(read(path), white)} for path in paths]


def luma(picture):
    """BT.601, 16 to 235."""
    import numpy as np

    return 16 + picture.astype(np.float64) @ np.array([65.481, 128.553, 24.966]) / 255


def psnr_y(picture, original_luma, border):
    """Without `border` pixels on each side."""
    import numpy as np

    apart = (luma(picture) - original_luma)[border:-border, border:-border]
    return float(10 * np.log10(255**2 / max(np.mean(apart**2), 1e-10)))


def onnx_runtime(model):
    """planes -> planes. model: a path or an ONNX file's bytes."""
    import onnxruntime
    from engines.onnx_runtime import saturates

    options = onnxruntime.SessionOptions()
    if saturates():  # with it, it fails on files in which layers share a constant ("Attempt to replace the existing tensor")
        options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda values: session.run(None, {name: values})[0]


def openvino_cpu(path, precision):
    """planes -> planes, with that precision hint."""
    import openvino

    request = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": precision}).create_infer_request()
    return lambda values: request.infer([values])[0]
