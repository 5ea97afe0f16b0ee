"""Writes a LiteRT (.tflite) float network from ONNX with the schema that the ai-edge-litert wheel carries; int8 by its quantiser.

No converter from ONNX on the package index runs beside these engines without TensorFlow or PyTorch, and the layers here are few.
Maps are channels last, weights [out, height, width, in]. LiteRT's depth to space knows one order of channels (dy, dx, c); where a
network uses the other, the convolution before it gives its channels in that order.
"""

import numpy as np

FILE_IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3


class Writer:
    def __init__(self, view):
        from ai_edge_litert import schema_py_generated as schema

        self.view, self.schema = view, schema
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version = SCHEMA_VERSION
        self.model.buffers = [schema.BufferT()]  # buffer 0 is the empty one, by convention
        self.model.operatorCodes, self.graph.tensors, self.graph.operators = [], [], []
        self.index, self.fused = {}, set()
        self.done = set()

    def tensor(self, name, shape, values=None, kind=None):
        tensor = self.schema.TensorT()
        tensor.name, tensor.shape = name, list(shape)
        tensor.type = self.schema.TensorType.FLOAT32 if kind is None else kind
        if values is not None:
            buffer = self.schema.BufferT()
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(tensor)
        self.index[name] = len(self.graph.tensors) - 1
        return self.index[name]

    def value(self, name):
        if name not in self.index:
            batch, channels, height, width = self.view.shapes[name]
            self.tensor(name, [batch, height, width, channels])
        return self.index[name]

    def constant(self, name, values):
        return self.tensor(name, values.shape, np.ascontiguousarray(values, np.float32))

    def operator(self, kind, inputs, output, options=None, version=1):
        schema = self.schema
        builtin = getattr(schema.BuiltinOperator, kind)
        codes = [code.builtinCode for code in self.model.operatorCodes]
        if builtin not in codes:
            code = schema.OperatorCodeT()
            code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), version
            self.model.operatorCodes.append(code)
            codes.append(builtin)
        op = schema.OperatorT()
        op.opcodeIndex, op.inputs, op.outputs = codes.index(builtin), inputs, [self.value(output)]
        if options is not None:
            op.builtinOptions = options
            op.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        self.graph.operators.append(op)

    def reordered(self, node):
        """Where each output channel of a convolution comes from: another place if a shuffle of the other order follows."""
        count = self.view.constants[node.input[1]].shape[0]
        after = self.view.only_reader(node.output[0])
        if after is None or after.op_type != "DepthToSpace" or self.view.attribute(after, "mode", "DCR") == "DCR":
            return np.arange(count)
        square = self.view.attribute(after, "blocksize") ** 2
        return np.arange(count).reshape(count // square, square).T.ravel()

    def conv(self, node):
        schema, order = self.schema, self.reordered(node)
        options = schema.Conv2DOptionsT()
        options.padding, options.strideW, options.strideH = schema.Padding.SAME, 1, 1
        options.dilationWFactor = options.dilationHFactor = 1
        out, after = node.output[0], self.view.only_reader(node.output[0])
        if after is not None and after.op_type == "Relu":
            options.fusedActivationFunction = schema.ActivationFunctionType.RELU
            self.done.add(id(after))
            out = after.output[0]
        weight, bias = (self.view.constants[name][order] for name in node.input[1:3])
        inputs = [self.value(node.input[0]), self.constant(node.input[1], weight.transpose(0, 2, 3, 1)),
                  self.constant(node.input[2], bias)]
        self.operator("CONV_2D", inputs, out, options)

    def channel_constant(self, name):
        """A constant [C, 1, 1] or a scalar, so that it meets maps that are channels last."""
        values = self.view.constants[name]
        return self.constant(name, values.ravel() if values.size > 1 else values.reshape(()))

    def node(self, node):
        schema, view, kind, out = self.schema, self.view, node.op_type, node.output[0]
        if kind == "Conv":
            self.conv(node)
        elif kind == "Add":
            self.operator("ADD", [self.value(name) for name in node.input], out, schema.AddOptionsT())
        elif kind in ("Sub", "Mul"):
            (value,), (constant,) = view.split(node)
            options = schema.SubOptionsT() if kind == "Sub" else schema.MulOptionsT()
            self.operator(kind.upper(), [self.value(value), self.channel_constant(constant)], out, options)
        elif kind == "Concat":
            options = schema.ConcatenationOptionsT()
            options.axis = 3
            self.operator("CONCATENATION", [self.value(name) for name in node.input], out, options)
        elif kind == "Relu":
            self.operator("RELU", [self.value(node.input[0])], out)
        elif kind == "LeakyRelu":
            options = schema.LeakyReluOptionsT()
            options.alpha = view.attribute(node, "alpha", 0.01)
            self.operator("LEAKY_RELU", [self.value(node.input[0])], out, options)
        elif kind == "PRelu":
            slopes = view.constants[node.input[1]].reshape(1, 1, -1)
            self.operator("PRELU", [self.value(node.input[0]), self.constant(node.input[1], slopes)], out)
        elif kind == "Clip":
            least, most = (self.channel_constant(name) for name in node.input[1:3])
            between = f"{out}/least"
            view.shapes[between] = view.shapes[out]
            self.operator("MAXIMUM", [self.value(node.input[0]), least], between, schema.MaximumMinimumOptionsT())
            self.operator("MINIMUM", [self.value(between), most], out, schema.MaximumMinimumOptionsT())
        elif kind == "DepthToSpace":
            options = schema.DepthToSpaceOptionsT()
            options.blockSize = view.attribute(node, "blocksize")
            self.operator("DEPTH_TO_SPACE", [self.value(node.input[0])], out, options)
        elif kind == "Resize":
            size = np.array(view.shapes[out][2:], np.int32)
            sizes = self.tensor(f"{out}/size", [2], size, schema.TensorType.INT32)
            self.operator("RESIZE_NEAREST_NEIGHBOR", [self.value(node.input[0]), sizes], out, schema.ResizeNearestNeighborOptionsT())
        else:
            raise ValueError(f"{kind} is not among the layers written for LiteRT")

    def signature(self):
        """A name for the graph and its ends: the quantiser asks for one."""
        def ends(name):
            end = self.schema.TensorMapT()
            end.name, end.tensorIndex = name, self.index[name]
            return [end]

        signature = self.schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = "serving_default", 0
        signature.inputs, signature.outputs = ends(self.view.input), ends(self.view.output)
        return signature

    def write(self, path):
        import flatbuffers

        self.value(self.view.input)
        for node in self.view.nodes:
            if id(node) not in self.done:
                self.node(node)
        self.graph.inputs, self.graph.outputs = [self.index[self.view.input]], [self.index[self.view.output]]
        self.model.subgraphs, self.model.signatureDefs = [self.graph], [self.signature()]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self.model.Pack(builder), FILE_IDENTIFIER)
        path.write_bytes(bytes(builder.Output()))


def write(view, path):
    Writer(view).write(path)


def quantise(small, path, to, picture):
    """int8 by ai-edge-quantizer: weights per output channel, activations by the least and largest values on the picture [1, H, W, C].

    small is the same network as path for the picture's size: the quantiser keeps every map of a run.
    """
    from ai_edge_quantizer import quantizer, recipe

    def ready(file):
        work = quantizer.Quantizer(str(file))
        work.load_quantization_recipe(recipe.static_wi8_ai8())
        return work

    ranges = ready(small).calibrate({"serving_default": [{"input": picture}]})
    ready(path).quantize(ranges).export_model(str(to), overwrite=True)
