// ONNX out: a Graph, with or without a Calib, as bytes that ONNX Runtime reads.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "graph/calib.h"
#include "graph/graph.h"

namespace fye {

// Opset 17, IR 8; fused attributes become nodes again; metadata is written to metadata_props.
Result<std::string> export_onnx(const Graph& graph);

// The same with QuantizeLinear / DequantizeLinear around every tensor that `calib` knows: u8 activations per
// tensor, s8 weights per output channel, s32 biases.
Result<std::string> export_qdq(const Graph& graph, const Calib& calib);

// The same for a mixed plan: integer weights and quantised tensors for the nodes that `is_int8` alone. A
// tensor reaches a float reader as its producer left it, so that a float run between two int8 ones stays
// float.
Result<std::string> export_qdq(const Graph& graph, const Calib& calib,
                               const std::function<bool(const Node&)>& is_int8);

}  // namespace fye
