"""Small ONNX networks for tests, written with nothing but the standard library.

ONNX files are protocol buffers; the field numbers below are those of onnx.proto (ModelProto, GraphProto, NodeProto, ...).
"""

import random
import struct

FLOAT = 1  # TensorProto.DataType


def _varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return _varint(field << 3) + _varint(value)


def block(field, payload):
    payload = payload.encode() if isinstance(payload, str) else payload
    return _varint(field << 3 | 2) + _varint(len(payload)) + payload


def tensor(name, dims, values):
    return b"".join([*(number(1, d) for d in dims), number(2, FLOAT), block(8, name),
                     block(9, struct.pack(f"<{len(values)}f", *values))])


def int_attribute(name, value):
    return block(1, name) + number(3, value) + number(20, 2)


def ints_attribute(name, values):
    return block(1, name) + b"".join(number(8, v) for v in values) + number(20, 7)


def text_attribute(name, value):
    return block(1, name) + block(4, value) + number(20, 3)


def node(op, inputs, output, attributes=(), name=None):
    return b"".join([*(block(1, i) for i in inputs), block(2, output), block(3, name or output), block(4, op),
                     *(block(5, a) for a in attributes)])


def picture_value(name, channels):
    free = [block(1, block(2, label)) for label in ("h", "w")]
    dims = block(1, number(1, 1)) + block(1, number(1, channels)) + b"".join(free)
    return block(1, name) + block(2, block(1, number(1, FLOAT) + block(2, dims)))


def model(nodes, constants, channels=3, metadata=None, opset=13):
    graph = b"".join([*(block(1, n) for n in nodes), block(2, "tiny"), *(block(5, c) for c in constants),
                      block(11, picture_value("in", channels)), block(12, picture_value("out", channels))])
    properties = b"".join(block(14, block(1, k) + block(2, v)) for k, v in (metadata or {}).items())
    return number(1, 8) + block(7, graph) + block(8, block(1, "") + number(2, opset)) + properties


def conventions(scale, value_range="0..255", colour="rgb", pre="none"):
    return {"fye.scale": str(scale), "fye.range": value_range, "fye.colour": colour, "fye.pre": pre}


def conv(name, source, target, kernel=3):
    pad = kernel // 2
    return node("Conv", [source, f"{name}.w", f"{name}.b"], target,
                [ints_attribute("kernel_shape", [kernel, kernel]), ints_attribute("pads", [pad] * 4)], name)


def upscaler(scale, width=8, metadata=True, op="Conv", seed=1, layers=3):
    """Nearest-neighbour enlargement plus small random convolutions: a sharp picture with some structure of its own."""
    rng = random.Random(seed)
    nodes, constants, source, channels = [], [], "in", 3
    outputs = [width] * (layers - 1) + [3 * scale * scale]
    for index, out in enumerate(outputs):
        values = [rng.uniform(-0.08, 0.08) for _ in range(out * channels * 9)]
        for o in range(out):  # the middle tap passes red, green and blue on
            values[(o * channels + o % 3) * 9 + 4] += 0.9
        constants += [tensor(f"c{index}.w", [out, channels, 3, 3], values), tensor(f"c{index}.b", [out], [0.0] * out)]
        last = index == layers - 1
        nodes.append(conv(f"c{index}", source, f"y{index}"))
        source = f"y{index}"
        if not last:
            nodes.append(node("Relu", [source], f"r{index}"))
            source = f"r{index}"
        channels = out
    nodes.append(node(op if op != "Conv" else "DepthToSpace", [source], "out",
                      [int_attribute("blocksize", scale), text_attribute("mode", "DCR")], "shuffle"))
    return model(nodes, constants, metadata=conventions(scale) if metadata else None)
