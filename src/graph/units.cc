#include "graph/units.h"

namespace fye {
namespace {

bool starts_unit(const Node& node) { return node.as<Conv>() || node.as<ConvTranspose>() || node.as<Gemm>(); }

}  // namespace

std::vector<Unit> units_of(const Graph& graph) {
  std::vector<Unit> units;
  bool named = false;  // the last unit has its convolution
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Node& node = graph.nodes[i];
    if (units.empty() || (starts_unit(node) && named)) {
      units.push_back({node.name, {}});
      named = false;
    }
    if (starts_unit(node)) {
      units.back().name = node.name;
      named = true;
    }
    units.back().nodes.push_back(i);
  }
  return units;
}

}  // namespace fye
