#!/usr/bin/env python3
"""ONNX files of the networks that are raced but not trained here: published layers, seeded random weights.

usage: zoo.py NAME FOLDER     (srcnn, edsr_x2, rrdb23_x4, animevideov3_x4)

Time depends on layers and shapes, not on what the weights have learnt. Convolutions draw from a normal distribution whose variance
keeps that of their input (He et al., ICCV 2015), branches that are added to a trunk a part of it, and the last layer is scaled after
a run on a made picture so that the output covers grey levels as a photograph does: so rounding, saturation and the comparison in
decibels mean what they mean in a trained network. All take and give values of 0..255, so that an engine that offers 8-bit input or
output needs no arithmetic for it.
"""

import hashlib
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZES = {"srcnn": "1280x720", "edsr_x2": "640x360", "rrdb23_x4": "160x90", "animevideov3_x4": "640x360"}
GREY_MEAN, GREY_SPREAD = 127, 45  # of the output; photographs have about this
BRANCH_GAIN = 0.1  # variance that a branch adds to its trunk: 16 of them multiply it by 1.1^16 = 4.6
RGB_MEAN = np.float32(255 * np.array([0.4488, 0.4371, 0.4040]))  # EDSR's


class Net:
    """Nodes in the order they are added; every method returns the name of its output."""

    def __init__(self, name):
        self.nodes, self.constants = [], []
        self.random = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little"))

    def add(self, op, inputs, **attributes):
        name = f"{op.lower()}{len(self.nodes) + 1}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def conv(self, x, before, after, kernel=3, gain=2.0):
        name = f"conv{len(self.nodes) + 1}"
        spread = (gain / (before * kernel * kernel)) ** 0.5
        weight = self.constant(f"{name}.weight", self.random.normal(0, spread, (after, before, kernel, kernel)).astype(np.float32))
        bias = self.constant(f"{name}.bias", self.random.normal(0, 0.01, after).astype(np.float32))
        return self.add("Conv", [x, weight, bias], kernel_shape=[kernel] * 2, pads=[kernel // 2] * 4)

    def relu(self, x):
        return self.add("Relu", [x])

    def leaky(self, x):
        return self.add("LeakyRelu", [x], alpha=0.2)

    def prelu(self, x, channels):
        slopes = self.random.uniform(0.1, 0.4, (channels, 1, 1)).astype(np.float32)
        return self.add("PRelu", [x, self.constant(f"slope{len(self.nodes) + 1}", slopes)])

    def enlarge(self, x, factor):
        scales = self.constant(f"scales{len(self.nodes) + 1}", np.float32([1, 1, factor, factor]))
        return self.add("Resize", [x, "", scales], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    def shuffle(self, x, factor):
        return self.add("DepthToSpace", [x], blocksize=factor, mode="CRD")

    def clip(self, x):
        return self.add("Clip", [x, self.constant("least", np.float32(0)), self.constant("most", np.float32(255))])

    def scaled(self, x, factor):
        return self.add("Mul", [x, self.constant(f"factor{len(self.nodes) + 1}", np.float32(factor))])


def srcnn(net):
    """Dong et al., 2014: 9-1-5 on luma, at the size of the output."""
    x = net.relu(net.conv("input", 1, 64, 9))
    return net.conv(net.relu(net.conv(x, 64, 32, 1)), 32, 1, 5, gain=1.0)


def edsr_x2(net):
    """Lim et al., CVPRW 2017, baseline: 16 blocks of 64 channels, long skip, pixel shuffle."""
    mean = net.constant("mean", RGB_MEAN.reshape(1, 3, 1, 1))
    head = x = net.conv(net.add("Sub", ["input", mean]), 3, 64, gain=1.0)
    for _ in range(16):
        x = net.add("Add", [x, net.conv(net.relu(net.conv(x, 64, 64)), 64, 64, gain=BRANCH_GAIN)])
    x = net.add("Add", [net.conv(x, 64, 64, gain=BRANCH_GAIN), head])
    return net.conv(net.shuffle(net.conv(x, 64, 256, gain=1.0), 2), 64, 3, gain=1.0)


def rrdb23_x4(net):
    """Wang et al., ECCVW 2018: 23 blocks of three dense blocks, 64 + 4 x 32 channels, residuals scaled by 0.2."""
    head = x = net.conv("input", 3, 64, gain=1.0)
    for _ in range(23):
        outer = x
        for _ in range(3):
            parts = [x]
            for i in range(4):
                before = net.add("Concat", list(parts), axis=1) if i else x
                parts.append(net.leaky(net.conv(before, 64 + 32 * i, 32)))
            y = net.conv(net.add("Concat", parts, axis=1), 192, 64, gain=1.0)
            x = net.add("Add", [net.scaled(y, 0.2), x])
        x = net.add("Add", [net.scaled(x, 0.2), outer])
    x = net.add("Add", [head, net.conv(x, 64, 64, gain=BRANCH_GAIN)])
    for _ in range(2):
        x = net.leaky(net.conv(net.enlarge(x, 2), 64, 64))
    return net.conv(net.leaky(net.conv(x, 64, 64)), 64, 3, gain=1.0)


def animevideov3_x4(net):
    """Real-ESRGAN's small network: 17 convolutions of 64 channels with PReLU, pixel shuffle, nearest skip."""
    x = net.prelu(net.conv("input", 3, 64), 64)
    for _ in range(16):
        x = net.prelu(net.conv(x, 64, 64), 64)
    return net.add("Add", [net.shuffle(net.conv(x, 64, 48, gain=1.0), 4), net.enlarge("input", 4)])


def made_picture(width, height, channels, seed=0):
    """Waves of several lengths with a little noise, 8-bit rows: the same on every machine."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for c in range(channels):
        a, b, turn = random.uniform(5, 30), random.uniform(5, 30), random.uniform(0, 3)
        planes.append(127 + 80 * np.sin(x / a + y / b + turn) + 30 * np.sin(x * y / 900 + c) + random.normal(0, 6, (height, width)))
    return np.clip(np.rint(np.stack(planes, -1)), 0, 255).astype(np.uint8)


def model_of(net, output, name, channels, scale):
    value = lambda what: helper.make_tensor_value_info(what, TensorProto.FLOAT, [1, channels, f"{what}.h", f"{what}.w"])
    net.nodes[[n.output[0] for n in net.nodes].index(output)].output[0] = "output"
    graph = helper.make_graph(net.nodes, name, [value("input")], [value("output")], net.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    said = {"fye.scale": str(scale), "fye.range": "0..255", "fye.colour": "y" if channels == 1 else "rgb", "fye.pre": "none"}
    helper.set_model_props(model, said)
    return model


def scale_last(model, channels):
    """Shifts and scales the last convolution so that the output's mean and spread, before the clip, are a photograph's."""
    import onnxruntime

    graph = model.graph
    last = [node for node in graph.node if node.op_type == "Conv"][-1]
    weight, bias = ([c for c in graph.initializer if c.name == name][0] for name in last.input[1:3])
    # Details that go onto the enlarged input have no mean of their own.
    details = graph.node[-2].op_type == "Add"
    mean, spread = (0, GREY_SPREAD / 3) if details else (GREY_MEAN, GREY_SPREAD)
    graph.output.append(helper.make_tensor_value_info(last.output[0], TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    del graph.output[-1]
    picture = made_picture(64, 48, channels).astype(np.float32).transpose(2, 0, 1)[None]
    out = session.run([last.output[0]], {"input": picture})[0]
    gain = np.float32(spread / out.std())
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) * gain, weight.name))
    shift = np.float32(mean - gain * out.mean())
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) * gain + shift, bias.name))


def make(name, folder):
    """Writes FOLDER/NAME.onnx and returns its path; the same bytes each time."""
    build, scale = {"srcnn": (srcnn, 1), "edsr_x2": (edsr_x2, 2), "rrdb23_x4": (rrdb23_x4, 4),
                    "animevideov3_x4": (animevideov3_x4, 4)}[name]
    net, channels = Net(name), 1 if name == "srcnn" else 3
    # The clip is what shipped networks end with; without it OpenVINO's own 8-bit output wraps around.
    output = net.clip(build(net))
    model = model_of(net, output, name, channels, scale)
    onnx.checker.check_model(model)
    scale_last(model, channels)
    path = pathlib.Path(folder) / f"{name}.onnx"
    onnx.save(model, str(path))
    return path


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in SIZES:
        sys.exit(__doc__)
    print(make(sys.argv[1], sys.argv[2]))
