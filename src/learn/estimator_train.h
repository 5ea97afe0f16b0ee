// Training the estimator: its state, its checkpoints, its steps.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>

#include "learn/estimator.h"
#include "learn/estimator_crops.h"
#include "learn/optimiser.h"
#include "learn/steps.h"

namespace fye {

struct EstimatorOptions {
  Pace pace;
  int batch = 32;  // an even number for each thread
  int threads = 2;
  OptimiserKind optimiser = OptimiserKind::adam;
  double rate = 2e-3;            // peak; rate_at() follows the budget
  double average = 0.998;        // decay of the weights' average
  double ranking = 0.1;          // weight of the ranking hinge
  double bfloat16_until = 0.85;  // share of the budget whose convolutions compute in bfloat16
};

struct EstimatorState {
  EstimatorSpec spec;
  EstimatorWeights weights;              // as trained
  EstimatorWeights average;              // exponential average, statistics included: what is used
  std::vector<torch::Tensor> optimiser;  // Optimiser::state()
  int64_t step = 0;
  double seconds = 0;  // wall-clock time spent on training so far
  uint64_t random = 1;
};

EstimatorState start_estimator(const EstimatorSpec& spec, const EstimatorOptions& options, uint64_t seed);

// One file, complete or not at all.
Status save_estimator(const EstimatorState& state, const std::filesystem::path& path);
// Errors (bad_input): unreadable, another kind of checkpoint, tensors of other shapes, values not finite.
Result<EstimatorState> load_estimator(const std::filesystem::path& path);

struct EstimatorEvents {
  std::function<void(const EstimatorState&, double progress, double rate, double loss)> report;
  std::function<Status(const EstimatorState&)> save;
};

// Trains on the crops that are not held out until the budget is spent or `stop` becomes true, and saves.
// Half of a batch are random crops, the other half other versions of the same places; crops are turned upside
// down at random, which PIQE does not see (turning them sideways it would). Errors: no crops, a batch that
// the threads can't share evenly, an optimiser's state that doesn't fit, a loss that is not finite, a failed
// save. Repeatable for the same number of threads and steps.
Result<EstimatorState> train_estimator(EstimatorState state, const EstimatorOptions& options,
                                       const CropSet& set, const EstimatorEvents& events,
                                       const std::atomic<bool>& stop);

}  // namespace fye
