// ONNX in: a model file, checked as hostile input, becomes a Graph (and a Calib if it is quantised).
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "graph/calib.h"
#include "graph/graph.h"

namespace fye {

struct ImportLimits {
  int64_t file_bytes = int64_t{1} << 30;      // the model file and each external file
  int64_t elements = int64_t{1} << 28;        // of one constant, and of all nodes' constants together
  int nodes = 20'000;
};

struct Imported {
  Graph graph;                 // fused (graph/passes)
  std::optional<Calib> calib;  // from QuantizeLinear / DequantizeLinear pairs; s8 activations become u8
};

// Opset 11 to 17, and newer where the ops used did not change. Errors (bad_input) name the file and the node: unknown op, wrong
// shape or attribute, external data outside the model's folder, sizes beyond the limits or without bytes behind them.
Result<Imported> import_onnx(const std::filesystem::path& path, const ImportLimits& limits = {});

// The same from bytes; `folder` is where external data may lie (empty: refused). `name` is used in errors.
Result<Imported> import_onnx_bytes(std::string_view bytes, std::string_view name,
                                   const std::filesystem::path& folder, const ImportLimits& limits = {});

}  // namespace fye
