#include "learn/soft_ssim.h"

#include "learn/gaussian.h"

namespace fye {
namespace {

constexpr double kC1 = 6.5025;   // (0.01 * 255)^2
constexpr double kC2 = 58.5225;  // (0.03 * 255)^2

}  // namespace

torch::Tensor soft_luma(const torch::Tensor& x) {
  const auto weights =
      torch::tensor({65.481, 128.553, 24.966}, torch::kFloat64).div_(255).to(x.scalar_type());
  return (x * weights.view({1, 3, 1, 1})).sum(1, true) + 16;
}

torch::Tensor soft_ssim(const torch::Tensor& a, const torch::Tensor& b) {
  const auto n = a.size(0), c = a.size(1), h = a.size(2), w = a.size(3);
  const auto window = gaussian_like(a, 5, 1.5);  // 11 x 11
  const auto blur = [&](const torch::Tensor& x) {
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
