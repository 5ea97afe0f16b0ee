#include "learn/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "learn/qat.h"
#include "learn/score.h"

namespace fye {
namespace {

std::vector<torch::Tensor> parameters_of(Weights& weights) {
  std::vector<torch::Tensor> all;
  for (auto* list : {&weights.kernels, &weights.biases})
    for (auto& t : *list) all.push_back(t.set_requires_grad(true));
  return all;
}

// The weights that parameters_of() listed.
Weights weights_from(const std::vector<torch::Tensor>& parameters) {
  const auto half = parameters.begin() + std::ptrdiff_t(parameters.size() / 2);
  return {{parameters.begin(), half}, {half, parameters.end()}};
}

// The luma of cells, as a picture.
torch::Tensor luma_of_cells(const torch::Tensor& cells, int scale) {
  return luma_of(cells_to_picture(cells, scale));
}

torch::Tensor loss_of(const Checkpoint& state, const TrainOptions& options, double progress,
                      const Arithmetic& arithmetic, const Batch& batch) {
  const auto& spec = state.spec;
  const bool narrow = progress < options.bfloat16_until && state.grids.empty();
  const auto input = spec.luma ? luma_of_cells(batch.enlarged, spec.scale) : batch.low.to(torch::kFloat32);
  const auto target = spec.luma ? luma_of_cells(batch.cells, spec.scale) : batch.cells.to(torch::kFloat32);
  const auto x = input.div(kUnit).to(narrow ? torch::kBFloat16 : torch::kFloat32);
  const auto made = forward(spec, arithmetic, x);
  const auto kind = progress < options.last_loss_from ? options.loss : options.last_loss;
  // Of luma alone there are no colours to weigh. Without a skip, zero padding shows at a picture's edge as a
  // rim unless the edge is learned too.
  const double luma_weight = spec.luma ? 0 : options.luma_weight;
  const int margin = spec.luma ? 0 : options.margin;
  return training_loss(kind, made.to(torch::kFloat32), target.div(kUnit), luma_weight, margin);
}

double validation_psnr(const Checkpoint& state, const std::vector<PicturePair>& pictures) {
  if (pictures.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto arithmetic = arithmetic_for(state.spec, state.average, state.grids);
  double sum = 0;
  for (const auto& pair : pictures) sum += luma_psnr(state.spec, arithmetic, pair);
  return sum / double(pictures.size());
}

}  // namespace

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
  Shards shards(parameters, threads);
  std::vector<Weights> seen;  // by each thread
  std::vector<Arithmetic> arithmetic;
  for (int k = 0; k < threads; ++k) seen.push_back(weights_from(shards.leaves(k)));
  for (const auto& weights : seen) arithmetic.push_back(arithmetic_for(state.spec, weights, state.grids));
  Random random{state.random};

  Steps steps;
  steps.step = [&](double progress) -> Result<double> {
    std::vector<Random> seeds;
    for (int k = 0; k < threads; ++k) seeds.push_back({random.next()});
    const double loss = shards.backward([&](int k) {
      const auto batch = draw(options.batch / threads, options.patch, seeds[k]);
      return loss_of(state, options, progress, arithmetic[k], batch);
    });
    if (!std::isfinite(loss)) return loss;  // run_steps() refuses it; the weights stay as they were
    optimiser.step(options.rate * rate_at(progress));
    hold_carried(state.spec, state.weights);
    const double decay = average_decay(options.average, state.step);
    average_in(state.average.kernels, state.weights.kernels, decay);
    average_in(state.average.biases, state.weights.biases, decay);
    return loss;
  };
  steps.report = [&](double progress, double loss) {
    events.report({state.step, state.seconds, progress, options.rate * rate_at(progress), loss,
                   validation_psnr(state, validation)});
  };
  steps.save = [&] {
    state.optimiser = optimiser.state();
    state.random = random.state;
    return events.save(state);
  };
  const Pace pace{options.budget_seconds, options.budget_steps, options.validate_every, options.save_every};
  if (auto done = run_steps(pace, state.step, state.seconds, steps, stop); !done) return done.error();
  return state;
}

}  // namespace fye
