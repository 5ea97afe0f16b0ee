#include "batch/estimate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace fye {
namespace {

// A batch as a fake clock sees it: files of mixed sizes and formats on a machine whose costs differ from the guess,
// with scatter from file to file and a drift over the run.
struct Batch {
  std::vector<Costs> jobs;
  std::vector<double> ends;  // seconds, of each job; starts at 0
};

Batch random_batch(std::mt19937& random) {
  const auto uniform = [&](double lo, double hi) { return std::uniform_real_distribution(lo, hi)(random); };
  const auto log_uniform = [&](double lo, double hi) { return std::exp(uniform(std::log(lo), std::log(hi))); };
  Costs truth = {log_uniform(0.003, 0.03), log_uniform(0.005, 0.2), log_uniform(0.1, 20),
                 log_uniform(0.2, 1.5),    log_uniform(0.05, 0.4),  log_uniform(0.3, 2),
                 log_uniform(0.03, 0.3)};
  const size_t sizes = size_t(uniform(1, 12)), files = size_t(uniform(40, 400));
  std::vector<double> megapixels(sizes), drawn(files);
  for (double& size : megapixels) size = log_uniform(0.05, 12);
  std::vector<size_t> order(files);
  for (size_t& size : order) size = size_t(uniform(0, double(sizes) - 1e-9));
  // Files of one size come together, as the batch runs them.
  std::sort(order.begin(), order.end());
  const bool mixed = uniform(0, 1) < 0.5;
  const auto only = CostOf(3 + int(uniform(0, 3.999)));
  Batch batch;
  double now = 0;
  const double drift = uniform(-0.05, 0.05);
  std::normal_distribution<double> scatter(0, 0.12);
  for (size_t i = 0; i < files; ++i) {
    Costs job{};
    at(job, CostOf::file) = 1;
    at(job, CostOf::new_size) = i == 0 || order[i] != order[i - 1];
    at(job, CostOf::network_mp) = megapixels[order[i]];
    at(job, mixed ? CostOf(3 + int(uniform(0, 3.999))) : only) = megapixels[order[i]];
    double seconds = 0;
    for (size_t c = 0; c < kCosts; ++c) seconds += truth[c] * job[c];
    now += seconds * std::exp(scatter(random)) * (1 + drift * double(i) / double(files));
    batch.jobs.push_back(job);
    batch.ends.push_back(now);
  }
  return batch;
}

// U9 of the users' figures: after 10 % of the work, within 15 % in 95 of 100 batches.
TEST(Estimate, IsWithin15PercentAfterATenthOfTheWork) {
  std::mt19937 random(7);
  for (int hundred = 0; hundred < 5; ++hundred) {
    int good = 0;
    for (int i = 0; i < 100; ++i) {
      const Batch batch = random_batch(random);
      Estimator estimator(batch.jobs, 0);
      size_t job = 0;
      while (batch.ends[job] < 0.1 * batch.ends.back()) {
        estimator.ended(job, batch.ends[job]);
        ++job;
      }
      estimator.ended(job, batch.ends[job]);
      const double now = batch.ends[job], truth = batch.ends.back() - now;
      const auto left = estimator.left_s(now);
      ASSERT_TRUE(left);
      if (std::abs(*left - truth) <= 0.15 * truth) ++good;
    }
    EXPECT_GE(good, 95) << "batch of batches " << hundred;
  }
}

TEST(Estimate, IsExactWhereFilesAreAlike) {
  Costs one{};
  at(one, CostOf::file) = 1;
  at(one, CostOf::network_mp) = 0.5;
  Estimator estimator(std::vector<Costs>(20, one), 100);
  EXPECT_FALSE(estimator.left_s(100));
  for (size_t i = 0; i < 20; ++i) {
    estimator.ended(i, 100 + 3.0 * double(i + 1));
    EXPECT_NEAR(*estimator.left_s(100 + 3.0 * double(i + 1)), 3.0 * double(19 - i), 1e-6);
    EXPECT_NEAR(estimator.fraction(), double(i + 1) / 20, 1e-9);
  }
}

TEST(Estimate, APartOfALargeFileCounts) {
  Costs one{};
  at(one, CostOf::network_mp) = 10;
  Estimator estimator({one, one}, 0);
  estimator.within(0, 0.5);
  EXPECT_NEAR(estimator.fraction(), 0.25, 1e-9);
  EXPECT_NEAR(*estimator.left_s(10), 30, 1e-6);
  estimator.within(0, 0.25);  // never back
  EXPECT_NEAR(estimator.fraction(), 0.25, 1e-9);
}

TEST(Estimate, FilesThatFailCostNothing) {
  Costs one{};
  at(one, CostOf::file) = 1;
  Estimator estimator(std::vector<Costs>(4, one), 0);
  estimator.ended(0, 1);
  estimator.ended(1, 1.01, true);
  EXPECT_NEAR(estimator.fraction(), 1.0 / 3, 1e-9);
  estimator.ended(2, 2);
  estimator.ended(3, 2.01, true);
  EXPECT_NEAR(estimator.fraction(), 1, 1e-9);
  EXPECT_NEAR(*estimator.left_s(2.01), 0, 1e-9);
}

}  // namespace
}  // namespace fye
