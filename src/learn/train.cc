#include "learn/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/threads.h"
#include "learn/qat.h"
#include "learn/score.h"

namespace fye {
namespace {

using torch::Tensor;

// One thread's part of a step: the weights seen through leaves of its own, so that its gradients are its own.
struct Shard {
  Weights weights;
  std::vector<Tensor> leaves;
  Arithmetic arithmetic;
  double loss = 0;
};

std::vector<Tensor> parameters_of(Weights& weights) {
  std::vector<Tensor> all;
  for (auto* list : {&weights.kernels, &weights.biases})
    for (auto& t : *list) all.push_back(t.set_requires_grad(true));
  return all;
}

// Shares the storage of `weights`.
Weights view_of(const Weights& weights) {
  Weights view;
  for (const auto& t : weights.kernels) view.kernels.push_back(t.detach());
  for (const auto& t : weights.biases) view.biases.push_back(t.detach());
  return view;
}

// Leaves gradients in shard.leaves and the loss in shard.loss.
void run_shard(const Checkpoint& state, const TrainOptions& options, double progress, const Batch& batch,
               Shard& shard) {
  const bool narrow = progress < options.bfloat16_until && state.grids.empty();
  const auto low = batch.low.to(torch::kFloat32).div_(kUnit).to(narrow ? torch::kBFloat16 : torch::kFloat32);
  const auto truth = batch.cells.to(torch::kFloat32).div_(kUnit);
  const auto made = forward(state.spec, shard.arithmetic, low).to(torch::kFloat32);
  const auto kind = progress < options.last_loss_from ? options.loss : options.last_loss;
  const auto loss = training_loss(kind, made, truth, options.luma_weight, options.margin);
  for (const auto& leaf : shard.leaves) leaf.mutable_grad().reset();
  loss.backward();
  shard.loss = loss.item<double>();
}

// The mean of the shards' gradients becomes the parameters' gradient.
void gather_gradients(const std::vector<Tensor>& parameters, const std::vector<Shard>& shards) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    auto sum = shards[0].leaves[i].grad();
    for (size_t k = 1; k < shards.size(); ++k) sum = sum + shards[k].leaves[i].grad();
    parameters[i].mutable_grad() = sum / double(shards.size());
  }
}

void average_in(Weights& average, const Weights& weights, double decay) {
  const torch::NoGradGuard no_gradients;
  for (size_t i = 0; i < weights.kernels.size(); ++i) {
    average.kernels[i].lerp_(weights.kernels[i].detach(), 1 - decay);
    average.biases[i].lerp_(weights.biases[i].detach(), 1 - decay);
  }
}

double validation_psnr(const Checkpoint& state, const std::vector<PicturePair>& pictures) {
  if (pictures.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto arithmetic = arithmetic_for(state.spec, state.average, state.grids);
  double sum = 0;
  for (const auto& pair : pictures) sum += luma_psnr(state.spec, arithmetic, pair);
  return sum / double(pictures.size());
}

}  // namespace

double rate_at(double progress) {
  if (progress < kWarmUp) return std::max(progress / kWarmUp, 0.01);
  const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, progress)));
  return kLastRate + (1 - kLastRate) * cosine;
}

Checkpoint start_training(const NetSpec& spec, const TrainOptions& options, uint64_t seed) {
  Checkpoint state;
  state.spec = spec;
  state.weights = initial_weights(spec, seed);
  state.average = copy_of(state.weights);
  state.optimiser = Optimiser(options.optimiser, parameters_of(state.weights)).state();
  state.random = seed;
  return state;
}

Result<Checkpoint> train(Checkpoint state, const TrainOptions& options, const DrawBatch& draw,
                         const std::vector<PicturePair>& validation, const TrainEvents& events,
                         const std::atomic<bool>& stop) {
  const auto parameters = parameters_of(state.weights);
  Optimiser optimiser(options.optimiser, parameters);
  if (auto fits = optimiser.restore(state.optimiser); !fits) return fits.error();
  const int threads = options.threads;
  if (threads < 1 || options.batch % threads)
    return usage_error(fmt::format("{} threads can't share {} patches evenly", threads, options.batch));
  ThreadPool pool(threads);
  std::vector<Shard> shards(threads);
  for (auto& shard : shards) {
    shard.weights = view_of(state.weights);
    shard.leaves = parameters_of(shard.weights);
    shard.arithmetic = arithmetic_for(state.spec, shard.weights, state.grids);
  }
  Random random{state.random};

  const auto begin = std::chrono::steady_clock::now();
  const double before = state.seconds;
  const auto progress = [&] {
    return options.budget_steps > 0 ? double(state.step) / double(options.budget_steps)
                                    : state.seconds / options.budget_seconds;
  };
  const auto keep = [&]() -> Status {
    state.optimiser = optimiser.state();
    state.random = random.state;
    return events.save(state);
  };
  double loss_sum = 0, last_report = state.seconds, last_save = state.seconds;
  int64_t loss_count = 0;
  const auto report = [&] {
    events.report({state.step, state.seconds, progress(), options.rate * rate_at(progress()),
                   loss_count ? loss_sum / double(loss_count) : 0, validation_psnr(state, validation)});
    loss_sum = 0, loss_count = 0;
    last_report = state.seconds;
  };

  while (!stop && progress() < 1) {
    const double at = progress();
    std::vector<Random> seeds;
    for (int k = 0; k < threads; ++k) seeds.push_back({random.next()});
    pool.parallel_for(threads, 1, [&](int64_t begin_shard, int64_t end_shard) {
      torch::init_num_threads();
      for (int64_t k = begin_shard; k < end_shard; ++k)
        run_shard(state, options, at, draw(options.batch / threads, options.patch, seeds[k]), shards[k]);
    });
    double value = 0;
    for (const auto& shard : shards) value += shard.loss / threads;
    if (!std::isfinite(value))
      return internal_error(fmt::format("the loss is not finite at step {}: lower the rate", state.step));
    gather_gradients(parameters, shards);
    optimiser.step(options.rate * rate_at(at));
    ++state.step;
    average_in(state.average, state.weights,
               std::min(options.average, (1.0 + double(state.step)) / (10.0 + double(state.step))));
    loss_sum += value, ++loss_count;

    state.seconds = before + std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (state.seconds - last_report >= options.validate_every) report();
    if (state.seconds - last_save >= options.save_every) {
      if (auto kept = keep(); !kept) return kept.error();
      last_save = state.seconds;
    }
  }
  report();
  if (auto kept = keep(); !kept) return kept.error();
  return state;
}

}  // namespace fye
