// The exact planner: all plans that no other beats in both time and loss, by a dynamic programme over the
// graph's units (spec/fye-sr.md, section 5.2; findings-precision.md, section 10).
#pragma once

#include <vector>

#include "base/result.h"
#include "plan/problem.h"

namespace fye {

struct PlanConstraints {
  // By unit and processor; empty: everything is allowed.
  std::vector<std::vector<bool>> allowed;
  int max_switches = -1;  // changes of processor from one unit to the next; -1: any number
};

struct PlanPoint {
  Assignment plan;
  double ms = 0, loss = 0;  // predicted
};

struct ExactOptions {
  // Times are counted in whole steps of the slowest plan's time / steps, each unit and hand-over rounded up,
  // so that no plan is slower than it says; the result is exact on that grid.
  int steps = 1 << 14;
  int alternatives = 1;  // the best `alternatives` plans for each end state and time are kept where they differ
};

// The Pareto set: ascending ms, strictly descending loss. Errors: constraints that leave a unit no processor.
Result<std::vector<PlanPoint>> exact_plans(const PlanProblem& problem, const PlanConstraints& constraints = {},
                                           const ExactOptions& options = {});

}  // namespace fye
