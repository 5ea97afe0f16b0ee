// How well something imitates PIQE: agreement of its scores with the exact ones, and what its gradient is
// worth.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <span>
#include <vector>

#include "learn/estimator_crops.h"

namespace fye {

// A differentiable score of pictures: [N, 1, H, W] float32 in 0..255 to [N].
using Imitation = std::function<torch::Tensor(const torch::Tensor&)>;

// Scores of the crops in `rows`, batches side by side on `threads` threads.
std::vector<double> scores_of(const Imitation& imitation, const CropSet& set, std::span<const int64_t> rows,
                              int threads);

// Of scores with the exact ones. A place counts for `within` if at least three outputs of one network are
// among the rows and their exact scores span at least half a point: how well those are ordered, in the mean.
struct Agreement {
  int64_t crops = 0;
  double spearman = 0, mean_error = 0;  // mean absolute difference, in points
  int64_t places = 0;
  double within = 0;  // mean Spearman between plans' outputs for one place
};
Agreement agreement(const CropSet& set, std::span<const int64_t> rows, std::span<const double> scores);

// What the gradient is worth: each crop moves by `levels` grey levels (root mean square) down it and up it,
// is rounded to whole levels, and its exact PIQE taken again. Any such step, noise too, lowers PIQE; only the
// difference between the two ways says something.
struct Guidance {
  int64_t crops = 0;
  double down = 0, up = 0;  // mean change in points
  double right_share = 0;   // of the crops whose score is lower after the step down than after the step up
};
Guidance guidance(const Imitation& imitation, const CropSet& set, std::span<const int64_t> rows,
                  double levels, int threads);

}  // namespace fye
