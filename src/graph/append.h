// Appending a node to a graph that is being made, checked as it comes.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace fye {

// Adds a node and its output, a tensor named `tensor` whose shape follows from the inputs' (ids of tensors
// that are there). Returns the tensor. Errors: as validate_node() and infer_node(); the graph is of no use
// then.
Result<TensorId> append_node(Graph& graph, std::string name, Attributes op, std::vector<TensorId> inputs,
                             std::string tensor);

}  // namespace fye
