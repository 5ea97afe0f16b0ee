#include "learn/soft_lpips.h"

namespace fye {
namespace {

// (x - shift) / scale for x in -1..1: ImageNet's mean and deviation (spec/metrics.md, section 5).
constexpr double kShift[3] = {-0.030, -0.088, -0.188}, kScale[3] = {0.458, 0.448, 0.450};
// Of the published code, added to a length before the division by it.
constexpr double kLength = 1e-10;

torch::Tensor per_channel(const double (&values)[3], const torch::Tensor& like) {
  return torch::tensor({values[0], values[1], values[2]}, torch::kFloat64)
      .to(like.scalar_type())
      .view({1, 3, 1, 1});
}

// Over channels. kLength^2 under the root keeps its slope finite where all are 0.
torch::Tensor unit_length(const torch::Tensor& x) {
  return x / ((x.square().sum(1, true) + kLength * kLength).sqrt() + kLength);
}

}  // namespace

LpipsTensors lpips_tensors(const LpipsWeights& weights, torch::ScalarType type) {
  const auto tensor = [type](const std::vector<float>& values, torch::IntArrayRef shape) {
    return torch::tensor(values).to(type).view(shape);
  };
  LpipsTensors tensors;
  for (size_t i = 0; i < kAlexConvs.size(); ++i) {
    const AlexConv& conv = kAlexConvs[i];
    const LpipsWeights::Layer& layer = weights.layers[i];
    tensors.kernels.push_back(tensor(layer.weight, {conv.out, conv.in, conv.kernel, conv.kernel}));
    tensors.biases.push_back(tensor(layer.bias, {conv.out}));
    tensors.linear.push_back(tensor(layer.lin, {1, conv.out, 1, 1}));
  }
  return tensors;
}

torch::Tensor soft_lpips(const torch::Tensor& a, const torch::Tensor& b, const LpipsTensors& weights) {
  const auto n = a.size(0);
  auto x = (torch::cat({a, b}) * (2.0 / 255) - 1 - per_channel(kShift, a)) / per_channel(kScale, a);
  auto distance = torch::zeros({n}, a.options());
  for (size_t i = 0; i < kAlexConvs.size(); ++i) {
    const AlexConv& conv = kAlexConvs[i];
    if (conv.pooled) x = torch::max_pool2d(x, 3, 2);
    x = torch::conv2d(x, weights.kernels[i], weights.biases[i], conv.stride, conv.pad).relu();
    const auto unit = unit_length(x);
    const auto difference = (unit.slice(0, 0, n) - unit.slice(0, n)).square();
    distance = distance + (difference * weights.linear[i]).sum(1).mean({1, 2});
  }
  return distance;
}

}  // namespace fye
