// Dummy networks: one unit between dummy layers, so that what it costs is a difference of two networks' times
// (spec/fye-sr.md, section 3).
#pragma once

#include <vector>

#include "base/result.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "graph/units.h"
#include "processors/processor.h"

namespace fye {

// For each tensor that the unit reads from outside, a convolution that writes it in the same form; `copies`
// of the unit beside each other, all reading those; and for each tensor that is made, a reader that looks at
// every 64th pixel only. With 0 copies as many readers stand on the first input, so that networks with and
// without differ by the unit alone.
//
// Our fill-in (the slides say "several convolutions before and after"): layers after the unit would have to
// read its whole output, and a network without the unit could not feed them.
struct DummyNet {
  Graph graph;
  Calib calib;
  int height = 0, width = 0;  // of its input, which has 4 channels
};

// `shapes` are all tensors' at the profiled size. Errors: a unit whose inputs' sizes are no whole multiples
// of each other.
Result<DummyNet> dummy_net(const Graph& graph, const Calib* calib, const Unit& unit,
                           const std::vector<Shape>& shapes, int copies, int readers);

// Tensors that a unit reads from outside, each once, in order; and those of its own that others (or the
// network's output) read.
std::vector<TensorId> tensors_into(const Graph& graph, const Unit& unit);
std::vector<TensorId> tensors_out_of(const Graph& graph, const Unit& unit);

// Equal for units that do the same work at the same size on `processor`: ops, shapes, forms and kernels.
Result<std::string> signature_of(const Graph& graph, const Calib* calib, const Unit& unit,
                                 const std::vector<Shape>& shapes, const Processor& processor);

}  // namespace fye
