// Time is explained as a sum of quantities (files, megapixels through the network, megapixels encoded as PNG, ...) times
// costs that are 0 or more. The costs start as a guess and are fitted by least squares with a pull towards the guess,
// which decides where the files so far can't tell two costs apart. What is left is then the time so far, times the
// ratio of the fitted costs left and spent: the fit's absolute level cancels. Tested by batch/estimate_test.cc.
#include "batch/estimate.h"

#include <algorithm>
#include <cmath>

namespace fye {
namespace {

// Only the ratios count. Seconds, measured on two cores with abpn_x3: what a file takes whatever its size, what preparing
// takes, an input megapixel in the network, and its enlarged megapixels through an encoder.
constexpr Costs kGuess = {0.01, 0.02, 0.5, 0.6, 0.15, 0.8, 0.1};

// Equations are made of at least so much time: single files end in bunches when several are saved at once.
constexpr double kWindowS = 0.1;

// The pull to the guess, against how much the files so far fix a cost: decides only where they say little. Of 0.001 to
// 1, the value with the fewest batches outside 15 % in the test's simulation.
constexpr double kPull = 0.02;

// Coordinate descent on 7 unknowns; each round shrinks the rest by about half.
constexpr int kRounds = 40;

}  // namespace

Estimator::Estimator(std::vector<Costs> jobs, double start_s)
    : jobs_(std::move(jobs)), done_(jobs_.size(), 0.0), start_s_(start_s), window_start_s_(start_s), costs_(kGuess) {
  for (const Costs& job : jobs_)
    for (size_t i = 0; i < kCosts; ++i) total_[i] += job[i];
}

double Estimator::cost(const Costs& quantities) const {
  double sum = 0;
  for (size_t i = 0; i < kCosts; ++i) sum += quantities[i] * costs_[i];
  return sum;
}

void Estimator::ended(size_t job, double now_s, bool failed) {
  done_[job] = 1;
  for (size_t i = 0; i < kCosts; ++i) {
    if (failed) {
      total_[i] -= jobs_[job][i];
    } else {
      spent_[i] += jobs_[job][i];
      window_[i] += jobs_[job][i];
    }
  }
  if (failed) jobs_[job] = {};
  const double seconds = now_s - window_start_s_;
  if (seconds < kWindowS || cost(window_) <= 0) return;
  // A sum of n files scatters like its square root, so an equation weighs 1 / time.
  const double weight = 1 / seconds;
  for (size_t i = 0; i < kCosts; ++i) {
    for (size_t j = 0; j < kCosts; ++j) products_[i][j] += weight * window_[i] * window_[j];
    sums_[i] += weight * window_[i] * seconds;
  }
  window_ = {};
  window_start_s_ = now_s;
  learn();
}

void Estimator::learn() {
  // The guess at this machine's level, then each cost pulled to it in proportion to what it explains so far.
  double guessed = 0, seconds = 0;
  for (size_t i = 0; i < kCosts; ++i) guessed += sums_[i] * kGuess[i];
  for (size_t i = 0; i < kCosts; ++i)
    for (size_t j = 0; j < kCosts; ++j) seconds += kGuess[i] * products_[i][j] * kGuess[j];
  if (!(guessed > 0) || !(seconds > 0)) return;
  const double level = guessed / seconds;
  Costs guess;
  for (size_t i = 0; i < kCosts; ++i) guess[i] = level * kGuess[i];
  double mean = 0;  // how much an equation fixes a cost, in units of that cost's guess
  for (size_t i = 0; i < kCosts; ++i) mean += products_[i][i] * guess[i] * guess[i] / kCosts;
  Costs found = guess;
  const double pull = kPull * std::min(1.0, mean);
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < kCosts; ++i) {
      const double own_pull = pull / (guess[i] * guess[i]);
      double rest = sums_[i] + own_pull * guess[i];
      for (size_t j = 0; j < kCosts; ++j)
        if (j != i) rest -= products_[i][j] * found[j];
      found[i] = std::max(0.0, rest / (products_[i][i] + own_pull));
    }
  }
  costs_ = found;
}

void Estimator::within(size_t job, double fraction) {
  if (job >= jobs_.size() || done_[job] >= 1) return;
  current_ = job;
  done_[job] = std::clamp(fraction, done_[job], 0.999);
}

double Estimator::fraction() const {
  const double total = cost(total_);
  if (!(total > 0)) return 1;
  double spent = cost(spent_);
  if (current_ < jobs_.size() && done_[current_] < 1) spent += done_[current_] * cost(jobs_[current_]);
  return std::clamp(spent / total, 0.0, 1.0);
}

std::optional<double> Estimator::left_s(double now_s) const {
  const double part = fraction();
  if (!(part > 0)) return {};
  return (now_s - start_s_) * (1 - part) / part;
}

}  // namespace fye
