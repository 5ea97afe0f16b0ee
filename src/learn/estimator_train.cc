#include "learn/estimator_train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "learn/archive.h"
#include "learn/data.h"

namespace fye {
namespace {

constexpr int64_t kFormat = 1;

std::vector<torch::Tensor> with_gradients(std::vector<torch::Tensor> tensors) {
  for (auto& t : tensors) t.set_requires_grad(true);
  return tensors;
}

// Rows to train on, and of each place its rows.
struct Rows {
  std::vector<int64_t> all;
  std::map<uint32_t, std::vector<int64_t>> of_place;
};

Rows training_rows(const CropSet& set) {
  Rows rows;
  for (size_t i = 0; i < set.crops.size(); ++i) {
    if (set.crops[i].held_picture || set.crops[i].held_plan) continue;
    rows.all.push_back(int64_t(i));
    rows.of_place[set.crops[i].place].push_back(int64_t(i));
  }
  return rows;
}

struct CropBatch {
  torch::Tensor x, scores;  // [N, 1, side, side] float32 in 0..255, [N]
};

CropBatch draw_crops(const CropSet& set, const Rows& rows, int count, Random& random) {
  std::vector<int64_t> picks;
  std::vector<float> scores;
  std::vector<torch::Tensor> pictures;
  for (int i = 0; i < count; ++i) {
    if (i % 2 == 0) {
      picks.push_back(rows.all[size_t(random.below(int(rows.all.size())))]);
    } else {
      const auto& same = rows.of_place.at(set.crops[size_t(picks.back())].place);
      picks.push_back(same[size_t(random.below(int(same.size())))]);
    }
    const auto picture = set.pixels[picks.back()];
    pictures.push_back(random.below(2) ? picture.flip(1) : picture);
    scores.push_back(set.crops[size_t(picks.back())].score);
  }
  return {torch::stack(pictures).to(torch::kFloat32), torch::tensor(scores)};
}

}  // namespace

EstimatorState start_estimator(const EstimatorSpec& spec, const EstimatorOptions& options, uint64_t seed) {
  EstimatorState state;
  state.spec = spec;
  state.weights = initial_estimator(spec, seed);
  state.average = copy_of(state.weights);
  state.optimiser = Optimiser(options.optimiser, with_gradients(state.weights.learned)).state();
  state.random = seed;
  return state;
}

Status save_estimator(const EstimatorState& state, const std::filesystem::path& path) {
  return save_archive(path, [&state](torch::serialize::OutputArchive& archive) {
    archive.write("fye.estimator", torch::tensor(kFormat));
    archive.write("channels", torch::tensor(state.spec.channels));
    archive.write("hidden", torch::tensor(state.spec.hidden));
    archive.write("input", torch::tensor(int64_t(state.spec.input)));
    archive.write("step", torch::tensor(state.step));
    archive.write("seconds", torch::tensor(state.seconds, torch::kFloat64));
    archive.write("random", torch::tensor(int64_t(state.random)));
    put_tensors(archive, "learned", state.weights.learned);
    put_tensors(archive, "statistics", state.weights.statistics);
    put_tensors(archive, "average.learned", state.average.learned);
    put_tensors(archive, "average.statistics", state.average.statistics);
    put_tensors(archive, "optimiser", state.optimiser);
  });
}

Result<EstimatorState> load_estimator(const std::filesystem::path& path) {
  const std::string hint = "give an estimator.pt that fye-train estimator wrote";
  EstimatorState state;
  const auto take = [&](torch::serialize::InputArchive& archive) -> Status {
    if (get_tensor(archive, "fye.estimator").item<int64_t>() != kFormat)
      return bad_input(path.string() + ": an estimator of another version", hint);
    const auto channels = get_tensor(archive, "channels").to(torch::kInt64).contiguous();
    state.spec.channels.assign(channels.data_ptr<int64_t>(), channels.data_ptr<int64_t>() + channels.numel());
    state.spec.hidden = get_tensor(archive, "hidden").item<int64_t>();
    const auto input = get_tensor(archive, "input").item<int64_t>();
    if (input != int64_t(EstimatorInput::luma) && input != int64_t(EstimatorInput::normalised))
      return bad_input(path.string() + ": an estimator with another input", hint);
    state.spec.input = EstimatorInput(input);
    state.step = get_tensor(archive, "step").item<int64_t>();
    state.seconds = get_tensor(archive, "seconds").item<double>();
    state.random = uint64_t(get_tensor(archive, "random").item<int64_t>());
    state.weights = {get_tensors(archive, "learned"), get_tensors(archive, "statistics")};
    state.average = {get_tensors(archive, "average.learned"), get_tensors(archive, "average.statistics")};
    state.optimiser = get_tensors(archive, "optimiser");
    return {};
  };
  if (auto loaded = load_archive(path, hint, take); !loaded) return loaded.error();
  for (const auto* weights : {&state.weights, &state.average})
    if (auto fits = check_estimator(state.spec, *weights); !fits)
      return bad_input(path.string() + ": " + fits.error().what, hint);
  return state;
}

Result<EstimatorState> train_estimator(EstimatorState state, const EstimatorOptions& options,
                                       const CropSet& set, const EstimatorEvents& events,
                                       const std::atomic<bool>& stop) {
  const int threads = options.threads;
  if (threads < 1 || options.batch < 1 || options.batch % (2 * threads))
    return usage_error(
        fmt::format("{} threads can't share {} crops evenly, in pairs", threads, options.batch));
  const Rows rows = training_rows(set);
  if (rows.all.empty()) return bad_input("no crops to train on: all are held out");
  const auto parameters = with_gradients(state.weights.learned);
  Optimiser optimiser(options.optimiser, parameters);
  if (auto fits = optimiser.restore(state.optimiser); !fits) return fits.error();
  Shards shards(parameters, threads);
  Random random{state.random};

  Steps steps;
  steps.step = [&](double progress) -> Result<double> {
    std::vector<Random> seeds;
    std::vector<std::vector<torch::Tensor>>
        statistics;  // each thread moves its own towards its part of the batch
    for (int k = 0; k < threads; ++k) {
      seeds.push_back({random.next()});
      statistics.push_back(copy_of(state.weights).statistics);
    }
    const double loss = shards.backward([&](int k) {
      const auto batch = draw_crops(set, rows, options.batch / threads, seeds[k]);
      const auto made = estimate_in_training(state.spec, shards.leaves(k), statistics[k], batch.x,
                                             progress < options.bfloat16_until);
      return estimator_loss(made, batch.scores, options.ranking);
    });
    if (!std::isfinite(loss)) return loss;  // run_steps() refuses it; the weights stay as they were
    optimiser.step(options.rate * rate_at(progress));
    for (size_t i = 0; i < state.weights.statistics.size(); ++i) {
      auto sum = statistics[0][i];
      for (int k = 1; k < threads; ++k) sum = sum + statistics[k][i];
      state.weights.statistics[i] = sum / threads;
    }
    const double decay = average_decay(options.average, state.step);
    average_in(state.average.learned, state.weights.learned, decay);
    average_in(state.average.statistics, state.weights.statistics, decay);
    return loss;
  };
  steps.report = [&](double progress, double loss) {
    events.report(state, progress, options.rate * rate_at(progress), loss);
  };
  steps.save = [&] {
    state.optimiser = optimiser.state();
    state.random = random.state;
    return events.save(state);
  };
  if (auto done = run_steps(options.pace, state.step, state.seconds, steps, stop); !done) return done.error();
  return state;
}

}  // namespace fye
