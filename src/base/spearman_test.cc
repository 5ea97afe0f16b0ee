#include "base/spearman.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace fye {
namespace {

TEST(Spearman, OfKnownRanks) {
  const std::vector<double> a{1, 2, 3, 4, 5}, up{2, 3, 5, 7, 90}, down{9, 8, 3, 1, 0}, swapped{2, 1, 3, 5, 4};
  EXPECT_DOUBLE_EQ(spearman(a, up), 1);
  EXPECT_DOUBLE_EQ(spearman(a, down), -1);
  EXPECT_DOUBLE_EQ(spearman(a, swapped), 0.8);  // 1 - 6 * 4 / (5 * 24)
}

TEST(Spearman, SharesTheRanksOfEqualValues) {
  const std::vector<double> a{1, 2, 2, 3}, b{10, 20, 30, 40};
  EXPECT_NEAR(spearman(a, b), 4.5 / std::sqrt(4.5 * 5), 1e-12);
}

TEST(Spearman, OfNothingIsNotANumber) {
  const std::vector<double> none, one{3}, equal{2, 2, 2}, other{1, 2, 3};
  EXPECT_TRUE(std::isnan(spearman(none, none)));
  EXPECT_TRUE(std::isnan(spearman(one, one)));
  EXPECT_TRUE(std::isnan(spearman(equal, other)));
}

RC_GTEST_PROP(Spearman, OnlyOrderCounts, (const std::vector<int16_t>& values)) {
  std::vector<double> a(values.begin(), values.end()), cubes;
  const bool differ = std::adjacent_find(a.begin(), a.end(), std::not_equal_to<>()) != a.end();
  RC_PRE(differ);
  for (const double v : a) cubes.push_back(v * v * v + 5);
  RC_ASSERT(std::abs(spearman(a, cubes) - 1) < 1e-12);
}

}  // namespace
}  // namespace fye
