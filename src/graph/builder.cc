#include "graph/builder.h"

#include <cstdio>
#include <cstdlib>

#include "graph/shapes.h"

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
  std::vector<Shape> shapes;
  for (const TensorId id : inputs) shapes.push_back(graph_.tensors[id].shape);
  const TensorId id = static_cast<TensorId>(graph_.tensors.size());
  if (output.empty()) output = name;
  Node made{std::move(name), std::move(inputs), id, std::move(op)};
  auto shape = infer_node(graph_, made, shapes);
  if (!shape) stop(shape.error());
  graph_.tensors.push_back({std::move(output), *std::move(shape)});
  graph_.nodes.push_back(std::move(made));
  return id;
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
