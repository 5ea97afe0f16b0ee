#include "profile/pairs.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "base/clock.h"
#include "profile/interval.h"

namespace fye {
namespace {

// A clock that the runs themselves move on: the machine's load is of no matter.
struct FakeClock {
  double ms = 0;
  std::minstd_rand random{3};
  std::function<Status()> takes(double mean, double noise = 0) {
    return [this, mean, noise] {
      ms += mean + noise * (double(random() % 1000) / 500 - 1);
      return Status();
    };
  }
  PairOptions options(int least, int most, double half_width) {
    return {.least = least, .most = most, .half_width = half_width, .now = [this] { return ms; }};
  }
};

TEST(Pairs, FindTheDifference) {
  FakeClock clock;
  int runs = 0;
  const auto with = clock.takes(30, 1);
  const auto time = time_difference(
      clock.takes(10, 1),
      [&] {
        ++runs;
        return with();
      },
      2, clock.options(5, 30, 0.1));
  ASSERT_TRUE(time);
  EXPECT_NEAR(time->ms, 10, 0.7);  // (30 - 10) / 2 copies
  EXPECT_GE(time->n, 5);
  EXPECT_LE(time->half_width, 1);
  EXPECT_EQ(runs, time->n + 1);  // one to warm up
}

TEST(Pairs, ADriftOfTheMachineCancels) {
  FakeClock clock;
  double slow = 1;
  const auto run = [&](double mean) {
    return [&clock, &slow, mean] {
      clock.ms += mean * slow;
      slow *= 1.02;  // hotter and hotter
      return Status();
    };
  };
  const auto time = time_difference(run(100), run(110), 1, clock.options(6, 6, 0));
  ASSERT_TRUE(time);
  // The order within a pair alternates: what the later run loses in one pair it gains in the next.
  EXPECT_NEAR(time->ms / (10 * slow), 0.9, 0.35);
}

TEST(Pairs, NeverBelowZeroAndNeverMoreThanAsked) {
  FakeClock clock;
  const auto time = time_difference(clock.takes(3), clock.takes(1), 1, clock.options(3, 6, 0));
  ASSERT_TRUE(time);
  EXPECT_EQ(time->ms, 0);
  EXPECT_EQ(time->n, 6);
}

TEST(Pairs, TimeIsBounded) {
  FakeClock clock;
  PairOptions options = clock.options(3, 1000, 0);
  options.most_ms = 100;
  const auto time = time_difference(clock.takes(3), clock.takes(7), 1, options);
  ASSERT_TRUE(time);
  EXPECT_EQ(time->n, 10);  // 10 ms to warm up and 10 a pair
  EXPECT_NEAR(time->ms, 4, 1e-9);
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
