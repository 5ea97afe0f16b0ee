// How long a batch will still take: learned while it runs, from what its files have in common.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

namespace fye {

// What a job's time is explained by: each a quantity that is 0 or more, with a cost that is learned.
enum class CostOf { file, new_size, network_mp, png_mp, jpeg_mp, webp_mp, tiff_mp };
inline constexpr size_t kCosts = 7;
using Costs = std::array<double, kCosts>;

inline double& at(Costs& costs, CostOf what) { return costs[static_cast<size_t>(what)]; }

// Not thread-safe; times are seconds on any clock that does not go back.
class Estimator {
 public:
  // In the order in which the jobs will run; `start_s`: when the first begins.
  Estimator(std::vector<Costs> jobs, double start_s);

  // A job is done. One that failed or was skipped has no cost; its time counts all the same.
  void ended(size_t job, double now_s, bool failed = false);

  // So much of a job is done, 0..1.
  void within(size_t job, double fraction);

  // Of the work, 0..1, by what the costs are known to be now: may go back a little as they become known.
  double fraction() const;

  // Nothing before anything is done.
  std::optional<double> left_s(double now_s) const;

 private:
  double cost(const Costs& quantities) const;
  void learn();

  std::vector<Costs> jobs_;
  std::vector<double> done_;  // 0..1 of each; 1 when ended
  double start_s_, window_start_s_;
  Costs total_{}, spent_{};   // quantities; spent without the job in hand
  size_t current_ = 0;        // the job that within() spoke of
  Costs window_{};            // quantities ended since the last equation
  // Normal equations of the weighted least squares, and the costs that solve them.
  std::array<Costs, kCosts> products_{};
  Costs sums_{}, costs_{};
};

}  // namespace fye
