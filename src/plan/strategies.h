// Strategies that the exact planner is compared with, and what compares them: greedy, random, prefix and
// suffix plans, hypervolume; and the repair of a plan that misses its deadline.
#pragma once

#include "plan/exact.h"

namespace fye {

// All of them obey the constraints; what a problem can't run is left out. Fronts as exact_plans() gives them.

// From the truest plan on one processor (or of each unit alone, where none may run all) down to the fastest
// plan it finds, each time by the move that loses least per ms saved; a move takes 1, 2, 4, 8 ... units in a
// row to one processor, hand-overs counted, so that no unit is left behind as an island that costs more than
// it gains. Energy budgets are not its business.
std::vector<PlanPoint> greedy_plans(const PlanProblem& problem, const PlanConstraints& constraints = {});

// The front of `count` plans; each draws the shares of its processors first. The same for the same seed.
std::vector<PlanPoint> random_plans(const PlanProblem& problem, const PlanConstraints& constraints, int count,
                                    unsigned seed);

// The front of plans with one switch: the first units on one processor, the rest on a less true one (suffix),
// or the reverse (prefix: the first units on the less true one).
std::vector<PlanPoint> prefix_plans(const PlanProblem& problem, const PlanConstraints& constraints = {});
std::vector<PlanPoint> suffix_plans(const PlanProblem& problem, const PlanConstraints& constraints = {});

// The plans that no other beats, ascending ms.
std::vector<PlanPoint> front_of(std::vector<PlanPoint> points);

// Area that a front dominates, left of `most_ms` and below `most_loss`, in ms * grey levels squared. Points
// beyond count for nothing.
double hypervolume(const std::vector<PlanPoint>& front, double most_ms, double most_loss);

// A plan near `plan` that meets the deadline (spec/fye-sr.md, section 5.2, steps 1 and 2): moves that lose
// least per ms saved while it is too slow, then moves that gain most per ms while there is time, and without
// the islands whose time buys more elsewhere. From the fastest plan where moves get stuck. Errors: as
// best_plans().
Result<PlanPoint> repair(const PlanProblem& problem, const Assignment& plan, double deadline_ms,
                         const PlanConstraints& constraints = {});

}  // namespace fye
