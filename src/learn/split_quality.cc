#include "learn/split_quality.h"

#include <fmt/format.h>

#include <memory>

#include "learn/estimator_train.h"
#include "learn/soft_lpips.h"
#include "learn/soft_piqe.h"
#include "learn/torch_rounding.h"

namespace fye {
namespace {

// Crops that go through the float network at a time.
constexpr int64_t kAtATime = 8;

// As it is written to a file, with gradients that pass through the rounding.
at::Tensor as_seen(const at::Tensor& grey) { return from_steps(grey, {0, 255}, 1); }

at::Tensor without_edge(const at::Tensor& x, int64_t shave) {
  return x.slice(2, shave, x.size(2) - shave).slice(3, shave, x.size(3) - shave);
}

}  // namespace

Result<PerceptKind> percept_kind(const std::string& name) {
  if (name == "estimator") return PerceptKind::estimator;
  if (name == "soft-piqe") return PerceptKind::soft_piqe;
  if (name == "lpips") return PerceptKind::lpips;
  if (name == "none") return PerceptKind::none;
  return usage_error("--percept " + name + ": it is estimator, soft-piqe, lpips or none");
}

Result<Percept> make_percept(PerceptKind kind, const std::filesystem::path& estimator) {
  Percept percept;
  if (kind == PerceptKind::estimator) {
    auto loaded = load_estimator(estimator);
    if (!loaded) return loaded.error();
    const auto state = std::make_shared<const EstimatorState>(*std::move(loaded));
    percept.score = [state](const at::Tensor& x) { return estimate(state->spec, state->average, x) / 100; };
    percept.least_side = int(kEstimatorLeastSide);
  } else if (kind == PerceptKind::soft_piqe) {
    percept.score = [](const at::Tensor& x) { return soft_piqe(x) / 100; };
  } else if (kind == PerceptKind::lpips) {
    const auto weights = installed_lpips_weights();
    if (!weights) return weights.error();
    const auto tensors = std::make_shared<const LpipsTensors>(lpips_tensors(*weights, torch::kFloat32));
    percept.distance = [tensors](const at::Tensor& a, const at::Tensor& b) {
      return soft_lpips(a, b, *tensors);
    };
    percept.least_side = kLpipsLeast;
  }
  return percept;
}

Result<QualityCrops> quality_crops(const SplitNet& net, const MixedNet& mixed, const SplitCrops& crops,
                                   const Percept& percept) {
  const torch::NoGradGuard no_gradients;
  QualityCrops made{.low = network_values(crops.low, net.picture),
                    .high = crops.high.to(torch::kFloat32),
                    .exact = {},
                    .score = {},
                    .picture = net.picture,
                    .shave = net.scale};
  const int64_t side = made.high.size(2);
  if (side < percept.least_side || side <= 2 * made.shave)
    return usage_error(fmt::format("crops of {} pixels: the losses need {}", side,
                                   std::max<int64_t>(percept.least_side, 2 * made.shave + 1)),
                       "give a larger --crop");
  const auto all_float = shares_of(Assignment(size_t(mixed.units()), 0), mixed.processors());
  std::vector<at::Tensor> exact, scores;
  for (const auto& low : made.low.split(kAtATime)) {
    exact.push_back(grey_levels(mixed.output(low, all_float), net.picture));
    if (percept.score) scores.push_back(percept.score(as_seen(exact.back())));
  }
  made.exact = torch::cat(exact);
  if (made.exact.sizes() != made.high.sizes())
    return bad_input(fmt::format("{}: makes {} pixels of {}; its scale says {}", net.name, made.exact.size(2),
                                 made.low.size(2), net.scale));
  if (percept.score) made.score = torch::cat(scores);
  return made;
}

at::Tensor quality_loss(const MixedNet& net, const QualityCrops& crops, const at::Tensor& rows,
                        const at::Tensor& shares, const Percept& percept, const QualityWeights& weights) {
  const auto of = [&rows](const at::Tensor& x) { return x.index_select(0, rows); };
  const auto grey = grey_levels(net.output(of(crops.low), shares), crops.picture);
  const auto target = of(weights.towards_float ? crops.exact : crops.high);
  auto loss = weights.structure * without_edge((grey - target) / 255, crops.shave).square().mean();
  if (percept.score && weights.percept > 0)
    loss = loss + weights.percept * (percept.score(as_seen(grey)) - of(crops.score)).relu().mean();
  if (percept.distance && weights.percept > 0)
    loss = loss + weights.percept * percept.distance(as_seen(grey), as_seen(of(crops.exact))).mean();
  return loss;
}

}  // namespace fye
