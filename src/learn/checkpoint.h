// Checkpoints: everything that a training run needs to go on, and the plain dump of its weights.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/tensor.h"
#include "learn/net.h"

namespace fye {

// The u8 grid of every stored tensor of a network (Arithmetic::store), real values in pixels 0..255; empty =
// float.
using Grids = std::map<std::string, Quant>;

// A run's state between two steps.
struct Checkpoint {
  NetSpec spec;
  Weights weights;                       // as trained
  Weights average;                       // exponential average: what is scored and shipped
  std::vector<torch::Tensor> optimiser;  // Optimiser::state()
  int64_t step = 0;
  double seconds = 0;  // wall-clock time spent on training so far
  uint64_t random = 1;
  Grids grids;  // of a quantised run
};

// One file, complete or not at all.
Status save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path);

// Errors (bad_input): unreadable, no checkpoint of ours, unknown network, tensors of other shapes, values not
// finite.
Result<Checkpoint> load_checkpoint(const std::filesystem::path& path);

// weights.bin: per convolution in the network's order the kernel [out, in, k, k] and the bias [out],
// little-endian float32, nothing between them. weights.json: {"net", "scale", "range": "0..255", "layers":
// [{"name", "out", "in", "kernel" (k), "relu", "kernel_offset", "bias_offset"}]} with offsets in bytes. Biases
// are for pixels in 0..255 (times kUnit here).
Status dump_weights(const NetSpec& spec, const Weights& weights, const std::filesystem::path& folder);

}  // namespace fye
