// Training: patches, an optimiser, an average of the weights, and a schedule that fits a budget of time or
// steps. In float, or quantised where the state has grids (qat.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>

#include "learn/checkpoint.h"
#include "learn/data.h"
#include "learn/loss.h"
#include "learn/net.h"
#include "learn/optimiser.h"
#include "learn/steps.h"

namespace fye {

struct TrainOptions {
  double budget_seconds = 0;  // wall-clock time of the whole run, over all its slices; or:
  int64_t budget_steps = 0;   // steps of the whole run, if > 0 (then time plays no part: repeatable)
  int batch = 8, patch = 64, margin = 2;
  int threads = 1;  // each takes batch / threads patches through the network by itself; they meet once a step
  OptimiserKind optimiser = OptimiserKind::soap;
  double rate =
      2e-3;  // peak; warm-up over the first kWarmUp of the budget, then a half cosine to kLastRate of it
  double average = 0.999;  // decay of the weights' average
  double luma_weight = 0.5;
  LossKind loss = LossKind::l1, last_loss = LossKind::psnr;
  double last_loss_from = 0.5;  // share of the budget after which last_loss rules
  double bfloat16_until =
      0.85;  // share of the budget computed in bfloat16; 0 = float32 throughout, as quantised runs are
  double validate_every = 120, save_every = 180;  // seconds
};

// Patches for one thread's part of a step, for a luma network with `enlarged`; the seam through which tests
// feed their own. Called by several threads at once.
using DrawBatch = std::function<Batch(int count, int patch, Random&)>;

// One line of the log: step, seconds, share of the budget, rate, mean loss since the last line, mean luma
// PSNR of the averaged weights on the validation pictures (NaN where none were given).
struct TrainReport {
  int64_t step;
  double seconds, progress, rate, loss, psnr;
};

// Called now and then: report() with a new log line, save() with a state to keep. An error from save ends the
// run.
struct TrainEvents {
  std::function<void(const TrainReport&)> report;
  std::function<Status(const Checkpoint&)> save;
};

// A fresh state: initial weights, empty optimiser.
Checkpoint start_training(const NetSpec& spec, const TrainOptions& options, uint64_t seed);

// Trains from `state` until the budget is spent or `stop` becomes true, and saves. Returns the last state.
// Errors: a batch that the threads can't share evenly, an optimiser's state that does not fit, a loss that is
// not finite, a failed save. Repeatable for the same number of threads.
Result<Checkpoint> train(Checkpoint state, const TrainOptions& options, const DrawBatch& draw,
                         const std::vector<PicturePair>& validation, const TrainEvents& events,
                         const std::atomic<bool>& stop);

}  // namespace fye
