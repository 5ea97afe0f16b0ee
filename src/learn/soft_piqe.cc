// The steps of quality/piqe.cc on whole batches: block (i, j) of the padded picture becomes row i * blocks_x
// + j of a tensor [N, blocks, 16, 16]. Square roots get kTiny under them, for the root's slope at 0 is
// infinite.
#include "learn/soft_piqe.h"

#include <vector>

#include "learn/gaussian.h"

namespace fye {
namespace {

using torch::indexing::Ellipsis;
using torch::indexing::Slice;

constexpr int kBlock = 16;
constexpr int kSegment = 6;      // samples of a block's edge that are judged together
constexpr double kActive = 0.1;  // variance above which a block counts
constexpr double kImpaired = 0.1;
constexpr double kStability = 1;  // C of the score
constexpr int kRadius = 3;        // of the 7 x 7 window
constexpr double kSigma = 7.0 / 6;
constexpr double kTiny = 1e-12;
// Subtracted before squares are taken, which changes no variance but keeps float32 from losing it.
constexpr double kMiddle = 128;

torch::Tensor root(const torch::Tensor& x) { return (x + kTiny).sqrt(); }

// Fills up to whole blocks at the right and the bottom, mirrored with the edge repeated.
torch::Tensor padded(const torch::Tensor& x) {
  const auto indices = [](int64_t size) {
    std::vector<int64_t> from;
    for (int64_t i = 0; i < (size + kBlock - 1) / kBlock * kBlock; ++i) {
      const int64_t inside = i % (2 * size);
      from.push_back(inside < size ? inside : 2 * size - 1 - inside);
    }
    return torch::tensor(from, torch::kInt64);
  };
  return x.index_select(2, indices(x.size(2))).index_select(3, indices(x.size(3)));
}

// Of grey that need not be stretched yet.
torch::Tensor normalised(const torch::Tensor& grey) {
  const auto image = 255 * (grey / grey.amax({1, 2, 3}, true).clamp_min(kTiny));
  const auto window = gaussian_like(image, kRadius, kSigma);
  const auto blur = [&](const torch::Tensor& x) {
    const auto wide = torch::replication_pad2d(x, {kRadius, kRadius, kRadius, kRadius});
    return torch::conv2d(torch::conv2d(wide, window), window.transpose(2, 3));
  };
  const auto centred = image - kMiddle, mean = blur(centred);
  return (centred - mean) / (root((blur(centred.square()) - mean.square()).abs()) + 1);
}

torch::Tensor blocks_of(const torch::Tensor& x) {
  const auto n = x.size(0), rows = x.size(2) / kBlock, columns = x.size(3) / kBlock;
  return x.reshape({n, rows, kBlock, columns, kBlock})
      .permute({0, 1, 3, 2, 4})
      .reshape({n, rows * columns, kBlock, kBlock});
}

torch::Tensor variance_of(const torch::Tensor& samples) { return samples.flatten(2).var(2, true); }

// Any of 4 x 11 segments of a block's edges is nearly constant: 1 - prod(1 - s(slope (0.1 - d))), its product
// as a sum of logarithms.
torch::Tensor impaired(const torch::Tensor& blocks, double slope) {
  constexpr int kLast = kBlock - 1;
  const auto edges =
      torch::stack({blocks.index({Ellipsis, 0, Slice()}), blocks.index({Ellipsis, kLast, Slice()}),
                    blocks.index({Ellipsis, Slice(), 0}), blocks.index({Ellipsis, Slice(), kLast})},
                   2);
  const auto deviations = root(edges.unfold(3, kSegment, 1).var(-1, true));  // [N, blocks, 4, 11]
  return 1 - torch::log_sigmoid(slope * (deviations - kImpaired)).sum({2, 3}).exp();
}

// The surround lacks columns 7 and 9, as in the reference (quality/piqe.cc).
torch::Tensor noisy(const torch::Tensor& blocks, const torch::Tensor& variance, double slope) {
  const auto centre = blocks.slice(3, 7, 9);
  const auto surround = torch::cat({blocks.slice(3, 0, 7), blocks.slice(3, 8, 9), blocks.slice(3, 10)}, 3);
  const auto sigma = root(variance), ratio = root(variance_of(centre)) / root(variance_of(surround));
  const auto beta = (sigma - ratio).abs() / torch::maximum(sigma, ratio);
  return torch::sigmoid(slope * (sigma - 2 * beta));
}

}  // namespace

torch::Tensor soft_grey(const torch::Tensor& x) {
  if (x.size(1) == 1) return x;
  const auto weights = torch::tensor({0.2989, 0.5870, 0.1140}, torch::kFloat64).to(x.scalar_type());
  return (x * weights.view({1, 3, 1, 1})).sum(1, true);
}

torch::Tensor soft_normalised(const torch::Tensor& x) { return normalised(soft_grey(x)); }

torch::Tensor soft_piqe(const torch::Tensor& x, const SoftPiqeSlopes& slopes) {
  const auto blocks = blocks_of(normalised(padded(soft_grey(x))));
  const auto variance = variance_of(blocks);
  const auto active = torch::sigmoid(slopes.activity * (variance - kActive));
  const auto distortion =
      impaired(blocks, slopes.impairment) * (1 - variance) + noisy(blocks, variance, slopes.noise) * variance;
  return 100 * ((active * distortion).sum(1) + kStability) / (active.sum(1) + kStability);
}

}  // namespace fye
