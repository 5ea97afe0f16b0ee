// What QuantizeLinear and DequantizeLinear said about a model, carried over to its fused graph.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "import/importer.h"

namespace fye {

// Before fusing: tensors without a quantisation of their own get their input's where an op (identity, relu,
// clip, moved bytes) leaves values on the input's grid, so that the end of a chain that will be fused has
// one.
void spread_quants(const Graph& graph, std::map<TensorId, Quant>& quants);

// `quants` by tensor name and `integers` by node name, as read; names that fusing removed are dropped (a
// fused chain is quantised where it ends). Ops that move bytes get one quantisation for both sides, their
// output's. Weights that fusing scaled by a factor a channel get it on their scales. Empty if nothing is
// left. Errors name the node whose integer weights no longer fit.
Result<std::optional<Calib>> fused_calib(const Graph& fused, const std::map<std::string, Quant>& quants,
                                         const std::map<std::string, IntegerWeights>& integers);

}  // namespace fye
