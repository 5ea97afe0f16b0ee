// LPIPS's weights (v0.1, AlexNet): as numbers, as an ONNX network, and as they are found on this machine.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "graph/graph.h"

namespace fye {

// AlexNet's convolutions (torchvision's form: Krizhevsky, One weird trick, arXiv 1404.5997, 2014), each with
// bias and ReLU; what a ReLU gives is a tap. Before `pooled` ones stands a 3x3 maximum with stride 2.
struct AlexConv {
  int in, out, kernel, stride, pad;
  bool pooled;
};
inline constexpr std::array kAlexConvs = {
    AlexConv{3, 64, 11, 4, 2, false}, AlexConv{64, 192, 5, 1, 2, true}, AlexConv{192, 384, 3, 1, 1, true},
    AlexConv{384, 256, 3, 1, 1, false}, AlexConv{256, 256, 3, 1, 1, false}};

// Smaller pictures leave the second pooling nothing: 31 -> 7 -> 3 -> 1.
inline constexpr int kLpipsLeast = 31;

struct LpipsWeights {
  struct Layer {
    std::vector<float> weight, bias;  // of the convolution: [out, in, kernel, kernel], [out]
    std::vector<float> lin;           // of the distance: [out]
  };
  std::array<Layer, kAlexConvs.size()> layers;
};

// Little-endian float32 without anything between: conv1's weight and bias to conv5's, then the five linear
// layers (as tools/lpips_weights.py writes them). Errors: not exactly as many bytes as that takes.
Result<LpipsWeights> lpips_weights_from(std::string_view bytes);
std::string bytes_of(const LpipsWeights& weights);

// Errors (bad_input) unless these are the authors' weights, known by the sha256 of bytes_of(weights).
Status check_published(const LpipsWeights& weights);

// The network as it is kept in kLpipsFile. Input [1, 3, -1, -1], RGB in -1..1, scaled channel by channel as
// LPIPS does. Outputs "tap1" .. "tap5", then "lin1" .. "lin5": each a 1x1 convolution that reads a tap. Fye
// takes the linear weights from these and runs the part up to tap5.
Graph lpips_network(const LpipsWeights& weights);

// The weights in such a network. Errors (bad_input): a convolution is missing or of another shape.
Result<LpipsWeights> lpips_weights_of(const Graph& network);

// In a folder for models (base/model_folders.h).
inline constexpr std::string_view kLpipsFile = "lpips_alex.onnx";

// The published weights as they are installed. Errors: not_installed (quality/score.h); a file that can't be
// read, has other weights or is broken (bad_input, names it).
Result<LpipsWeights> installed_lpips_weights();

}  // namespace fye
