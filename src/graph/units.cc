#include "graph/units.h"

#include <algorithm>

namespace fye {
namespace {

bool starts_unit(const Node& node) { return node.as<Conv>() || node.as<ConvTranspose>() || node.as<Gemm>(); }

// The first unit of the dense block that ends in `reader`'s unit: the earliest convolution such that `reader`
// joins what it reads with what it makes. kNone if there is none.
int start_of_dense_block(const Graph& graph, const Node& joined, const std::vector<int>& unit_of) {
  int first = kNone;
  for (const TensorId made : joined.inputs) {
    const int writer = graph.producer(made);
    if (writer == kNone || !starts_unit(graph.nodes[size_t(writer)])) continue;
    const TensorId read = graph.nodes[size_t(writer)].inputs[0];
    if (std::find(joined.inputs.begin(), joined.inputs.end(), read) == joined.inputs.end()) continue;
    if (first == kNone || unit_of[size_t(writer)] < first) first = unit_of[size_t(writer)];
  }
  return first;
}

// Units that only make sense together: layers each of which reads all before it.
std::vector<Unit> merge_dense_blocks(const Graph& graph, std::vector<Unit> units) {
  std::vector<int> unit_of(graph.nodes.size());
  for (size_t u = 0; u < units.size(); ++u)
    for (const int node : units[u].nodes) unit_of[size_t(node)] = int(u);
  std::vector<int> first(units.size());  // the unit that each one is merged into
  for (size_t u = 0; u < units.size(); ++u) first[u] = int(u);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    if (!node.as<Concat>()) continue;
    const int start = start_of_dense_block(graph, node, unit_of);
    if (start == kNone) continue;
    int end = unit_of[n];
    for (const int reader : graph.consumers(node.output)) end = std::max(end, unit_of[size_t(reader)]);
    for (int u = start; u <= end; ++u) first[size_t(u)] = std::min(first[size_t(u)], first[size_t(start)]);
  }
  std::vector<Unit> merged;
  for (size_t u = 0; u < units.size(); ++u) {
    if (first[u] == int(u)) {
      merged.push_back(std::move(units[u]));
      continue;
    }
    merged.back().nodes.insert(merged.back().nodes.end(), units[u].nodes.begin(), units[u].nodes.end());
  }
  return merged;
}

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
  return merge_dense_blocks(graph, std::move(units));
}

}  // namespace fye
