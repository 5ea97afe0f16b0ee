// Gradients against central finite differences, for the tests of differentiable scores.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "learn/data.h"

namespace fye::testing {

inline torch::Tensor doubles_of(const Picture& picture) { return tensor_of(picture).to(torch::kFloat64); }

// `score` maps a float64 tensor like x to any tensor; its sum is what is differentiated, along the gradient
// itself, two random directions and three single elements. Fails if one differs by more than `tolerance` of
// the gradient's length along that direction.
inline void expect_gradient(const std::function<torch::Tensor(const torch::Tensor&)>& score,
                            const torch::Tensor& x, double step = 1e-4, double tolerance = 1e-5) {
  const auto at = x.detach().to(torch::kFloat64).clone().set_requires_grad(true);
  const auto value = score(at).sum();
  value.backward();
  const auto gradient = at.grad().clone();
  ASSERT_TRUE(gradient.isfinite().all().item<bool>());
  const double length = gradient.norm().item<double>();
  ASSERT_GT(length, 0) << "a score that does not depend on its picture";

  const torch::NoGradGuard no_gradients;
  auto generator = at::detail::createCPUGenerator(7);
  std::vector<torch::Tensor> directions{gradient / length};
  for (int i = 0; i < 2; ++i) {
    const auto random = torch::empty_like(gradient).normal_(0, 1, generator);
    directions.push_back(random / random.norm());
  }
  for (const int64_t element : {int64_t(0), x.numel() / 3, x.numel() - 1}) {
    auto one = torch::zeros_like(gradient);
    one.view(-1)[element] = 1;
    directions.push_back(one);
  }
  for (size_t i = 0; i < directions.size(); ++i) {
    const auto& d = directions[i];
    const double ahead = score(at.detach() + step * d).sum().item<double>();
    const double behind = score(at.detach() - step * d).sum().item<double>();
    const double expected = (ahead - behind) / (2 * step), given = (gradient * d).sum().item<double>();
    EXPECT_NEAR(given, expected, tolerance * length) << "direction " << i;
  }
}

}  // namespace fye::testing
