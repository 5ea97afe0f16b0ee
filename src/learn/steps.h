// What every training loop here does: steps until a budget is spent, threads that share a step, and the
// rate's schedule.
#pragma once

#include <torch/torch.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "base/threads.h"

namespace fye {

inline constexpr double kWarmUp = 0.01, kLastRate = 0.002;

// Learning rate as a share of the peak, at `progress` in 0..1 of the budget: warm-up over the first kWarmUp,
// then half a cosine down to kLastRate.
double rate_at(double progress);

// What stays of a running average after the step that comes after `step` steps: `decay`, less at the start so
// that the first weights are soon forgotten.
double average_decay(double decay, int64_t step);

// average <- decay * average + (1 - decay) * value, in place.
void average_in(const std::vector<torch::Tensor>& average, const std::vector<torch::Tensor>& values,
                double decay);

struct Pace {
  double budget_seconds = 0;  // wall-clock time of the whole run, over all its slices; or:
  int64_t budget_steps = 0;   // steps of the whole run, if > 0 (then time plays no part: repeatable)
  double report_every = 120, save_every = 180;  // seconds
};

struct Steps {
  std::function<Result<double>(double progress)> step;       // one step; its loss
  std::function<void(double progress, double loss)> report;  // with the mean loss since the last report
  std::function<Status()> save;
};

// Takes steps from state (step, seconds), which it keeps up to date, until the budget is spent or `stop`
// becomes true; then reports and saves a last time. Errors: a loss that is not finite, those of step and
// save.
Status run_steps(const Pace& pace, int64_t& step, double& seconds, const Steps& steps,
                 const std::atomic<bool>& stop);

// Threads that take their parts of a batch through a network side by side, each seeing the parameters through
// leaves of its own, so that its gradients are its own.
class Shards {
 public:
  Shards(const std::vector<torch::Tensor>& parameters, int threads);

  int size() const { return int(leaves_.size()); }
  // In the parameters' order; they share the parameters' storage.
  const std::vector<torch::Tensor>& leaves(int shard) const { return leaves_[shard]; }

  // Differentiates loss(shard) for every shard at once; the mean of the shards' gradients becomes the
  // parameters' gradient. Returns the mean loss. Repeatable for the same number of threads.
  double backward(const std::function<torch::Tensor(int shard)>& loss);

 private:
  std::vector<torch::Tensor> parameters_;
  std::vector<std::vector<torch::Tensor>> leaves_;
  ThreadPool pool_;
};

}  // namespace fye
