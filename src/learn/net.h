// The networks that fye-train trains, as functions of their weights: ABPN (spec/abpn.md), EDSR-baseline,
// SRCNN.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace fye {

// Pixels enter and leave a network divided by this: a power of two, so that 8-bit pixels stay exact in
// bfloat16.
inline constexpr float kUnit = 256.0f;

// One square convolution of odd size, stride 1, zero padding that keeps the size.
struct ConvLayer {
  std::string name;
  int in = 0, out = 0;
  bool relu = false;
  float init_gain = 1;  // multiplies He initialisation
  int kernel = 3;
  // Channel 0 begins as input channel 0 (under a ReLU as nothing else), and hold_carried() keeps their means.
  bool carry = false;
};

// A network: its name, its scale, and its convolutions in the order they are computed.
struct NetSpec {
  std::string net;
  int scale = 0;
  std::vector<ConvLayer> layers;
  bool luma = false;  // works on the luma of the bicubic enlargement, not on RGB (SRCNN)

  int cell_channels() const { return 3 * scale * scale; }
};

// "abpn" and "srcnn" (9-5-5, Dong et al., 2016) for scale 2..4, "edsr-baseline" for scale 2. Errors: usage for
// any other pair.
Result<NetSpec> net_spec(const std::string& net, int scale);

// Float weights of a NetSpec: kernels [out, in, k, k] and biases [out], in units of kUnit (see
// to_pixel_units).
struct Weights {
  std::vector<torch::Tensor> kernels, biases;
};

// He normal kernels times the layer's gain, carried channels, zero biases; the same for the same seed.
Weights initial_weights(const NetSpec& spec, uint64_t seed);

// In layers that carry, kernels over input channel 0: that of output channel 0 gets the sum 1, the others 0, so
// that a network answers a constant luma with itself, but for biases. Without it every tap of a step adds to
// that answer, and rates that teach detail move flat areas by grey levels.
void hold_carried(const NetSpec& spec, Weights& weights);

// Deep copy without gradients, contiguous, float32.
Weights copy_of(const Weights& weights);

// How a network's steps are computed; training in float, quantised training and range observation differ only
// here.
struct Arithmetic {
  // Convolution `layer` of the spec with bias, ReLU where the layer has one.
  std::function<torch::Tensor(size_t layer, const torch::Tensor& x)> convolve;
  // Called on every tensor that is kept in memory, by name: "input" (ABPN, SRCNN) or "shifted" (EDSR, minus
  // its mean colour), a convolution's name (after its ReLU), "<name>+add" after the addition that is fused with a
  // convolution.
  std::function<torch::Tensor(const std::string& tensor, const torch::Tensor& x)> store;
};

// Plain convolutions in the dtype of x; nothing happens at store. `weights` must outlive the result.
Arithmetic float_arithmetic(const NetSpec& spec, const Weights& weights);

// The name under which a network's result passes `store`.
std::string output_name(const NetSpec& spec);

// x: [N, 3, H, W] pixels / kUnit. Returns cells [N, 3 s^2, H, W], channel (dy * s + dx) * 3 + c (TensorFlow's
// depth-to-space order), in pixels / kUnit, not clipped. A luma network: [N, 1, H, W] of the enlarged picture to
// the same.
torch::Tensor forward(const NetSpec& spec, const Arithmetic& arithmetic, const torch::Tensor& x);

// Depth to space: [N, 3 s^2, H, W] cells to [N, 3, sH, sW], and back.
torch::Tensor cells_to_picture(const torch::Tensor& cells, int scale);
torch::Tensor picture_to_cells(const torch::Tensor& picture, int scale);

// [N, 1, H, W] studio luma (image/colour.h) of [N, 3, H, W] RGB 0..255; float32.
torch::Tensor luma_of(const torch::Tensor& pixels);

}  // namespace fye
