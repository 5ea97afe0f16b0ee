// What an import gives, and how large a model may be.
#pragma once

#include <cstdint>
#include <optional>

#include "graph/calib.h"
#include "graph/graph.h"

namespace fye {

struct ImportLimits {
  int64_t file_bytes = int64_t{1} << 30;  // the model file and each external file
  int64_t elements = int64_t{1} << 28;    // of one constant, and of all nodes' constants together
  int nodes = 20'000;
};

struct Imported {
  Graph graph;                 // fused (graph/passes)
  std::optional<Calib> calib;  // from QuantizeLinear / DequantizeLinear pairs; s8 activations become u8
};

}  // namespace fye
