// Differentiable twin of SSIM (quality/ssim.h), and the luma that pictures are compared on.
#pragma once

#include <torch/torch.h>

namespace fye {

// BT.601 studio luma, 16..235, not rounded (image/colour.h), of x [N, 3, H, W] in 0..255: [N, 1, H, W].
torch::Tensor soft_luma(const torch::Tensor& x);

// Mean SSIM of each pair of pictures over channels and the valid positions of the 11 x 11 window (Wang et al.
// 2004; spec/metrics.md, section 3). a, b: [N, C, H, W] in 0..255, one shape, sides of at least 11, floating
// point. Returns [N] in -1..1, in the dtype of the input; for one channel in float64 it equals mean_ssim()
// (float32 loses up to 1e-4 where pictures are almost flat). On soft_luma() of shaved pictures it is ssim_y.
torch::Tensor soft_ssim(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace fye
