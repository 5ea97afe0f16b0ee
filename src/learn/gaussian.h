// The Gaussian window that local means and spreads of pictures are taken under.
#pragma once

#include <torch/torch.h>

namespace fye {

// [1, 1, 2 radius + 1, 1], sums to 1, of x's number format; sigma in pixels.
torch::Tensor gaussian_like(const torch::Tensor& x, int radius, double sigma);

}  // namespace fye
