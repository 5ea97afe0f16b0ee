// Loss check: how well the sum of measured parts orders random mixed plans by their true distance to the
// float network (findings-precision.md, section 6).
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/threads.h"
#include "kernels/map.h"
#include "plan/problem.h"

namespace fye {

struct LossCheck {
  std::vector<double> share, predicted, truth;  // by plan: share of units not on the base; msef
  double spearman = 0;                          // over all plans; 0 where all are equal
  double spearman_within = 0;                   // mean over bins of equal share
  double ratio = 0;                             // median of truth / predicted
};

// The plan problem with every time 0: for questions about losses alone.
Result<PlanProblem> loss_problem(const Graph& graph, const Calib* calib,
                                 std::span<const Processor* const> processors, const Losses& losses);

// `count` random plans at shares .25, .5, .75 and .9 of units on `narrow` processors (indices of the
// problem's; each plan uses one of them or a mixture), the rest on `base`; half of them unit by unit, half in
// one run of units. `processors` are those of the problem, in its order. The same plans for the same seed.
// Errors: as Stepper.
Result<LossCheck> check_losses(const Graph& graph, const Calib* calib, const PlanProblem& problem,
                               std::span<const Processor* const> processors, int base,
                               std::span<const int> narrow, std::span<const Map> crops, const Quant& picture,
                               int count, unsigned seed, ThreadPool& threads,
                               const std::function<void(double)>& progress = {});

}  // namespace fye
