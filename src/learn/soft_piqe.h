// Differentiable twin of PIQE (quality/piqe.h): its three thresholds become slopes.
#pragma once

#include <torch/torch.h>

namespace fye {

// How steep the sigmoids are that stand for the thresholds (spec/metrics.md, section 4); the score tends to
// the hard one as all three grow.
struct SoftPiqeSlopes {
  double activity = 50;    // of a block's variance above 0.1
  double impairment = 50;  // of a segment's deviation below 0.1
  double noise = 10;       // of sigma above 2 beta
};

// What PIQE looks at, not rounded: 0.2989 R + 0.5870 G + 0.1140 B of x [N, 3, H, W]; x itself if it has one
// channel. Returns [N, 1, H, W].
torch::Tensor soft_grey(const torch::Tensor& x);

// What PIQE makes of a picture before it looks at blocks: grey, stretched to a maximum of 255, and (I - mu) /
// (sd + 1) over a Gaussian window of 7 x 7 with repeated edges. x: [N, 1 or 3, H, W] in 0..255; [N, 1, H, W],
// about -3..3.
torch::Tensor soft_normalised(const torch::Tensor& x);

// The score of each picture, lower is better. x: [N, 1 or 3, H, W] in 0..255, floating point, H and W at
// least 1. Returns [N] in the dtype of x. Nothing is rounded, neither grey nor after the stretch to a maximum
// of 255: pictures of whole numbers whose maximum is 255 have the hard score as their limit, others one near
// it. Gradients are finite everywhere, flat pictures included; through the maximum too.
torch::Tensor soft_piqe(const torch::Tensor& x, const SoftPiqeSlopes& slopes = {});

}  // namespace fye
