#include "learn/estimator_score.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "learn/soft_piqe.h"
#include "learn/testing_crops.h"

namespace fye {
namespace {

TEST(Agreement, OfTheTruthIsPerfect) {
  const auto set = testing::small_crops(4, 64);
  const auto rows = testing::all_rows(set);
  std::vector<double> exact, shifted, turned;
  for (const auto& crop : set.crops) exact.push_back(crop.score);
  for (const double v : exact) shifted.push_back(v + 3), turned.push_back(-v);
  const auto perfect = agreement(set, rows, exact);
  EXPECT_EQ(perfect.crops, 16);
  EXPECT_DOUBLE_EQ(perfect.spearman, 1);
  EXPECT_EQ(perfect.mean_error, 0);
  EXPECT_GT(perfect.places, 0);
  EXPECT_NEAR(perfect.within, 1, 1e-12);
  EXPECT_NEAR(agreement(set, rows, shifted).mean_error, 3, 1e-6);
  EXPECT_NEAR(agreement(set, rows, shifted).spearman, 1, 1e-12);
  EXPECT_NEAR(agreement(set, rows, turned).within, -1, 1e-12);
}

TEST(Agreement, PlansOfTooFewOrTooEqualOutputsDontCount) {
  auto set = testing::small_crops(2, 64);
  for (size_t i = 0; i < set.crops.size(); ++i) set.crops[i].score = float(10 + 0.1 * double(i % 4));
  const auto rows = testing::all_rows(set);
  const std::vector<double> scores(rows.size(), 5);
  EXPECT_EQ(agreement(set, rows, scores).places, 0);
}

TEST(ScoresOf, AreTheSameForAnyNumberOfThreads) {
  const auto set = testing::small_crops(9, 64);
  const auto rows = testing::all_rows(set);
  const auto imitation = [](const torch::Tensor& x) { return soft_piqe(x); };
  const auto one = scores_of(imitation, set, rows, 1), three = scores_of(imitation, set, rows, 3);
  EXPECT_EQ(one, three);
  EXPECT_NEAR(one[5], soft_piqe(set.pixels.slice(0, 5, 6).to(torch::kFloat32)).item<double>(), 1e-2);
}

TEST(Guidance, OfSoftPiqeIsRightAndOfItsOppositeWrong) {
  const auto set = testing::small_crops(4, 64);
  const auto rows = testing::all_rows(set);
  const auto soft = guidance([](const torch::Tensor& x) { return soft_piqe(x); }, set, rows, 2, 2);
  const auto opposite = guidance([](const torch::Tensor& x) { return -soft_piqe(x); }, set, rows, 2, 2);
  EXPECT_EQ(soft.crops, 16);
  EXPECT_LT(soft.down, soft.up);
  EXPECT_GT(soft.right_share, 0.8);
  EXPECT_NEAR(opposite.down, soft.up, 1e-9);
  EXPECT_NEAR(opposite.up, soft.down, 1e-9);
}

}  // namespace
}  // namespace fye
