#include "graph/passes/links.h"

#include <algorithm>
#include <utility>

namespace fye {
namespace {

void replace(std::vector<int>& values, int old_value, int new_value) {
  const auto found = std::ranges::find(values, old_value);
  if (std::ranges::count(values, new_value) > 0)
    values.erase(found);
  else
    *found = new_value;
}

}  // namespace

Links::Links(Graph& graph)
    : graph_(graph),
      producer_(graph.tensors.size(), kNone),
      readers_(graph.tensors.size()),
      dead_(graph.nodes.size()) {
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    producer_[graph.nodes[i].output] = i;
    for (const TensorId id : graph.nodes[i].inputs)
      if (readers_[id].empty() || readers_[id].back() != i) readers_[id].push_back(i);
  }
}

int Links::sole_reader(TensorId tensor) const {
  return readers_[tensor].size() == 1 && !graph_.is_output(tensor) ? readers_[tensor][0] : kNone;
}

void Links::absorb(int earlier, int later) {
  readers_[graph_.nodes[earlier].output].clear();
  graph_.nodes[earlier].output = graph_.nodes[later].output;
  producer_[graph_.nodes[later].output] = earlier;
  dead_[later] = true;
}

void Links::absorb_at(int from, int to, TensorId extra) {
  Node node = std::move(graph_.nodes[from]);
  for (const TensorId id : graph_.nodes[to].inputs) std::erase(readers_[id], to);
  for (const TensorId id : node.inputs) replace(readers_[id], from, to);
  node.inputs.push_back(extra);
  if (std::ranges::count(readers_[extra], to) == 0) readers_[extra].push_back(to);
  node.output = graph_.nodes[to].output;
  graph_.nodes[to] = std::move(node);
  dead_[from] = true;
}

void Links::bypass(int earlier, int later) {
  const TensorId source = graph_.nodes[earlier].inputs[0];
  readers_[graph_.nodes[earlier].output].clear();
  graph_.nodes[later].inputs[0] = source;
  replace(readers_[source], earlier, later);
  dead_[earlier] = true;
}

void Links::swap(int upper, int lower) {
  std::swap(graph_.nodes[upper].name, graph_.nodes[lower].name);
  std::swap(graph_.nodes[upper].op, graph_.nodes[lower].op);
}

void Links::finish() {
  size_t kept = 0;
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    if (dead_[i]) continue;
    if (kept != i) graph_.nodes[kept] = std::move(graph_.nodes[i]);
    ++kept;
  }
  graph_.nodes.resize(kept);
}

}  // namespace fye
