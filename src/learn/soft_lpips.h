// Differentiable twin of LPIPS v0.1 on AlexNet (quality/lpips.h).
#pragma once

#include <torch/torch.h>

#include <vector>

#include "quality/lpips_weights.h"

namespace fye {

// The weights as tensors, one of each for every convolution: kernels [out, in, k, k], biases [out], linear
// [1, out, 1, 1].
struct LpipsTensors {
  std::vector<torch::Tensor> kernels, biases, linear;
};

// Copies, in float32 or float64. For the published ones: installed_lpips_weights() (quality/lpips_weights.h).
LpipsTensors lpips_tensors(const LpipsWeights& weights, torch::ScalarType type);

// The distance of each pair of pictures, 0 for equal ones. a, b: [N, 3, H, W] in 0..255, one shape, sides of
// at least kLpipsLeast, in the weights' dtype. Returns [N]. Gradients are finite everywhere, where all
// channels of a tap are 0 included.
torch::Tensor soft_lpips(const torch::Tensor& a, const torch::Tensor& b, const LpipsTensors& weights);

}  // namespace fye
