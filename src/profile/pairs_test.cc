#include "profile/pairs.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "base/clock.h"
#include "profile/interval.h"

namespace fye {
namespace {

// Works, rather than sleeps: sleeping rounds up.
void spin(double ms) {
  const Stopwatch watch;
  while (watch.ms() < ms) {
  }
}

TEST(Pairs, FindTheDifference) {
  int runs = 0;
  const auto time = time_difference(
      [&] {
        spin(1);
        return Status();
      },
      [&] {
        ++runs;
        spin(3);
        return Status();
      },
      2, {.least = 5, .most = 30, .half_width = 0.1});
  ASSERT_TRUE(time);
  EXPECT_NEAR(time->ms, 1, 0.3);  // (3 - 1) / 2 copies
  EXPECT_GE(time->n, 5);
  EXPECT_EQ(runs, time->n + 2);  // two to warm up
}

TEST(Pairs, NeverBelowZeroAndNeverMoreThanAsked) {
  const auto time = time_difference([] { return spin(1), Status(); }, [] { return Status(); }, 1,
                                    {.least = 3, .most = 6, .half_width = 0});
  ASSERT_TRUE(time);
  EXPECT_EQ(time->ms, 0);
  EXPECT_EQ(time->n, 6);
}

TEST(Pairs, AFailureIsPassedOn) {
  const auto time = time_difference([] { return Status(); }, [] { return Status(bad_input("no")); }, 1, {});
  ASSERT_FALSE(time);
  EXPECT_EQ(time.error().what, "no");
}

RC_GTEST_PROP(Interval, HoldsTheMedianAndShrinksForEqualSamples, ()) {
  const auto raw = *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 1000)));
  const std::vector<double> samples(raw.begin(), raw.end());
  const Timing time = interval_of(samples);
  RC_ASSERT(time.n == int(samples.size()));
  RC_ASSERT(time.ms == median(samples));
  RC_ASSERT(time.half_width >= 0);
  const auto [least, most] = std::minmax_element(samples.begin(), samples.end());
  RC_ASSERT(time.half_width <= (*most - *least) / 2);
  RC_ASSERT(interval_of(std::vector<double>(9, samples[0])).half_width == 0);
}

TEST(Interval, CoversTheTruthAboutAsOftenAsItSays) {
  // Medians of 15 samples around 100: the interval of 95 % must hold 100 in most of 200 draws.
  std::minstd_rand random(7);
  std::normal_distribution<double> normal(100, 5);
  int covered = 0;
  constexpr int kDraws = 200;
  for (int draw = 0; draw < kDraws; ++draw) {
    std::vector<double> samples(15);
    for (double& v : samples) v = normal(random);
    const Timing time = interval_of(samples);
    covered += std::abs(time.ms - 100) <= time.half_width * 1.3;
  }
  EXPECT_GT(covered, kDraws * 80 / 100);
  EXPECT_LT(covered, kDraws);
}

}  // namespace
}  // namespace fye
