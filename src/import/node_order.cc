#include "import/node_order.h"

#include <fmt/format.h>

#include <functional>
#include <queue>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace fye {
namespace {

std::string describe(const onnx::NodeProto& node) {
  const std::string& name = node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
  return fmt::format("node \"{}\" ({})", name, node.op_type());
}

constexpr int kGiven = -1;  // a graph input or initializer

// Which node writes each name.
Result<std::unordered_map<std::string, int>> writers(const onnx::GraphProto& graph) {
  std::unordered_map<std::string, int> writer;
  for (const auto& tensor : graph.initializer())
    if (tensor.name().empty() || !writer.emplace(tensor.name(), kGiven).second)
      return bad_input(fmt::format("initializer name \"{}\" is empty or taken", tensor.name()));
  std::unordered_set<std::string> inputs;
  for (const auto& input : graph.input()) {
    // An input may have an initializer as its default, but is listed once.
    if (input.name().empty() || !inputs.insert(input.name()).second)
      return bad_input(fmt::format("input name \"{}\" is empty or taken", input.name()));
    writer.emplace(input.name(), kGiven);
  }
  for (int i = 0; i < graph.node_size(); ++i)
    for (const std::string& name : graph.node(i).output())
      if (!name.empty() && !writer.emplace(name, i).second)
        return bad_input(
            fmt::format("{}: output \"{}\" is already written elsewhere", describe(graph.node(i)), name));
  return writer;
}

}  // namespace

Result<std::vector<int>> node_order(const onnx::GraphProto& graph) {
  const auto writer = writers(graph);
  if (!writer) return writer.error();

  // Kahn's algorithm; of the nodes that are ready, the first in the file goes first.
  std::vector<int> waiting(static_cast<size_t>(graph.node_size()));
  std::vector<std::vector<int>> readers(waiting.size());
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (int i = 0; i < graph.node_size(); ++i) {
    for (const std::string& name : graph.node(i).input()) {
      if (name.empty()) continue;
      const auto found = writer->find(name);
      if (found == writer->end())
        return bad_input(
            fmt::format("{}: input \"{}\" is computed by no node", describe(graph.node(i)), name));
      if (found->second == kGiven) continue;
      readers[found->second].push_back(i);
      ++waiting[i];
    }
    if (waiting[i] == 0) ready.push(i);
  }
  std::vector<int> order;
  while (!ready.empty()) {
    order.push_back(ready.top());
    ready.pop();
    for (const int reader : readers[order.back()])
      if (--waiting[reader] == 0) ready.push(reader);
  }
  for (int i = 0; i < graph.node_size(); ++i)
    if (waiting[i] > 0)
      return bad_input(fmt::format("{}: needs its own output (a cycle)", describe(graph.node(i))));
  return order;
}

}  // namespace fye
