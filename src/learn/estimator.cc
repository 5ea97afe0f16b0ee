#include "learn/estimator.h"

#include <fmt/format.h>

#include <cmath>

#include "learn/soft_piqe.h"

namespace fye {
namespace {

constexpr int64_t kStrides[kEstimatorConvs] = {1, 2, 2, 2, 2, 1};
constexpr size_t kPerConv = 3, kDense = 4;
constexpr double kBatchNormEpsilon = 1e-5, kBatchNormMomentum = 0.1;
// Under the root of the tap's variance, for the root's slope at 0 is infinite.
constexpr double kTiny = 1e-8;
// BT.601 studio luma of a grey value, /255 and centred (spec/fye-sr.md, 6.2).
constexpr double kLumaGain = 219.0 / 255, kLumaOffset = 16, kCentre = 0.5;
constexpr double kLeastGap = 0.02;
// Where the loss turns from square to linear, in scores / 100. With torch's usual 1 it would be square alone.
constexpr double kSmooth = 0.05;

int64_t features_of(const EstimatorSpec& spec) {
  return 2 * spec.channels[kEstimatorLocalTap] + spec.channels.back();
}

torch::Tensor input_of(EstimatorInput kind, const torch::Tensor& x) {
  if (kind == EstimatorInput::normalised) return soft_normalised(x);
  return (soft_grey(x) * kLumaGain + kLumaOffset) / 255 - kCentre;
}

// The convolutions compute in the dtype of `type`, everything else in the input's.
torch::Tensor network(const EstimatorSpec& spec, const std::vector<torch::Tensor>& learned,
                      const std::vector<torch::Tensor>& statistics, const torch::Tensor& x, bool training,
                      torch::ScalarType type) {
  auto maps = input_of(spec.input, x).to(type);
  torch::Tensor local;
  for (size_t i = 0; i < kEstimatorConvs; ++i) {
    const auto* own = &learned[kPerConv * i];
    maps = torch::conv2d(maps, own[0].to(type), {}, kStrides[i], 1);
    maps = torch::batch_norm(maps, own[1], own[2], statistics[2 * i], statistics[2 * i + 1], training,
                             kBatchNormMomentum, kBatchNormEpsilon, false)
               .relu();
    if (i == kEstimatorLocalTap) local = maps.to(x.scalar_type());
  }
  maps = maps.to(x.scalar_type());
  const auto deviation = (local.var({2, 3}, false) + kTiny).sqrt();
  const auto pooled = torch::cat({local.mean({2, 3}), deviation, maps.mean({2, 3})}, 1);
  const auto* dense = &learned[kPerConv * kEstimatorConvs];
  const auto hidden = torch::linear(pooled, dense[0], dense[1]).relu();
  return torch::linear(hidden, dense[2], dense[3]).sigmoid().mul(100).flatten();
}

std::string wrong_shape(const std::vector<torch::Tensor>& given, const std::vector<torch::Tensor>& expected,
                        const char* what) {
  if (given.size() != expected.size())
    return fmt::format("{} {}, expected {}", given.size(), what, expected.size());
  for (size_t i = 0; i < given.size(); ++i) {
    if (given[i].sizes() != expected[i].sizes() || given[i].scalar_type() != torch::kFloat32)
      return fmt::format("{} {} has another shape or type", what, i);
    if (!given[i].isfinite().all().item<bool>()) return fmt::format("{} {} is not finite", what, i);
  }
  return {};
}

}  // namespace

Result<EstimatorInput> estimator_input(const std::string& name) {
  if (name == "luma") return EstimatorInput::luma;
  if (name == "normalised") return EstimatorInput::normalised;
  return usage_error("no estimator's input '" + name + "'", "there are luma and normalised");
}

EstimatorWeights initial_estimator(const EstimatorSpec& spec, uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  const auto he = [&generator](torch::IntArrayRef shape, int64_t fan) {
    return torch::empty(shape).normal_(0, std::sqrt(2.0 / double(fan)), generator);
  };
  EstimatorWeights weights;
  int64_t in = 1;
  for (const int64_t out : spec.channels) {
    weights.learned.push_back(he({out, in, 3, 3}, 9 * in));
    weights.learned.push_back(torch::ones({out}));
    weights.learned.push_back(torch::zeros({out}));
    weights.statistics.push_back(torch::zeros({out}));
    weights.statistics.push_back(torch::ones({out}));
    in = out;
  }
  const int64_t features = features_of(spec);
  weights.learned.push_back(he({spec.hidden, features}, features));
  weights.learned.push_back(torch::zeros({spec.hidden}));
  weights.learned.push_back(he({1, spec.hidden}, 2 * spec.hidden));
  weights.learned.push_back(torch::zeros({1}));
  return weights;
}

EstimatorWeights copy_of(const EstimatorWeights& weights) {
  EstimatorWeights copy;
  for (const auto& t : weights.learned) copy.learned.push_back(t.detach().clone());
  for (const auto& t : weights.statistics) copy.statistics.push_back(t.detach().clone());
  return copy;
}

Status check_estimator(const EstimatorSpec& spec, const EstimatorWeights& weights) {
  bool sane = spec.channels.size() == kEstimatorConvs && spec.hidden > 0 && spec.hidden <= 4096;
  for (const int64_t c : spec.channels) sane = sane && c > 0 && c <= 4096;
  if (!sane) return bad_input("an estimator of impossible size");
  const auto expected = initial_estimator(spec, 1);
  auto wrong = wrong_shape(weights.learned, expected.learned, "weight tensors");
  if (wrong.empty()) wrong = wrong_shape(weights.statistics, expected.statistics, "statistics");
  if (!wrong.empty()) return bad_input("estimator: " + wrong);
  return {};
}

torch::Tensor estimate(const EstimatorSpec& spec, const EstimatorWeights& weights, const torch::Tensor& x) {
  return network(spec, weights.learned, weights.statistics, x, false, x.scalar_type());
}

torch::Tensor estimate_in_training(const EstimatorSpec& spec, const std::vector<torch::Tensor>& learned,
                                   const std::vector<torch::Tensor>& statistics, const torch::Tensor& x,
                                   bool narrow) {
  return network(spec, learned, statistics, x, true, narrow ? torch::kBFloat16 : x.scalar_type());
}

torch::Tensor estimator_loss(const torch::Tensor& estimates, const torch::Tensor& scores, double ranking) {
  const auto made = estimates / 100, truth = scores.clamp(0, 100) / 100;
  const auto near = torch::smooth_l1_loss(made, truth, at::Reduction::Mean, kSmooth);
  const auto gaps = truth.unsqueeze(1) - truth.unsqueeze(0),
             made_gaps = made.unsqueeze(1) - made.unsqueeze(0);
  const auto counted = (gaps > kLeastGap).to(made.scalar_type());
  const auto hinge = ((kLeastGap - made_gaps).relu() * counted).sum() / counted.sum().clamp_min(1);
  return near + ranking * hinge;
}

}  // namespace fye
