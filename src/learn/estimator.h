// Perceptual quality estimator: a small network that imitates PIQE so that pictures can be improved along its
// gradient (spec/fye-sr.md, section 6).
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace fye {

// Six 3x3 convolutions, each with batch normalisation and ReLU, strides 1, 2, 2, 2, 2, 1. The fourth's maps
// are the local tap (it sees 17 pixels, about one block of PIQE), the sixth's the global one (65 pixels);
// means of both and the local tap's standard deviation go through two dense layers to a number.
// What goes in: studio luma / 255 - 0.5 of PIQE's grey, 16 + 219/255 grey (spec/fye-sr.md, 6.2); or the
// locally normalised map that PIQE itself begins with (soft_piqe.h), so that only its blocks are left to
// learn.
enum class EstimatorInput { luma, normalised };
Result<EstimatorInput> estimator_input(const std::string& name);

struct EstimatorSpec {
  std::vector<int64_t> channels{24, 32, 48, 64, 96, 96};
  int64_t hidden = 64;
  EstimatorInput input = EstimatorInput::normalised;
};
inline constexpr size_t kEstimatorConvs = 6, kEstimatorLocalTap = 3;
// Smallest side of a picture for it.
inline constexpr int64_t kEstimatorLeastSide = 64;

struct EstimatorWeights {
  // Per convolution kernel [out, in, 3, 3], gain [out] and offset [out] of its normalisation; then weight and
  // bias of the two dense layers, [hidden, features], [hidden], [1, hidden], [1].
  std::vector<torch::Tensor> learned;
  // Per convolution mean [out] and variance [out], as observed in training.
  std::vector<torch::Tensor> statistics;
};

// The same for the same seed: He normal kernels, gains 1, offsets and biases 0.
EstimatorWeights initial_estimator(const EstimatorSpec& spec, uint64_t seed);

// Deep copy without gradients.
EstimatorWeights copy_of(const EstimatorWeights& weights);

// Errors (bad_input): channels that aren't six positive numbers; tensors of other number, shape or type,
// values not finite.
Status check_estimator(const EstimatorSpec& spec, const EstimatorWeights& weights);

// The estimated score of each picture, 0..100, lower is better. x: [N, 1 or 3, H, W] in 0..255, sides of at
// least kEstimatorLeastSide, float32. The statistics stay frozen. Returns [N], differentiable. It is trained
// on pictures of whole numbers.
torch::Tensor estimate(const EstimatorSpec& spec, const EstimatorWeights& weights, const torch::Tensor& x);

// The same while training: normalised by the batch's own statistics, which `statistics` (kEstimatorConvs
// pairs) move towards. `narrow`: the convolutions compute in bfloat16.
torch::Tensor estimate_in_training(const EstimatorSpec& spec, const std::vector<torch::Tensor>& learned,
                                   const std::vector<torch::Tensor>& statistics, const torch::Tensor& x,
                                   bool narrow);

// Smooth L1 on score / 100, plus `ranking` times a hinge on pairs: of two pictures whose scores differ by
// more than the margin (0.02), the estimates must differ by at least it in the same direction. estimates,
// scores: [N] in 0..100 (scores beyond are clipped, since no estimate can be).
torch::Tensor estimator_loss(const torch::Tensor& estimates, const torch::Tensor& scores, double ranking);

}  // namespace fye
