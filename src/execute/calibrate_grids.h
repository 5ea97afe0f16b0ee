// Grids: which tensors share one u8 grid, and which grid each takes.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "execute/calibrate.h"
#include "graph/graph.h"
#include "quant/ranges.h"

namespace fye {

// For each tensor the first of the tensors whose values it only repeats or rearranges (depth-to-space,
// nearest resize, max pool: ops that move bytes in int8, so that all of them must be on one grid). Itself
// where there is none.
std::vector<TensorId> sources_of_bytes(const Graph& graph);

// The grid of every tensor, by name. `seen` is indexed by tensor and read for sources only. The network's
// input takes `input`. honest: its output, and what reaches it through moved bytes and clips alone, takes
// `picture` if there is one; inputs of a concatenation take its grid where that costs them next to nothing;
// the rest the grid of least error. naive: minimum to maximum everywhere but at the input.
std::map<std::string, Quant> choose_grids(const Graph& graph, std::span<const RangeObserver> seen,
                                          CalibrationMethod method, const Quant& input,
                                          const std::optional<Quant>& picture);

// Calib::scale16: for every tensor of a trunk the largest magnitude seen in the trunk / 32767. `seen` as
// above; a trunk that is zero everywhere has no entry.
std::map<std::string, float> choose_scale16(const Graph& graph, std::span<const RangeObserver> seen,
                                            const std::map<std::string, Quant>& grids);

}  // namespace fye
