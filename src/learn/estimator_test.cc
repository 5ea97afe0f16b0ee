#include "learn/estimator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "learn/testing_gradients.h"

namespace fye {
namespace {

const EstimatorSpec kTiny{{4, 4, 6, 6, 8, 8}, 8, EstimatorInput::luma};

torch::Tensor noise_batch(int64_t count, int64_t channels, int64_t side, uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  return torch::empty({count, channels, side, side}).uniform_(0, 255, generator);
}

EstimatorWeights in_doubles(EstimatorWeights weights) {
  for (auto* list : {&weights.learned, &weights.statistics})
    for (auto& t : *list) t = t.to(torch::kFloat64);
  return weights;
}

TEST(Estimator, HasTheSizeThatIsWritten) {
  const auto weights = initial_estimator({}, 1);
  int64_t count = 0;
  for (const auto& t : weights.learned) count += t.numel();
  EXPECT_NEAR(double(count), 0.20e6, 0.02e6);  // spec/fye-sr.md, 6.2
}

TEST(Estimator, ScoresAnySizeBetween0And100AndPicturesApart) {
  const auto weights = initial_estimator(kTiny, 3);
  for (const int64_t side : {kEstimatorLeastSide, kEstimatorLeastSide + 7, int64_t(192)}) {
    const auto x = noise_batch(3, 1, side, 5);
    const auto scores = estimate(kTiny, weights, x);
    ASSERT_EQ(scores.sizes(), torch::IntArrayRef({3}));
    EXPECT_TRUE(((scores > 0) & (scores < 100)).all().item<bool>());
    EXPECT_TRUE(torch::allclose(scores.slice(0, 1, 2), estimate(kTiny, weights, x.slice(0, 1, 2)), 1e-5));
  }
}

TEST(Estimator, ColourCountsAsItsGrey) {
  const auto weights = initial_estimator(kTiny, 3);
  const auto grey = noise_batch(1, 1, 64, 5);
  EXPECT_TRUE(torch::allclose(estimate(kTiny, weights, grey.repeat({1, 3, 1, 1}) / 0.9999),
                              estimate(kTiny, weights, grey), 1e-5));
}

TEST(Estimator, StatisticsMoveInTrainingAlone) {
  const auto weights = initial_estimator(kTiny, 3);
  const auto before = copy_of(weights);
  const auto x = noise_batch(4, 1, 64, 6);
  estimate(kTiny, weights, x);
  for (size_t i = 0; i < weights.statistics.size(); ++i)
    EXPECT_TRUE(weights.statistics[i].equal(before.statistics[i])) << i;
  estimate_in_training(kTiny, weights.learned, weights.statistics, x, false);
  for (size_t i = 0; i < weights.statistics.size(); ++i)
    EXPECT_FALSE(weights.statistics[i].equal(before.statistics[i])) << i;
}

TEST(Estimator, NarrowTrainingComputesNearlyTheSame) {
  const auto weights = initial_estimator(kTiny, 3);
  const auto x = noise_batch(4, 1, 64, 6);
  const auto a = copy_of(weights), b = copy_of(weights);
  const auto wide = estimate_in_training(kTiny, a.learned, a.statistics, x, false);
  const auto narrow = estimate_in_training(kTiny, b.learned, b.statistics, x, true);
  EXPECT_TRUE(torch::allclose(narrow, wide, 0, 2));
  EXPECT_EQ(narrow.scalar_type(), torch::kFloat32);
}

TEST(Estimator, GradientAgreesWithFiniteDifferences) {
  auto weights = initial_estimator(kTiny, 9);
  // Offsets that are not 0: a flat map's ReLU would stand exactly at its kink.
  for (size_t i = 2; i < 3 * kEstimatorConvs; i += 3) weights.learned[i].fill_(0.3);
  weights = in_doubles(weights);
  testing::expect_gradient([&](const torch::Tensor& x) { return estimate(kTiny, weights, x); },
                           noise_batch(1, 3, 64, 7), 1e-4, 1e-4);
}

TEST(Estimator, NormalisedInputDoesNotSeeBrightness) {
  EstimatorSpec spec = kTiny;
  spec.input = *estimator_input("normalised");
  const auto weights = initial_estimator(spec, 9);
  const auto x = noise_batch(1, 1, 64, 7);
  EXPECT_TRUE(torch::allclose(estimate(spec, weights, x * 0.5), estimate(spec, weights, x), 1e-4));
  EXPECT_FALSE(torch::allclose(estimate(kTiny, weights, x * 0.5), estimate(kTiny, weights, x), 1e-4));
  testing::expect_gradient([&](const torch::Tensor& p) { return estimate(spec, in_doubles(weights), p); }, x,
                           1e-4, 1e-4);
  EXPECT_FALSE(estimator_input("colour").ok());
}

TEST(Estimator, FlatPicturesHaveFiniteGradients) {
  const auto weights = initial_estimator(kTiny, 9);
  const auto x = torch::full({1, 1, 64, 64}, 128.0f).set_requires_grad(true);
  estimate(kTiny, weights, x).sum().backward();
  EXPECT_TRUE(x.grad().isfinite().all().item<bool>());
}

TEST(Estimator, WrongWeightsAreRefused) {
  EXPECT_TRUE(check_estimator(kTiny, initial_estimator(kTiny, 1)).ok());
  EXPECT_FALSE(check_estimator({}, initial_estimator(kTiny, 1)).ok());
  EXPECT_FALSE(check_estimator({{1, 2}, 8}, initial_estimator(kTiny, 1)).ok());
  EXPECT_FALSE(check_estimator({{4, 4, 6, -6, 8, 8}, 8}, initial_estimator(kTiny, 1)).ok());
  auto weights = initial_estimator(kTiny, 1);
  weights.statistics[3][0] = NAN;
  EXPECT_FALSE(check_estimator(kTiny, weights).ok());
  weights = initial_estimator(kTiny, 1);
  weights.learned.pop_back();
  EXPECT_FALSE(check_estimator(kTiny, weights).ok());
}

TEST(EstimatorLoss, IsZeroForTheTruthWhateverTheOrder) {
  const auto scores = torch::tensor({10.0f, 40.0f, 11.0f, 95.0f});
  EXPECT_NEAR(estimator_loss(scores, scores, 0.1).item<double>(), 0, 1e-7);
}

TEST(EstimatorLoss, WrongOrderCostsMoreThanTheSameErrorInOrder) {
  const auto scores = torch::tensor({50.0f, 53.0f});
  const auto wrong = torch::tensor({52.0f, 51.0f}), right = torch::tensor({48.0f, 55.0f});
  EXPECT_GT(estimator_loss(wrong, scores, 0.1).item<double>(),
            estimator_loss(right, scores, 0.1).item<double>() + 1e-4);
  EXPECT_NEAR(estimator_loss(wrong, scores, 0).item<double>(),
              estimator_loss(right, scores, 0).item<double>(), 1e-7);
}

TEST(EstimatorLoss, NearlyEqualScoresAreNotPushedApart) {
  const auto scores = torch::tensor({50.0f, 51.0f}), swapped = torch::tensor({51.0f, 50.0f});
  EXPECT_NEAR(estimator_loss(swapped, scores, 1).item<double>(),
              estimator_loss(swapped, scores, 0).item<double>(), 1e-9);
}

TEST(EstimatorLoss, ScoresBeyond100CountAs100) {
  EXPECT_NEAR(estimator_loss(torch::tensor({100.0f}), torch::tensor({130.0f}), 0.1).item<double>(), 0, 1e-9);
}

RC_GTEST_PROP(EstimatorLoss, IsNeverNegativeAndGrowsWithTheError, ()) {
  const double truth = *rc::gen::inRange(10, 90), off = *rc::gen::inRange(1, 9);
  const auto at = [&](double d) {
    return estimator_loss(torch::tensor({float(truth + d)}), torch::tensor({float(truth)}), 0.1)
        .item<double>();
  };
  RC_ASSERT(at(0) >= 0 && at(off) > at(off / 2) && at(-off) > at(-off / 2));
}

}  // namespace
}  // namespace fye
