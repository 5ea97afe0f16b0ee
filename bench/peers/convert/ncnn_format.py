"""Writes ncnn's .param and .bin from ONNX, in float or int8.

The ncnn wheel carries neither ncnn2table nor ncnn2int8, so int8 files are made here as those tools make them: weights per output
channel, 127 over the largest magnitude; one scale per convolution's input, 127 over the largest magnitude seen in calibration; where
one int8 convolution alone feeds another, it requantises and the float between them disappears. Activations are fused into convolutions
and scaled sums into one layer, as ncnnoptimize does. File format: operators.md and quantized-int8-inference.md of ncnn's documents.
"""

import struct

import numpy as np

MAGIC = 7767517
FLOAT_WEIGHTS, INT8_WEIGHTS = 0, 0x000D4B38
INT8, REQUANTISED = 2, 102  # int8_scale_term: how ncnn2int8 marks convolutions


class Writer:
    def __init__(self, view, ranges=None):
        self.view, self.ranges = view, ranges
        self.lines, self.weights, self.blobs = [], b"", set()
        self.waiting = {}  # value -> the copies of it that no layer has read yet
        self.done = set()  # nodes that went into another's layer
        self.layer("Input", [], [view.input])

    def layer(self, kind, inputs, outputs, numbers=""):
        before = [self.waiting[name].pop() for name in inputs]
        self.lines.append(" ".join(f"{kind} {kind.lower()}{len(self.lines)} {len(before)} {len(outputs)}".split()
                                   + before + outputs + numbers.split()))
        self.blobs.update(outputs)
        for name in outputs:
            count = max(len(self.view.readers.get(name, [])), 1)
            self.waiting[name] = [name]
            if count > 1:  # a blob has one reader in ncnn
                copies = [f"{name}_{i}" for i in range(count)]
                self.lines.append(f"Split split{len(self.lines)} 1 {count} {name} {' '.join(copies)}")
                self.blobs.update(copies)
                self.waiting[name] = copies

    def floats(self, values):
        self.weights += np.asarray(values, np.float32).tobytes()

    def activation(self, node):
        """The activation that alone reads a convolution, as ncnn's numbers, and the value after it."""
        after = self.view.only_reader(node.output[0])
        if after is not None and after.op_type in ("Relu", "LeakyRelu"):
            self.done.add(id(after))
            slope = self.view.attribute(after, "alpha", 0.01)
            return "9=1" if after.op_type == "Relu" else f"9=2 -23310=1,{slope:e}", after.output[0]
        return "", node.output[0]

    def conv(self, node):
        weight, bias = (self.view.constants[name] for name in node.input[1:3])
        fused, out = self.activation(node)
        numbers = f"0={len(bias)} 1={weight.shape[2]} 4={weight.shape[2] // 2} 5=1 6={weight.size} {fused}"
        following = self.view.only_reader(out)
        if self.ranges is None:
            self.weights += struct.pack("<I", FLOAT_WEIGHTS)
            self.floats(weight)
            self.floats(bias)
        else:
            requantised = following is not None and following.op_type == "Conv"
            numbers += f" 8={REQUANTISED if requantised else INT8}"
            most = np.abs(weight).reshape(len(bias), -1).max(1)
            scales = 127 / np.where(most > 0, most, 1)
            rounded = np.clip(np.rint(weight * scales[:, None, None, None]), -127, 127).astype(np.int8).tobytes()
            self.weights += struct.pack("<I", INT8_WEIGHTS) + rounded + b"\0" * (-len(rounded) % 4)
            self.floats(bias)
            self.floats(scales)
            self.floats([127 / self.ranges[node.input[0]]])
            if requantised:
                self.floats([127 / self.ranges[out]])
        self.layer("Convolution", [node.input[0]], [out], numbers)

    def node(self, node):
        view, kind, out = self.view, node.op_type, list(node.output)
        if kind == "Conv":
            self.conv(node)
        elif kind == "Add":
            self.layer("BinaryOp", list(node.input), out, "0=0")
        elif kind == "Sub":
            (value,), (mean,) = view.split(node)
            self.floats(-view.constants[mean].ravel())
            self.layer("Bias", [value], out, f"0={view.constants[mean].size}")
        elif kind == "Mul":
            (value,), (factor,) = view.split(node)
            self.layer("BinaryOp", [value], out, f"0=2 1=1 2={float(view.constants[factor]):e}")
        elif kind == "Concat":
            self.layer("Concat", list(node.input), out, "0=0")
        elif kind in ("Relu", "LeakyRelu"):
            self.layer("ReLU", list(node.input), out, "0=0" if kind == "Relu" else f"0={view.attribute(node, 'alpha', 0.01):e}")
        elif kind == "PRelu":
            slopes = view.constants[node.input[1]].ravel()
            self.floats(slopes)
            self.layer("PReLU", [node.input[0]], out, f"0={slopes.size}")
        elif kind == "Clip":
            least, most = (float(view.constants[name]) for name in node.input[1:3])
            self.layer("Clip", [node.input[0]], out, f"0={least:e} 1={most:e}")
        elif kind == "DepthToSpace":
            order = 0 if view.attribute(node, "mode", "DCR") == "CRD" else 1
            self.layer("PixelShuffle", list(node.input), out, f"0={view.attribute(node, 'blocksize')} 1={order}")
        elif kind == "Resize":
            _, _, vertical, horizontal = view.constants[node.input[2]]
            self.layer("Interp", [node.input[0]], out, f"0=1 1={vertical} 2={horizontal}")
        else:
            raise ValueError(f"{kind} is not among the layers written for ncnn")

    def write(self, param):
        # An addition whose one side is a scaled value becomes a weighted sum of both.
        scaled = {}
        for node in self.view.nodes:
            after = self.view.only_reader(node.output[0]) if node.op_type == "Mul" else None
            if after is not None and after.op_type == "Add":
                scaled[id(after)] = node
                self.done.add(id(node))
        for node in self.view.nodes:
            if id(node) in scaled:
                product = scaled[id(node)]
                (value,), (factor,) = self.view.split(product)
                other = [name for name in node.input if name != product.output[0]][0]
                self.layer("Eltwise", [value, other], list(node.output),
                           f"0=1 -23301=2,{float(self.view.constants[factor]):e},1.0")
            elif id(node) not in self.done:
                self.node(node)
        param.write_text(f"{MAGIC}\n{len(self.lines)} {len(self.blobs)}\n" + "\n".join(self.lines) + "\n")
        param.with_suffix(".bin").write_bytes(self.weights)


def write(view, param, ranges=None):
    """PARAM and the .bin beside it; int8 if ranges (largest magnitude at each convolution's input) are given."""
    Writer(view, ranges).write(param)
