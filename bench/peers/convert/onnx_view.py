"""What the writers of other engines' files ask of an ONNX network: constants, shapes, who reads what, and f32 ranges."""

import numpy as np
import onnx
from onnx import helper, numpy_helper


class View:
    def __init__(self, path, width, height):
        self.model = onnx.load(str(path))
        graph = self.model.graph
        dims = graph.input[0].type.tensor_type.shape.dim
        self.channels = dims[1].dim_value
        dims[2].dim_value, dims[3].dim_value = height, width
        for dim in graph.output[0].type.tensor_type.shape.dim[2:]:
            dim.Clear()
        inferred = onnx.shape_inference.infer_shapes(self.model, strict_mode=True).graph
        self.nodes = list(graph.node)
        self.input, self.output = graph.input[0].name, graph.output[0].name
        self.constants = {c.name: numpy_helper.to_array(c) for c in graph.initializer}
        values = [*inferred.input, *inferred.value_info, *inferred.output]
        self.shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
        self.readers = {}
        for node in self.nodes:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)

    def only_reader(self, name):
        """The one node that reads a value, or None: also where the value is the network's output."""
        readers = self.readers.get(name, [])
        return readers[0] if len(readers) == 1 and name != self.output else None

    def attribute(self, node, name, default=None):
        for attribute in node.attribute:
            if attribute.name == name:
                value = helper.get_attribute_value(attribute)
                return value.decode() if isinstance(value, bytes) else value
        return default

    def split(self, node):
        """The inputs of a two-sided operation: values, then constants, whichever way round they stand."""
        return ([n for n in node.input if n and n not in self.constants], [n for n in node.input if n in self.constants])


def input_ranges(path, pictures):
    """Largest absolute value at the input of each convolution, over float pictures [1, C, H, W], by ONNX Runtime."""
    import onnxruntime

    model = onnx.load(str(path))
    wanted = sorted({node.input[0] for node in model.graph.node if node.op_type == "Conv"} - {model.graph.input[0].name})
    held = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted if name not in held)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    most = {model.graph.input[0].name: 255.0}
    for picture in pictures:
        for name, values in zip(wanted, session.run(wanted, {model.graph.input[0].name: picture})):
            most[name] = max(most.get(name, 0.0), float(np.abs(values).max()))
    return most
