#include "learn/gaussian.h"

#include <cmath>
#include <vector>

namespace fye {

torch::Tensor gaussian_like(const torch::Tensor& x, int radius, double sigma) {
  std::vector<double> weights;
  double sum = 0;
  for (int i = -radius; i <= radius; ++i) sum += weights.emplace_back(std::exp(-i * i / (2 * sigma * sigma)));
  return torch::tensor(weights, torch::kFloat64).div_(sum).to(x.scalar_type()).view({1, 1, -1, 1});
}

}  // namespace fye
