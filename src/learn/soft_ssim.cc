#include "learn/soft_ssim.h"

#include <cmath>
#include <vector>

namespace fye {
namespace {

using torch::Tensor;

constexpr int kWindow = 11;
constexpr double kSigma = 1.5;
constexpr double kC1 = 6.5025;   // (0.01 * 255)^2
constexpr double kC2 = 58.5225;  // (0.03 * 255)^2

// [1, 1, 11, 1], sums to 1.
Tensor window_like(const Tensor& x) {
  std::vector<double> weights;
  double sum = 0;
  for (int i = 0; i < kWindow; ++i) {
    const double d = i - kWindow / 2;
    sum += weights.emplace_back(std::exp(-d * d / (2 * kSigma * kSigma)));
  }
  return torch::tensor(weights, torch::kFloat64).div_(sum).to(x.scalar_type()).view({1, 1, kWindow, 1});
}

}  // namespace

Tensor soft_luma(const Tensor& x) {
  const auto weights =
      torch::tensor({65.481, 128.553, 24.966}, torch::kFloat64).div_(255).to(x.scalar_type());
  return (x * weights.view({1, 3, 1, 1})).sum(1, true) + 16;
}

Tensor soft_ssim(const Tensor& a, const Tensor& b) {
  const auto n = a.size(0), c = a.size(1), h = a.size(2), w = a.size(3);
  const auto window = window_like(a);
  const auto blur = [&](const Tensor& x) {
    const auto down = torch::conv2d(x.reshape({n * c, 1, h, w}), window);
    return torch::conv2d(down, window.transpose(2, 3));
  };
  const auto mean_a = blur(a), mean_b = blur(b);
  const auto squares = mean_a.square() + mean_b.square(), product = mean_a * mean_b;
  const auto variances = blur(a.square() + b.square()) - squares, covariance = blur(a * b) - product;
  const auto map = (2 * product + kC1) * (2 * covariance + kC2) / ((squares + kC1) * (variances + kC2));
  return map.reshape({n, -1}).mean(1);
}

}  // namespace fye
