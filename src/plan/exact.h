// The exact planner: all plans that no other beats in both time and loss, by a dynamic programme over the
// graph's units (spec/fye-sr.md, section 5.2; findings-precision.md, section 10).
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "plan/problem.h"

namespace fye {

struct PlanConstraints {
  // By unit and processor; empty: everything is allowed.
  std::vector<std::vector<bool>> allowed;
  int max_switches = -1;         // changes of processor from one unit to the next; -1: any number
  std::optional<double> max_mj;  // energy; every unit's mj must be known
};

struct PlanPoint {
  Assignment plan;
  double ms = 0, loss = 0;  // predicted
};

struct ExactOptions {
  // Times are counted in whole steps. Each unit, with the hand-overs that it is the first to need, is rounded
  // up, so that no plan is slower than it says; the result is exact on that grid.
  int steps =
      1 << 14;  // in the time of the truest plan (under max_mj: of the slowest; best_plans: in the deadline)
  double step_ms = 0;  // above 0: a step, instead of `steps`
  // What the search may hold: states after one unit (EDSR-baseline on 4 processors has about 1,000), labels
  // (32 bytes each).
  int most_states = 1 << 14;
  int most_labels = 1 << 22;
};

struct ExactReport {
  bool exact = true;   // on the grid; false: the search outgrew its memory and left plans out
  double step_ms = 0;  // the grid; coarser than asked for where the search outgrew its memory
  size_t states = 0, labels = 0;
};

// The Pareto set: ascending ms, strictly descending loss. Under max_mj labels have three dimensions from the
// first plan on that breaks the budget; where energies have little to do with times that can be too many for
// a large network, and the report says so. Errors: constraints that leave a unit no processor; max_mj where
// energy is unknown; code deadline where no plan obeys max_switches or max_mj, with the nearest.
Result<std::vector<PlanPoint>> exact_plans(const PlanProblem& problem,
                                           const PlanConstraints& constraints = {},
                                           const ExactOptions& options = {}, ExactReport* report = nullptr);

// The `count` plans of least loss (fewer if there are fewer) that meet the deadline on the grid, ascending
// loss; a plan less than a step a unit below the deadline may be missing. For re-ranking by what is measured.
// Errors: as above; code deadline if no plan meets it.
Result<std::vector<PlanPoint>> best_plans(const PlanProblem& problem, double deadline_ms, int count,
                                          const PlanConstraints& constraints = {},
                                          const ExactOptions& options = {}, ExactReport* report = nullptr);

// The truest plan of a front that meets the deadline. Errors: code usage for a deadline that is no time above
// 0; code deadline if even the fastest plan is slower, with its time and the gap.
Result<PlanPoint> plan_for(const std::vector<PlanPoint>& front, double deadline_ms);

}  // namespace fye
