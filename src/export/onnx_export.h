// ONNX out: a Graph, with or without a Calib, as bytes that ONNX Runtime reads.
#pragma once

#include <string>

#include "base/result.h"
#include "graph/calib.h"
#include "graph/graph.h"

namespace fye {

// Opset 17, IR 8; fused attributes become nodes again; metadata is written to metadata_props.
Result<std::string> export_onnx(const Graph& graph);

// The same with QuantizeLinear / DequantizeLinear around every tensor that `calib` knows: u8 activations per tensor, s8
// weights per output channel, s32 biases.
Result<std::string> export_qdq(const Graph& graph, const Calib& calib);

}  // namespace fye
