// GraphBuilder: makes a Graph node by node, with shapes inferred on the way.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace fye {

// For graphs that code of ours writes (zoo, tests): a node whose inputs don't fit is a bug and stops the
// program (assert).
class GraphBuilder {
 public:
  TensorId input(std::string name, Shape shape);

  // Adds a node and its output tensor, named `output` or, if that is empty, like the node.
  TensorId node(std::string name, Attributes op, std::vector<TensorId> inputs, std::string output = {});

  // Sizes of the values must match.
  ConstantId constant(Shape shape, std::vector<float> values);

  const Shape& shape(TensorId tensor) const { return graph_.tensors[tensor].shape; }

  Graph finish(std::vector<TensorId> outputs, std::map<std::string, std::string> metadata = {});

 private:
  Graph graph_;
};

}  // namespace fye
