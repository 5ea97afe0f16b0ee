#include "graph/builder.h"

#include <cstdio>
#include <cstdlib>

#include "graph/append.h"

namespace fye {
namespace {

// Our own code asked for something impossible.
[[noreturn]] void stop(const Error& error) {
  std::fputs(error.text().c_str(), stderr);
  std::abort();
}

}  // namespace

TensorId GraphBuilder::input(std::string name, Shape shape) {
  graph_.tensors.push_back({std::move(name), std::move(shape)});
  graph_.inputs.push_back(static_cast<TensorId>(graph_.tensors.size()) - 1);
  return graph_.inputs.back();
}

TensorId GraphBuilder::node(std::string name, Attributes op, std::vector<TensorId> inputs,
                            std::string output) {
  if (output.empty()) output = name;
  auto made = append_node(graph_, std::move(name), std::move(op), std::move(inputs), std::move(output));
  if (!made) stop(made.error());
  return *made;
}

ConstantId GraphBuilder::constant(Shape shape, std::vector<float> values) {
  graph_.constants.push_back({std::move(shape), std::move(values)});
  return static_cast<ConstantId>(graph_.constants.size()) - 1;
}

Graph GraphBuilder::finish(std::vector<TensorId> outputs, std::map<std::string, std::string> metadata) {
  graph_.outputs = std::move(outputs);
  graph_.metadata = std::move(metadata);
  if (auto status = validate(graph_); !status) stop(status.error());
  return std::move(graph_);
}

}  // namespace fye
